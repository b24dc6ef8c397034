package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.ChangeEvent.TransactionPart;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Small stories of one owner, region 1, beside the log of region 2. The Redis executes batches when
 * they are sent and answers when told to.
 */
class PartitionMergerTest {
  private static final RedisKey KEY = RedisKey.of(0, "k");
  private static final RedisKey OTHER = RedisKey.of(0, "o");
  private static final Element STRING = Element.string(KEY);
  private static final Element OTHER_STRING = Element.string(OTHER);
  private static final VersionVector NOTHING = VersionVector.EMPTY;
  private static final int EPOCH = 1;

  private final EventLog us = new EventLog(1);
  private final EventLog eu = new EventLog(2);
  private final MemoryRedis redis = new MemoryRedis(us);
  private final MapEventCodec codec = new MapEventCodec();
  private final Told told = new Told();
  private MemoryRowStore rows = new MemoryRowStore();
  private PartitionMerger owner = newOwner();
  private long now;

  /** Counts what the listener is told. */
  private static final class Told implements MergerListener {
    final List<Element> misses = new ArrayList<>();
    final List<Element> probes = new ArrayList<>();
    final List<Element> unrepresentable = new ArrayList<>();
    final List<String> refusals = new ArrayList<>();
    int duplicates;
    int fenced;

    @Override
    public void miss(Element element, String reason) {
      misses.add(element);
    }

    @Override
    public void probe(Element element) {
      probes.add(element);
    }

    @Override
    public void unrepresentable(Element element, String reason) {
      unrepresentable.add(element);
    }

    @Override
    public void refused(String error) {
      refusals.add(error);
    }

    @Override
    public void duplicate(ChangeEvent event) {
      duplicates++;
    }

    @Override
    public void fenced(ChangeEvent event) {
      fenced++;
    }
  }

  private PartitionMerger newOwner() {
    return new PartitionMerger(
        MergerConfig.of(7, us.origin(), Set.of(1, 2, 3)), rows, redis, codec, told);
  }

  private static Change set(String value) {
    return new Change.StringSet(Bytes.utf8(value), 0, false);
  }

  private long owners;

  private static Change incr(long delta) {
    return new Change.StringAdd(BigDecimal.valueOf(delta), null);
  }

  /** Takes over a Redis that has never had a marker. */
  private void start() {
    owner.start(0, EPOCH, ++owners);
    redis.connect(owner);
    redis.deliver();
    owner.onEvent(redis.tokenReport());
    redis.deliver();
    assertThat(owner.phase()).isEqualTo(PartitionMerger.Phase.RUNNING);
  }

  /** Lets time pass and capture report the marker's place until nothing moves any more. */
  private void settle() {
    for (int i = 0; i < 50 && !owner.isSettled(); i++) {
      now += 1_000;
      owner.tick(now);
      redis.deliver();
      if (redis.hasToken()) {
        owner.onEvent(redis.tokenReport());
      }
      owner.onEvent(redis.beat());
      redis.deliver();
    }
    assertThat(owner.isSettled()).as("settled; tracked %s", owner.tracked()).isTrue();
  }

  private VersionVector context() {
    return marker().context();
  }

  private MarkerState marker() {
    return Objects.requireNonNull(redis.marker(), "no marker");
  }

  // --- the steady state --------------------------------------------------------------------------

  @Test
  void theFirstMarkerIsInstalledOnlyOnceCaptureHasReportedThatThereIsNone() { // P3
    owner.start(0, EPOCH, ++owners);
    redis.connect(owner);
    redis.deliver();
    assertThat(owner.phase()).isEqualTo(PartitionMerger.Phase.CONNECTING);
    assertThat(redis.installs()).isEmpty();
    owner.onEvent(redis.tokenReport());
    redis.deliver();
    assertThat(redis.installs()).hasSize(1);
    assertThat(owner.phase()).isEqualTo(PartitionMerger.Phase.RUNNING);
  }

  @Test
  void aRemoteSetIsAppliedAndClaimedInOneBatch() {
    start();
    owner.onEvent(eu.write(KEY, set("v"), NOTHING, 1));
    redis.deliver();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("v"));
    assertThat(redis.effects())
        .containsExactly(new Effect.Put(STRING, Content.ABSENT, Content.utf8("v"), Fx.NONE));
    assertThat(context()).isEqualTo(VersionVector.of(eu.origin(), 1));
    settle();
  }

  @Test
  void aRemoteSetOfALongValueIsAppliedAndClaimedInOneBatch() {
    start();
    String value = "v".repeat(Content.INLINE_MAX + 1);
    owner.onEvent(eu.write(KEY, set(value), NOTHING, 1));
    redis.deliver();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8(value));
    settle();
  }

  @Test
  void aRemoteLongValueReplacesALongValue() {
    start();
    owner.onEvent(redis.client(KEY, set("a".repeat(100)), 1));
    owner.onEvent(eu.write(KEY, set("b".repeat(100)), VersionVector.of(us.origin(), 1), 2));
    redis.deliver();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("b".repeat(100)));
    settle();
  }

  @Test
  void aRemoteLongHashFieldOfANewKeyIsAppliedAndClaimedInOneBatch() {
    start();
    Bytes value = Bytes.utf8("v".repeat(100));
    Element field = new Element(KEY, ElementKind.HASH_FIELD, Bytes.utf8("f"));
    owner.onEvent(eu.write(KEY, new Change.HashPut(field.name(), value), NOTHING, 1));
    redis.deliver();
    assertThat(redis.content(field)).isEqualTo(Content.of(value));
    settle();
  }

  /** Which deadline is visible follows from the string: while that has an exception, it stays. */
  @Test
  void aDeadlineIsClearedBehindACheckOfItsString() { // P9, B'
    start();
    Element deadline = Element.deadline(KEY);
    owner.onEvent(eu.write(KEY, new Change.StringSet(Bytes.utf8("v"), 50, false), NOTHING, 1));
    redis.deliver();
    settle();
    ChangeEvent remote = eu.write(KEY, new Change.DeadlinePersist(), NOTHING, 2);
    ChangeEvent local = redis.client(KEY, new Change.StringSet(Bytes.utf8("w"), 0, true), 3);
    owner.onEvent(remote);
    redis.deliver();
    assertThat(redis.content(deadline)).isEqualTo(Content.deadline(50));
    assertThat(marker().exceptions()).containsOnlyKeys(STRING.digest(), deadline.digest());
    owner.onEvent(local);
    settle();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("w"));
    assertThat(redis.content(deadline)).isEqualTo(Content.ABSENT);
  }

  @Test
  void aLocalWriteBesideARemoteOneIsNeverOverwritten() { // C
    start();
    ChangeEvent remote = eu.write(KEY, set("remote"), NOTHING, 5);
    ChangeEvent local = redis.client(KEY, set("local"), 9);
    owner.onEvent(remote);
    redis.deliver();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("local"));
    assertThat(told.misses).containsExactly(STRING);
    owner.onEvent(local);
    redis.deliver();
    settle();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("local"));
  }

  @Test
  void aMissIsExceptedFromTheContextUntilACheckRepairsIt() { // P9
    start();
    ChangeEvent remote = eu.write(KEY, set("remote"), NOTHING, 5);
    ChangeEvent local = redis.client(KEY, set("local"), 9);
    owner.onEvent(remote);
    redis.deliver();
    MarkerState marker = marker();
    assertThat(marker.context()).isEqualTo(VersionVector.of(eu.origin(), 1));
    assertThat(marker.exceptions())
        .containsEntry(STRING.digest(), new MarkerState.Missed(marker.fx(), NOTHING));
    ChangeEvent meanwhile = redis.client(KEY, set("again"), 10);
    assertThat(meanwhile.exceptions()).containsKey(STRING.digest());
    assertThat(meanwhile.seen(STRING).get(eu.origin())).isZero();
    owner.onEvent(local);
    owner.onEvent(meanwhile);
    settle();
    assertThat(redis.effects().get(redis.effects().size() - 1)).isInstanceOf(Effect.Check.class);
    assertThat(marker().exceptions()).isEmpty();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("again"));
  }

  @Test
  void aRemoteIncrementAddsToLocalOnesInFlight() {
    start();
    owner.onEvent(redis.client(KEY, set("5"), 1));
    ChangeEvent remote = eu.write(KEY, incr(3), VersionVector.of(us.origin(), 1), 2);
    ChangeEvent local = redis.client(KEY, incr(10), 2);
    owner.onEvent(remote);
    redis.deliver();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("18"));
    owner.onEvent(local);
    settle();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("18"));
    assertThat(told.misses).isEmpty();
  }

  // --- lost replies, refusals, the marker taken away
  // ----------------------------------------------

  @Test
  void afterLostRepliesTheSameBatchesAreSentAgainAndTakeEffectOnce() { // P1
    start();
    owner.onEvent(redis.client(KEY, set("5"), 1));
    owner.onEvent(eu.write(KEY, incr(3), VersionVector.of(us.origin(), 1), 2));
    EffectBatch sent = last().batch();
    redis.disconnect();
    redis.connect(owner);
    redis.deliver();
    assertThat(redis.exchanges().stream().filter(e -> e.batch().equals(sent))).hasSize(2);
    settle();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("8"));
  }

  @Test
  void anUnansweredProbeIsAskedAgainUnderANewNumber() { // P1
    start();
    owner.onEvent(eu.write(KEY, set("v"), NOTHING, 1));
    redis.disconnect();
    redis.connect(owner);
    redis.deliverOne();
    redis.deliverOne();
    redis.disconnect();
    redis.connect(owner);
    redis.deliver();
    assertThat(told.probes).hasSizeGreaterThanOrEqualTo(1).containsOnly(STRING);
    settle();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("v"));
  }

  @Test
  void aRefusedBatchIsSentAgainFromTheFirstAndNothingIsAppliedTwice() { // P2
    start();
    redis.refuseWith("OOM command not allowed");
    owner.onEvent(eu.write(KEY, incr(1), NOTHING, 1));
    owner.onEvent(eu.write(OTHER, incr(2), NOTHING, 1));
    redis.deliver();
    assertThat(told.refusals).isNotEmpty();
    assertThat(redis.contents()).isEmpty();
    redis.refuseWith(null);
    settle();
    assertThat(redis.contents())
        .containsOnly(
            Map.entry(STRING, Content.utf8("1")), Map.entry(OTHER_STRING, Content.utf8("2")));
  }

  @Test
  void aMarkerTakenAwayIsWrittenAgainOnlyAfterCapturesReport() { // P3
    start();
    owner.onEvent(eu.write(KEY, set("v"), NOTHING, 1));
    redis.deliver();
    settle();
    int installs = redis.installs().size();
    ChangeEvent lost = redis.loseMarker();
    owner.onEvent(eu.write(OTHER, set("w"), NOTHING, 2));
    redis.deliver();
    assertThat(redis.installs()).hasSize(installs);
    assertThat(redis.content(OTHER_STRING)).isEqualTo(Content.ABSENT);
    owner.onEvent(lost);
    redis.deliver();
    assertThat(redis.installs()).as("it asks").hasSize(installs);
    owner.onEvent(redis.tokenReport());
    redis.deliver();
    assertThat(redis.installs()).hasSize(installs + 1);
    settle();
    assertThat(redis.content(OTHER_STRING)).isEqualTo(Content.utf8("w"));
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("v"));
  }

  private ChangeEvent lost(Element element) {
    return us.control(new Change.ElementLost(element), context(), Map.of(), marker().fx());
  }

  @Test
  void whatRedisHasLostIsAskedForAndWrittenBack() { // P8
    start();
    owner.onEvent(eu.write(KEY, set("v"), NOTHING, 1));
    owner.onEvent(eu.write(OTHER, incr(5), NOTHING, 1));
    owner.onEvent(redis.client(OTHER, incr(2), 2));
    redis.deliver();
    settle();
    assertThat(redis.content(OTHER_STRING)).isEqualTo(Content.utf8("7"));
    redis.loseEverything(marker());
    redis.connect(owner);
    redis.deliver();
    owner.onEvent(redis.tokenReport());
    redis.deliver();
    owner.onEvent(lost(STRING));
    // Before it is written back a client goes on with what is there.
    owner.onEvent(redis.client(OTHER, incr(1), 3));
    owner.onEvent(lost(OTHER_STRING));
    settle();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("v"));
    assertThat(redis.content(OTHER_STRING)).isEqualTo(Content.utf8("8"));
    assertThat(owner.mustBeginAgain()).isFalse();
    assertThat(rows.dump(row -> row[0] == 'L')).isEmpty();
  }

  @Test
  void moreThanMayBeAskedForAtATimeWaitsInRows() { // P8
    start();
    int keys = MergerConfig.of(7, us.origin(), Set.of(1)).drainPerCall() + 100;
    for (int i = 0; i < keys; i++) {
      owner.onEvent(eu.write(RedisKey.of(0, "k" + i), set("v"), NOTHING, 1));
      redis.deliver();
    }
    settle();
    redis.loseEverything(marker());
    redis.connect(owner);
    redis.deliver();
    owner.onEvent(redis.tokenReport());
    redis.deliver();
    for (int i = 0; i < keys; i++) {
      owner.onEvent(lost(Element.string(RedisKey.of(0, "k" + i))));
    }
    assertThat(owner.lostElements()).isPositive();
    owner.persist();
    redis.disconnect();
    owner = newOwner(); // a crash in the middle: the rows say what is left
    owner.start(us.lastSeq(), owner.epoch(), ++owners);
    redis.connect(owner);
    redis.deliver();
    settle();
    for (int i = 0; i < keys; i++) {
      assertThat(redis.content(Element.string(RedisKey.of(0, "k" + i))))
          .as("k" + i)
          .isEqualTo(Content.utf8("v"));
    }
  }

  @Test
  void acknowledgedEffectsThatAreGoneMakeTheOwnerBeginAgain() { // P8
    start();
    MarkerState known = marker();
    owner.onEvent(eu.write(KEY, set("v"), NOTHING, 1));
    redis.deliver();
    assertThat(redis.content(STRING)).as("acknowledged").isEqualTo(Content.utf8("v"));
    // Redis dies before capture has read of it, so that nobody can tell the owner.
    redis.loseEverything(known);
    redis.connect(owner);
    redis.deliver();
    owner.onEvent(redis.tokenReport());
    assertThat(owner.mustBeginAgain()).isTrue();
    owner.persist();
    redis.disconnect();
    owner = newOwner();
    owner.start(us.lastSeq(), owner.epoch(), ++owners);
    redis.connect(owner);
    redis.deliver();
    settle();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("v"));
  }

  @Test
  void aMarkerBehindWhatWasAcknowledgedMakesTheOwnerBeginAgain() { // P8
    start();
    settle();
    MarkerState older = marker();
    owner.onEvent(eu.write(KEY, set("v"), NOTHING, 1));
    redis.deliver();
    redis.loseEverything(older);
    redis.marker(older);
    redis.connect(owner);
    redis.deliver();
    owner.onEvent(eu.write(OTHER, set("w"), NOTHING, 2));
    redis.deliver();
    assertThat(owner.mustBeginAgain()).isTrue();
  }

  @Test
  void aMarkerLostWithSeveralBatchesInFlightDoesNotStopTheOwnerAtTheNextRefusal() { // P2, P3
    start();
    ChangeEvent lost = redis.loseMarker();
    for (int i = 0; i < 3; i++) {
      owner.onEvent(eu.write(RedisKey.of(0, "k" + i), incr(1), NOTHING, 1));
    }
    // Capture is quick: its report is processed before Redis's three answers.
    owner.onEvent(lost);
    redis.deliver();
    settle();
    redis.refuseWith("OOM command not allowed");
    owner.onEvent(eu.write(KEY, set("v"), NOTHING, 2));
    redis.deliver();
    redis.refuseWith(null);
    settle();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("v"));
    assertThat(redis.content(Element.string(RedisKey.of(0, "k1")))).isEqualTo(Content.utf8("1"));
  }

  @Test
  void aMarkerLostTwiceDoesNotStopTheOwnerAtTheNextRefusal() { // P2, P3
    start();
    ChangeEvent first = redis.loseMarker();
    ChangeEvent second = redis.loseMarker();
    owner.onEvent(eu.write(OTHER, incr(1), NOTHING, 1));
    owner.onEvent(first);
    owner.onEvent(second);
    redis.deliver();
    settle();
    redis.refuseWith("OOM command not allowed");
    owner.onEvent(eu.write(KEY, set("v"), NOTHING, 2));
    redis.deliver();
    redis.refuseWith(null);
    settle();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("v"));
  }

  // --- messages ----------------------------------------------------------------------------------

  private static Change message(String text) {
    return new Change.Publish(Bytes.utf8(text), false);
  }

  /** The owner dies; another begins with what was last committed. */
  private void succeed(MemoryRowStore committed) {
    redis.disconnect();
    rows = committed;
    owner = newOwner();
    owner.start(us.lastSeq(), EPOCH + 1, ++owners);
    redis.connect(owner);
    redis.deliver();
    owner.onEvent(redis.beat());
    redis.deliver();
  }

  @Test
  void messagesAreDeliveredInOrderAndTouchNoRows() {
    start();
    owner.persist();
    int before = rows.committed().size();
    owner.onEvent(eu.write(KEY, message("a"), NOTHING, 1));
    owner.onEvent(eu.write(KEY, message("b"), NOTHING, 2));
    owner.onEvent(us.write(KEY, message("own"), NOTHING, 2));
    redis.deliver();
    settle();
    assertThat(redis.heard()).containsExactly("k a", "k b");
    assertThat(context()).isEqualTo(VersionVector.of(eu.origin(), 2));
    owner.persist();
    assertThat(rows.committed().size()).isEqualTo(before);
  }

  @Test
  void aMessageThatTheMarkerClaimsIsNotDeliveredAgainByASuccessor() {
    start();
    owner.persist();
    MemoryRowStore committed = rows.committed();
    ChangeEvent event = eu.write(KEY, message("a"), NOTHING, 1);
    owner.onEvent(event); // delivered; nothing is committed
    assertThat(redis.heard()).hasSize(1);
    succeed(committed);
    owner.onEvent(event);
    settle();
    assertThat(redis.heard()).containsExactly("k a");
  }

  @Test
  void aMessageThatWasCommittedAndNotSentIsDeliveredByTheSuccessor() {
    start();
    redis.refuseWith("OOM");
    owner.onEvent(eu.write(KEY, message("a"), NOTHING, 1));
    owner.onEvent(eu.write(OTHER, message("b"), NOTHING, 1));
    owner.persist();
    redis.refuseWith(null);
    assertThat(redis.heard()).isEmpty();
    succeed(rows.committed());
    settle();
    assertThat(redis.heard()).containsExactly("k a", "o b");
    owner.persist();
    succeed(rows.committed());
    settle();
    assertThat(redis.heard()).hasSize(2);
  }

  @Test
  void aMessageOfATransactionStandsInTheGroupThatClaimsIt() {
    start();
    owner.onEvent(
        eu.write(KEY, message("a"), NOTHING, Map.of(), Fx.NONE, 1, new TransactionPart(70, 0, 2)));
    owner.onEvent(
        eu.write(OTHER, set("b"), NOTHING, Map.of(), Fx.NONE, 1, new TransactionPart(70, 1, 2)));
    redis.deliver();
    assertThat(last().batch().groups()).hasSize(1);
    assertThat(last().batch().groups().get(0).effects())
        .last()
        .isEqualTo(new Effect.Publish(KEY.name(), Bytes.utf8("a"), false));
    assertThat(context()).isEqualTo(VersionVector.of(eu.origin(), 2));
  }

  // --- take-over
  // -----------------------------------------------------------------------------------

  @Test
  void aSuccessorAsksForWhatWasUnderWayAndAppliesItOnce() { // P4, P11
    start();
    owner.onEvent(redis.client(KEY, set("5"), 1));
    owner.onEvent(eu.write(KEY, incr(3), VersionVector.of(us.origin(), 1), 2));
    owner.persist(); // sent and applied; the reply never comes
    redis.disconnect();
    rows = rows.committed();
    owner = newOwner();
    owner.start(us.lastSeq(), EPOCH + 1, ++owners);
    redis.connect(owner);
    redis.deliver();
    owner.onEvent(redis.beat());
    redis.deliver();
    assertThat(told.probes).contains(STRING);
    settle();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("8"));
    assertThat(owner.epoch()).isGreaterThan(EPOCH);
  }

  @Test
  void theBatchesOfAnEpochNameTheLastEffectBeforeIt() { // P7
    start();
    owner.onEvent(eu.write(KEY, set("v"), NOTHING, 1));
    redis.deliver();
    settle();
    Fx last = marker().fx();
    assertThat(last.number()).isPositive();
    // Two owners follow of which the first writes nothing.
    for (int epoch = EPOCH + 1; epoch <= EPOCH + 2; epoch++) {
      owner.persist();
      redis.disconnect();
      rows = rows.committed();
      owner = newOwner();
      owner.start(us.lastSeq(), epoch, ++owners);
      redis.connect(owner);
      redis.deliver();
    }
    settle();
    owner.onEvent(eu.write(OTHER, set("w"), NOTHING, 2));
    redis.deliver();
    assertThat(redis.exchanges().get(redis.exchanges().size() - 1).batch().preceding())
        .isEqualTo(last);

    // A marker that a client takes away is written anew by the same owner, or by another.
    owner.onEvent(redis.loseMarker());
    settle();
    assertThat(marker().preceding()).isEqualTo(last);
    Fx lost = marker().fx();
    ChangeEvent report = redis.loseMarker();
    redis.disconnect();
    owner.persist();
    rows = rows.committed();
    owner = newOwner();
    owner.start(us.lastSeq(), owner.epoch(), ++owners);
    redis.connect(owner);
    owner.onEvent(report);
    redis.deliver();
    owner.onEvent(redis.tokenReport());
    redis.deliver();
    assertThat(marker().preceding()).isEqualTo(lost);
  }

  @Test
  void aReportThatAnswersAnEarlierQuestionWritesNoMarker() { // P3
    start();
    ChangeEvent first = redis.loseMarker();
    owner.onEvent(first);
    redis.deliver();
    ChangeEvent old = redis.tokenReport();
    redis.disconnect();
    redis.connect(owner);
    redis.deliver();
    int installs = redis.installs().size();
    owner.onEvent(old);
    redis.deliver();
    assertThat(redis.installs()).hasSize(installs);
    owner.onEvent(redis.tokenReport());
    redis.deliver();
    assertThat(redis.installs()).hasSize(installs + 1);
  }

  @Test
  void aMarkerLostAgainWhileItIsWrittenIsAskedForAgain() { // P3
    start();
    owner.onEvent(redis.loseMarker());
    redis.deliver();
    ChangeEvent report = redis.tokenReport();
    redis.loseMarker();
    int installs = redis.installs().size();
    owner.onEvent(report);
    redis.deliver();
    assertThat(redis.installs()).hasSize(installs);
    settle();
    owner.onEvent(eu.write(KEY, set("v"), NOTHING, 1));
    settle();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("v"));
  }

  @Test
  void aQuestionThatAnotherOneOverwroteUnseenIsAskedAgain() { // P3
    owner.start(0, EPOCH, ++owners);
    redis.connect(owner);
    redis.deliver();
    redis.loseMarker();
    owner.onEvent(
        us.control(new Change.MarkerLost("a dead owner's", Fx.NONE), NOTHING, Map.of(), Fx.NONE));
    redis.deliver();
    assertThat(redis.hasToken()).isFalse();
    now += 10_000;
    owner.tick(now);
    redis.deliver();
    owner.onEvent(redis.tokenReport());
    redis.deliver();
    assertThat(owner.phase()).isEqualTo(PartitionMerger.Phase.RUNNING);
  }

  @Test
  void anOldMarkerBroughtBackIsNotTakenForThePresentOne() { // P3, SWAPDB
    start();
    MarkerState old = marker();
    owner.onEvent(eu.write(KEY, incr(5), NOTHING, 1));
    redis.deliver();
    settle();
    ChangeEvent report = redis.bringBack(old);
    owner.onEvent(report);
    redis.deliver();
    settle();
    owner.onEvent(eu.write(KEY, incr(2), NOTHING, 2));
    settle();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("7"));
    assertThat(marker().context()).isEqualTo(VersionVector.of(eu.origin(), 2));
  }

  @Test
  void aSuccessorHoldsRemoteEventsUntilTheLocalLogHasShownTheProbes() { // P4
    start();
    owner.onEvent(eu.write(KEY, set("v"), NOTHING, 1));
    owner.persist();
    redis.disconnect();
    rows = rows.committed();
    owner = newOwner();
    owner.start(us.lastSeq(), EPOCH + 1, ++owners);
    redis.connect(owner);
    redis.deliver();
    VersionVector before = context();
    owner.onEvent(eu.write(OTHER, set("held"), NOTHING, 2));
    redis.deliver();
    assertThat(redis.content(OTHER_STRING)).isEqualTo(Content.ABSENT);
    assertThat(context()).isEqualTo(before);
    settle();
    assertThat(redis.content(OTHER_STRING)).isEqualTo(Content.utf8("held"));
  }

  @Test
  void onlyABeatShowsThatTheLocalLogHasPassedAProbe() { // P4, P7
    start();
    owner.onEvent(redis.client(KEY, set("w"), 10));
    owner.onEvent(eu.write(KEY, set("v"), NOTHING, 1));
    owner.persist();
    redis.disconnect();
    rows = rows.committed();
    owner = newOwner();
    owner.start(us.lastSeq(), EPOCH + 1, ++owners);
    redis.connect(owner);
    redis.deliver();
    ChangeEvent difference = redis.client(OTHER, set("x"), 20);
    assertThat(difference.fx()).isEqualTo(marker().fx());
    owner.onEvent(difference);
    redis.deliver();
    assertThat(owner.phase()).as("others may follow").isEqualTo(PartitionMerger.Phase.PROBING);
    owner.onEvent(redis.beat());
    assertThat(owner.phase()).isEqualTo(PartitionMerger.Phase.RUNNING);
  }

  @Test
  void anIncrementFoundByAResyncMayBeInTheProbesAnswerAlready() { // P4, P7
    start();
    owner.onEvent(redis.client(KEY, set("5"), 10));
    owner.onEvent(eu.write(KEY, incr(3), VersionVector.of(us.origin(), 1), 1));
    owner.persist();
    redis.disconnect();
    rows = rows.committed();
    owner = newOwner();
    owner.start(us.lastSeq(), EPOCH + 1, ++owners);
    ChangeEvent before = redis.client(KEY, incr(2), 20);
    redis.connect(owner);
    redis.deliver();
    assertThat(told.probes).contains(STRING);
    owner.onEvent(withFx(before, marker().fx())); // as a difference, behind the probe
    settle();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("10"));
    assertThat(told.misses).as("effects that believed in 12").isEmpty();
  }

  private static ChangeEvent withFx(ChangeEvent event, Fx fx) {
    return new ChangeEvent(
        event.origin(),
        event.seq(),
        event.previousSeq(),
        event.captureEpoch(),
        event.stamp(),
        event.context(),
        event.exceptions(),
        fx,
        event.key(),
        event.change(),
        event.position(),
        event.transaction());
  }

  @Test
  void aWriteBetweenAProbeAndTheFirstClaimIsNotTakenToHaveSeenWhatIsClaimed() { // P4, B'
    start();
    owner.onEvent(redis.client(KEY, set("w"), 10));
    redis.refuseWith("OOM");
    owner.onEvent(eu.write(KEY, set("v"), NOTHING, 1));
    owner.persist();
    redis.disconnect();
    redis.refuseWith(null);
    rows = rows.committed();
    owner = newOwner();
    owner.start(us.lastSeq(), EPOCH + 1, ++owners);
    redis.connect(owner);
    redis.deliver();
    ChangeEvent beat = redis.beat();
    ChangeEvent late = redis.client(KEY, new Change.KeyDelete(), 20);
    owner.onEvent(beat);
    redis.deliver();
    assertThat(context()).isEqualTo(VersionVector.of(eu.origin(), 1));
    assertThat(marker().contextOf(STRING)).isEqualTo(NOTHING);
    owner.onEvent(late);
    settle();
    assertThat(redis.content(STRING)).as("the delete had not seen it").isEqualTo(Content.utf8("v"));
    assertThat(marker().exceptions()).isEmpty();
  }

  @Test
  void anOwnerWhoseEpochWasOvertakenStopsAndSaysSo() {
    start();
    redis.marker(new MarkerState(99, new Fx(99, 0), NOTHING, Map.of()));
    owner.onEvent(eu.write(KEY, set("v"), NOTHING, 1));
    assertThatThrownBy(redis::deliver)
        .isInstanceOf(MergeStoppedException.class)
        .hasMessageContaining("another owner")
        .hasMessageContaining("99");
    assertThat(redis.contents()).isEmpty();
  }

  // --- logs
  // ----------------------------------------------------------------------------------------

  @Test
  void aTransactionIsHeldUntilCompleteAndSentAsOneBatch() { // P15
    start();
    ChangeEvent first =
        eu.write(KEY, set("a"), NOTHING, Map.of(), Fx.NONE, 1, new TransactionPart(70, 0, 2));
    ChangeEvent second =
        eu.write(OTHER, set("b"), NOTHING, Map.of(), Fx.NONE, 1, new TransactionPart(70, 1, 2));
    int before = redis.exchanges().size();
    owner.onEvent(first);
    redis.deliver();
    assertThat(redis.contents()).isEmpty();
    owner.onEvent(second);
    redis.deliver();
    assertThat(redis.contents()).containsOnlyKeys(STRING, OTHER_STRING);
    assertThat(redis.exchanges()).hasSize(before + 1);
    assertThat(last().batch().groups()).hasSize(1);
  }

  @Test
  void aHalfReceivedTransactionSurvivesACrash() { // P15
    start();
    owner.onEvent(
        eu.write(KEY, set("a"), NOTHING, Map.of(), Fx.NONE, 1, new TransactionPart(70, 0, 2)));
    owner.persist();
    redis.disconnect();
    rows = rows.committed();
    owner = newOwner();
    owner.start(us.lastSeq(), EPOCH + 1, ++owners);
    redis.connect(owner);
    redis.deliver();
    owner.onEvent(
        eu.write(OTHER, set("b"), NOTHING, Map.of(), Fx.NONE, 1, new TransactionPart(70, 1, 2)));
    settle();
    assertThat(redis.contents()).containsOnlyKeys(STRING, OTHER_STRING);
  }

  @Test
  void recordsOfAReplacedCaptureAreIgnored() { // P16
    start();
    EventLog dead = new EventLog(2);
    eu.captureEpoch(5);
    owner.onEvent(eu.control(new Change.Beat(NOTHING), NOTHING, Map.of(), Fx.NONE));
    owner.onEvent(dead.write(KEY, set("late append"), NOTHING, 1));
    assertThat(told.fenced).isEqualTo(1);
    owner.onEvent(eu.write(KEY, set("v"), NOTHING, 1));
    settle();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("v"));
  }

  @Test
  void aGapStopsWithAMessageThatNamesIt() {
    start();
    owner.onEvent(eu.write(KEY, set("v"), NOTHING, 1));
    eu.skip(3);
    ChangeEvent beyond = eu.write(KEY, set("w"), NOTHING, 2);
    assertThatThrownBy(() -> owner.onEvent(beyond))
        .isInstanceOf(MergeStoppedException.class)
        .hasMessageContaining("2.0.0")
        .hasMessageContaining("from seq 1 to 5");
    assertThat(owner.received()).isEqualTo(VersionVector.of(eu.origin(), 1));
  }

  @Test
  void aRecordReceivedTwiceIsADuplicate() {
    start();
    ChangeEvent increment = eu.write(KEY, incr(1), NOTHING, 1);
    owner.onEvent(increment);
    owner.onEvent(increment);
    assertThat(told.duplicates).isEqualTo(1);
    settle();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("1"));
  }

  private MemoryRedis.Exchange last() {
    return redis.exchanges().get(redis.exchanges().size() - 1);
  }
}
