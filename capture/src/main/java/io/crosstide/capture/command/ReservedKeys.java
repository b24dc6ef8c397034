package io.crosstide.capture.command;

import io.crosstide.protocol.RedisKey;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Commands on Crosstide's own keys. They never become events: the beacon tells the time, markers
 * tell what this Redis holds; a marker that a client's command takes away or tampers with is lost
 * (P3). Reserved names in other databases than 0 mean nothing.
 */
final class ReservedKeys {
  private static final String BEACON = RedisKey.RESERVED_PREFIX + "beacon";
  private static final String MARKER_HEAD = RedisKey.RESERVED_PREFIX + "{";

  private final MarkerTracker markers;
  private final StreamTime time;
  private final int partitions;
  private final BitSet taken;

  ReservedKeys(MarkerTracker markers, StreamTime time, int partitions) {
    this.markers = markers;
    this.time = time;
    this.partitions = partitions;
    this.taken = new BitSet(partitions);
  }

  void begin() {
    taken.clear();
  }

  BitSet taken() {
    return taken;
  }

  /** A command whose first argument is a reserved key. */
  void command(CommandContext context, String name, byte[][] argv) {
    if (context.db() != 0) {
      return;
    }
    int partition = markerPartition(argv[1]);
    if (partition < 0) {
      if (name.equals("SET") && Numbers.ascii(argv[1]).equals(BEACON)) {
        Numbers.integer(argv[2]).ifPresent(time::beacon);
      }
      return;
    }
    switch (name) {
      case "HSET", "HMSET" -> context.markerWritten(partition, markers.put(partition, argv));
      case "HDEL" -> markers.remove(partition, argv);
      default -> take(partition);
    }
  }

  /** A reserved key was deleted, overwritten or moved. */
  void taken(int db, byte[] key) {
    int partition = db == 0 ? markerPartition(key) : -1;
    if (partition >= 0) {
      take(partition);
    }
  }

  void allTaken() {
    for (int p = 0; p < partitions; p++) {
      take(p);
    }
  }

  private void take(int partition) {
    if (markers.present(partition)) {
      markers.lose(partition);
      taken.set(partition);
    }
  }

  /** The partition whose marker this is, or -1. */
  private int markerPartition(byte[] key) {
    String name = Numbers.ascii(key);
    if (!name.startsWith(MARKER_HEAD) || !name.endsWith("}")) {
      return -1;
    }
    byte[] digits = Arrays.copyOfRange(key, MARKER_HEAD.length(), key.length - 1);
    long partition = Numbers.integer(digits).orElse(-1);
    return partition >= 0 && partition < partitions ? (int) partition : -1;
  }
}
