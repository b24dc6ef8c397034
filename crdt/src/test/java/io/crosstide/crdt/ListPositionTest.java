package io.crosstide.crdt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.crdt.ListPosition.Side;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ListPositionTest {
  private static final Origin ONE = Origin.of(1);
  private static final Origin TWO = Origin.of(2);

  private long writes;

  private Bytes push(List<Bytes> list, Origin origin) {
    Bytes last = list.isEmpty() ? null : list.get(list.size() - 1);
    Bytes made = ListPosition.between(last, null, origin, ++writes, Side.AFTER_LEFT);
    list.add(made);
    return made;
  }

  private Bytes unshift(List<Bytes> list, Origin origin) {
    Bytes first = list.isEmpty() ? null : list.get(0);
    Bytes made = ListPosition.between(null, first, origin, ++writes, Side.BEFORE_RIGHT);
    list.add(0, made);
    return made;
  }

  @Test
  void anInsertionAnywhereLiesBetweenItsNeighbours() {
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      List<Bytes> list = new ArrayList<>();
      for (int i = 0; i < 300; i++) {
        int at = random.nextInt(list.size() + 1);
        Bytes left = at == 0 ? null : list.get(at - 1);
        Bytes right = at == list.size() ? null : list.get(at);
        Side side = random.nextBoolean() ? Side.AFTER_LEFT : Side.BEFORE_RIGHT;
        Origin origin = new Origin(1 + random.nextInt(3), random.nextInt(2) * 300, 0);
        list.add(at, ListPosition.between(left, right, origin, ++writes, side));
      }
      assertThat(list).as("seed %d", seed).isSorted().doesNotHaveDuplicates();
    }
  }

  @Test
  void twoRegionsInsertingApartMakeDifferentPositionsThatSortEverywhereAlike() {
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      List<Bytes> common = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        push(common, i % 2 == 0 ? ONE : TWO);
      }
      TreeSet<Bytes> union = new TreeSet<>(common);
      int made = 0;
      for (Origin origin : List.of(ONE, TWO)) {
        List<Bytes> own = new ArrayList<>(common);
        long own0 = writes;
        for (int i = 0; i < 50; i++) {
          int at = random.nextInt(own.size() + 1);
          Bytes left = at == 0 ? null : own.get(at - 1);
          Bytes right = at == own.size() ? null : own.get(at);
          Bytes position = ListPosition.between(left, right, origin, own0 + i + 1, Side.AFTER_LEFT);
          own.add(at, position);
          union.add(position);
          made++;
        }
        assertThat(own).isSorted();
      }
      assertThat(union).as("seed %d", seed).hasSize(common.size() + made);
    }
  }

  @Test
  void whatOneRegionPushesStaysTogetherAndShort() {
    List<Bytes> one = new ArrayList<>();
    push(one, TWO);
    List<Bytes> two = new ArrayList<>(one);
    for (int i = 0; i < 100_000; i++) {
      push(one, ONE);
    }
    for (int i = 0; i < 1_000; i++) {
      push(two, TWO);
    }
    Bytes shared = one.remove(0);
    two.remove(0);
    assertThat(shared).isLessThan(one.get(0)).isLessThan(two.get(0));
    assertThat(two.get(two.size() - 1).compareTo(one.get(0)))
        .as("all of one region, then all of the other")
        .isEqualTo(two.get(0).compareTo(one.get(one.size() - 1)));
    assertThat(one).allMatch(p -> p.length() <= 6);
  }

  @Test
  void whatIsPushedToTheFrontLiesBeforeAllElse() {
    List<Bytes> list = new ArrayList<>();
    for (int i = 0; i < 3_000; i++) {
      unshift(list, i % 10 == 0 ? TWO : ONE);
    }
    assertThat(list).isSorted().doesNotHaveDuplicates().allMatch(p -> p.length() <= 7);
  }

  @Test
  void insertingAlwaysBeforeOneElementOrAfterOneDoesNotDeepen() {
    for (Side side : Side.values()) {
      List<Bytes> list = new ArrayList<>();
      push(list, ONE);
      push(list, ONE);
      Bytes left = list.get(0);
      Bytes right = list.get(1);
      for (int i = 0; i < 10_000; i++) {
        Origin origin = i % 3 == 0 ? TWO : ONE;
        Bytes made = ListPosition.between(left, right, origin, ++writes, side);
        assertThat(made).isGreaterThan(left).isLessThan(right);
        assertThat(made.length()).isLessThanOrEqualTo(14);
        if (side == Side.AFTER_LEFT) {
          right = made;
        } else {
          left = made;
        }
      }
    }
  }

  @Test
  void numbersOfAnySizeKeepTheirOrder() {
    List<Bytes> positions = new ArrayList<>();
    long[] writeNumbers = {1, 2, 63, 64, 255, 256, 65_535, 65_536, 1L << 40, Long.MAX_VALUE};
    Bytes last = null;
    for (long number : writeNumbers) {
      last = ListPosition.between(last, null, ONE, number, Side.AFTER_LEFT);
      positions.add(last);
    }
    Bytes first = positions.get(0);
    for (long number : new long[] {3, 65, 257, 65_537, 1L << 41, Long.MAX_VALUE - 1}) {
      first = ListPosition.between(null, first, ONE, number, Side.BEFORE_RIGHT);
      positions.add(0, first);
    }
    assertThat(positions).isSorted().doesNotHaveDuplicates();
  }

  @Test
  void neighboursOutOfOrderAreRefused() {
    List<Bytes> list = new ArrayList<>();
    push(list, ONE);
    push(list, ONE);
    assertThatThrownBy(
            () -> ListPosition.between(list.get(1), list.get(0), ONE, 9, Side.AFTER_LEFT))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> ListPosition.between(Bytes.utf8("a"), null, ONE, 9, Side.AFTER_LEFT))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
