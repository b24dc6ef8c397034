package io.crosstide.capture.command;

import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.RedisKey;

/**
 * Receives what an interpreter derived, in stream order, on the interpreter's thread.
 *
 * <p>Within a unit: first its events, then what happened to markers, then its end. Only of units
 * with very many changes do events arrive while the unit is still being read.
 */
public interface EventSink {

  /**
   * An event to be published. Those that the log already holds are not delivered.
   *
   * @param partition of the log
   */
  void event(int partition, ChangeEvent event);

  /**
   * The marker of {@code partition} passed and stands at {@code fx}.
   *
   * @param heldProbe its batch held a probe: a beat must be published before any later event (P4)
   */
  void markerSeen(int partition, Fx fx, boolean heldProbe);

  /**
   * A command or transaction is done: everything up to {@code endOffset} has been derived.
   *
   * @param unit of the shadow, to be committed when all events so far are durable
   */
  void unitEnd(long unit, long endOffset);

  /**
   * The content of {@code key} is to be put into the stream, as {@link ContentScript} does it, and
   * again until that has succeeded once. Asking once too often does no harm.
   */
  default void contentWanted(RedisKey key) {}

  /** What was asked for so far need not be put into the stream any more. */
  default void contentsForgotten() {}

  /**
   * A command of this name was seen for the first time and is not replicated, or not wholly.
   *
   * @param consequence a sentence that says what does not reach the other regions
   */
  default void unsupported(String name, String consequence) {}
}
