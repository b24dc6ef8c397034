package io.crosstide.control.role;

import java.time.Duration;
import java.util.List;

/**
 * The emulated WAN of a sandbox. Changes concern both directions of a pair and take effect at once.
 * Names are known regions, two different ones: the caller has checked.
 */
public interface WanControl {

  /** Both directions of every pair. */
  List<Link> links();

  /** Closes the pair's connections and lets no new ones through. */
  void cut(String a, String b);

  void heal(String a, String b);

  /**
   * @param oneWay how long each byte is held in each direction: a round trip takes twice that
   */
  void delay(String a, String b, Duration oneWay);

  /**
   * @param bytesPerSecond in each direction; {@link Long#MAX_VALUE} for no limit
   */
  void rate(String a, String b, long bytesPerSecond);

  /**
   * One direction of a pair.
   *
   * @param bytesPerSecondMax {@link Long#MAX_VALUE} for no limit
   * @param bytes forwarded since the sandbox started
   */
  record Link(
      String from,
      String to,
      boolean cut,
      Duration delay,
      long bytesPerSecondMax,
      long bytes,
      int connections) {}
}
