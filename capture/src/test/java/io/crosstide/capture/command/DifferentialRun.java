package io.crosstide.capture.command;

import static io.crosstide.capture.command.RandomCommands.argv;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.crosstide.capture.shadow.Checkpoint;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridLogicalClock;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.StreamElements;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Random commands against a real Redis; its stream through an interpreter; then the shadow, and a
 * model built from nothing but the events, compared with all that Redis holds. On the way the
 * process "dies" and goes on from its last commit.
 */
final class DifferentialRun implements EventSink {
  private static final int PARTITIONS = 4;
  private static final int DATABASES = 3;

  /** Runs each of the commands packed into ARGV as (count, word...). */
  private static final String RUN_ALL =
      "local i=1 while i<=#ARGV do local n=tonumber(ARGV[i]) local c={}"
          + " for j=1,n do c[j]=ARGV[i+j] end redis.pcall(unpack(c)) i=i+n+1 end return 1";

  private final RandomCommands commands;
  private final Random random;
  private final Resp client;
  private final ReplicaOf replica;
  private final boolean exactDeadlines;
  private final UnaryOperator<Shadow> reopen;

  private final List<ReplicaOf.Command> stream = new ArrayList<>();
  private final List<ChangeEvent> events = new ArrayList<>();
  private final List<byte[][]> effects = new ArrayList<>();
  private final long[] lastSeq = new long[PARTITIONS];
  private final Map<Integer, ChangeEvent> lastEvent = new HashMap<>();
  private final EventModel model;
  private final boolean modelled;
  private final boolean readsBack;
  private final boolean streams;
  private final Set<RedisKey> wanted = new LinkedHashSet<>();

  private Shadow shadow;
  private StreamInterpreter interpreter;
  private HybridTimestamp lastStamp = HybridTimestamp.ZERO;
  private long lastUnit;
  private int captureEpoch;
  private long effectNumber;
  private boolean replaying;
  private @Nullable Predicate<ChangeEvent> hidden;
  private final List<Change.ListHolds> reports = new ArrayList<>();
  int crashes;
  int reads;
  int echoes;
  int listEchoes;
  int reported;

  DifferentialRun(
      int port,
      long seed,
      RandomCommands.Range range,
      boolean exactDeadlines,
      Shadow shadow,
      UnaryOperator<Shadow> reopen) {
    this.commands = new RandomCommands(seed, range);
    this.random = commands.random();
    this.exactDeadlines = exactDeadlines;
    this.model = new EventModel(exactDeadlines ? 0 : 500, range == RandomCommands.Range.READ_BACK);
    this.modelled = range != RandomCommands.Range.UNSUPPORTED;
    this.streams = range == RandomCommands.Range.STREAMS;
    this.readsBack =
        range == RandomCommands.Range.READ_BACK || range == RandomCommands.Range.UNSUPPORTED;
    this.shadow = shadow;
    this.reopen = reopen;
    this.client = new Resp(port);
    client.text("FLUSHALL");
    this.replica = new ReplicaOf(port);
    this.interpreter = start();
    interpreter.position(replica.replId(), replica.offset(), 0);
    interpreter.sealUnit(replica.offset());
    shadow.commitThrough(lastUnit);
  }

  /** Keeps some events from the model: a planted bug for the checker to find. */
  DifferentialRun hiding(Predicate<ChangeEvent> events) {
    hidden = events;
    return this;
  }

  private StreamInterpreter start() {
    captureEpoch++;
    HybridLogicalClock clock = new HybridLogicalClock(System::currentTimeMillis, 60_000);
    clock.resumeAfter(lastStamp);
    return new StreamInterpreter(
        InterpreterConfig.of(
            Origin.of(1),
            PARTITIONS,
            captureEpoch,
            key -> Math.floorMod(Bytes.wrap(key).hashCode(), PARTITIONS),
            System::currentTimeMillis),
        shadow,
        clock,
        this);
  }

  // ---- driving ----

  void run(int steps) {
    for (int i = 0; i < steps; i++) {
      long beforeMillis = System.currentTimeMillis();
      step();
      boolean waited = System.currentTimeMillis() - beforeMillis > 20; // a blocking command
      if (i % 20 == 0 || waited) {
        client.call("SET", "__ct:beacon", Long.toString(System.currentTimeMillis()));
      }
      if (i % 50 == 0 || waited) {
        catchUp();
        if (modelled && hidden == null) {
          assertThat(RedisComparison.differencesOfLists(shadow, model)).as("step %d", i).isEmpty();
        }
        shadow.commitThrough(lastUnit - random.nextInt(20));
      }
      if (random.nextInt(400) == 0) {
        catchUp();
        crash();
      }
      if (random.nextInt(10) == 0) {
        readBack();
      }
      if (i % 200 == 199) {
        compare("after " + (i + 1) + " steps");
      }
    }
    compare("in the end");
  }

  /** Often, because later commands heal what an earlier one got wrong. */
  private void compare(String when) {
    settle();
    do {
      catchUp();
      readBack();
    } while (replica.offset() < masterOffset());
    RedisComparison redis = redis();
    assertThat(redis.differencesFrom(shadow)).as("shadow %s", when).isEmpty();
    if (modelled) {
      assertThat(redis.differencesFrom(model)).as("model of the events %s", when).isEmpty();
    }
  }

  /** Has Redis put into its stream what the interpreter has asked for. */
  private void readBack() {
    for (RedisKey key : wanted) {
      assertThat(client.call(ContentScript.call(key, InterpreterConfig.EVENT_BYTES_MAX)))
          .isEqualTo("OK".getBytes(StandardCharsets.US_ASCII));
      reads++;
    }
    wanted.clear();
  }

  @Override
  public void contentWanted(RedisKey key) {
    wanted.add(key);
  }

  @Override
  public void contentsForgotten() {
    wanted.clear();
  }

  private void step() {
    int kind = random.nextInt(100);
    if (kind < 80) {
      client.call(commands.next());
    } else if (kind < 87) {
      client.call("MULTI");
      for (int n = 1 + random.nextInt(5); n > 0; n--) {
        client.call(commands.next());
      }
      client.call("EXEC");
    } else if (kind < 94) {
      List<String> packed = new ArrayList<>();
      for (int n = 1 + random.nextInt(4); n > 0; n--) {
        pack(packed, commands.next());
      }
      eval(packed);
    } else if (kind < 95 || !modelled) {
      effectBatch();
    } else {
      listBatch();
    }
  }

  private static void pack(List<String> packed, String... words) {
    packed.add(Integer.toString(words.length));
    packed.addAll(List.of(words));
  }

  private void eval(List<String> packed) {
    List<String> call = new ArrayList<>(List.of("EVAL", RUN_ALL, "0"));
    call.addAll(packed);
    client.call(call.toArray(new String[0]));
  }

  /** As the Lua function does it: touch the keys, write the marker, then the effects. */
  private void effectBatch() {
    String db = Integer.toString(random.nextInt(DATABASES));
    String key = "k" + random.nextInt(streams ? 2 : 8);
    String marker = MarkerState.key(random.nextInt(PARTITIONS));
    if (readsBack) {
      // An effect is guarded: it does not pass where a client has changed what it would replace.
      catchUp();
      if (shadow.key(Integer.parseInt(db), Bytes.utf8(key)).isUnresolved()) {
        return;
      }
    }
    long number = ++effectNumber;
    List<String> packed = new ArrayList<>();
    pack(packed, "SELECT", db);
    pack(packed, "EXISTS", key);
    pack(packed, "SELECT", "0");
    pack(packed, "HSET", marker, "e", "1", "f", "1:" + number, "c", "2=" + number);
    pack(packed, "SELECT", db);
    for (int n = random.nextInt(4); n > 0; n--) {
      pack(packed, effect(key));
    }
    eval(packed);
  }

  /** One effect on a list, which met the element that was meant, or another one. */
  private void listBatch() {
    catchUp();
    int db = random.nextInt(DATABASES);
    RandomListEffect effect =
        RandomListEffect.of(
            commands, shadow.key(db, Bytes.utf8("l" + random.nextInt(3))), effectNumber + 1);
    if (effect == null) {
      return;
    }
    String marker = MarkerState.key(Math.floorMod(effect.key().name().hashCode(), PARTITIONS));
    long number = ++effectNumber;
    List<String> packed = new ArrayList<>();
    pack(packed, "SELECT", Integer.toString(db));
    pack(packed, "EXISTS", effect.key().name().text());
    pack(packed, "SELECT", "0");
    pack(packed, "HSET", marker, "e", "1", "f", "1:" + number, "c", "2=" + number);
    pack(packed, "HSET", marker, "l", effect.payload());
    pack(packed, "SELECT", Integer.toString(db));
    for (String[] command : effect.commands()) {
      pack(packed, command);
    }
    eval(packed);
  }

  private String[] effect(String key) {
    if (streams) {
      return random.nextBoolean()
          ? new String[] {"XADD", key, commands.newId(), "f", "e"}
          : new String[] {"XDEL", key, commands.id()};
    }
    String member = "m" + random.nextInt(4);
    return switch (random.nextInt(8)) {
      case 0 -> new String[] {"SET", key, "e" + random.nextInt(9), "KEEPTTL"};
      case 1 -> new String[] {"DEL", key};
      case 2 -> new String[] {"HSET", key, member, "e"};
      case 3 -> new String[] {"SADD", key, member};
      case 4 -> new String[] {"ZADD", key, Integer.toString(random.nextInt(5)), member};
      case 5 -> new String[] {"INCRBY", key, "3"};
      case 6 -> new String[] {"HDEL", key, member};
      default ->
          new String[] {"PEXPIREAT", key, Long.toString(System.currentTimeMillis() + 90_000)};
    };
  }

  /** Reads the stream up to what Redis has written by now. */
  private void catchUp() {
    long end = masterOffset();
    while (replica.offset() < end) {
      ReplicaOf.Command command = replica.next();
      stream.add(command);
      feed(command);
    }
  }

  private long masterOffset() {
    for (String line : client.text("INFO", "replication").split("\r\n")) {
      if (line.startsWith("master_repl_offset:")) {
        return Long.parseLong(line.substring(line.indexOf(':') + 1));
      }
    }
    throw new AssertionError("INFO without master_repl_offset");
  }

  private boolean inTransaction;
  private boolean afterMarker;

  private void feed(ReplicaOf.Command command) {
    String name = CommandTable.upperCase(command.argv()[0]);
    boolean ends = name.equals("EXEC") || !inTransaction;
    if (name.equals("MULTI")) {
      inTransaction = true;
      ends = false;
    }
    if (inTransaction && !ends && afterMarker) {
      effects.add(command.argv());
    }
    if (inTransaction
        && name.equals("HSET")
        && Numbers.ascii(command.argv()[1]).startsWith("__ct:{")) {
      afterMarker = true;
    }
    interpreter.command(command.argv(), command.endOffset());
    if (ends) {
      inTransaction = false;
      afterMarker = false;
      if (!replaying && modelled) {
        applyEffects();
        model.correct(reports);
      }
      reports.clear();
      effects.clear();
    }
  }

  private void applyEffects() {
    int db = 0;
    RandomListEffect.Told told = null;
    for (byte[][] effect : effects) {
      String name = CommandTable.upperCase(effect[0]);
      if (name.equals("SELECT")) {
        db = Integer.parseInt(Numbers.ascii(effect[1]));
        continue;
      }
      echoes++;
      if (RedisKey.isReserved(effect[1])) {
        told = RandomListEffect.Told.parse(effect[3]);
        if (told.op() == 'r') {
          model.believe(told.key(), told.position(), null);
        }
        listEchoes++;
        continue;
      }
      if (told != null && told.isIgnored(name)) {
        continue;
      }
      RedisKey key = new RedisKey(db, Bytes.wrap(effect[1]));
      switch (name) {
        case "SET" -> model.apply(key, new Change.StringSet(Bytes.wrap(effect[2]), 0, true));
        case "DEL", "UNLINK" -> model.apply(key, new Change.KeyDelete());
        case "HSET" ->
            model.apply(key, new Change.HashPut(Bytes.wrap(effect[2]), Bytes.wrap(effect[3])));
        case "HDEL" -> {
          model.apply(key, new Change.HashRemove(Bytes.wrap(effect[2])));
          if (!model.keys.containsKey(key)) {
            model.deadlines.remove(key);
          }
        }
        case "SADD" -> model.apply(key, new Change.SetAdd(Bytes.wrap(effect[2])));
        case "ZADD" ->
            model.apply(key, new Change.ZsetPut(Bytes.wrap(effect[3]), Numbers.score(effect[2])));
        case "XADD" -> {
          List<Bytes> fields =
              Arrays.stream(effect).skip(3).map(Bytes::wrap).collect(Collectors.toList());
          model.apply(
              key,
              new Change.StreamPut(
                  StreamElements.entry(StreamTypeCommands.requireId(effect[2])),
                  StreamElements.entryValue(fields)));
        }
        case "XDEL" -> {
          model.apply(key, new Change.StreamPut(StreamElements.STREAM, Bytes.EMPTY));
          model.apply(
              key,
              new Change.StreamRemove(
                  StreamElements.entry(StreamTypeCommands.requireId(effect[2]))));
        }
        case "INCRBY" -> model.apply(key, new Change.StringAdd(BigDecimal.valueOf(3), null));
        case "PEXPIREAT" ->
            model.apply(key, new Change.DeadlineSet(Long.parseLong(Numbers.ascii(effect[2]))));
        case "LPUSH", "RPUSH", "LINSERT", "LSET" -> {
          byte[] value = effect[name.equals("LINSERT") ? 4 : name.equals("LSET") ? 3 : 2];
          RandomListEffect.Told of = Objects.requireNonNull(told);
          model.believe(of.key(), of.position(), EventModel.latin(Bytes.wrap(value)));
          told = of.done();
        }
        default -> throw new AssertionError("unexpected effect " + name);
      }
    }
  }

  /** The process dies; another takes the shadow as committed and reads the stream from there. */
  private void crash() {
    crashes++;
    wanted.clear();
    shadow = reopen.apply(shadow);
    interpreter = start();
    Checkpoint from = Objects.requireNonNull(shadow.committed());
    assertThat(interpreter.unitOffset()).isEqualTo(from.replOffset());
    lastEvent.forEach(
        (partition, last) ->
            interpreter
                .sequencer()
                .logEnd(
                    partition, last.seq(), last.position().replOffset(), last.position().index()));
    replaying = true;
    for (ReplicaOf.Command command : stream) {
      if (command.endOffset() > from.replOffset()) {
        feed(command);
      }
    }
    replaying = false;
  }

  /** Waits until nothing is left that expires soon, and has Redis notice what expired. */
  private void settle() {
    await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> {
              for (int db = 0; db < DATABASES; db++) {
                client.text("SELECT", Integer.toString(db));
                for (byte[] key : client.list(argv("KEYS", "*"))) {
                  Object left = client.call(argv("PTTL")[0], key);
                  if (left instanceof Long millis && millis >= 0 && millis < 60_000) {
                    return false;
                  }
                }
              }
              return true;
            });
    // Expired keys are invisible to KEYS; touching every name makes Redis write their DEL.
    for (int db = 0; db < DATABASES; db++) {
      client.text("SELECT", Integer.toString(db));
      for (String name : RandomCommands.keyNames()) {
        client.call("EXISTS", name);
      }
    }
  }

  // ---- what the interpreter tells ----

  @Override
  public void event(int partition, ChangeEvent event) {
    if (event.change() instanceof Change.MarkerLost) {
      return;
    }
    if (event.change() instanceof Change.ListHolds holds) {
      reports.add(holds); // of those that were there before it died, an owner takes no notice
      reported++;
      return;
    }
    assertThat(replaying).as("delivered again: %s", event).isFalse();
    assertThat(event.seq()).isEqualTo(lastSeq[partition] + 1);
    assertThat(event.stamp()).isGreaterThan(lastStamp);
    lastSeq[partition] = event.seq();
    lastEvent.put(partition, event);
    lastStamp = event.stamp();
    events.add(event);
    if (modelled && (hidden == null || !hidden.test(event))) {
      model.apply(Objects.requireNonNull(event.key()), event.change());
    }
  }

  @Override
  public void markerSeen(int partition, Fx fx, boolean heldProbe) {
    assertThat(interpreter.markers().fx(partition)).isEqualTo(fx);
  }

  @Override
  public void unitEnd(long unit, long endOffset) {
    lastUnit = unit;
  }

  // ---- verdict ----

  Shadow shadow() {
    return shadow;
  }

  List<ChangeEvent> events() {
    return events;
  }

  RedisComparison redis() {
    return new RedisComparison(client, exactDeadlines, DATABASES);
  }

  EventModel model() {
    return model;
  }

  Resp client() {
    return client;
  }

  StreamInterpreter interpreter() {
    return interpreter;
  }

  void close() {
    replica.close();
    client.close();
    shadow.close();
  }
}
