package io.crosstide.protocol;

/**
 * One ordered connection to a region's Redis for one partition's owner. Calls return at once; what
 * Redis answers comes back through the {@link Listener}, in the order of the calls, on the owner's
 * thread.
 *
 * <p>While disconnected, calls are dropped silently: after {@link Listener#onConnected} the caller
 * sends again what it needs (P1).
 */
public interface EffectWire {

  void send(EffectBatch batch);

  /**
   * Raises the marker's epoch to {@code epoch}, and its {@code fx} to {@code (epoch, 0)}, if it is
   * lower. Answered by {@link Listener#onMarker} with the marker <em>as it was before</em>, so that
   * the caller knows whether it was this call that raised it.
   *
   * <p>Where there is no marker, or one that is behind {@code least} (an old one brought back by
   * {@code SWAPDB}), leaves {@code token} in its place, which is no marker either, and answers with
   * null. Capture meets it in the stream and reports what the marker held up to there ({@link
   * Change.MarkerLost}).
   */
  void takeOver(int partition, int epoch, Fx least, String token);

  /**
   * Writes {@code marker} where {@code token} still stands; raises the epoch of a marker not behind
   * it that somebody else has written. Answered by {@link Listener#onMarker} with the marker after
   * the call, null if neither was there.
   */
  void install(int partition, MarkerState marker, String token);

  /** Receives what Redis answers. */
  interface Listener {
    /** The connection is ready; nothing sent before will be answered any more. */
    void onConnected();

    void onDisconnected();

    void onReply(EffectBatch batch, BatchReply reply);

    /**
     * Redis refused the call and applied nothing ({@code -OOM}, {@code -BUSY}, {@code -LOADING},
     * {@code -READONLY}, {@code -MISCONF} and the like).
     */
    void onRefused(EffectBatch batch, String error);

    /**
     * Answers {@link #takeOver} with the marker before the call, and {@link #install} with the
     * marker after it.
     *
     * @param marker null if there is none
     */
    void onMarker(int partition, @org.jspecify.annotations.Nullable MarkerState marker);

    /** Redis refused a {@link #takeOver} or {@link #install}. */
    void onMarkerRefused(int partition, String error);
  }
}
