package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.ListPosition;
import io.crosstide.crdt.ListPosition.Side;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.ListPlace;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is merged of lists (SEMANTICS LIST-1 to LIST-5), and where effects say that it belongs. */
class ListMergeTest {
  private static final RedisKey KEY = RedisKey.of(0, "l");
  private static final VersionVector NOTHING = VersionVector.EMPTY;

  private final EventLog us = new EventLog(1);
  private final EventLog eu = new EventLog(2);
  private final MergeSite site = new MergeSite();

  private static Change put(Bytes position, String value) {
    return new Change.ListPut(position, Bytes.utf8(value));
  }

  /** The position that a write of {@code log} gives what it puts at the end. */
  private static Bytes next(EventLog log, long seq, Bytes left) {
    return ListPosition.between(left, null, log.origin(), seq, Side.AFTER_LEFT);
  }

  private static Bytes first(EventLog log) {
    return ListPosition.between(null, null, log.origin(), 1, Side.AFTER_LEFT);
  }

  private List<String> shown() {
    List<String> values = new ArrayList<>();
    site.shown.forEach((element, content) -> values.add(String.valueOf(content.value())));
    return values;
  }

  // --- the merge

  @Test
  void concurrentPushesAreAllKeptAndThoseOfOneRegionStayTogether() { // LIST-1
    Bytes a1 = first(us);
    Bytes a2 = ListPosition.between(a1, null, us.origin(), 2, Side.AFTER_LEFT);
    Bytes b1 = first(eu);
    Bytes b2 = ListPosition.between(b1, null, eu.origin(), 2, Side.AFTER_LEFT);
    site.receive(
        us.write(KEY, put(a1, "a1"), NOTHING, 1), eu.write(KEY, put(b1, "b1"), NOTHING, 1));
    site.receive(
        eu.write(KEY, put(b2, "b2"), NOTHING, 2), us.write(KEY, put(a2, "a2"), NOTHING, 2));
    assertThat(shown()).containsExactly("a1", "a2", "b1", "b2");
  }

  @Test
  void twoPopsOfOneElementRemoveItOnce() { // LIST-2
    Bytes a = first(us);
    ChangeEvent push = us.write(KEY, put(a, "a"), NOTHING, 1);
    VersionVector seen = VersionVector.of(us.origin(), 1);
    site.receive(push);
    site.receive(us.write(KEY, new Change.ListRemove(a), NOTHING, 2));
    assertThat(shown()).isEmpty();
    site.receive(eu.write(KEY, new Change.ListRemove(a), seen, 2));
    assertThat(shown()).isEmpty();
    assertThat(site.header(KEY).isBlank()).isTrue();
  }

  @Test
  void aSetBesideAPopSurvivesInItsPlace() { // LIST-3
    Bytes a = first(us);
    Bytes b = ListPosition.between(a, null, us.origin(), 2, Side.AFTER_LEFT);
    VersionVector seen = VersionVector.of(us.origin(), 2);
    site.receive(us.write(KEY, put(a, "a"), NOTHING, 1), us.write(KEY, put(b, "b"), NOTHING, 1));
    site.receive(us.write(KEY, new Change.ListRemove(a), NOTHING, 2));
    site.receive(eu.write(KEY, put(a, "set"), seen, 2));
    assertThat(shown()).containsExactly("set", "b");
  }

  @Test
  void aDeleteBesideAPushRemovesOnlyWhatItHadSeen() { // LIST-4
    Bytes a = first(us);
    site.receive(us.write(KEY, put(a, "a"), NOTHING, 1));
    VersionVector seen = VersionVector.of(us.origin(), 1);
    Bytes b = ListPosition.between(a, null, us.origin(), 2, Side.AFTER_LEFT);
    site.receive(us.write(KEY, put(b, "b"), NOTHING, 2));
    site.receive(eu.write(KEY, new Change.KeyDelete(), seen, 2));
    assertThat(shown()).containsExactly("b");
  }

  @Test
  void theNewestTypeIsSeenAndTheListComesBackOnceTheStringHasGone() {
    Bytes a = first(us);
    site.receive(us.write(KEY, put(a, "a"), NOTHING, 1));
    ChangeEvent set = eu.write(KEY, new Change.StringSet(Bytes.utf8("s"), 0, false), NOTHING, 2);
    site.receive(set);
    assertThat(shown()).containsExactly("s");
    VersionVector seen = VersionVector.of(us.origin(), 1);
    site.receive(eu.write(KEY, new Change.KeyDelete(), NOTHING, 3));
    assertThat(shown()).containsExactly("a");
    site.receive(eu.write(KEY, new Change.KeyDelete(), seen, 4));
    assertThat(shown()).isEmpty();
  }

  // --- places

  private final CountedRows rows = new CountedRows();
  private final MemoryRedis redis = new MemoryRedis(us);
  private final PartitionMerger owner =
      new PartitionMerger(
          MergerConfig.of(7, us.origin(), Set.of(1, 2)),
          rows,
          redis,
          new MapEventCodec(),
          new MergerListener() {});

  private void start() {
    owner.start(0, 1, 1);
    redis.connect(owner);
    redis.deliver();
    owner.onEvent(redis.tokenReport());
    redis.deliver();
  }

  private void settle() {
    for (int i = 0; i < 50 && !owner.isSettled(); i++) {
      owner.tick(1_000L * i);
      redis.deliver();
      owner.onEvent(redis.beat());
      redis.deliver();
    }
    assertThat(owner.isSettled()).isTrue();
  }

  /** Pushes values on the right that all regions get, and returns their positions. */
  private List<Bytes> list(int size) {
    List<Bytes> positions = new ArrayList<>();
    Bytes last = null;
    for (int i = 0; i < size; i++) {
      last = ListPosition.between(last, null, eu.origin(), i + 1, Side.AFTER_LEFT);
      positions.add(last);
      owner.onEvent(eu.write(KEY, put(last, "v" + i), NOTHING, i));
    }
    redis.deliver();
    settle();
    return positions;
  }

  private ListPlace lastPlace() {
    List<Effect> effects = redis.effects();
    for (int i = effects.size() - 1; i >= 0; i--) {
      if (effects.get(i) instanceof Effect.Put put && put.place() != null) {
        return put.place();
      }
    }
    throw new AssertionError("no effect on a list");
  }

  private static List<Content> contents(String... values) {
    return List.of(values).stream().map(Content::utf8).toList();
  }

  @Test
  void aPushIsPlacedBehindTheLastTwo() {
    start();
    List<Bytes> positions = list(5);
    Bytes pushed = next(eu, 6, positions.get(4));
    owner.onEvent(eu.write(KEY, put(pushed, "new"), NOTHING, 9));
    redis.deliver();
    assertThat(lastPlace()).isEqualTo(new ListPlace(contents("v4", "v3"), List.of(), -1, false, 0));
  }

  @Test
  void anElementInTheMiddleIsPlacedByItsNeighboursAndTheNearerEnd() {
    start();
    List<Bytes> positions = list(9);
    owner.onEvent(eu.write(KEY, new Change.ListRemove(positions.get(2)), NOTHING, 9));
    redis.deliver();
    assertThat(lastPlace().before()).isEqualTo(contents("v1", "v0"));
    assertThat(lastPlace().after()).isEqualTo(contents("v3", "v4"));
    assertThat(lastPlace().hint()).isEqualTo(2);
  }

  @Test
  void whatIsPlannedAlreadyCountsAsDone() {
    start();
    List<Bytes> positions = list(5);
    owner.gather();
    owner.onEvent(eu.write(KEY, new Change.ListRemove(positions.get(3)), NOTHING, 9));
    owner.onEvent(eu.write(KEY, new Change.ListRemove(positions.get(4)), NOTHING, 9));
    owner.onEvent(eu.write(KEY, put(next(eu, 8, positions.get(4)), "new"), NOTHING, 9));
    owner.send();
    redis.deliver();
    assertThat(lastPlace().before()).isEqualTo(contents("v2", "v1"));
    settle();
  }

  @Test
  void aDeletedListIsTakenAwayFromItsHead() {
    start();
    list(300);
    int before = redis.effects().size();
    owner.onEvent(eu.write(KEY, new Change.KeyDelete(), NOTHING, 999));
    redis.deliver();
    List<Effect> effects = redis.effects().subList(before, redis.effects().size());
    List<ListPlace> places =
        effects.stream()
            .filter(effect -> effect instanceof Effect.Put)
            .map(effect -> ((Effect.Put) effect).place())
            .toList();
    assertThat(places).hasSize(300);
    assertThat(places.subList(0, 290)).allMatch(place -> place.hint() == 0);
    assertThat(redis.contents()).isEmpty();
  }

  @Test
  void aPlaceCostsTheSameInAListOfAnyLength() {
    start();
    List<Bytes> positions = list(3_000);
    rows.reset();
    owner.onEvent(eu.write(KEY, put(next(eu, 3_001, positions.get(2_999)), "n"), NOTHING, 9));
    assertThat(rows.operations()).isLessThan(60);
    rows.reset();
    owner.onEvent(eu.write(KEY, new Change.ListRemove(positions.get(1_500)), NOTHING, 9));
    assertThat(rows.operations()).isLessThan(500);
    redis.deliver();
    assertThat(lastPlace().hint()).isEqualTo(ListPlace.NO_HINT);
  }

  // --- what capture says

  private ChangeEvent says(Bytes position, Content content, long misplaced) {
    return us.control(
        new Change.ListHolds(KEY, position, content, misplaced),
        context(),
        Map.of(),
        Objects.requireNonNull(redis.marker()).fx());
  }

  private VersionVector context() {
    return Objects.requireNonNull(redis.marker()).context();
  }

  @Test
  void whatCaptureMissesIsPutBack() {
    start();
    List<Bytes> positions = list(3);
    int before = redis.effects().size();
    owner.onEvent(says(positions.get(1), Content.ABSENT, -1));
    redis.deliver();
    List<Effect> effects = redis.effects().subList(before, redis.effects().size());
    assertThat(effects).hasSize(1);
    assertThat(((Effect.Put) effects.get(0)).desired()).isEqualTo(Content.utf8("v1"));
    assertThat(lastPlace().before()).isEqualTo(contents("v0"));
  }

  @Test
  void whatStandsElsewhereIsTakenFromThereAndPutWhereItBelongs() {
    start();
    List<Bytes> positions = list(3);
    int before = redis.effects().size();
    owner.onEvent(says(positions.get(0), Content.utf8("v0"), 2));
    redis.deliver();
    List<Effect> effects = redis.effects().subList(before, redis.effects().size());
    assertThat(effects).hasSize(2);
    Effect.Put removal = (Effect.Put) effects.get(0);
    assertThat(removal.desired()).isEqualTo(Content.ABSENT);
    assertThat(removal.place()).isEqualTo(new ListPlace(List.of(), List.of(), 2, true, 0));
    assertThat(lastPlace().hint()).isEqualTo(0);
    settle();
  }

  @Test
  void whatCaptureSaidBeforeLaterWritesIsNotHeardAgain() {
    start();
    List<Bytes> positions = list(3);
    ChangeEvent old = says(positions.get(1), Content.ABSENT, -1);
    owner.onEvent(redis.client(RedisKey.of(0, "o"), new Change.SetAdd(Bytes.utf8("m")), 5));
    int before = redis.effects().size();
    owner.onEvent(old);
    redis.deliver();
    assertThat(redis.effects()).hasSize(before);
  }

  @Test
  void aProbeThatCaptureLeavesUnansweredIsAskedAgainAndInTheEndLetBe() {
    start();
    List<Bytes> positions = list(3);
    redis.disconnect();
    owner.onEvent(eu.write(KEY, new Change.ListRemove(positions.get(1)), NOTHING, 9));
    owner.persist();
    PartitionMerger successor =
        new PartitionMerger(
            MergerConfig.of(7, us.origin(), Set.of(1, 2)),
            rows,
            redis,
            new MapEventCodec(),
            new MergerListener() {});
    successor.start(0, 5, 2);
    redis.connect(successor);
    redis.deliver();
    for (int i = 0; i < 10 && successor.phase() != PartitionMerger.Phase.RUNNING; i++) {
      successor.onEvent(redis.beat());
      redis.deliver();
    }
    assertThat(successor.phase()).isEqualTo(PartitionMerger.Phase.RUNNING);
    long probes = redis.effects().stream().filter(e -> e instanceof Effect.Probe).count();
    assertThat(probes).isEqualTo(3);
  }
}
