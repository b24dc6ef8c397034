package io.crosstide.crdt;

import io.crosstide.crdt.Cell.Increment;
import java.util.ArrayList;
import java.util.List;

/**
 * The byte form of increments of one origin in order of seq: differences of seqs and stamps, some 6
 * bytes each.
 */
public final class IncrementRun {
  private IncrementRun() {}

  /** Writes {@code run}, all of one origin, which is not written. */
  public static void encode(ByteWriter out, List<Increment> run) {
    out.varint(run.size());
    long seq = 0;
    long stamp = 0;
    for (Increment increment : run) {
      out.varint(increment.dot().seq() - seq)
          .signed(increment.stamp().packed() - stamp)
          .decimal(increment.delta());
      seq = increment.dot().seq();
      stamp = increment.stamp().packed();
    }
  }

  /** Inverse of {@link #encode}. */
  public static List<Increment> decode(ByteReader in, Origin origin) {
    int count = in.count();
    List<Increment> run = new ArrayList<>(count);
    long seq = 0;
    long stamp = 0;
    for (int n = count; n > 0; n--) {
      long next = seq + in.varint();
      if (next <= seq) {
        throw new IllegalArgumentException(
            "seq " + next + " of origin " + origin + " comes after " + seq);
      }
      seq = next;
      stamp += in.signed();
      run.add(new Increment(new Dot(origin, seq), new HybridTimestamp(stamp), in.decimal()));
    }
    return run;
  }
}
