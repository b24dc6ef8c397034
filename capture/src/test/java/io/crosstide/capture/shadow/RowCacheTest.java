package io.crosstide.capture.shadow;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class RowCacheTest {
  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte @Nullable [] valueOf(RowCache cache, byte[] row) {
    int slot = cache.find(row);
    assertThat(slot).as("the row is known").isNotNegative();
    return cache.value(slot);
  }

  @Test
  void absentAndEmptyAreDifferent() {
    RowCache cache = new RowCache(1 << 12);
    assertThat(cache.find(bytes("row"))).isNegative();
    cache.put(bytes("row"), null);
    assertThat(valueOf(cache, bytes("row"))).isNull();
    cache.put(bytes("row"), new byte[0]);
    assertThat(valueOf(cache, bytes("row"))).isEmpty();
  }

  @Test
  void aValueThatHasGrownTooLongIsForgottenNotKeptAsItWas() {
    RowCache cache = new RowCache(1 << 12);
    cache.put(bytes("row"), bytes("short"));
    cache.put(bytes("row"), new byte[1000]);
    assertThat(cache.find(bytes("row"))).isNegative();
  }

  @Test
  void rowsTooLongForASlotAreNotKept() {
    RowCache cache = new RowCache(1 << 12);
    byte[] row = new byte[200];
    cache.put(row, bytes("value"));
    assertThat(cache.find(row)).isNegative();
  }

  @Test
  void aCacheOfNothingKnowsNothing() {
    RowCache cache = new RowCache(0);
    cache.put(bytes("row"), bytes("value"));
    assertThat(cache.find(bytes("row"))).isNegative();
  }

  @Test
  void aThousandNamesOfAKindKeepOutOfEachOthersWay() {
    RowCache cache = new RowCache(1 << 20);
    for (int i = 0; i < 1_000; i++) {
      cache.put(bytes("key:" + i), bytes("value"));
    }
    long known = 0;
    for (int i = 0; i < 1_000; i++) {
      known += cache.find(bytes("key:" + i)) >= 0 ? 1 : 0;
    }
    // By chance a sixteenth would have to give way.
    assertThat(known).isGreaterThan(850);
  }

  @Test
  void whateverIsKnownIsTheLastThatWasSaid() {
    for (int size : new int[] {128, 256, 4096, 1 << 16}) {
      Random random = new Random(size);
      RowCache cache = new RowCache(size);
      Map<Bytes, byte[]> said = new HashMap<>();
      int found = 0;
      for (int i = 0; i < 20_000; i++) {
        byte[] row = bytes("r" + "x".repeat(random.nextInt(130)) + random.nextInt(5));
        if (random.nextBoolean()) {
          byte[] value = random.nextInt(4) == 0 ? null : new byte[random.nextInt(140)];
          if (value != null) {
            random.nextBytes(value);
          }
          cache.put(row, value);
          said.put(Bytes.wrap(row), value);
        } else if (cache.find(row) >= 0) {
          assertThat(said).containsKey(Bytes.wrap(row));
          assertThat(valueOf(cache, row)).isEqualTo(said.get(Bytes.wrap(row)));
          found++;
        }
      }
      assertThat(found).as("found in %d bytes", size).isPositive();
    }
  }
}
