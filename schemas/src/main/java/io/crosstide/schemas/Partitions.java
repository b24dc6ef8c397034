package io.crosstide.schemas;

/**
 * Which partition a Redis key belongs to: its Redis Cluster slot, scaled to the number of
 * partitions. Equal in every region, so that logs are co-partitioned, and aligned with cluster
 * slots, so that a partition's keys lie in one contiguous slot range.
 */
public final class Partitions {
  /** Slots of a Redis Cluster. */
  public static final int SLOTS = 16384;

  private static final int[] CRC16 = crc16Table();

  private Partitions() {}

  /** The partition of {@code key} among {@code partitions}. */
  public static int of(byte[] key, int partitions) {
    if (partitions < 1 || partitions > SLOTS) {
      throw new IllegalArgumentException(
          partitions + " partitions: there must be 1 to " + SLOTS + ", one per slot at most");
    }
    return (int) ((long) slot(key) * partitions / SLOTS);
  }

  /**
   * The key's slot as Redis Cluster computes it: CRC16 of what stands between the first <code>{
   * </code> and the next <code>}</code> if that is not empty, else of the whole key.
   */
  public static int slot(byte[] key) {
    int from = 0;
    int to = key.length;
    int open = indexOf(key, '{', 0);
    if (open >= 0) {
      int close = indexOf(key, '}', open + 1);
      if (close > open + 1) {
        from = open + 1;
        to = close;
      }
    }
    int crc = 0;
    for (int i = from; i < to; i++) {
      crc = ((crc << 8) ^ CRC16[((crc >>> 8) ^ key[i]) & 0xff]) & 0xffff;
    }
    return crc & (SLOTS - 1);
  }

  private static int indexOf(byte[] key, char wanted, int from) {
    for (int i = from; i < key.length; i++) {
      if (key[i] == wanted) {
        return i;
      }
    }
    return -1;
  }

  /** CRC-16/XMODEM: polynomial 0x1021, start 0, nothing reflected. */
  private static int[] crc16Table() {
    int[] table = new int[256];
    for (int n = 0; n < 256; n++) {
      int crc = n << 8;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
      }
      table[n] = crc & 0xffff;
    }
    return table;
  }
}
