package io.crosstide.capture.psync;

import com.moilioncircle.redis.replicator.event.Event;

/**
 * Receives a replication stream, on the thread that reads it; blocking here is the back-pressure on
 * Redis. Anything thrown ends the connection and reaches the caller of {@link PsyncConnection#run}.
 */
public interface PsyncHandler {
  /** Redis continues the history from the position asked for, perhaps under a new id. */
  void onContinue(String replId);

  /**
   * Redis has discarded the position asked for, or there was none: a snapshot that stands at {@code
   * replOffset} of {@code replId} follows.
   */
  void onFullResync(String replId, long replOffset);

  /** One entry of the snapshot. Collections are iterators that must be drained before returning. */
  void onRdbEvent(Event event);

  /** The snapshot is complete and its checksum read. */
  void onRdbEnd();

  /**
   * One command of the stream.
   *
   * @param argv name and arguments; a very long argument is cut (see {@link CommandReader})
   * @param endOffset replOffset after it
   */
  void onCommand(byte[][] argv, long endOffset);
}
