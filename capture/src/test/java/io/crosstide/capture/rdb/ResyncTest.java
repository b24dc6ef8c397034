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
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridLogicalClock;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.SentBatch;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
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
  private final List<ChangeEvent> ownLog = new ArrayList<>();
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
    if (events.size() >= failAfter) {
      throw new IllegalStateException("killed");
    }
    events.add(event);
  }

  @Override
  public void markerSeen(int partition, Fx fx, boolean heldProbe) {}

  @Override
  public void unitEnd(long unit, long endOffset) {
    unitOffsets.add(endOffset);
  }

  private boolean beaconWentBack;
  private int failAfter = Integer.MAX_VALUE;

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

  /** Published by a capture whose shadow did not live to hold it. */
  private void inLog(String key, Change change, Fx fx) {
    long seq = ownLog.size() + 1L;
    ownLog.add(
        new ChangeEvent(
            Origin.of(1),
            seq,
            seq - 1,
            1,
            HybridTimestamp.ZERO,
            VersionVector.EMPTY,
            Map.of(),
            fx,
            RedisKey.of(0, key),
            change,
            ChangeEvent.StreamPosition.UNKNOWN,
            null));
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
    fields.add(Map.entry(bytes("b"), bytes(marker.preceding().toString())));
    fields.add(Map.entry(bytes("c"), bytes(marker.context().encode())));
    fields.add(Map.entry(bytes("k"), bytes("" + marker.exceptions().size())));
    marker
        .exceptions()
        .forEach(
            (digest, missed) ->
                fields.add(Map.entry(bytes("x:" + digest), bytes(missed.encode()))));
    markerHashInSnapshot(fields);
  }

  private void markerHashInSnapshot(List<Map.Entry<byte[], byte[]>> fields) {
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
    seeMarker("1:" + fx, seen);
  }

  private void seeMarker(String fx, long seen) {
    command(
        "HSET",
        MarkerState.key(0),
        "e",
        fx.substring(0, fx.indexOf(':')),
        "f",
        fx,
        "c",
        VersionVector.of(REMOTE, seen).encode());
  }

  private void resync(boolean sameHistory) {
    events.clear();
    new Resync(
            interpreter,
            shadow,
            1,
            (partition, seq, receiver) ->
                ownLog.stream().filter(event -> event.seq() > seq).forEach(receiver),
            new long[] {ownLog.size()},
            sentEffects,
            policy,
            100)
        .beside(() -> 0, () -> beaconWentBack, () -> {})
        .run(snapshot, NEW_ID, 900, sameHistory, interpreter.streamMillis(), NOW);
  }

  private static SentBatch batch(long first, long seen, Effect... effects) {
    return new SentBatch(
        1,
        first,
        Fx.NONE,
        List.of(new EffectBatch.Group(VersionVector.of(REMOTE, seen), List.of(effects))));
  }

  private void sent(SentBatch... batches) {
    sentEffects = sentAt(NOW, batches);
  }

  private static SentEffects sentAt(long millis, SentBatch... batches) {
    return (partition, after, through) ->
        () -> {
          Iterator<SentBatch> left = List.of(batches).iterator();
          return new SentEffects.Batches() {
            @Override
            public SentEffects.@Nullable Sent next() {
              return left.hasNext() ? new SentEffects.Sent(left.next(), millis) : null;
            }

            @Override
            public void close() {}
          };
        };
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
  void anOwnersQuestionInTheSnapshotIsAnsweredWithWhatIsKnown() {
    seeMarker(3, 7);
    markerHashInSnapshot(List.of(Map.entry(bytes("t"), bytes("question"))));
    resync(true);
    assertThat(changes()).containsExactly(new Change.MarkerLost("question", Fx.NONE));
    assertThat(events.get(0).fx()).isEqualTo(new Fx(1, 3));
    assertThat(events.get(0).context()).isEqualTo(VersionVector.of(REMOTE, 7));
  }

  /** A SWAPDB while capture was away: the same history, nothing was lost. */
  @Test
  void anOldMarkerInTheSnapshotIsNotBelieved() {
    seeMarker(3, 7);
    seeMarker(5, 9);
    markerInSnapshot(marker(3, 7));
    resync(true);
    assertThat(changes()).containsExactly(new Change.MarkerLost());
    assertThat(events.get(0).fx()).isEqualTo(new Fx(1, 5));
    assertThat(events.get(0).context()).isEqualTo(VersionVector.of(REMOTE, 9));
  }

  @Test
  void effectsMissedMeanwhileAreNotRepublished() {
    seeMarker(3, 7);
    command("SET", "put", "old");
    command("SET", "n", "10");
    RedisKey put = RedisKey.of(0, "put");
    RedisKey n = RedisKey.of(0, "n");
    sent(
        batch(
            4,
            9,
            new Effect.Put(
                Element.string(put), Content.utf8("old"), Content.utf8("remote"), Fx.NONE),
            new Effect.Add(Element.string(n), 5, Fx.NONE)));
    markerInSnapshot(marker(5, 9));
    inSnapshot("put", "remote");
    inSnapshot("n", "18");
    resync(true);
    assertThat(changes()).containsExactly(new Change.StringAdd(BigDecimal.valueOf(3), null));
    assertThat(events.get(0).context()).isEqualTo(VersionVector.of(REMOTE, 9));
  }

  /** The marker says that the put missed: what differs is the client's increment, not the put. */
  @Test
  void anEffectThatMissedIsNotExpected() {
    seeMarker(3, 7);
    command("SET", "n", "10");
    Element n = Element.string(RedisKey.of(0, "n"));
    sent(
        batch(4, 8, new Effect.Check(n, Content.utf8("10"), Fx.NONE)),
        batch(5, 9, new Effect.Put(n, Content.utf8("10"), Content.utf8("50"), Fx.NONE)),
        batch(6, 10, new Effect.Put(n, Content.utf8("50"), Content.utf8("60"), Fx.NONE)));
    VersionVector before = VersionVector.of(REMOTE, 8);
    markerInSnapshot(
        new MarkerState(
            1,
            new Fx(1, 6),
            VersionVector.of(REMOTE, 10),
            Map.of(n.digest(), new MarkerState.Missed(new Fx(1, 6), before))));
    inSnapshot("n", "11");
    resync(true);
    // Of the first put only the guard could tell: the exception's context is that before it.
    assertThat(events.get(0).context()).isEqualTo(before);
    assertThat(changes()).containsExactly(new Change.StringAdd(BigDecimal.ONE, null));
  }

  /** A client had made the guard hold: the effect was applied, and is no local write. */
  @Test
  void anEffectThatDidNotMissIsExpected() {
    seeMarker(3, 7);
    command("SET", "k", "x");
    Element k = Element.string(RedisKey.of(0, "k"));
    sent(batch(4, 8, new Effect.Put(k, Content.utf8("w"), Content.utf8("y"), Fx.NONE)));
    markerInSnapshot(marker(4, 8));
    inSnapshot("k", "y");
    resync(true);
    assertThat(changes()).isEmpty();
    assertThat(shadow.key(0, Bytes.utf8("k")).content()).isEqualTo(Content.utf8("y"));
  }

  /**
   * The increment passed, so the hash had gone by then: a client deleted it. What the increment
   * wrote is not the client's.
   */
  @Test
  void aKeyThatAnEffectFoundEmptyHadBeenDeleted() {
    seeMarker(3, 7);
    command("HSET", "k", "a", "1");
    RedisKey k = RedisKey.of(0, "k");
    Element a = new Element(k, ElementKind.HASH_FIELD, Bytes.utf8("a"));
    sent(
        batch(4, 8, new Effect.Noop()),
        batch(
            5,
            9,
            new Effect.Put(a, Content.utf8("1"), Content.ABSENT, Fx.NONE),
            new Effect.Add(Element.string(k), 5, Fx.NONE)));
    VersionVector before = VersionVector.of(REMOTE, 8);
    markerInSnapshot(
        new MarkerState(
            1,
            new Fx(1, 6),
            VersionVector.of(REMOTE, 9),
            Map.of(a.digest(), new MarkerState.Missed(new Fx(1, 5), before))));
    inSnapshot("k", "8");
    resync(true);
    assertThat(changes())
        .containsExactly(new Change.KeyDelete(), new Change.StringAdd(BigDecimal.valueOf(3), null));
    assertThat(events.get(0).fx()).isEqualTo(new Fx(1, 4));
    assertThat(events.get(0).context()).isEqualTo(before);
    assertThat(events.get(1).fx()).isEqualTo(new Fx(1, 6));
  }

  /** The increment met the hash, its owner learnt of it and made room: nobody deleted the key. */
  @Test
  void whatAnOwnerKnewToHaveMissedHasNotPassed() {
    seeMarker(3, 7);
    command("HSET", "k", "a", "1");
    RedisKey k = RedisKey.of(0, "k");
    Element a = new Element(k, ElementKind.HASH_FIELD, Bytes.utf8("a"));
    Element string = Element.string(k);
    sent(
        batch(4, 8, new Effect.Add(string, 5, Fx.NONE)),
        batch(
            5,
            9,
            new Effect.Put(a, Content.utf8("1"), Content.ABSENT, Fx.NONE),
            new Effect.Put(string, Content.ABSENT, Content.utf8("9"), new Fx(1, 4))));
    markerInSnapshot(marker(6, 9));
    inSnapshot("k", "9");
    resync(true);
    assertThat(changes()).isEmpty();
  }

  /** The owner took it for a miss; but the exception begins after it, at the next effect. */
  @Test
  void anEffectBeforeTheExceptionIsExpectedAlthoughItsOwnerTookItForAMiss() {
    seeMarker(3, 7);
    command("SET", "n", "1");
    Element n = Element.string(RedisKey.of(0, "n"));
    sent(
        batch(4, 8, new Effect.Put(n, Content.ABSENT, Content.utf8("10"), Fx.NONE)),
        batch(5, 9, new Effect.Put(n, Content.utf8("1"), Content.utf8("20"), new Fx(1, 4))));
    markerInSnapshot(
        new MarkerState(
            1,
            new Fx(1, 5),
            VersionVector.of(REMOTE, 9),
            Map.of(n.digest(), new MarkerState.Missed(new Fx(1, 5), VersionVector.of(REMOTE, 8)))));
    inSnapshot("n", "10");
    resync(true);
    assertThat(changes()).isEmpty();
  }

  /** A client had made the first guard hold, so that the increment after it passed as well. */
  @Test
  void anIncrementUponAnEffectThatDidNotMissIsExpected() {
    seeMarker(3, 7);
    command("SET", "n", "1");
    Element n = Element.string(RedisKey.of(0, "n"));
    sent(
        batch(4, 8, new Effect.Put(n, Content.utf8("2"), Content.utf8("10"), Fx.NONE)),
        batch(5, 9, new Effect.Add(n, 5, Fx.NONE)));
    markerInSnapshot(marker(5, 9));
    inSnapshot("n", "15");
    resync(true);
    assertThat(changes()).isEmpty();
  }

  @Test
  void longValuesStayKnownByDigest() {
    seeMarker(3, 7);
    Element k = Element.string(RedisKey.of(0, "k"));
    Content value = Content.utf8("x".repeat(90));
    sent(batch(4, 8, new Effect.Put(k, Content.ABSENT, value.compact(), Fx.NONE)));
    markerInSnapshot(marker(4, 8));
    inSnapshot("k", "x".repeat(90));
    resync(true);
    assertThat(changes()).isEmpty();
    assertThat(shadow.key(0, Bytes.utf8("k")).content()).isEqualTo(value);
  }

  /** The owner's batch found the key expired; Redis then applied it to nothing (P5). */
  @Test
  void whatExpiredBeforeAnEffectIsPublishedAsExpired() {
    seeMarker(3, 7);
    command("SET", "n", "10", "PXAT", "" + (NOW - 1));
    Element n = Element.string(RedisKey.of(0, "n"));
    sent(
        batch(4, 8, new Effect.Noop()),
        batch(5, 9, new Effect.Add(n, 5, Fx.NONE)),
        batch(6, 10, new Effect.Noop()));
    markerInSnapshot(marker(6, 10));
    inSnapshot("n", "5");
    resync(true);
    assertThat(changes()).containsExactly(new Change.KeyExpire(NOW - 1));
    assertThat(events.get(0).fx()).isEqualTo(new Fx(1, 4));
    assertThat(events.get(0).context()).isEqualTo(VersionVector.of(REMOTE, 8));
  }

  /** It was put off when the effect came late, to a moment that nobody has written down (P5). */
  @Test
  void aNearDeadlineThatAnEffectGaveIsNotTakenToHavePassed() {
    seeMarker(3, 7);
    command("HSET", "h", "a", "1");
    Element deadline = Element.deadline(RedisKey.of(0, "h"));
    Element b = new Element(RedisKey.of(0, "h"), ElementKind.HASH_FIELD, Bytes.utf8("b"));
    sent(
        batch(4, 8, new Effect.Put(deadline, Content.ABSENT, Content.deadline(NOW - 1), Fx.NONE)),
        batch(5, 9, new Effect.Put(b, Content.ABSENT, Content.utf8("2"), Fx.NONE)));
    markerInSnapshot(marker(5, 9));
    resync(true);
    assertThat(changes()).containsExactly(new Change.KeyExpire(NOW - 1));
    assertThat(events.get(0).fx()).as("with the snapshot").isEqualTo(new Fx(1, 5));
  }

  @Test
  void aDeadlineThatAClientMovedUnseenHasNotPassed() {
    seeMarker(3, 7);
    command("HSET", "h", "a", "1", "b", "2");
    command("PEXPIREAT", "h", "" + (NOW - 1));
    Element b = new Element(RedisKey.of(0, "h"), ElementKind.HASH_FIELD, Bytes.utf8("b"));
    sent(batch(4, 8, new Effect.Put(b, Content.utf8("2"), Content.utf8("3"), Fx.NONE)));
    markerInSnapshot(marker(4, 8));
    ShadowKey h = snapshot.content().key(0, Bytes.utf8("h"));
    h.putField(Bytes.utf8("a"), Bytes.utf8("1"));
    h.putField(Bytes.utf8("b"), Bytes.utf8("3"));
    h.deadline(NOW + 60_000);
    resync(true);
    assertThat(changes()).containsExactly(new Change.DeadlineSet(NOW + 60_000));
  }

  /** The log holds more than the shadow: of each event it says which effects came before it. */
  @Test
  void eventsOfTheLogAndEffectsAreFoldedAsTheyCame() {
    seeMarker(3, 7);
    command("SET", "k", "a");
    ownLog.addAll(events);
    Element k = Element.string(RedisKey.of(0, "k"));
    sent(
        batch(4, 8, new Effect.Put(k, Content.utf8("a"), Content.utf8("b"), Fx.NONE)),
        batch(5, 9, new Effect.Put(k, Content.utf8("c"), Content.utf8("d"), Fx.NONE)));
    inLog("k", new Change.StringSet(Bytes.utf8("c"), 0, false), new Fx(1, 4));
    markerInSnapshot(marker(5, 9));
    inSnapshot("k", "d");
    resync(true);
    assertThat(changes()).isEmpty();
    assertThat(interpreter.sequencer().last(0)).isEqualTo(2);
  }

  /** What the log shows was executed before the marker went: its owner must not send it again. */
  @Test
  void aLostMarkersPlaceIsAsFarAsTheLogShows() {
    seeMarker(3, 7);
    command("SET", "k", "a");
    ownLog.addAll(events);
    Element k = Element.string(RedisKey.of(0, "k"));
    sent(batch(4, 8, new Effect.Put(k, Content.utf8("a"), Content.utf8("b"), Fx.NONE)));
    inLog("l", new Change.StringSet(Bytes.utf8("l"), 0, false), new Fx(1, 4));
    inSnapshot("k", "b");
    inSnapshot("l", "l");
    resync(true);
    assertThat(changes()).containsExactly(new Change.MarkerLost());
    assertThat(events.get(0).fx()).isEqualTo(new Fx(1, 4));
    assertThat(events.get(0).context()).isEqualTo(VersionVector.of(REMOTE, 8));
  }

  @Test
  void anEpochThatSentNothingLeadsToTheOneBefore() {
    seeMarker(3, 7);
    Element k = Element.string(RedisKey.of(0, "k"));
    SentBatch last = batch(4, 8, new Effect.Put(k, Content.ABSENT, Content.utf8("b"), Fx.NONE));
    sentEffects =
        (partition, after, through) -> {
          assertThat(after).isEqualTo(new Fx(1, 3));
          assertThat(through).isEqualTo(new Fx(1, 4));
          return sentAt(NOW, last).applied(partition, after, through);
        };
    markerInSnapshot(
        new MarkerState(9, new Fx(9, 0), new Fx(1, 4), VersionVector.of(REMOTE, 8), Map.of()));
    inSnapshot("k", "b");
    resync(true);
    assertThat(changes()).isEmpty();
    assertThat(interpreter.markers().state(0).preceding()).isEqualTo(new Fx(1, 4));
  }

  /** Redis forgot effects, and then an owner raised the epoch: its number alone looks newer. */
  @Test
  void aRaisedEpochDoesNotHideLostEffects() {
    seeMarker(3, 7);
    markerInSnapshot(
        new MarkerState(9, new Fx(9, 0), new Fx(1, 2), VersionVector.of(REMOTE, 6), Map.of()));
    command("SET", "k", "v");
    resync(false);
    assertThat(changes()).containsExactly(lost("k"));
    assertThat(interpreter.markers().state(0).preceding()).isEqualTo(new Fx(1, 2));
  }

  @Test
  void nothingIsPublishedIfAnyPartitionIsRefused() {
    seeMarker(3, 7);
    command("SET", "n", "10", "PXAT", "" + (NOW - 1));
    sentEffects =
        (partition, after, through) -> {
          throw new UnknownEffectsException("a hole");
        };
    markerInSnapshot(marker(5, 9));
    inSnapshot("other", "v");
    assertThatThrownBy(() -> resync(true)).hasMessageContaining("a hole");
    assertThat(events).isEmpty();
  }

  @Test
  void effectsThatNobodyRemembersStopIt() {
    seeMarker(3, 7);
    markerInSnapshot(marker(5, 9));
    assertThatThrownBy(() -> resync(true))
        .isInstanceOf(ResyncRefusedException.class)
        .hasMessageContaining("after 1:3 and up to 1:5")
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
    command("SADD", "s", "a", "b");
    command("HSET", "h", "f", "1");
    command("SET", "same", "x");
    markerInSnapshot(marker(2, 6));
    inSnapshot("same", "x");
    inSnapshot("h", "a string then");
    inSnapshot("removed since", "v");
    resync(false);
    Element member = new Element(RedisKey.of(0, "s"), ElementKind.SET_MEMBER, Bytes.utf8("a"));
    Element other = new Element(RedisKey.of(0, "s"), ElementKind.SET_MEMBER, Bytes.utf8("b"));
    Element field = new Element(RedisKey.of(0, "h"), ElementKind.HASH_FIELD, Bytes.utf8("f"));
    assertThat(changes())
        .containsExactlyInAnyOrder(
            lost("k"),
            new Change.ElementLost(member),
            new Change.ElementLost(other),
            new Change.ElementLost(field),
            lost("h"),
            lostDeadline("h"),
            lost("removed since"),
            lostDeadline("removed since"));
    assertThat(events).allMatch(ChangeEvent::isControl);
    assertThat(interpreter.markers().fx(0)).as("where the shadow stands").isEqualTo(new Fx(1, 2));
    assertThat(interpreter.markers().context(0))
        .as("what was claimed stays claimed")
        .isEqualTo(VersionVector.of(REMOTE, 7));
  }

  @Test
  void aRedisThatCameBackEmptyIsToldAndWhatWasWrittenSinceIsPublished() {
    seeMarker(3, 7);
    command("SET", "k", "v");
    command("SET", "n", "7");
    command("SADD", "s", "a");
    inSnapshot("new", "w");
    inSnapshot("n", "1");
    resync(false);
    Element member = new Element(RedisKey.of(0, "s"), ElementKind.SET_MEMBER, Bytes.utf8("a"));
    assertThat(changes().get(0)).isEqualTo(new Change.MarkerLost());
    assertThat(changes().subList(1, changes().size()))
        .containsExactlyInAnyOrder(
            lost("k"),
            lost("n"),
            new Change.ElementLost(member),
            new Change.StringSet(Bytes.utf8("w"), 0, false));
  }

  /** By then the beacon is written again, and the markers: only the memory of it tells. */
  @Test
  void aLossThatWasNotToldWhollyIsALossAtTheNextStart() {
    seeMarker(3, 7);
    command("SET", "k", "v");
    beaconWentBack = true;
    failAfter = 0;
    assertThatThrownBy(() -> resync(false)).hasMessage("killed");
    beaconWentBack = false;
    failAfter = Integer.MAX_VALUE;
    markerInSnapshot(marker(3, 7));
    resync(false);
    assertThat(changes()).contains(lost("k"));
    resync(false);
    assertThat(changes()).isEmpty();
  }

  @Test
  void whatWasNotToldIsToldAlsoByAStartThatTheLogIsAheadOf() {
    command("SET", "k", "v");
    Element k = Element.string(RedisKey.of(0, "k"));
    LossReport report = new LossReport(shadow);
    report.add(k);
    report.write();
    interpreter.sequencer().logEnd(0, 9, offset + 900, 0);
    events.clear();
    new LossReport(shadow).publish(interpreter);
    assertThat(changes()).containsExactly(new Change.ElementLost(k));
    new LossReport(shadow).publish(interpreter);
    assertThat(changes()).as("once").hasSize(1);
  }

  private static Change lost(String key) {
    return new Change.ElementLost(Element.string(RedisKey.of(0, key)));
  }

  private static Change lostDeadline(String key) {
    return new Change.ElementLost(Element.deadline(RedisKey.of(0, key)));
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
    command("SET", "k", "v");
    command("SET", "__ct:beacon", "4000");
    inSnapshot("__ct:beacon", "3999");
    inSnapshot("removed since", "v");
    resync(false);
    assertThat(changes())
        .contains(lost("k"), lost("removed since"))
        .allMatch(change -> change instanceof Change.Control);
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
