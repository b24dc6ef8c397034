package io.crosstide.streams.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.utils.Bytes;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HotRowsTest {
  private static final int BUDGET = 100_000;

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
    for (int i = 0; i < 10_000; i++) {
      rows.put(key("K" + random.nextInt(2_000)), new byte[random.nextInt(300)]);
      if (random.nextInt(10) == 0) {
        rows.remove(key("K" + random.nextInt(2_000)));
      }
    }
  }

  @Test
  void storesShareTheBudget() {
    rows.open(Map.of(HotRows.BYTES, BUDGET));
    fill(rows);
    assertThat(rows.bytes()).isBetween(BUDGET - 1_000L, (long) BUDGET);
    others.open(Map.of(HotRows.BYTES, BUDGET));
    fill(others);
    fill(rows);
    assertThat(rows.bytes()).isBetween(BUDGET / 2 - 1_000L, BUDGET / 2L);
    assertThat(others.bytes()).isBetween(BUDGET / 2 - 1_000L, BUDGET / 2L);
  }

  @Test
  void whatIsCountedIsWhatIsKept() {
    rows.open(Map.of(HotRows.BYTES, BUDGET));
    fill(rows);
    for (int i = 0; i < 2_000; i++) {
      rows.remove(key("K" + i));
    }
    assertThat(rows.bytes()).isZero();
  }

  @Test
  void aRowThatWasUsedOutlivesOneThatWasNot() {
    rows.open(Map.of(HotRows.BYTES, 1_050));
    rows.put(key("Ka"), new byte[200]);
    rows.put(key("Kb"), new byte[200]);
    rows.get(key("Ka"));
    rows.put(key("Kc"), new byte[200]);
    rows.put(key("Kd"), new byte[200]);
    assertThat(rows.get(key("Ka"))).isNotNull();
    assertThat(rows.get(key("Kb"))).isNull();
    assertThat(rows.get(key("Kd"))).isNotNull();
  }

  @Test
  void rowsRemovedAndPutAgainLeaveNothingBehind() {
    rows.open(Map.of(HotRows.BYTES, BUDGET));
    for (int i = 0; i < 100_000; i++) {
      rows.put(key("Ka"), new byte[10]);
      rows.remove(key("Ka"));
    }
    assertThat(rows.bytes()).isZero();
    assertThat(rows.remembered()).isLessThan(2_000);
  }

  @Test
  void aLongRowReplacesNothingAndLeavesNoOlderOneBehind() {
    rows.open(Map.of(HotRows.BYTES, BUDGET));
    rows.put(key("Ea"), new byte[10]);
    rows.put(key("Ea"), new byte[5_000]);
    assertThat(rows.get(key("Ea"))).isNull();
    assertThat(rows.bytes()).isZero();
  }

  @Test
  void onlyRowsThatAreReadAgainAreKept() {
    rows.open(Map.of(HotRows.BYTES, BUDGET));
    rows.put(key("H00000001a"), new byte[10]);
    assertThat(rows.get(key("H00000001a"))).isNull();
  }
}
