package io.crosstide.streams.store;

import com.sun.management.ThreadMXBean;
import io.crosstide.apply.lua.BatchEncoder;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.crosstide.schemas.ChangeEventCodec;
import io.crosstide.schemas.registry.InMemorySchemaRegistry;
import io.crosstide.streams.owner.MergeMetrics;
import io.crosstide.streams.owner.OwnerSettings;
import io.crosstide.streams.owner.OwnerWire;
import io.crosstide.streams.owner.PartitionOwner;
import io.crosstide.streams.owner.RowEventCodec;
import io.crosstide.streams.thread.ThreadWaker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.jspecify.annotations.Nullable;

/**
 * Measures what one event costs on the stream thread, from a record's bytes to the bytes for Redis,
 * over rows in RocksDB: CPU time, which other load on the machine hardly changes, and bytes
 * allocated. Kafka and Redis are left out: batches are answered at the owner's next look, beats
 * follow every 2,000 events, and nothing is written to a changelog.
 *
 * <p>Run: {@code java -cp <test class path> io.crosstide.streams.store.MergeMeasurement [set|mix]
 * [keys] [events per round] [rounds]}. The first rounds warm up; take the last.
 */
final class MergeMeasurement {
  private static final Origin LOCAL = Origin.of(1);
  private static final Origin REMOTE = Origin.of(2);
  private static final int VALUE_BYTES = 200;
  private static final int EVENTS_PER_BEAT = 2_000;
  private static final int EVENTS_PER_COMMIT = 10_000;
  private static final int EVENTS_PER_POLL = 100;

  private final boolean mixed;
  private final int keys;
  private final int events;
  private final ChangeEventCodec codec =
      new ChangeEventCodec(new InMemorySchemaRegistry(), "changes.a");
  private final SplittableRandom random = new SplittableRandom(1);
  private final Map<Origin, Long> seqs = new HashMap<>();
  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final AnsweringWire wire = new AnsweringWire();
  private long stamp = 1L << 40;

  private MergeMeasurement(boolean mixed, int keys, int events) {
    this.mixed = mixed;
    this.keys = keys;
    this.events = events;
  }

  public static void main(String[] args) throws Exception {
    boolean mixed = args.length > 0 && args[0].equals("mix");
    int keys = args.length > 1 ? Integer.parseInt(args[1]) : 100_000;
    int events = args.length > 2 ? Integer.parseInt(args[2]) : 100_000;
    int rounds = args.length > 3 ? Integer.parseInt(args[3]) : 6;
    new MergeMeasurement(mixed, keys, events).run(rounds);
  }

  private void run(int rounds) throws Exception {
    Path directory = Files.createTempDirectory("merge");
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "merge");
    properties.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, RocksSettings.class);
    MockProcessorContext<Void, Void> context =
        new MockProcessorContext<>(
            properties,
            new org.apache.kafka.streams.processor.TaskId(0, 0),
            directory.resolve("state").toFile());
    KeyValueStore<org.apache.kafka.common.utils.Bytes, byte[]> store =
        Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore("rows"), Serdes.Bytes(), Serdes.ByteArray())
            .withCachingDisabled()
            .withLoggingDisabled()
            .build();
    PartitionRows rows = new PartitionRows(store, new HotRows());
    rows.init(context.getStateStoreContext(), rows);
    OwnerSettings settings =
        new OwnerSettings(
            LOCAL,
            Set.of(1, 2),
            (wakeUp, routine) -> wire,
            new RowEventCodec(codec),
            (partition, received) -> 0,
            new MergeMetrics(new SimpleMeterRegistry(), "a", Map.of(1, "a", 2, "b")),
            Clock.systemUTC(),
            OwnerSettings.BACKLOG_EFFECTS_MAX,
            OwnerSettings.BACKLOG_BYTES_MAX,
            OwnerSettings.STALL_MILLIS);
    PartitionOwner owner = new PartitionOwner(0, settings, rows, new ThreadWaker());
    owner.onTimer(System.currentTimeMillis());
    owner.onEvent(control(LOCAL, new Change.MarkerLost(wire.token, Fx.NONE), Fx.NONE));
    for (int round = 1; round <= rounds; round++) {
      measure(round, "remote", REMOTE, owner, rows);
      measure(round, "local", LOCAL, owner, rows);
    }
    owner.close();
    rows.close();
  }

  private void measure(
      int round, String what, Origin origin, PartitionOwner owner, PartitionRows rows) {
    byte[][] recordKeys = new byte[events][];
    byte[][] records = new byte[events][];
    for (int i = 0; i < events; i++) {
      ChangeEvent event = event(origin);
      recordKeys[i] = Objects.requireNonNull(event.key()).name().array();
      records[i] = codec.encode(event);
    }
    long thread = Thread.currentThread().getId();
    long batches = wire.batches;
    long effects = wire.effects;
    long cpu = threads.getCurrentThreadCpuTime();
    long bytes = threads.getThreadAllocatedBytes(thread);
    for (int i = 1; i <= events; i++) {
      owner.onEvent(codec.decode(recordKeys[i - 1], records[i - 1]));
      if (i % EVENTS_PER_POLL == 0) {
        owner.beforePoll();
        owner.onTimer(System.currentTimeMillis());
      }
      if (i % EVENTS_PER_BEAT == 0) {
        owner.onEvent(control(LOCAL, new Change.Beat(VersionVector.EMPTY), wire.shown));
      }
      if (i % EVENTS_PER_COMMIT == 0) {
        rows.flushCache();
      }
    }
    cpu = threads.getCurrentThreadCpuTime() - cpu;
    bytes = threads.getThreadAllocatedBytes(thread) - bytes;
    System.out.printf(
        "round %d %-6s %6.2f us %6d bytes per event, %.3f batches, %.3f effects per event%n",
        round,
        what,
        cpu / 1e3 / events,
        bytes / events,
        (double) (wire.batches - batches) / events,
        (double) (wire.effects - effects) / events);
  }

  private ChangeEvent control(Origin origin, Change.Control change, Fx fx) {
    return event(origin, seqs.getOrDefault(origin, 0L), fx, null, change);
  }

  private ChangeEvent event(Origin origin) {
    long seq = seqs.merge(origin, 1L, Long::sum);
    byte[] value = new byte[VALUE_BYTES];
    random.nextBytes(value);
    int number = random.nextInt(keys);
    int kind = mixed ? random.nextInt(5) : 0;
    Change change =
        switch (kind) {
          case 0 -> new Change.StringSet(Bytes.wrap(value), 0, false);
          case 1 -> new Change.StringAdd(BigDecimal.ONE, null);
          case 2 -> new Change.HashPut(Bytes.utf8("f" + random.nextInt(10)), Bytes.wrap(value));
          case 3 -> new Change.SetAdd(Bytes.utf8("member" + seq));
          default -> new Change.ZsetPut(Bytes.utf8("m" + random.nextInt(100)), seq);
        };
    return event(
        origin,
        seq,
        origin.equals(LOCAL) ? wire.shown : Fx.NONE,
        RedisKey.of(0, "bench:" + kind + ":" + number),
        change);
  }

  private ChangeEvent event(Origin origin, long seq, Fx fx, @Nullable RedisKey key, Change change) {
    Origin other = origin.equals(LOCAL) ? REMOTE : LOCAL;
    return new ChangeEvent(
        origin,
        seq,
        Math.max(0, seq - 1),
        1,
        new HybridTimestamp(++stamp),
        VersionVector.of(other, seqs.getOrDefault(other, 0L)),
        Map.of(),
        fx,
        key,
        change,
        ChangeEvent.StreamPosition.UNKNOWN,
        null);
  }

  /** Encodes batches as for Redis, and says of each that it was applied. */
  private static final class AnsweringWire implements OwnerWire {
    private final Deque<Consumer<Listener>> answers = new ArrayDeque<>();
    private @Nullable MarkerState marker;
    private String token = "";
    private Fx shown = Fx.NONE;
    private long batches;
    private long effects;

    AnsweringWire() {
      answers.add(Listener::onConnected);
    }

    @Override
    public boolean drain(Listener listener) {
      boolean any = false;
      for (int n = answers.size(); n > 0; n--) {
        any = true;
        answers.removeFirst().accept(listener);
      }
      return any;
    }

    @Override
    public boolean hasEvents() {
      return !answers.isEmpty();
    }

    @Override
    public void send(EffectBatch batch) {
      batches++;
      effects += batch.size();
      if (BatchEncoder.encode(batch).keys().isEmpty()) {
        throw new IllegalStateException("a batch without a marker");
      }
      shown = new Fx(batch.epoch(), batch.last());
      answers.add(l -> l.onReply(batch, BatchReply.of(BatchReply.Outcome.APPLIED)));
    }

    @Override
    public void takeOver(int partition, int epoch, Fx least, String question) {
      MarkerState now = marker;
      token = question;
      answers.add(l -> l.onMarker(partition, now));
    }

    @Override
    public void install(int partition, MarkerState state, String itsToken) {
      marker = state;
      answers.add(l -> l.onMarker(partition, state));
    }

    @Override
    public void close() {
      answers.clear();
    }
  }
}
