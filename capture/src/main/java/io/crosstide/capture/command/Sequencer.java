package io.crosstide.capture.command;

import java.util.Arrays;
import java.util.BitSet;

/**
 * Numbers the events of each partition from 1 without gaps, and knows which of them the log holds
 * already: after a restart the stream is read again from the last checkpoint, gives the same events
 * the same numbers, and those up to the log's end are not published twice.
 */
public final class Sequencer {
  private static final int UNCHECKED = -1;

  private final long[] last;
  private final long[] logEnd;
  private final long[] logEndOffset;
  private final int[] logEndIndex;
  private final BitSet dirty;

  Sequencer(int partitions) {
    last = new long[partitions];
    logEnd = new long[partitions];
    logEndOffset = new long[partitions];
    logEndIndex = new int[partitions];
    Arrays.fill(logEndOffset, UNCHECKED);
    Arrays.fill(logEndIndex, UNCHECKED);
    dirty = new BitSet(partitions);
  }

  /** The last number given in this partition, 0 if none. */
  public long last(int partition) {
    return last[partition];
  }

  /**
   * Says what the log holds: events numbered up to {@code lastSeq} are derived but not delivered.
   *
   * @param replOffset and {@code index} of the event numbered {@code lastSeq}, to check that
   *     derivation gives it the same number again; -1 to leave the check out
   */
  public void logEnd(int partition, long lastSeq, long replOffset, int index) {
    logEnd[partition] = lastSeq;
    logEndOffset[partition] = replOffset;
    logEndIndex[partition] = index;
  }

  /** Whether events are being derived again that the log holds. */
  public boolean behindLog(int partition) {
    return last[partition] < logEnd[partition];
  }

  /**
   * Goes on after {@code seq}, never below the last number given: the log was found to end there.
   */
  public void continueAfter(int partition, long seq) {
    last[partition] = Math.max(last[partition], seq);
    dirty.set(partition);
  }

  /**
   * Gives the next number.
   *
   * @return the number, negative if the log holds the event already
   */
  long next(int partition, long replOffset, int index) {
    long seq = ++last[partition];
    dirty.set(partition);
    if (seq > logEnd[partition]) {
      return seq;
    }
    if (seq == logEnd[partition]
        && logEndOffset[partition] != UNCHECKED
        && (replOffset != logEndOffset[partition] || index != logEndIndex[partition])) {
      throw new IllegalStateException(
          "partition "
              + partition
              + ": event "
              + seq
              + " was published for offset "
              + logEndOffset[partition]
              + " index "
              + logEndIndex[partition]
              + ", but reading the stream again gives that number to offset "
              + replOffset
              + " index "
              + index
              + ". The shadow or the log was changed from outside; nothing is published. Delete"
              + " the shadow's directory to rebuild it by a full resync");
    }
    return -seq;
  }

  BitSet dirty() {
    return dirty;
  }

  void restore(int partition, long seq) {
    last[partition] = seq;
  }
}
