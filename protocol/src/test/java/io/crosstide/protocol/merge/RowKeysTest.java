package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Dot;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class RowKeysTest {
  private static final List<Bytes> NAMES =
      List.of(
          Bytes.EMPTY,
          Bytes.utf8("k"),
          Bytes.utf8("kk"),
          Bytes.wrap(new byte[] {0}),
          Bytes.wrap(new byte[] {(byte) 0xff, 0, 'E'}));

  private static List<RedisKey> keys() {
    List<RedisKey> keys = new ArrayList<>();
    for (int db : new int[] {0, 1, 15}) {
      NAMES.forEach(name -> keys.add(new RedisKey(db, name)));
    }
    return keys;
  }

  @Test
  void everyElementReadsBackFromItsRows() {
    for (RedisKey key : keys()) {
      assertThat(RowKeys.parseHeader(RowKeys.header(key))).isEqualTo(key);
      for (ElementKind kind : ElementKind.values()) {
        for (Bytes name : NAMES) {
          Element element = new Element(key, kind, name);
          assertThat(RowKeys.parseElement(RowKeys.element(element))).isEqualTo(element);
        }
      }
    }
  }

  @Test
  void theRowsOfAKeyAreNotThoseOfAnother() {
    for (RedisKey key : keys()) {
      for (RedisKey other : keys()) {
        for (Bytes name : NAMES) {
          byte[] row = RowKeys.element(new Element(other, ElementKind.SET_MEMBER, name));
          byte[] prefix = RowKeys.elements(key);
          boolean within = Arrays.equals(prefix, Arrays.copyOf(row, prefix.length));
          assertThat(within).as("%s of %s", other, key).isEqualTo(other.equals(key));
        }
      }
    }
  }

  @Test
  void databasesBeyond255HaveRowsOfTheirOwn() {
    RedisKey low = RedisKey.of(1, "k");
    RedisKey high = RedisKey.of(257, "k");
    assertThat(RowKeys.header(high)).isNotEqualTo(RowKeys.header(low));
    assertThat(RowKeys.parseHeader(RowKeys.header(high))).isEqualTo(high);
  }

  @Test
  void heldRecordsAndWaitingRowsSortBySeq() {
    Origin origin = new Origin(2, 1, 3);
    byte[] last = new byte[0];
    for (long seq : new long[] {1, 255, 256, 70_000, Long.MAX_VALUE}) {
      byte[] held = RowKeys.held(origin, seq);
      assertThat(Arrays.compareUnsigned(last, held)).isNegative();
      assertThat(RowKeys.parseSeq(held)).isEqualTo(seq);
      last = held;
      byte[] row = RowKeys.header(RedisKey.of(0, "k"));
      byte[] waiting = RowKeys.waiting('G', new Dot(origin, seq), row);
      assertThat(RowKeys.parseSeq(waiting)).isEqualTo(seq);
      assertThat(RowKeys.parseWaiting(waiting)).isEqualTo(row);
    }
  }
}
