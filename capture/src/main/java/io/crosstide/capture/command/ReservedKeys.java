package io.crosstide.capture.command;

import io.crosstide.crdt.HybridLogicalClock;
import io.crosstide.protocol.RedisKey;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

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
  private final HybridLogicalClock clock;
  private final int partitions;
  private final BitSet missing;
  private final Map<Integer, String> tokens = new HashMap<>();

  ReservedKeys(MarkerTracker markers, StreamTime time, HybridLogicalClock clock, int partitions) {
    this.markers = markers;
    this.time = time;
    this.clock = clock;
    this.partitions = partitions;
    this.missing = new BitSet(partitions);
  }

  void begin() {
    missing.clear();
    tokens.clear();
  }

  /** Markers that were taken away or tampered with in this unit and not written whole again. */
  BitSet missing() {
    return missing;
  }

  /** What an owner left in this unit in the place of the marker of {@code partition}; or empty. */
  String token(int partition) {
    return tokens.getOrDefault(partition, "");
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
      case "HSET", "HMSET" -> written(context, partition, argv);
      case "HDEL" -> {
        if (!markers.remove(partition, argv)) {
          take(partition);
        }
      }
      case "PERSIST" -> {
        // The owner undoes what an EXPIRE of a client did.
      }
      case "EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT", "HINCRBY", "HSETNX" ->
          // Still there, but no longer the owner's alone: it is to look after it.
          missing.set(partition);
      default -> take(partition);
    }
  }

  private void written(CommandContext context, int partition, byte[][] argv) {
    try {
      MarkerTracker.Written written = markers.put(partition, argv);
      if (written.whole()) {
        missing.clear(partition);
        tokens.remove(partition);
      }
      if (written.token() != null) {
        missing.set(partition);
        tokens.put(partition, written.token());
      }
      if (written.stamp().compareTo(clock.last()) > 0) {
        clock.observe(written.stamp());
      }
      context.markerWritten(partition, written.heldProbe());
      byte[] ofList = written.ofList();
      if (ofList != null && context.isEcho()) {
        context.listEchoes().told(context, ofList);
      }
    } catch (IllegalArgumentException e) {
      // Not written by the owner, which writes numbers where numbers belong: as good as gone.
      take(partition);
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
    markers.lose(partition);
    missing.set(partition);
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
