package io.crosstide.crdt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

/** A vector stands for a set of dots: every operation is held against the same on sets. */
class VersionVectorProperties {
  private static final int RUNS = 4_000;
  private static final int SEQ_MAX = 4;
  private static final List<Origin> ORIGINS =
      List.of(Origin.of(1), Origin.of(2), new Origin(1, 0, 1), new Origin(127, 0xffff, 3));

  private static VersionVector random(Random random) {
    VersionVector vector = VersionVector.EMPTY;
    for (Origin origin : ORIGINS) {
      vector = vector.with(origin, random.nextInt(SEQ_MAX + 1));
    }
    return vector;
  }

  private static Set<Dot> dots(VersionVector vector) {
    Set<Dot> dots = new HashSet<>();
    for (Origin origin : ORIGINS) {
      for (long seq = 1; seq <= SEQ_MAX; seq++) {
        if (vector.covers(new Dot(origin, seq))) {
          dots.add(new Dot(origin, seq));
        }
      }
    }
    return dots;
  }

  private static void forAll(BiFunction<VersionVector, VersionVector, Object> check) {
    for (long seed = 0; seed < RUNS; seed++) {
      Random random = new Random(seed);
      VersionVector a = random(random);
      VersionVector b = random(random);
      assertThat(check.apply(a, b)).as("seed %d: %s and %s", seed, a, b).isEqualTo(true);
    }
  }

  @Test
  void joinIsUnionAndMeetIsIntersection() {
    forAll(
        (a, b) -> {
          Set<Dot> union = dots(a);
          union.addAll(dots(b));
          Set<Dot> intersection = dots(a);
          intersection.retainAll(dots(b));
          return dots(a.join(b)).equals(union) && dots(a.meet(b)).equals(intersection);
        });
  }

  @Test
  void joinAndMeetCommuteAreIdempotentAndAbsorb() {
    forAll(
        (a, b) ->
            a.join(b).equals(b.join(a))
                && a.meet(b).equals(b.meet(a))
                && a.join(a).equals(a)
                && a.meet(a).equals(a)
                && a.join(a.meet(b)).equals(a)
                && a.meet(a.join(b)).equals(a));
  }

  @Test
  void joinAndMeetAssociate() {
    for (long seed = 0; seed < RUNS; seed++) {
      Random random = new Random(seed);
      VersionVector a = random(random);
      VersionVector b = random(random);
      VersionVector c = random(random);
      assertThat(a.join(b).join(c)).as("seed %d", seed).isEqualTo(a.join(b.join(c)));
      assertThat(a.meet(b).meet(c)).as("seed %d", seed).isEqualTo(a.meet(b.meet(c)));
    }
  }

  @Test
  void dominatesIsInclusionAndCompareAgreesWithIt() {
    forAll(
        (a, b) -> {
          boolean reaches = dots(a).containsAll(dots(b));
          boolean reached = dots(b).containsAll(dots(a));
          CausalOrder expected =
              reaches
                  ? (reached ? CausalOrder.SAME : CausalOrder.AFTER)
                  : (reached ? CausalOrder.BEFORE : CausalOrder.CONCURRENT);
          return a.dominates(b) == reaches
              && b.dominates(a) == reached
              && a.compare(b) == expected
              && (a.compare(b) == CausalOrder.SAME) == a.equals(b);
        });
  }

  @Test
  void beyondKeepsExactlyTheEntriesNotReached() {
    forAll(
        (a, b) -> {
          VersionVector beyond = a.beyond(b);
          boolean right = b.dominates(a) == beyond.isEmpty();
          for (Origin origin : ORIGINS) {
            long expected = b.get(origin) >= a.get(origin) ? 0 : a.get(origin);
            right &= beyond.get(origin) == expected;
          }
          return right;
        });
  }

  @Test
  void equalSetsHaveEqualFormsAndBothFormsReadBack() {
    forAll(
        (a, b) -> {
          byte[] form = new ByteWriter().vector(a).toByteArray();
          return VersionVector.decode(a.encode()).equals(a)
              && new ByteReader(form).vector().equals(a)
              && a.encode().equals(b.encode()) == dots(a).equals(dots(b))
              && a.equals(b) == dots(a).equals(dots(b))
              && (!a.equals(b) || a.hashCode() == b.hashCode());
        });
  }

  @Test
  void withSetsOneEntryAndLeavesTheOthers() {
    forAll(
        (a, b) -> {
          Origin origin = ORIGINS.get(b.size() % ORIGINS.size());
          VersionVector changed = a.with(origin, b.get(origin));
          boolean right = changed.get(origin) == b.get(origin);
          for (Origin other : ORIGINS) {
            right &= other.equals(origin) || changed.get(other) == a.get(other);
          }
          return right && changed.with(origin, a.get(origin)).equals(a);
        });
  }

  @Test
  void entriesAreAscendingAndNeverZero() {
    forAll(
        (a, b) -> {
          VersionVector joined = a.join(b);
          boolean right = joined.size() == joined.origins().size();
          for (int i = 0; i < joined.size(); i++) {
            right &= joined.seqAt(i) > 0 && joined.originAt(i).equals(joined.origins().get(i));
            right &= i == 0 || joined.packedOriginAt(i - 1) < joined.packedOriginAt(i);
          }
          return right;
        });
  }

  @Test
  void theTextFormIsThatOfMarkers() {
    VersionVector vector = VersionVector.of(Origin.of(2), 17).with(new Origin(1, 0, 1), 3);
    assertThat(vector.encode()).isEqualTo("2=17,800001=3");
    assertThat(VersionVector.EMPTY.encode()).isEmpty();
    assertThat(VersionVector.decode("")).isEqualTo(VersionVector.EMPTY);
  }

  @Test
  void wrongTextsAndNegativeSeqsAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> VersionVector.decode("1:4"))
        .withMessageContaining("no '='");
    assertThatIllegalArgumentException().isThrownBy(() -> VersionVector.decode("1=x"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> VersionVector.of(Origin.of(1), -1))
        .withMessageContaining("negative");
  }
}
