package io.crosstide.crdt;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The state of one element (a string, hash field, set member or score): a multi-value register of
 * concurrent writes plus the increments that survive, both observed-remove.
 *
 * <p><b>Semantics.</b> A write removes exactly the writes and increments it had seen; a removal
 * likewise. Concurrent writes all survive, of which the one with the highest stamp is visible, at
 * equal stamps that of the smaller region id; increments no surviving removal or write had seen are
 * added on top of it. An increment removes nothing. A set member is a cell whose writes carry the
 * empty value, which makes it an add-wins observed-remove set.
 *
 * <p><b>Garbage.</b> A removal's context is kept only as far as it names events not yet received
 * ({@link #prune}); increments that every region has seen fold into one number per origin ({@link
 * #fold}): any later removal covers all of them or none.
 *
 * <p>Operations are idempotent and commute for any order that keeps each origin's own. Close to the
 * optimised OR-set of Bieniusa et al. (2012), with per-element removal contexts in place of one per
 * replica, so that an event touches one row only. Immutable; equal states have equal bytes.
 */
public final class Cell {
  /** A whole-value write that no seen write or removal covers. */
  public record Write(Dot dot, HybridTimestamp stamp, Bytes value) {}

  /** An increment that may still be covered by a removal on its way. */
  public record Increment(Dot dot, HybridTimestamp stamp, BigDecimal delta) {}

  /** Increments of one origin that every region has seen. */
  public record Folded(Origin origin, long lastSeq, HybridTimestamp stamp, BigDecimal sum) {}

  public static final Cell EMPTY = new Cell(List.of(), List.of(), List.of(), VersionVector.EMPTY);

  /** Highest stamp first; at equal stamps the smaller region id first. */
  public static final Comparator<Write> NEWEST_FIRST =
      Comparator.<Write>comparingLong(w -> w.stamp().packed())
          .reversed()
          .thenComparing(write -> write.dot().origin().regionId())
          .thenComparing(Write::dot);

  private final List<Write> writes;
  private final List<Increment> increments;
  private final List<Folded> folded;
  private final VersionVector removed;

  private Cell(
      List<Write> writes, List<Increment> increments, List<Folded> folded, VersionVector removed) {
    this.writes = writes;
    this.increments = increments;
    this.folded = folded;
    this.removed = removed;
  }

  /** Surviving writes, by dot. */
  public List<Write> writes() {
    return writes;
  }

  public List<Increment> increments() {
    return increments;
  }

  public List<Folded> folded() {
    return folded;
  }

  /** What removals have covered of events not yet received. */
  public VersionVector removed() {
    return removed;
  }

  /** Nothing survives. */
  public boolean isEmpty() {
    return writes.isEmpty() && increments.isEmpty() && folded.isEmpty();
  }

  /** Nothing survives and nothing is waited for: the row need not be kept. */
  public boolean isBlank() {
    return isEmpty() && removed.isEmpty();
  }

  /** Replaces what {@code seen} covers by {@code value}. */
  public Cell write(Dot dot, HybridTimestamp stamp, Bytes value, VersionVector seen) {
    Cell rest = remove(seen);
    if (rest.removed.covers(dot) || contains(rest.writes, dot)) {
      return rest;
    }
    List<Write> all = new ArrayList<>(rest.writes);
    all.add(new Write(dot, stamp, value));
    all.sort(Comparator.comparing(Write::dot));
    return new Cell(List.copyOf(all), rest.increments, rest.folded, rest.removed);
  }

  public Cell increment(Dot dot, HybridTimestamp stamp, BigDecimal delta) {
    if (removed.covers(dot)) {
      return this;
    }
    for (Increment other : increments) {
      if (other.dot().equals(dot)) {
        return this;
      }
    }
    for (Folded other : folded) {
      if (other.origin().equals(dot.origin()) && other.lastSeq() >= dot.seq()) {
        return this;
      }
    }
    List<Increment> all = new ArrayList<>(increments.size() + 1);
    all.addAll(increments);
    int at = all.size();
    while (at > 0 && all.get(at - 1).dot().compareTo(dot) > 0) {
      at--;
    }
    all.add(at, new Increment(dot, stamp, delta));
    return new Cell(writes, all, folded, removed);
  }

  /** Removes what {@code seen} covers, and remembers it for events still to come. */
  public Cell remove(VersionVector seen) {
    return new Cell(
        writes.stream().filter(w -> !seen.covers(w.dot())).toList(),
        increments.stream().filter(i -> !seen.covers(i.dot())).toList(),
        folded.stream().filter(f -> seen.get(f.origin()) < f.lastSeq()).toList(),
        removed.join(seen));
  }

  /** Forgets what removals covered of events that have been received: they cannot come again. */
  public Cell prune(VersionVector received) {
    VersionVector pending = removed.beyond(received);
    return pending.equals(removed) ? this : new Cell(writes, increments, folded, pending);
  }

  /** Folds increments that {@code stable} covers, that is, which every region has seen. */
  public Cell fold(VersionVector stable) {
    boolean any = false;
    for (Increment increment : increments) {
      any |= stable.covers(increment.dot());
    }
    if (!any) {
      return this;
    }
    List<Folded> sums = new ArrayList<>(folded);
    List<Increment> rest = new ArrayList<>();
    for (Increment increment : increments) {
      if (stable.covers(increment.dot())) {
        fold(sums, increment);
      } else {
        rest.add(increment);
      }
    }
    sums.sort(Comparator.comparing(Folded::origin));
    return new Cell(writes, List.copyOf(rest), List.copyOf(sums), removed);
  }

  private static void fold(List<Folded> sums, Increment increment) {
    for (int i = 0; i < sums.size(); i++) {
      Folded sum = sums.get(i);
      if (sum.origin().equals(increment.dot().origin())) {
        sums.set(
            i,
            new Folded(
                sum.origin(),
                Math.max(sum.lastSeq(), increment.dot().seq()),
                sum.stamp().compareTo(increment.stamp()) >= 0 ? sum.stamp() : increment.stamp(),
                sum.sum().add(increment.delta())));
        return;
      }
    }
    sums.add(
        new Folded(
            increment.dot().origin(), increment.dot().seq(), increment.stamp(), increment.delta()));
  }

  /**
   * This cell without what {@code hidden} covers; nothing is remembered. For looking, not for
   * storing.
   */
  public Cell without(VersionVector hidden) {
    if (hidden.isEmpty() || isEmpty()) {
      return this;
    }
    return new Cell(
        writes.stream().filter(w -> !hidden.covers(w.dot())).toList(),
        increments.stream().filter(i -> !hidden.covers(i.dot())).toList(),
        folded.stream().filter(f -> hidden.get(f.origin()) < f.lastSeq()).toList(),
        removed);
  }

  /** The visible write, or null if none survives. */
  public @Nullable Write winner() {
    Write best = null;
    for (Write write : writes) {
      if (best == null || NEWEST_FIRST.compare(write, best) < 0) {
        best = write;
      }
    }
    return best;
  }

  /**
   * The sum of all surviving increments, or null if there are none. Exact, hence the same in any
   * order.
   */
  public @Nullable BigDecimal sum() {
    if (increments.isEmpty() && folded.isEmpty()) {
      return null;
    }
    BigDecimal sum = BigDecimal.ZERO;
    for (Folded part : folded) {
      sum = sum.add(part.sum());
    }
    for (Increment increment : increments) {
      sum = sum.add(increment.delta());
    }
    return sum;
  }

  /**
   * The newest surviving write or increment, with an empty value for increments; null if nothing
   * survives.
   */
  public @Nullable Write newest() {
    Write best = winner();
    for (Increment increment : increments) {
      best = newer(best, new Write(increment.dot(), increment.stamp(), Bytes.EMPTY));
    }
    for (Folded part : folded) {
      best =
          newer(best, new Write(new Dot(part.origin(), part.lastSeq()), part.stamp(), Bytes.EMPTY));
    }
    return best;
  }

  private static Write newer(@Nullable Write best, Write other) {
    return best == null || NEWEST_FIRST.compare(other, best) < 0 ? other : best;
  }

  private static boolean contains(List<Write> writes, Dot dot) {
    for (Write write : writes) {
      if (write.dot().equals(dot)) {
        return true;
      }
    }
    return false;
  }

  public void encode(ByteWriter out) {
    out.varint(writes.size());
    for (Write write : writes) {
      out.dot(write.dot()).varint(write.stamp().packed()).bytes(write.value());
    }
    out.varint(increments.size());
    for (Increment increment : increments) {
      out.dot(increment.dot()).varint(increment.stamp().packed()).decimal(increment.delta());
    }
    out.varint(folded.size());
    for (Folded part : folded) {
      out.varint(part.origin().packed())
          .varint(part.lastSeq())
          .varint(part.stamp().packed())
          .decimal(part.sum());
    }
    out.vector(removed);
  }

  public static Cell decode(ByteReader in) {
    List<Write> writes = new ArrayList<>();
    for (int n = in.count(); n > 0; n--) {
      writes.add(new Write(in.dot(), new HybridTimestamp(in.varint()), in.bytes()));
    }
    List<Increment> increments = new ArrayList<>();
    for (int n = in.count(); n > 0; n--) {
      increments.add(new Increment(in.dot(), new HybridTimestamp(in.varint()), in.decimal()));
    }
    List<Folded> folded = new ArrayList<>();
    for (int n = in.count(); n > 0; n--) {
      folded.add(
          new Folded(
              Origin.fromPacked(in.varint()),
              in.varint(),
              new HybridTimestamp(in.varint()),
              in.decimal()));
    }
    return new Cell(List.copyOf(writes), increments, List.copyOf(folded), in.vector());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Cell that
        && writes.equals(that.writes)
        && increments.equals(that.increments)
        && folded.equals(that.folded)
        && removed.equals(that.removed);
  }

  @Override
  public int hashCode() {
    return (writes.hashCode() * 31 + increments.hashCode()) * 31 + folded.hashCode();
  }

  @Override
  public String toString() {
    return "Cell" + writes + increments + folded + (removed.isEmpty() ? "" : " removed " + removed);
  }
}
