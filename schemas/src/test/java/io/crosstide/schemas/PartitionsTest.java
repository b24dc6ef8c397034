package io.crosstide.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PartitionsTest {

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      value = {
        "123456789, 12739",
        "foo, 12182",
        "bar, 5061",
        "somekey, 11058",
        "foo{hash_tag}, 2515",
        "bar{hash_tag}, 2515",
        "\"\", 0"
      })
  void slotsAreThoseOfRedisCluster(String key, int slot) {
    assertThat(Partitions.slot(bytes(key))).isEqualTo(slot);
  }

  @Test
  void onlyANonEmptyTagOfTheFirstBraceCounts() {
    assertThat(slot("{user1000}.following")).isEqualTo(slot("user1000"));
    assertThat(slot("foo{}{bar}")).isEqualTo(crcOfWhole("foo{}{bar}"));
    assertThat(slot("foo{{bar}}zap")).isEqualTo(slot("{{bar}"));
    assertThat(slot("foo{bar}{zap}")).isEqualTo(slot("bar"));
    assertThat(slot("foo{bar")).isEqualTo(crcOfWhole("foo{bar"));
    assertThat(slot("foo}bar{")).isEqualTo(crcOfWhole("foo}bar{"));
  }

  @Test
  void partitionsAreContiguousSlotRanges() {
    int partitions = 12;
    int[] keys = new int[partitions];
    for (int i = 0; i < 120_000; i++) {
      byte[] key = bytes("key:" + i);
      int partition = Partitions.of(key, partitions);
      assertThat(partition).isEqualTo(Partitions.slot(key) * partitions / 16384);
      keys[partition]++;
    }
    for (int count : keys) {
      assertThat(count).isBetween(9_000, 11_000);
    }
    assertThat(Partitions.of(bytes("any"), 1)).isZero();
    assertThat(Partitions.of(bytes("foo"), Partitions.SLOTS)).isEqualTo(12182);
  }

  @Test
  void thereAreAtMostAsManyPartitionsAsSlots() {
    assertThatThrownBy(() -> Partitions.of(bytes("k"), 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Partitions.of(bytes("k"), 16385))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("16385");
  }

  /** By the definition of CRC-16/XMODEM, bit by bit. */
  private static int crcOfWhole(String key) {
    int crc = 0;
    for (byte b : bytes(key)) {
      crc ^= (b & 0xff) << 8;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
      }
      crc &= 0xffff;
    }
    return crc % 16384;
  }

  private static int slot(String key) {
    return Partitions.slot(bytes(key));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
