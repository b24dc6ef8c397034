package io.crosstide.capture;

import io.crosstide.capture.command.UnsupportedCommands;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;

/** What one start of capture counts. Written by the reading thread, read by any. */
final class CaptureCounters {
  final LongAdder commands = new LongAdder();
  final LongAdder events = new LongAdder();
  final LongAdder controlEvents = new LongAdder();
  final LongAdder markers = new LongAdder();
  final LongAdder fullResyncs = new LongAdder();
  final LongAdder connections = new LongAdder();
  private final Map<String, Long> snapshotKeys = new TreeMap<>();
  private volatile Map<String, Long> unsupported = Map.of();
  private volatile Map<String, Long> local = Map.of();
  private volatile long readOffset;
  private volatile long streamMillis;
  private volatile long echoes;
  private volatile long clockSkewMillis;

  /** Copies what only the reading thread may look at. */
  void publish(
      UnsupportedCommands commandsNotReplicated,
      long offsetRead,
      long lastBeaconMillis,
      long echoesSeen,
      long skewMillis) {
    Map<String, Long> all = commandsNotReplicated.counts();
    snapshotKeys.forEach((type, count) -> all.put("snapshot: " + type, count));
    unsupported = all;
    local = commandsNotReplicated.local();
    readOffset = offsetRead;
    streamMillis = lastBeaconMillis;
    echoes = echoesSeen;
    clockSkewMillis = skewMillis;
  }

  /** Keys of the last snapshot that cannot be replicated. */
  void snapshotKeys(Map<String, Long> byType) {
    snapshotKeys.clear();
    snapshotKeys.putAll(byType);
  }

  /** Values of the last snapshot that are too long to be replicated. */
  void refusedInSnapshot(int bytesMax, long count) {
    snapshotKeys.put("value over " + bytesMax + " bytes", count);
  }

  Map<String, Long> unsupported() {
    return unsupported;
  }

  Map<String, Long> local() {
    return local;
  }

  long readOffset() {
    return readOffset;
  }

  long streamMillis() {
    return streamMillis;
  }

  long echoes() {
    return echoes;
  }

  long clockSkewMillis() {
    return clockSkewMillis;
  }
}
