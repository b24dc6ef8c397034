package io.crosstide.capture.command;

import java.util.function.LongSupplier;

/**
 * When the command being read ran, as sharply as can be told.
 *
 * <p>Capture writes the beacon with its wall clock every 100 ms, so a command lies between the last
 * beacon read and one period after it. While capture keeps up, now is as good. After a time without
 * a beacon's writer (from a start or reconnect to the next beacon read) it lies anywhere between
 * the last beacon and now.
 */
final class StreamTime {
  private final LongSupplier wallMillis;
  private final long slackMillis;
  private long beaconMillis;
  private boolean resumed = true;

  StreamTime(LongSupplier wallMillis, long slackMillis) {
    this.wallMillis = wallMillis;
    this.slackMillis = slackMillis;
  }

  /** The last beacon read, 0 if none. */
  long beaconMillis() {
    return beaconMillis;
  }

  void beacon(long millis) {
    beaconMillis = Math.max(beaconMillis, millis);
    resumed = false;
  }

  void restore(long millis) {
    beaconMillis = millis;
  }

  void resumed() {
    resumed = true;
  }

  /** The time to stamp the command with: now, or what the last beacon allows if reading lags. */
  long stampMillis() {
    long now = wallMillis.getAsLong();
    return beaconMillis == 0 ? now : Math.min(now, beaconMillis + slackMillis);
  }

  /** The last time known of the stream: of the last beacon, or now if there was none. */
  long lastKnownMillis() {
    return beaconMillis == 0 ? wallMillis.getAsLong() : beaconMillis;
  }

  /** Whether a deadline may have passed when the command ran (P25). */
  boolean mayHavePassed(long deadlineMillis) {
    long now = wallMillis.getAsLong();
    boolean onlyNowIsKnown = beaconMillis == 0 || resumed;
    long latest = onlyNowIsKnown ? now : Math.min(now, beaconMillis);
    return deadlineMillis <= latest + slackMillis;
  }
}
