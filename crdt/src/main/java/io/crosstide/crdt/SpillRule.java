package io.crosstide.crdt;

/**
 * Which increments stay in a {@link Cell} and which move to an {@link IncrementLog}. A function of
 * the increments that survive, never of how they came to: equal states lie in equal places.
 *
 * <p>An origin's increments divide into chunks at dots drawn by hash, so that where a chunk ends
 * does not depend on what was removed before it. A chunk moves once {@code keep} increments of its
 * origin come after it.
 *
 * @param keep increments of one origin that stay in any case, at least 1. Fewer make cells smaller,
 *     but a counter with no more than this many costs one row
 * @param chunkMean increments per chunk on average, a power of two. Cells hold {@code keep +
 *     chunkMean} of an origin on average; smaller chunks mean more rows
 */
public record SpillRule(int keep, int chunkMean) {
  public static final SpillRule DEFAULT = new SpillRule(8, 8);

  /** Everything stays in the cell. */
  public static final SpillRule NEVER = new SpillRule(Integer.MAX_VALUE, 1);

  public SpillRule {
    if (keep < 1 || Integer.bitCount(chunkMean) != 1 || chunkMean < 1) {
      throw new IllegalArgumentException(
          "keep "
              + keep
              + " must be at least 1, chunk mean "
              + chunkMean
              + " a positive power of two");
    }
  }

  /** A chunk ends with the increment of this seq. */
  boolean endsChunk(long seq) {
    // The finaliser of SplitMix64 (Steele et al., 2014): any stride of seqs is cut as evenly.
    long mixed = (seq ^ (seq >>> 30)) * 0xbf58476d1ce4e5b9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
    return ((mixed ^ (mixed >>> 31)) & (chunkMean - 1)) == 0;
  }
}
