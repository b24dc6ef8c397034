package io.crosstide.capture.rdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.moilioncircle.redis.replicator.rdb.datatype.DB;
import com.moilioncircle.redis.replicator.rdb.datatype.KeyStringValueString;
import com.moilioncircle.redis.replicator.rdb.iterable.datatype.KeyStringValueMapEntryIterator;
import io.crosstide.capture.command.EventSink;
import io.crosstide.capture.command.InterpreterConfig;
import io.crosstide.capture.command.StreamInterpreter;
import io.crosstide.capture.shadow.InMemoryShadow;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridLogicalClock;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A full resync publishes local writes and nothing else (P7), and no loss of data (P8). */
final class ResyncTest implements EventSink {
  private static final Origin REMOTE = Origin.of(2);
  private static final long NOW = 5_000_000;
  private static final String OLD_ID = "a".repeat(40);
  private static final String NEW_ID = "b".repeat(40);

  @TempDir Path dir;
  private final List<ChangeEvent> events = new ArrayList<>();
  private final List<Long> unitOffsets = new ArrayList<>();
  private final InMemoryShadow shadow = new InMemoryShadow();
  private StreamInterpreter interpreter;
  private Snapshot snapshot;
  private SentEffects sentEffects = SentEffects.NONE;
  private ResyncPolicy policy = ResyncPolicy.FAIL;
  private long offset = 100;

  @BeforeEach
  void start() {
    interpreter =
        new StreamInterpreter(
            InterpreterConfig.of(Origin.of(1), 1, 1, key -> 0, () -> NOW),
            shadow,
            new HybridLogicalClock(() -> NOW, 60_000),
            this);
    interpreter.position(OLD_ID, offset, 0);
    snapshot = new Snapshot(dir.resolve("snapshot"));
  }

  @AfterEach
  void stop() {
    snapshot.close();
  }

  @Override
  public void event(int partition, ChangeEvent event) {
    events.add(event);
  }

  @Override
  public void markerSeen(int partition, Fx fx, boolean heldProbe) {}

  @Override
  public void unitEnd(long unit, long endOffset) {
    unitOffsets.add(endOffset);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private void command(String... words) {
    byte[][] argv = new byte[words.length][];
    for (int i = 0; i < words.length; i++) {
      argv[i] = bytes(words[i]);
    }
    offset += 50;
    interpreter.command(argv, offset);
  }

  private void inSnapshot(String key, String value) {
    KeyStringValueString entry = new KeyStringValueString();
    entry.setDb(new DB(0));
    entry.setKey(bytes(key));
    entry.setValue(bytes(value));
    snapshot.accept(entry);
  }

  private void markerInSnapshot(MarkerState marker) {
    List<Map.Entry<byte[], byte[]>> fields = new ArrayList<>();
    fields.add(Map.entry(bytes("e"), bytes("" + marker.epoch())));
    fields.add(Map.entry(bytes("f"), bytes(marker.fx().toString())));
    fields.add(Map.entry(bytes("c"), bytes(marker.context().encode())));
    marker
        .exceptions()
        .forEach(
            (digest, missed) ->
                fields.add(Map.entry(bytes("x:" + digest), bytes(missed.encode()))));
    KeyStringValueMapEntryIterator entry = new KeyStringValueMapEntryIterator();
    entry.setDb(new DB(0));
    entry.setKey(bytes(MarkerState.key(0)));
    entry.setValue(fields.iterator());
    snapshot.accept(entry);
  }

  private static MarkerState marker(long fx, long seen) {
    return new MarkerState(1, new Fx(1, fx), VersionVector.of(REMOTE, seen), Map.of());
  }

  private void seeMarker(long fx, long seen) {
    command(
        "HSET",
        MarkerState.key(0),
        "e",
        "1",
        "f",
        "1:" + fx,
        "c",
        VersionVector.of(REMOTE, seen).encode());
  }

  private void resync(boolean sameHistory) {
    events.clear();
    new Resync(interpreter, shadow, 1, sentEffects, policy, 100)
        .run(snapshot, NEW_ID, 900, sameHistory, interpreter.streamMillis(), NOW);
  }

  private List<Change> changes() {
    return events.stream().map(ChangeEvent::change).toList();
  }

  @Test
  void withTheSameEffectsDifferencesAreLocalWrites() {
    seeMarker(3, 7);
    command("SET", "k", "old");
    markerInSnapshot(marker(3, 7));
    inSnapshot("k", "new");
    resync(true);
    assertThat(changes()).containsExactly(new Change.StringSet(Bytes.utf8("new"), 0, false));
    ChangeEvent event = events.get(0);
    assertThat(event.fx()).isEqualTo(new Fx(1, 3));
    assertThat(event.context()).isEqualTo(VersionVector.of(REMOTE, 7));
    assertThat(event.position()).isEqualTo(new ChangeEvent.StreamPosition(NEW_ID, 900, 0));
    assertThat(unitOffsets).last().isEqualTo(900L);
    assertThat(interpreter.replId()).isEqualTo(NEW_ID);
  }

  @Test
  void effectsMissedMeanwhileAreNotRepublished() {
    seeMarker(3, 7);
    command("SET", "put", "old");
    command("SET", "n", "10");
    RedisKey put = RedisKey.of(0, "put");
    RedisKey n = RedisKey.of(0, "n");
    sentEffects =
        (partition, after, through, receiver) -> {
          assertThat(after).isEqualTo(new Fx(1, 3));
          assertThat(through).isEqualTo(new Fx(1, 5));
          receiver.accept(
              new Effect.Put(
                  Element.string(put), Content.utf8("old"), Content.utf8("remote"), Fx.NONE));
          receiver.accept(new Effect.Add(Element.string(n), 5, Fx.NONE));
          return true;
        };
    markerInSnapshot(marker(5, 9));
    inSnapshot("put", "remote");
    inSnapshot("n", "18");
    resync(true);
    assertThat(changes()).containsExactly(new Change.StringAdd(BigDecimal.valueOf(3), null));
    assertThat(events.get(0).context()).isEqualTo(VersionVector.of(REMOTE, 9));
  }

  @Test
  void effectsThatNobodyRemembersStopIt() {
    seeMarker(3, 7);
    markerInSnapshot(marker(5, 9));
    assertThatThrownBy(() -> resync(true))
        .isInstanceOf(ResyncRefusedException.class)
        .hasMessageContaining("1:3 to 1:5")
        .hasMessageContaining("publish-differences");
    assertThat(events).isEmpty();
  }

  @Test
  void publishDifferencesGoesOnAllTheSame() {
    seeMarker(3, 7);
    policy = ResyncPolicy.PUBLISH_DIFFERENCES;
    markerInSnapshot(marker(5, 9));
    inSnapshot("k", "v");
    resync(true);
    assertThat(changes()).containsExactly(new Change.StringSet(Bytes.utf8("v"), 0, false));
  }

  @Test
  void aMissingMarkerIsToldBeforeAnythingElse() {
    inSnapshot("k", "v");
    resync(false);
    assertThat(changes())
        .containsExactly(new Change.MarkerLost(), new Change.StringSet(Bytes.utf8("v"), 0, false));
  }

  @Test
  void theSnapshotsExceptionsLowerTheContext() {
    RedisKey key = RedisKey.of(0, "k");
    MarkerState.Missed missed = new MarkerState.Missed(new Fx(1, 3), VersionVector.of(REMOTE, 4));
    command("SET", "k", "1");
    seeMarker(3, 7);
    markerInSnapshot(
        new MarkerState(
            1,
            new Fx(1, 3),
            VersionVector.of(REMOTE, 7),
            Map.of(Element.string(key).digest(), missed)));
    inSnapshot("k", "2");
    resync(true);
    assertThat(events).hasSize(1);
    assertThat(events.get(0).context()).isEqualTo(VersionVector.of(REMOTE, 4));
  }

  @Test
  void aMarkerBehindTheOneSeenMeansLostData() {
    seeMarker(3, 7);
    command("SET", "k", "v");
    markerInSnapshot(marker(2, 6));
    assertThatThrownBy(() -> resync(false))
        .isInstanceOf(ResyncRefusedException.class)
        .hasMessageContaining("lost data");
    assertThat(events).isEmpty();
  }

  @Test
  void aMarkerGoneAfterARestartMeansLostData() {
    seeMarker(3, 7);
    assertThatThrownBy(() -> resync(false)).hasMessageContaining("lost data");
  }

  @Test
  void aMarkerGoneWithinOneHistoryWasRemovedByAClient() {
    seeMarker(3, 7);
    resync(true);
    assertThat(changes()).containsExactly(new Change.MarkerLost());
    assertThat(events.get(0).fx()).isEqualTo(new Fx(1, 3));
  }

  @Test
  void anOlderBeaconMeansLostData() {
    command("SET", "__ct:beacon", "4000");
    inSnapshot("__ct:beacon", "3999");
    assertThatThrownBy(() -> resync(false)).hasMessageContaining("1 ms older");
  }

  @Test
  void whatIsTooLongIsCountedAndNotPublished() {
    seeMarker(3, 7);
    markerInSnapshot(marker(3, 7));
    inSnapshot("k", "x".repeat(100));
    inSnapshot("l", "x".repeat(99));
    resync(true);
    assertThat(events).singleElement().satisfies(e -> assertThat(e.key()).hasToString("l"));
    assertThat(shadow.key(0, Bytes.utf8("k")).exact()).isFalse();
  }
}
