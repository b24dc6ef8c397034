package io.crosstide.schemas;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState.Missed;
import io.crosstide.protocol.RedisKey;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Seeded generator of change events of every kind, with edge values common. */
final class RandomEvents {
  private static final long[] LONGS = {
    0, 1, -1, 63, 64, -64, -65, 8191, 8192, Integer.MAX_VALUE, Long.MAX_VALUE, Long.MIN_VALUE
  };
  private static final double[] DOUBLES = {
    0,
    -0.0,
    1,
    0.1,
    -2.5,
    Double.MIN_VALUE,
    Double.MAX_VALUE,
    1e300,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY
  };

  private final Random random;

  RandomEvents(long seed) {
    random = new Random(seed);
  }

  ChangeEvent next() {
    ChangeKind[] kinds = ChangeKind.values();
    return next(kinds[random.nextInt(kinds.length)]);
  }

  ChangeEvent next(ChangeKind kind) {
    long seq = 1 + (random.nextLong() >>> (2 + random.nextInt(61)));
    RedisKey key = kind.isControl() ? null : new RedisKey(random.nextInt(16), bytes());
    Change change = change(kind);
    return new ChangeEvent(
        origin(),
        seq,
        random.nextInt(4) == 0 ? random.nextLong() : seq - 1,
        random.nextInt() >>> 1,
        new HybridTimestamp(random.nextInt(8) == 0 ? anyLong() : 1_790_000_000_000L << 16 | 3),
        vector(),
        exceptions(),
        fx(),
        key,
        change,
        position(),
        random.nextInt(3) == 0 ? part() : null,
        ChangeEvent.mayCreateKey(change) && random.nextBoolean());
  }

  private ChangeEvent.TransactionPart part() {
    int count = 1 + random.nextInt(1000);
    return new ChangeEvent.TransactionPart(anyLong(), random.nextInt(count), count);
  }

  private ChangeEvent.StreamPosition position() {
    return switch (random.nextInt(4)) {
      case 0 -> ChangeEvent.StreamPosition.UNKNOWN;
      case 1 -> new ChangeEvent.StreamPosition("replid", anyLong(), random.nextInt());
      default -> new ChangeEvent.StreamPosition(hex(20), random.nextLong() >>> 20, 0);
    };
  }

  private Map<String, Missed> exceptions() {
    Map<String, Missed> exceptions = new HashMap<>();
    for (int i = random.nextInt(8) - 4; i > 0; i--) {
      exceptions.put(hex(20), new Missed(fx(), vector()));
    }
    return exceptions;
  }

  private VersionVector vector() {
    VersionVector vector = VersionVector.EMPTY;
    for (int i = random.nextInt(5); i > 0; i--) {
      vector = vector.with(origin(), 1 + (random.nextLong() >>> (1 + random.nextInt(60))));
    }
    return vector;
  }

  private Origin origin() {
    return random.nextInt(3) == 0
        ? new Origin(
            1 + random.nextInt(127), random.nextInt(65536), random.nextInt(Integer.MAX_VALUE))
        : Origin.of(1 + random.nextInt(3));
  }

  private Fx fx() {
    return random.nextInt(4) == 0 ? Fx.NONE : new Fx(random.nextInt(100), random.nextLong() >>> 30);
  }

  private Change change(ChangeKind kind) {
    return switch (kind) {
      case STRING_SET -> new Change.StringSet(bytes(), anyLong(), random.nextBoolean());
      case STRING_ADD -> new Change.StringAdd(decimal(), maybeBytes());
      case HASH_PUT -> new Change.HashPut(bytes(), bytes());
      case HASH_ADD -> new Change.HashAdd(bytes(), decimal(), maybeBytes());
      case HASH_REMOVE -> new Change.HashRemove(bytes());
      case SET_ADD -> new Change.SetAdd(bytes());
      case SET_REMOVE -> new Change.SetRemove(bytes());
      case ZSET_PUT -> new Change.ZsetPut(bytes(), anyDouble());
      case ZSET_ADD -> new Change.ZsetAdd(bytes(), anyDouble(), anyDouble());
      case ZSET_REMOVE -> new Change.ZsetRemove(bytes());
      case LIST_PUT -> new Change.ListPut(bytes(), bytes());
      case LIST_REMOVE -> new Change.ListRemove(bytes());
      case STREAM_PUT -> new Change.StreamPut(bytes(), bytes());
      case STREAM_REMOVE -> new Change.StreamRemove(bytes(), bytes());
      case ELEMENT_LOST -> {
        ElementKind[] elements = ElementKind.values();
        RedisKey key = new RedisKey(random.nextInt(16), bytes());
        ElementKind element = elements[random.nextInt(elements.length)];
        yield new Change.ElementLost(new Element(key, element, bytes()));
      }
      case LIST_HOLDS -> listHolds();
      case KEY_DELETE -> new Change.KeyDelete();
      case KEY_EXPIRE -> new Change.KeyExpire(anyLong());
      case DEADLINE_SET -> new Change.DeadlineSet(anyLong());
      case DEADLINE_PERSIST -> new Change.DeadlinePersist();
      case DEADLINE_REMOVE -> new Change.DeadlineRemove();
      case PUBLISH -> new Change.Publish(bytes(), random.nextBoolean());
      case BEAT -> new Change.Beat(vector());
      case MARKER_LOST ->
          new Change.MarkerLost(random.nextBoolean() ? "" : "a1." + random.nextInt(), fx());
    };
  }

  private Change.ListHolds listHolds() {
    Content content =
        switch (random.nextInt(3)) {
          case 0 -> Content.ABSENT;
          case 1 -> Content.digest(Bytes.wrap(HexFormat.of().parseHex(hex(20))));
          default -> Content.of(bytes());
        };
    RedisKey key = new RedisKey(random.nextInt(16), bytes());
    return new Change.ListHolds(key, bytes(), content, random.nextInt(5) - 1);
  }

  private BigDecimal decimal() {
    return switch (random.nextInt(4)) {
      case 0 -> BigDecimal.valueOf(anyLong());
      case 1 -> new BigDecimal(new BigInteger(1 + random.nextInt(200), random), random.nextInt(40));
      case 2 -> new BigDecimal(BigInteger.valueOf(random.nextInt(100)), -random.nextInt(20));
      default -> BigDecimal.valueOf(anyDoubleFinite());
    };
  }

  private double anyDoubleFinite() {
    double value = anyDouble();
    return Double.isInfinite(value) ? 1.25 : value;
  }

  private double anyDouble() {
    double value =
        random.nextBoolean()
            ? DOUBLES[random.nextInt(DOUBLES.length)]
            : Double.longBitsToDouble(random.nextLong());
    return Double.isNaN(value) ? 7 : value;
  }

  private long anyLong() {
    return random.nextBoolean() ? LONGS[random.nextInt(LONGS.length)] : random.nextLong();
  }

  private @Nullable Bytes maybeBytes() {
    return random.nextBoolean() ? null : bytes();
  }

  private Bytes bytes() {
    byte[] bytes = new byte[random.nextInt(10) == 0 ? random.nextInt(2000) : random.nextInt(12)];
    random.nextBytes(bytes);
    return Bytes.wrap(bytes);
  }

  private String hex(int bytes) {
    byte[] raw = new byte[bytes];
    random.nextBytes(raw);
    return HexFormat.of().formatHex(raw);
  }
}
