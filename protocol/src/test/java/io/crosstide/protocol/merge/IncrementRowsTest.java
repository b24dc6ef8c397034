package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Origin;
import io.crosstide.crdt.SpillRule;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class IncrementRowsTest {
  private static final Element COUNTER = Element.string(RedisKey.of(0, "hits"));
  private static final Origin US = Origin.of(1);

  private int searches;
  private final MemoryRowStore stored = new MemoryRowStore();
  private final RowStore rows =
      new RowStore() {
        @Override
        public byte @Nullable [] get(byte[] key) {
          return stored.get(key);
        }

        @Override
        public void put(byte[] key, byte[] value) {
          stored.put(key, value);
        }

        @Override
        public void delete(byte[] key) {
          stored.delete(key);
        }

        @Override
        public void scan(byte[] prefix, byte @Nullable [] after, Visitor visitor) {
          if (Arrays.equals(prefix, RowKeys.DROPPED)) {
            searches++;
          }
          stored.scan(prefix, after, visitor);
        }

        @Override
        public void scanBack(byte[] prefix, byte[] before, Visitor visitor) {
          stored.scanBack(prefix, before, visitor);
        }
      };
  private final IncrementRows increments = new IncrementRows(rows, SpillRule.DEFAULT);

  private boolean holdsDropped() {
    List<byte[]> found = new ArrayList<>();
    stored.scan(RowKeys.DROPPED, null, (key, value) -> found.add(key));
    return !found.isEmpty();
  }

  @Test
  void whereNothingIsDroppedItIsLookedForOnce() {
    increments.deleteDropped(10);
    increments.deleteDropped(10);
    assertThat(searches).isEqualTo(1);
  }

  @Test
  void whatIsDroppedLaterIsFound() {
    increments.deleteDropped(10);
    increments.of(COUNTER).drop(US, 1, 5);
    increments.deleteDropped(10);
    assertThat(holdsDropped()).isFalse();
    assertThat(searches).isEqualTo(2);
    increments.deleteDropped(10);
    increments.deleteDropped(10);
    assertThat(searches).isEqualTo(3);
  }

  @Test
  void whatWasDroppedBeforeACrashIsFound() {
    increments.of(COUNTER).drop(US, 1, 5);
    new IncrementRows(rows, SpillRule.DEFAULT).deleteDropped(10);
    assertThat(holdsDropped()).isFalse();
  }
}
