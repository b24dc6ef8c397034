package io.crosstide.crdt;

import io.crosstide.crdt.Cell.Increment;
import java.math.BigDecimal;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The increments of one cell that are too many to lie in it: per origin, chunks in order of seq,
 * each known by the seq it ends with. The cell knows their sum and asks for single ones only when a
 * context covers some and not others.
 */
public interface IncrementLog {
  /** Of a cell that has none. */
  IncrementLog NONE = new NoIncrements();

  /** Receives chunks. */
  interface ChunkVisitor {
    /**
     * @return whether to go on
     */
    boolean chunk(List<Increment> chunk);
  }

  /**
   * The increments from the first one asked for to the last one covered.
   *
   * @param last of them
   * @param nextSeq of the first increment after them
   */
  record Prefix(long count, BigDecimal sum, Increment last, long nextSeq) {}

  /** Hands over the chunks that end at {@code fromSeq} or later, in order, until told to stop. */
  void scan(Origin origin, long fromSeq, ChunkVisitor visitor);

  /** Keeps {@code chunk} in place of the one that ends with the same seq, if any. */
  void put(Origin origin, List<Increment> chunk);

  /**
   * The chunks that end from {@code fromSeq} on and before {@code belowSeq} are not asked for
   * again; they may go at any later time.
   */
  void drop(Origin origin, long fromSeq, long belowSeq);

  /**
   * What a context that ends at {@code seq} covers. Reads all of it.
   *
   * @param firstSeq of the first increment that is still there
   * @param seq from {@code firstSeq} on and below the last increment's
   */
  default Prefix upTo(Origin origin, long firstSeq, long seq) {
    PrefixSum sum = new PrefixSum(firstSeq, seq);
    scan(origin, firstSeq, sum);
    return sum.prefix(origin);
  }

  /** Adds up increments until the first that is not covered. */
  final class PrefixSum implements ChunkVisitor {
    private final long firstSeq;
    private final long seq;
    private long count;
    private BigDecimal sum = BigDecimal.ZERO;
    private @Nullable Increment last;
    private long nextSeq;

    PrefixSum(long firstSeq, long seq) {
      this.firstSeq = firstSeq;
      this.seq = seq;
    }

    @Override
    public boolean chunk(List<Increment> chunk) {
      for (Increment increment : chunk) {
        long at = increment.dot().seq();
        if (at > seq) {
          nextSeq = at;
          return false;
        }
        if (at >= firstSeq) {
          count++;
          sum = sum.add(increment.delta());
          last = increment;
        }
      }
      return true;
    }

    Prefix prefix(Origin origin) {
      Increment covered = last;
      if (covered == null || nextSeq == 0) {
        throw new IllegalStateException(
            "increments of origin "
                + origin
                + " from "
                + firstSeq
                + " to beyond "
                + seq
                + " are missing: rows were lost or changed behind the owner's back");
      }
      return new Prefix(count, sum, covered, nextSeq);
    }
  }

  /** Holds nothing and takes nothing. */
  final class NoIncrements implements IncrementLog {
    private NoIncrements() {}

    @Override
    public void scan(Origin origin, long fromSeq, ChunkVisitor visitor) {}

    @Override
    public void put(Origin origin, List<Increment> chunk) {
      throw new IllegalStateException("this cell keeps all its increments");
    }

    @Override
    public void drop(Origin origin, long fromSeq, long belowSeq) {}
  }
}
