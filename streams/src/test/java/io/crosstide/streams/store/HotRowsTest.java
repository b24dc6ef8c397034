package io.crosstide.streams.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.kafka.common.utils.Bytes;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HotRowsTest {
  private static final int BUDGET = 1_000_000;

  private final HotRows rows = new HotRows();
  private final HotRows others = new HotRows();

  @AfterEach
  void close() {
    rows.close();
    others.close();
  }

  private static Bytes key(String text) {
    return Bytes.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static void fill(HotRows rows) {
    Random random = new Random(1);
    for (int i = 0; i < 100_000; i++) {
      rows.put(key("K" + random.nextInt(20_000)), new byte[random.nextInt(300)]);
    }
  }

  @Test
  void storesShareTheBudget() {
    rows.open(Map.of(HotRows.BYTES, BUDGET));
    fill(rows);
    assertThat(rows.bytes()).isBetween(BUDGET / 2L, (long) BUDGET);
    others.open(Map.of(HotRows.BYTES, BUDGET));
    fill(others);
    fill(rows);
    assertThat(rows.bytes()).isBetween(BUDGET / 4L, BUDGET / 2L);
    assertThat(others.bytes()).isBetween(BUDGET / 4L, BUDGET / 2L);
  }

  @Test
  void aStoreThatWasAloneKeepsAsMuchAsANewOneOnceThereAreEight() {
    rows.open(Map.of(HotRows.BYTES, 16 * BUDGET));
    for (int i = 0; i < 300_000; i++) {
      rows.put(key("K" + i), new byte[10]);
    }
    List<HotRows> seven = Stream.generate(HotRows::new).limit(7).toList();
    seven.forEach(each -> each.open(Map.of(HotRows.BYTES, 16 * BUDGET)));
    try {
      HotRows fresh = seven.get(0);
      for (int i = 0; i < 100_000; i++) {
        rows.put(key("KL" + i), new byte[10]);
        fresh.put(key("KL" + i), new byte[10]);
      }
      assertThat(rows.bytes()).isLessThanOrEqualTo(2L * BUDGET);
      assertThat(rows.count()).isGreaterThan(fresh.count() / 2);
    } finally {
      seven.forEach(HotRows::close);
    }
  }

  @Test
  void whateverIsKnownIsTheLastThatWasSaid() {
    rows.open(Map.of(HotRows.BYTES, BUDGET));
    Random random = new Random(2);
    Map<Bytes, byte[]> said = new HashMap<>();
    int known = 0;
    int absent = 0;
    for (int i = 0; i < 300_000; i++) {
      // Some often, most seldom; lengths up to beyond what is kept.
      int number = random.nextInt(10) < 7 ? random.nextInt(50) : random.nextInt(20_000);
      Bytes key = key("E" + "x".repeat(number % 40) + number);
      if (random.nextInt(3) == 0) {
        byte[] value = random.nextInt(4) == 0 ? null : new byte[random.nextInt(200)];
        if (value != null && random.nextInt(500) == 0) {
          value = new byte[5_000];
        }
        if (value != null) {
          random.nextBytes(value);
        }
        rows.put(key, value);
        said.put(key, value == null ? HotRows.ABSENT : value);
      } else {
        byte[] found = rows.get(key);
        if (found == HotRows.ABSENT) {
          absent++;
          assertThat(said.get(key)).isSameAs(HotRows.ABSENT);
        } else if (found != null) {
          known++;
          assertThat(found).isEqualTo(said.get(key)).isNotSameAs(HotRows.ABSENT);
        }
      }
    }
    assertThat(known).as("rows found").isGreaterThan(100_000);
    assertThat(absent).as("rows known to be absent").isGreaterThan(30_000);
    assertThat(rows.bytes()).isLessThanOrEqualTo(BUDGET);
  }

  @Test
  void rowsThatAreUsedOutliveThoseThatAreNot() {
    rows.open(Map.of(HotRows.BYTES, BUDGET));
    for (int i = 0; i < 20_000; i++) {
      rows.put(key("K" + i), new byte[100]);
      if (i % 100 == 0) {
        rows.put(key("Kused" + i / 2_000), new byte[100]);
      }
      for (int used = 0; used <= i / 2_000; used++) {
        assertThat(rows.get(key("Kused" + used))).isNotNull();
      }
    }
    assertThat(rows.get(key("K0"))).isNull();
  }

  @Test
  void aStoreWhoseRowsAreAllInUseStillTakesNewOnes() {
    rows.open(Map.of(HotRows.BYTES, BUDGET));
    for (int i = 0; i < 20_000; i++) {
      rows.put(key("K" + i), new byte[100]);
      assertThat(rows.get(key("K" + i))).isNotNull();
    }
    assertThat(rows.count()).isLessThan(10_000);
  }

  @Test
  void aRowThatIsAbsentIsNoEmptyRow() {
    rows.open(Map.of(HotRows.BYTES, BUDGET));
    rows.put(key("Ka"), null);
    rows.put(key("Kb"), new byte[0]);
    assertThat(rows.get(key("Ka"))).isSameAs(HotRows.ABSENT);
    assertThat(rows.get(key("Kb"))).isEmpty();
    assertThat(rows.get(key("Kb"))).isNotSameAs(HotRows.ABSENT);
    assertThat(rows.get(key("Kc"))).isNull();
  }

  @Test
  void aLongRowReplacesNothingAndLeavesNoOlderOneBehind() {
    rows.open(Map.of(HotRows.BYTES, BUDGET));
    rows.put(key("Ea"), new byte[10]);
    rows.put(key("Ea"), new byte[5_000]);
    assertThat(rows.get(key("Ea"))).isNull();
    assertThat(rows.count()).isZero();
  }

  @Test
  void onlyRowsThatAreReadAgainAreKept() {
    rows.open(Map.of(HotRows.BYTES, BUDGET));
    rows.put(key("H00000001a"), new byte[10]);
    assertThat(rows.get(key("H00000001a"))).isNull();
  }
}
