package io.crosstide.capture.command;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;

/**
 * Seeded commands over few keys of colliding types, so that every command meets every state. Many
 * fail in Redis with WRONGTYPE or the like; those are not in its stream.
 */
final class RandomCommands {
  /** What may occur. */
  enum Range {
    /** Everything that is replicated; values of any length, so nothing that moves them. */
    LONG_VALUES,
    /** Everything that is replicated, RENAME and COPY too; short values. */
    MOVES,
    /** Everything, with values of any length: what the shadow has not kept is read back. */
    READ_BACK,
    /** Streams above all, at few keys, with what takes their place. */
    STREAMS,
    /** Also what is not replicated. */
    UNSUPPORTED
  }

  private static final String[] NUMBERS = {
    "0", "1", "-3", "10", "9007199254740993", "1.5", "-0.25"
  };

  /** Among them a hash tag, an empty name, and a name with a zero byte that is not UTF-8. */
  private static final String[] KEYS = {
    "k0",
    "k1",
    "k2",
    "k3",
    "k4",
    "k5",
    "k6",
    "k7",
    "k8",
    "k9",
    "l0",
    "l1",
    "l2",
    "{tag}k",
    "",
    "k\u0000\u00ff"
  };

  private final Random random;
  private long lastId;
  private final Range range;
  private final List<Supplier<String[]>> kinds = new ArrayList<>();

  RandomCommands(long seed, Range range) {
    this.random = new Random(seed);
    this.range = range;
    if (range == Range.STREAMS) {
      streams();
      groups();
      kinds.add(() -> random.nextInt(20) == 0 ? words("SET", key(), value()) : words("PING"));
      kinds.add(() -> random.nextInt(20) == 0 ? words("SADD", key(), member()) : words("PING"));
      kinds.add(() -> random.nextInt(20) == 0 ? words("DEL", key()) : words("PING"));
      kinds.add(() -> words("PEXPIRE", key(), "200000"));
      kinds.add(() -> words("PERSIST", key()));
      return;
    }
    strings();
    hashes();
    sets();
    zsets();
    lists();
    keys();
    if (range == Range.MOVES) {
      moves();
    }
    if (range == Range.READ_BACK) {
      moves();
      parts();
      stores();
    }
    if (range == Range.UNSUPPORTED) {
      moves();
      parts();
      stores();
      unsupported();
    }
  }

  Random random() {
    return random;
  }

  String[] next() {
    return kinds.get(random.nextInt(kinds.size())).get();
  }

  private void strings() {
    kinds.add(() -> words("SET", key(), value()));
    kinds.add(() -> words("SET", key(), number()));
    kinds.add(() -> words("SET", key(), value(), "KEEPTTL"));
    kinds.add(() -> words("SET", key(), value(), "PX", ttl()));
    kinds.add(() -> words("set", key(), value(), "EX", "1000", "nx"));
    kinds.add(() -> words("SET", key(), value(), "XX", "GET"));
    kinds.add(() -> words("SETNX", key(), value()));
    kinds.add(() -> words("SETEX", key(), "1000", value()));
    kinds.add(() -> words("PSETEX", key(), ttl(), value()));
    kinds.add(() -> words("GETSET", key(), value()));
    kinds.add(() -> words("MSET", key(), value(), key(), number()));
    kinds.add(() -> words("MSETNX", key(), value(), key(), number()));
    kinds.add(() -> words("INCR", key()));
    kinds.add(() -> words("DECR", key()));
    kinds.add(() -> words("INCRBY", key(), integer()));
    kinds.add(() -> words("DECRBY", key(), integer()));
    kinds.add(() -> words("INCRBYFLOAT", key(), number()));
    kinds.add(() -> words("GETDEL", key()));
    kinds.add(() -> words("GETEX", key(), "PX", ttl()));
    kinds.add(() -> words("GETEX", key(), "PERSIST"));
  }

  private void hashes() {
    kinds.add(() -> words("HSET", key(), member(), value()));
    kinds.add(() -> words("HSET", key(), member(), number()));
    kinds.add(() -> words("HSET", key(), member(), number(), member(), value()));
    kinds.add(() -> words("HMSET", key(), member(), value()));
    kinds.add(() -> words("HSETNX", key(), member(), number()));
    kinds.add(() -> words("HINCRBY", key(), member(), integer()));
    kinds.add(() -> words("HINCRBYFLOAT", key(), member(), number()));
    kinds.add(() -> words("HDEL", key(), member()));
    kinds.add(() -> words("HDEL", key(), member(), member(), member()));
  }

  private void sets() {
    kinds.add(() -> words("SADD", key(), member()));
    kinds.add(() -> words("SADD", key(), member(), member(), member()));
    kinds.add(() -> words("SREM", key(), member()));
    kinds.add(() -> words("SREM", key(), member(), member(), member()));
    kinds.add(() -> words("SMOVE", key(), key(), member()));
    kinds.add(() -> words("SPOP", key()));
    kinds.add(() -> words("SPOP", key(), Integer.toString(random.nextInt(4))));
  }

  private void zsets() {
    kinds.add(() -> words("ZADD", key(), score(), member()));
    kinds.add(() -> words("ZADD", key(), score(), member(), score(), member()));
    kinds.add(() -> words("ZADD", key(), pick("NX", "XX", "GT", "LT"), score(), member()));
    kinds.add(
        () -> words("ZADD", key(), pick("XX", "xx"), pick("GT", "LT", "CH"), score(), member()));
    kinds.add(() -> words("ZADD", key(), pick("NX", "XX", "GT", "LT"), "INCR", score(), member()));
    kinds.add(() -> words("ZADD", key(), "CH", score(), member(), score(), member()));
    kinds.add(() -> words("ZINCRBY", key(), score(), member()));
    kinds.add(() -> words("ZREM", key(), member(), member()));
    kinds.add(() -> words("ZPOPMIN", key()));
    kinds.add(() -> words("ZPOPMAX", key(), Integer.toString(random.nextInt(4))));
    kinds.add(() -> words(pick("BZPOPMIN", "BZPOPMAX"), key(), key(), "0.01"));
    kinds.add(() -> words("ZMPOP", "2", key(), key(), pick("MIN", "MAX"), "COUNT", "2"));
    kinds.add(() -> words("BZMPOP", "0.01", "2", key(), key(), "MIN"));
    kinds.add(() -> words("ZREMRANGEBYSCORE", key(), pick("-inf", "(0", "1"), pick("(3", "2.5")));
    kinds.add(() -> words("ZREMRANGEBYRANK", key(), pick("0", "1", "-2"), pick("0", "-1", "1")));
    kinds.add(() -> words("GEOADD", key(), "13.361389", "38.115556", member()));
    kinds.add(() -> words("GEOADD", key(), "15.087269", "37.502669", member()));
  }

  private void lists() {
    for (String push : new String[] {"LPUSH", "RPUSH", "RPUSH"}) {
      kinds.add(() -> words(push, listKey(), listValue()));
      kinds.add(() -> words(push, listKey(), listValue(), listValue(), listValue()));
    }
    kinds.add(() -> words(pick("LPUSHX", "RPUSHX"), listKey(), listValue(), listValue()));
    kinds.add(() -> words(pick("LPOP", "RPOP"), listKey()));
    kinds.add(() -> words(pick("LPOP", "rpop"), listKey(), pick("0", "1", "2", "100")));
    for (String where : new String[] {"BEFORE", "after"}) {
      kinds.add(() -> words("LINSERT", listKey(), where, listValue(), listValue()));
    }
    kinds.add(() -> words("LSET", listKey(), index(), listValue()));
    kinds.add(() -> words("LREM", listKey(), pick("0", "1", "-1", "2", "-2"), listValue()));
    kinds.add(() -> words("LTRIM", listKey(), index(), pick("-1", "-2", "3", "9")));
    kinds.add(() -> words("LMOVE", listKey(), listKey(), side(), side()));
    kinds.add(() -> words("RPOPLPUSH", listKey(), listKey()));
    kinds.add(() -> words(pick("BLPOP", "BRPOP"), listKey(), listKey(), "0.01"));
    kinds.add(() -> words("BLMOVE", listKey(), listKey(), side(), side(), "0.01"));
    kinds.add(() -> words("BRPOPLPUSH", listKey(), listKey(), "0.01"));
    kinds.add(() -> words("LMPOP", "2", listKey(), listKey(), side(), "COUNT", "2"));
    kinds.add(() -> words("BLMPOP", "0.01", "2", listKey(), listKey(), side()));
  }

  private String listKey() {
    return random.nextInt(4) == 0 ? key() : "l" + random.nextInt(3);
  }

  /** Few, so that most are there more than once. */
  String listValue() {
    return random.nextInt(8) == 0 ? value() : pick("a", "b", "c");
  }

  private String index() {
    return pick("0", "1", "2", "-1", "-2", "-3");
  }

  private String side() {
    return pick("LEFT", "RIGHT");
  }

  private void streams() {
    for (int i = 0; i < 4; i++) {
      kinds.add(() -> words("XADD", key(), newId(), member(), value()));
    }
    kinds.add(() -> words("XADD", key(), newId(), "f", value(), member(), value(), "f", value()));
    kinds.add(() -> words("XADD", key(), "MAXLEN", few(), newId(), "f", value()));
    kinds.add(() -> words("XADD", key(), "maxlen", "~", few(), "LIMIT", few(), newId(), "f", "v"));
    kinds.add(() -> words("XADD", key(), "NOMKSTREAM", "MINID", "=", id(), newId(), "f", "v"));
    kinds.add(() -> words("XADD", "k2", "*", "f", value()));
    kinds.add(() -> words("XDEL", key(), id(), id(), id()));
    kinds.add(() -> words("XDEL", key(), id()));
    kinds.add(() -> words("XTRIM", key(), "MAXLEN", pick("0", "3", "20")));
    kinds.add(() -> words("XTRIM", key(), "MINID", "~", id()));
    kinds.add(() -> words("XSETID", key(), newId()));
  }

  private void groups() {
    for (int i = 0; i < 3; i++) {
      kinds.add(
          () ->
              words(
                  "XREADGROUP",
                  "GROUP",
                  group(),
                  consumer(),
                  "COUNT",
                  few(),
                  "STREAMS",
                  key(),
                  ">"));
      kinds.add(() -> words("XACK", key(), group(), id(), id(), id(), id()));
    }
    kinds.add(() -> words("XGROUP", "CREATE", key(), group(), pick("0", "$", id()), "MKSTREAM"));
    kinds.add(() -> words("XGROUP", "CREATE", key(), group(), id()));
    kinds.add(() -> words("XGROUP", "SETID", key(), group(), pick("$", id(), id())));
    kinds.add(
        () ->
            random.nextInt(5) == 0
                ? words("XGROUP", "DESTROY", key(), group())
                : words("XGROUP", "CREATECONSUMER", key(), group(), consumer()));
    kinds.add(() -> words("XGROUP", "DELCONSUMER", key(), group(), consumer()));
    kinds.add(
        () ->
            words(
                "XREADGROUP",
                "GROUP",
                group(),
                consumer(),
                "COUNT",
                few(),
                "NOACK",
                "STREAMS",
                key(),
                ">"));
    kinds.add(() -> words("XCLAIM", key(), group(), consumer(), "0", id(), id()));
    kinds.add(() -> words("XCLAIM", key(), group(), consumer(), "0", id(), "FORCE", "JUSTID"));
    kinds.add(() -> words("XAUTOCLAIM", key(), group(), consumer(), "0", "0", "COUNT", few()));
  }

  String newId() {
    return (++lastId + random.nextInt(2)) + "-" + random.nextInt(3);
  }

  String id() {
    return Math.max(0, lastId - random.nextInt(40)) + "-" + random.nextInt(3);
  }

  private String few() {
    return Integer.toString(1 + random.nextInt(9));
  }

  private String group() {
    return pick("g0", "g1");
  }

  private String consumer() {
    return pick("c0", "c1");
  }

  private void keys() {
    kinds.add(() -> words("DEL", key()));
    kinds.add(() -> words("DEL", key(), key(), key()));
    kinds.add(() -> words("UNLINK", key(), key()));
    kinds.add(() -> words("EXPIRE", key(), pick("1000", "-1", "2000")));
    kinds.add(() -> words("PEXPIRE", key(), ttl()));
    kinds.add(() -> words("PEXPIREAT", key(), Long.toString(System.currentTimeMillis() + 90_000)));
    kinds.add(() -> words("PERSIST", key()));
    kinds.add(() -> words("TYPE", key()));
    kinds.add(() -> words("SELECT", Integer.toString(random.nextInt(3))));
    kinds.add(() -> random.nextInt(40) == 0 ? words("FLUSHDB") : words("TYPE", key()));
    kinds.add(() -> random.nextInt(120) == 0 ? words("FLUSHALL") : words("PING"));
  }

  private void moves() {
    kinds.add(() -> words("RENAME", key(), key()));
    kinds.add(() -> words("RENAMENX", key(), key()));
    kinds.add(() -> words("COPY", key(), key(), "REPLACE"));
    kinds.add(() -> words("COPY", key(), key(), "DB", Integer.toString(random.nextInt(3))));
    kinds.add(() -> words("MOVE", key(), Integer.toString(random.nextInt(3))));
  }

  private void parts() {
    kinds.add(() -> words("PFADD", key(), member(), value()));
    kinds.add(() -> words("PFMERGE", key(), key(), key()));
    kinds.add(() -> words("APPEND", key(), value()));
    kinds.add(() -> words("SETRANGE", key(), pick("0", "3", "70"), pick("xx", "y")));
    kinds.add(() -> words("SETBIT", key(), pick("0", "7", "30", "601"), pick("0", "1")));
    kinds.add(
        () -> words("BITFIELD", key(), "SET", field(), offset(), integer(), "GET", "u8", "0"));
    kinds.add(
        () ->
            words(
                "bitfield",
                key(),
                "incrby",
                field(),
                offset(),
                integer(),
                "OVERFLOW",
                pick("SAT", "FAIL", "wrap"),
                "INCRBY",
                field(),
                offset(),
                integer(),
                "SET",
                field(),
                offset(),
                integer()));
    kinds.add(() -> words("BITOP", pick("AND", "OR", "xor"), key(), key(), key()));
    kinds.add(() -> words("BITOP", "NOT", key(), key()));
    kinds.add(() -> words("BITOP", "AND", key(), key(), key(), key()));
  }

  private String field() {
    return pick("u1", "i1", "u8", "i8", "i64", "u63", "i5", "u13");
  }

  private String offset() {
    return pick("0", "3", "#1", "100", "#0");
  }

  private void stores() {
    for (int i = 0; i < 4; i++) {
      kinds.add(() -> words("SADD", of(), member(), member(), member()));
      kinds.add(() -> words("ZADD", of(), score(), member(), score(), member()));
    }
    kinds.add(
        () ->
            words(
                pick("ZUNIONSTORE", "ZINTERSTORE"),
                key(),
                "2",
                of(),
                of(),
                "WEIGHTS",
                score(),
                score(),
                "AGGREGATE",
                pick("SUM", "MIN", "MAX")));
    kinds.add(() -> words(pick("SUNIONSTORE", "SINTERSTORE", "SDIFFSTORE"), key(), of(), of()));
    kinds.add(() -> words(pick("SUNIONSTORE", "SINTERSTORE", "SDIFFSTORE"), key(), of()));
    kinds.add(() -> words("SINTERSTORE", key(), of(), of(), of()));
    kinds.add(() -> words(pick("ZUNIONSTORE", "ZINTERSTORE"), key(), "2", of(), of()));
    kinds.add(() -> words("ZDIFFSTORE", key(), "2", of(), of()));
    kinds.add(
        () ->
            words(
                pick("ZUNIONSTORE", "ZINTERSTORE"),
                key(),
                "3",
                of(),
                of(),
                of(),
                "WEIGHTS",
                score(),
                score(),
                "0.1",
                "aggregate",
                pick("SUM", "min", "MAX")));
    kinds.add(() -> words("ZRANGESTORE", key(), of(), pick("0", "1", "-2"), pick("1", "-1")));
    kinds.add(() -> words("ZRANGESTORE", key(), of(), "0", "2", "REV"));
    kinds.add(
        () ->
            words(
                "ZRANGESTORE",
                key(),
                of(),
                pick("-inf", "(1", "0"),
                pick("(3", "2.5"),
                "BYSCORE",
                "LIMIT",
                pick("0", "1"),
                pick("2", "-1")));
    kinds.add(() -> words("ZRANGESTORE", key(), of(), "+inf", "(0", "BYSCORE", "REV"));
    kinds.add(() -> words("ZRANGESTORE", key(), of(), "-", "[m3", "BYLEX"));
    kinds.add(() -> words("ZRANGESTORE", key(), of(), "(m4", "-", "BYLEX", "REV"));
    kinds.add(() -> words("ZREMRANGEBYLEX", key(), "-", "[m3"));
    kinds.add(
        () ->
            words(
                "GEOSEARCHSTORE",
                key(),
                key(),
                "FROMLONLAT",
                "15",
                "37",
                "BYRADIUS",
                pick("1", "200"),
                "km",
                pick("ASC", "STOREDIST")));
    kinds.add(
        () ->
            words("GEORADIUS", key(), "15", "37", "200", "km", pick("STORE", "STOREDIST"), key()));
    kinds.add(
        () ->
            words(
                "EVAL",
                "local d = redis.call('DUMP', ARGV[1]) if d then"
                    + " redis.call('RESTORE', ARGV[2], ARGV[3], d, 'REPLACE') end",
                "0",
                key(),
                key(),
                pick("0", "200000")));
    kinds.add(() -> words("SORT", listKey(), "ALPHA", "STORE", listKey()));
    kinds.add(() -> random.nextInt(60) == 0 ? words("SWAPDB", "1", pick("0", "2")) : words("PING"));
  }

  /** One of few keys that are mostly sets and sorted sets. */
  private String of() {
    return pick("k0", "k1", "{tag}k");
  }

  private void unsupported() {
    kinds.add(() -> words("XADD", key(), "*", member(), value()));
  }

  private static String[] words(String... words) {
    return words;
  }

  private String pick(String... choices) {
    return choices[random.nextInt(choices.length)];
  }

  private String key() {
    return range == Range.STREAMS ? pick("k0", "k1") : pick(KEYS);
  }

  static List<String> keyNames() {
    return List.of(KEYS);
  }

  private String member() {
    int n = random.nextInt(8);
    return switch (n) {
      case 6 -> "";
      case 7 -> "m\u0000\u0001";
      default -> "m" + n;
    };
  }

  private String value() {
    int n = random.nextInt(range == Range.MOVES ? 5 : 7);
    return switch (n) {
      case 0 -> number();
      case 1 -> "";
      case 2 -> "\u0000\u00fe\r\n";
      case 5 -> "L".repeat(65 + random.nextInt(3));
      case 6 -> "L".repeat(64);
      default -> "v" + random.nextInt(100);
    };
  }

  private String integer() {
    return pick("1", "-1", "5", "1000000", "-77", "9223372036854775000");
  }

  private String number() {
    return pick(NUMBERS);
  }

  private String score() {
    return pick(
        "0",
        "-0",
        "1",
        "2",
        "2.5",
        "-1e3",
        "0.1",
        "inf",
        "-inf",
        "3",
        "1e15",
        "0.30000000000000004");
  }

  private String ttl() {
    return Integer.toString(random.nextInt(3) == 0 ? 200_000 : 1 + random.nextInt(6));
  }

  static byte[][] argv(String... words) {
    byte[][] argv = new byte[words.length][];
    for (int i = 0; i < words.length; i++) {
      argv[i] = words[i].getBytes(StandardCharsets.ISO_8859_1);
    }
    return argv;
  }
}
