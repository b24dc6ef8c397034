package io.crosstide.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.PartitionMerger.Phase;
import io.crosstide.schemas.ChangeEventCodec;
import io.crosstide.schemas.Headers;
import io.crosstide.schemas.Topics;
import io.crosstide.schemas.registry.InMemorySchemaRegistry;
import io.crosstide.streams.owner.MergeMetrics;
import io.crosstide.streams.owner.OwnerSettings;
import io.crosstide.streams.owner.OwnerWire;
import io.crosstide.streams.owner.Owners;
import io.crosstide.streams.owner.PartitionStatus;
import io.crosstide.streams.owner.RowEventCodec;
import io.crosstide.streams.store.PartitionRows;
import io.crosstide.streams.thread.WakeableClients;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The topology with a Redis that answers when told to; the driver commits after each record. */
class MergeTopologyTest {
  private static final Origin LOCAL = Origin.of(1);
  private static final Origin REMOTE = Origin.of(2);

  @TempDir Path directory;
  private final InMemorySchemaRegistry registry = new InMemorySchemaRegistry();
  private final ChangeEventCodec codec = new ChangeEventCodec(registry, "changes.a");
  private final Owners owners = new Owners();
  private final ScriptedWire wire = new ScriptedWire();
  private @Nullable TopologyTestDriver driver;

  /** Notes what is sent; its owner drains what the test says Redis answered. */
  private static final class ScriptedWire implements OwnerWire {
    final List<EffectBatch> sent = new ArrayList<>();
    final Deque<Consumer<Listener>> answers = new ArrayDeque<>();
    int takeOverEpoch;
    boolean closed;

    @Override
    public boolean drain(Listener listener) {
      boolean any = false;
      while (!answers.isEmpty()) {
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
      sent.add(batch);
    }

    @Override
    public void takeOver(int partition, int epoch, Fx least, String token) {
      takeOverEpoch = epoch;
    }

    @Override
    public void install(int partition, MarkerState marker, String token) {}

    @Override
    public void close() {
      closed = true;
    }

    void acknowledgeAll() {
      for (EffectBatch batch : List.copyOf(sent)) {
        answers.add(l -> l.onReply(batch, BatchReply.of(BatchReply.Outcome.APPLIED)));
      }
      sent.clear();
    }
  }

  private TopologyTestDriver start(boolean skipMalformed) {
    OwnerSettings settings =
        new OwnerSettings(
            LOCAL,
            Set.of(1, 2),
            (wakeUp, routine) -> wire,
            new RowEventCodec(codec),
            (partition, received) -> 0,
            new MergeMetrics(new SimpleMeterRegistry(), "a", Map.of(1, "a", 2, "b")),
            Clock.systemUTC(),
            100,
            1 << 20,
            1000);
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
    properties.put(StreamsConfig.STATE_DIR_CONFIG, directory.toString());
    TopologyTestDriver started =
        new TopologyTestDriver(
            MergeTopology.of(
                Set.of("a", "b"),
                new MergeProcessor.Shared(
                    settings,
                    codec,
                    owners,
                    new WakeableClients(Topics.changes("us-east")),
                    skipMalformed)),
            properties);
    driver = started;
    return started;
  }

  @AfterEach
  void close() {
    if (driver != null) {
      driver.close();
    }
  }

  private void pipe(TopologyTestDriver to, ChangeEvent event) {
    RecordHeaders headers = new RecordHeaders();
    headers.add(Headers.of(event));
    RedisKey key = event.key();
    input(to, event.origin().equals(LOCAL) ? "changes.a" : "changes.b")
        .pipeInput(
            new TestRecord<>(
                key == null ? null : key.name().array(), codec.encode(event), headers));
  }

  private static TestInputTopic<byte[], byte[]> input(TopologyTestDriver to, String topic) {
    return to.createInputTopic(topic, new ByteArraySerializer(), new ByteArraySerializer());
  }

  private static ChangeEvent set(Origin origin, long seq, String value) {
    return new ChangeEvent(
        origin,
        seq,
        seq - 1,
        1,
        HybridTimestamp.of(1_000 + seq, 0),
        VersionVector.EMPTY,
        Map.of(),
        Fx.NONE,
        RedisKey.of(0, "k"),
        new Change.StringSet(Bytes.utf8(value), 0, false),
        ChangeEvent.StreamPosition.UNKNOWN,
        null);
  }

  private PartitionStatus status() {
    Objects.requireNonNull(driver).advanceWallClockTime(Duration.ofMillis(30));
    return owners.status().get(0);
  }

  @Test
  void untilRedisAnswersRemoteRecordsAreHeldInRowsAndPositionsCommit() {
    TopologyTestDriver merging = start(false);
    pipe(merging, set(REMOTE, 1, "v1"));
    pipe(merging, set(REMOTE, 2, "v2"));
    assertThat(status().phase()).isEqualTo(Phase.CONNECTING);
    assertThat(status().held()).isEqualTo(2);
    // Committed with the positions: two held records, and where they stand.
    assertThat(rows(merging, "H")).isEqualTo(2);
    assertThat(rows(merging, "M")).isEqualTo(1);
    takeOver();
    pipe(merging, set(REMOTE, 3, "v3"));
    assertThat(status().merged()).isEqualTo(VersionVector.of(REMOTE, 3));
    assertThat(desired()).containsExactly("v1", "v2", "v3");
    wire.acknowledgeAll();
    assertThat(status().applied()).isEqualTo(VersionVector.of(REMOTE, 3));
    assertThat(status().backlog()).isZero();
  }

  private static int rows(TopologyTestDriver of, String prefix) {
    PartitionRows rows = (PartitionRows) of.getStateStore(MergeTopology.ROWS);
    int[] count = {0};
    rows.scan(Bytes.utf8(prefix).array(), null, (key, value) -> ++count[0] > 0);
    return count[0];
  }

  private void takeOver() {
    wire.answers.add(l -> l.onConnected());
    status();
    wire.answers.add(l -> l.onMarker(0, MarkerState.initial(0)));
    status();
  }

  private List<String> desired() {
    List<String> values = new ArrayList<>();
    for (EffectBatch batch : wire.sent) {
      for (EffectBatch.Group group : batch.groups()) {
        for (Effect effect : group.effects()) {
          if (effect instanceof Effect.Put put) {
            values.add(Objects.requireNonNull(put.desired().value()).text());
          }
        }
      }
    }
    return values;
  }

  @Test
  void aRecordInWhichABridgeDeclaresAGapIsTaken() {
    TopologyTestDriver merging = start(false);
    pipe(merging, set(REMOTE, 1, "v1"));
    ChangeEvent third = set(REMOTE, 3, "v3");
    RecordHeaders headers = new RecordHeaders();
    headers.add(Headers.of(third));
    Headers.replace(headers, Headers.read(headers).withPreviousSeq(1));
    input(merging, "changes.b")
        .pipeInput(new TestRecord<>(Bytes.utf8("k").array(), codec.encode(third), headers));
    assertThat(status().received()).isEqualTo(VersionVector.of(REMOTE, 3));
  }

  @Test
  void aGapThatNobodyDeclaresStops() {
    TopologyTestDriver merging = start(false);
    pipe(merging, set(REMOTE, 1, "v1"));
    assertThatThrownBy(() -> pipe(merging, set(REMOTE, 3, "v3")))
        .hasRootCauseInstanceOf(io.crosstide.protocol.merge.MergeStoppedException.class);
  }

  @Test
  void aMalformedRecordIsSkippedOnlyIfAllowed() {
    TopologyTestDriver merging = start(true);
    input(merging, "changes.b").pipeInput(Bytes.utf8("k").array(), new byte[] {7});
    pipe(merging, set(REMOTE, 1, "v1"));
    assertThat(status().received()).isEqualTo(VersionVector.of(REMOTE, 1));
  }

  @Test
  void anOwnerThatIsFencedGivesItsTasksUp() {
    TopologyTestDriver merging = start(false);
    takeOver();
    pipe(merging, set(REMOTE, 1, "v1"));
    wire.answers.add(
        l -> {
          l.onDisconnected();
          l.onConnected();
        });
    status();
    wire.answers.add(
        l ->
            l.onMarker(
                0,
                new MarkerState(
                    wire.takeOverEpoch + 1,
                    new Fx(wire.takeOverEpoch + 1, 0),
                    VersionVector.EMPTY,
                    Map.of())));
    assertThatThrownBy(this::status)
        .isInstanceOf(org.apache.kafka.streams.errors.TaskMigratedException.class)
        .hasMessageContaining("another owner");
  }

  @Test
  void closingGivesTheWireUp() {
    TopologyTestDriver merging = start(false);
    assertThat(owners.status()).hasSize(1);
    merging.close();
    driver = null;
    assertThat(wire.closed).isTrue();
    assertThat(owners.status()).isEmpty();
  }
}
