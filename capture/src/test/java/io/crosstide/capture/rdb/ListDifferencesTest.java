package io.crosstide.capture.rdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.capture.shadow.InMemoryShadow;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowList;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.ListPosition;
import io.crosstide.crdt.ListPosition.Side;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ListDifferencesTest {
  private static final Bytes KEY = Bytes.utf8("l");

  private final List<Change> emitted = new ArrayList<>();
  private long writes;

  private static InMemoryShadow shadow(List<String> values) {
    InMemoryShadow shadow = new InMemoryShadow();
    for (String value : values) {
      shadow.key(0, KEY).list().append(Content.utf8(value));
    }
    return shadow;
  }

  private static List<String> values(Shadow shadow) {
    List<String> values = new ArrayList<>();
    try (ShadowList.Walk walk = shadow.key(0, KEY).list().walk(false)) {
      for (ShadowList.Entry entry = walk.next(); entry != null; entry = walk.next()) {
        values.add(Objects.requireNonNull(entry.content().value()).text());
      }
    }
    return values;
  }

  /** Makes a list out of one the other and returns how many changes it took. */
  private int changes(List<String> before, List<String> after) {
    InMemoryShadow known = shadow(before);
    InMemoryShadow actual = shadow(after);
    emitted.clear();
    ShadowKey key = known.key(0, KEY);
    new ListDifferences(
            key,
            actual.key(0, KEY),
            new ListDifferences.Output() {
              @Override
              public boolean change(Change change) {
                emitted.add(change);
                ShadowFold.apply(key, change);
                return true;
              }

              @Override
              public Bytes position(@Nullable Bytes left, @Nullable Bytes right) {
                return ListPosition.between(left, right, Origin.of(1), ++writes, Side.AFTER_LEFT);
              }

              @Override
              public void tooLong() {
                throw new AssertionError("nothing is too long here");
              }
            })
        .run();
    assertThat(values(known)).isEqualTo(after);
    return emitted.size();
  }

  private static List<String> jobs(int from, int to) {
    return IntStream.range(from, to).mapToObj(i -> "job" + i).toList();
  }

  private static List<String> together(List<String> one, List<String> other) {
    List<String> both = new ArrayList<>(one);
    both.addAll(other);
    return both;
  }

  @Test
  void shortListsChangeByAsFewElementsAsCanBe() {
    for (long seed = 0; seed < 3_000; seed++) {
      Random random = new Random(seed);
      List<String> before = random(random);
      List<String> after = random(random);
      int fewest = before.size() + after.size() - 2 * longestCommon(before, after);
      assertThat(changes(before, after)).as("seed %d", seed).isEqualTo(fewest);
    }
  }

  private static List<String> random(Random random) {
    return random
        .ints(random.nextInt(14), 0, 2 + random.nextInt(5))
        .mapToObj(i -> "v" + i)
        .toList();
  }

  private static int longestCommon(List<String> a, List<String> b) {
    int[][] length = new int[a.size() + 1][b.size() + 1];
    for (int i = a.size() - 1; i >= 0; i--) {
      for (int j = b.size() - 1; j >= 0; j--) {
        length[i][j] =
            a.get(i).equals(b.get(j))
                ? 1 + length[i + 1][j + 1]
                : Math.max(length[i + 1][j], length[i][j + 1]);
      }
    }
    return length[0][0];
  }

  @Test
  void aLongQueueKeepsWhatItStillHolds() {
    assertThat(changes(jobs(0, 70_000), jobs(20_000, 75_000))).isEqualTo(25_000);
    assertThat(changes(jobs(20_000, 75_000), jobs(0, 70_000))).isEqualTo(25_000);
    List<String> twice = together(jobs(0, 30_000), jobs(0, 30_000));
    assertThat(changes(twice, twice.subList(5_000, twice.size()))).isEqualTo(5_000);
  }

  @Test
  void scatteredChangesOfALongListAreFound() {
    Random random = new Random(3);
    List<String> after = new ArrayList<>(jobs(0, 70_000));
    for (int i = 0; i < 300; i++) {
      after.remove(random.nextInt(after.size()));
      after.add(random.nextInt(after.size()), "new" + i);
    }
    assertThat(changes(jobs(0, 70_000), after)).isEqualTo(600);
  }

  @Test
  void listsThatDifferTooMuchAreMadeEqualAllTheSame() {
    List<String> shuffled = new ArrayList<>(jobs(0, 6_000));
    Collections.shuffle(shuffled, new Random(1));
    assertThat(changes(jobs(0, 6_000), shuffled)).isLessThanOrEqualTo(12_000);
    assertThat(changes(jobs(0, 6_000), jobs(100_000, 106_000))).isEqualTo(12_000);
  }
}
