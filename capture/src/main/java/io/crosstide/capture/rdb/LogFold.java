package io.crosstide.capture.rdb;

import io.crosstide.capture.command.StreamInterpreter;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.RedisKey;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Brings the shadow from its checkpoint to the end of the own log, when the stream between the two
 * cannot be read again: the events that the log holds beyond the shadow are folded into it, so that
 * a comparison with a snapshot does not find and publish them a second time.
 */
public final class LogFold {
  private static final int EVENTS_PER_UNIT = 500;
  private static final long NO_POSITION = -1;

  /** The region's own log, read again. */
  public interface Events {
    /**
     * Hands over the partition's events with a seq above {@code seq}, in order.
     *
     * @throws IllegalStateException if one is missing: the log has lost events
     */
    void after(int partition, long seq, Consumer<ChangeEvent> receiver);
  }

  private LogFold() {}

  /**
   * @param logEnds per partition, the last seq the log held when it was fenced
   * @return how many events the shadow lacked
   * @throws IllegalStateException if the log has lost one of them
   */
  public static long fold(
      Events log, StreamInterpreter interpreter, Shadow shadow, long[] logEnds) {
    long[] folded = {0};
    for (int p = 0; p < logEnds.length; p++) {
      int partition = p;
      long derived = interpreter.sequencer().last(partition);
      if (derived >= logEnds[partition]) {
        continue;
      }
      interpreter.position(interpreter.replId(), NO_POSITION, 0);
      log.after(
          partition,
          derived,
          event -> {
            RedisKey key = Objects.requireNonNull(event.key(), "only events with a seq have a key");
            ShadowFold.apply(shadow.key(key.db(), key.name()), event.change());
            interpreter.sequencer().continueAfter(partition, event.seq());
            if (++folded[0] % EVENTS_PER_UNIT == 0) {
              interpreter.sealUnit(NO_POSITION);
            }
          });
      interpreter.sealUnit(NO_POSITION);
    }
    return folded[0];
  }
}
