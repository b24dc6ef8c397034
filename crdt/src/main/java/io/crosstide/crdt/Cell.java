package io.crosstide.crdt;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
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
 * <p><b>Size.</b> Only an origin's last increments lie in the cell; older ones move to an {@link
 * IncrementLog} when the cell is stored ({@link #stored}), and their sum stays. Since contexts
 * cover an origin's increments from the first on, the log is read only where a context ends within
 * it. Whoever loads, changes and stores a cell passes that cell's log.
 *
 * <p>Operations are idempotent and commute for any order that keeps each origin's own. Close to the
 * optimised OR-set of Bieniusa et al. (2012), with per-element removal contexts in place of one per
 * replica, so that an event touches one row only. Immutable; equal states have equal bytes, in the
 * cell and in its log.
 */
public final class Cell {
  /** A whole-value write that no seen write or removal covers. */
  public record Write(Dot dot, HybridTimestamp stamp, Bytes value) {}

  /** An increment that may still be covered by a removal on its way. */
  public record Increment(Dot dot, HybridTimestamp stamp, BigDecimal delta) {}

  /**
   * Increments of one origin that every region has seen.
   *
   * @param stamp of the last one
   */
  public record Folded(Origin origin, long lastSeq, HybridTimestamp stamp, BigDecimal sum) {}

  /**
   * Increments of one origin that lie in the {@link IncrementLog}; newer ones of it lie in the
   * cell.
   *
   * @param stamp of the last one
   */
  public record Spilled(
      Origin origin,
      long firstSeq,
      long lastSeq,
      HybridTimestamp stamp,
      long count,
      BigDecimal sum) {
    Spilled after(IncrementLog.Prefix gone) {
      return new Spilled(
          origin,
          gone.nextSeq(),
          lastSeq,
          stamp,
          count - gone.count(),
          plain(sum.subtract(gone.sum())));
    }

    Spilled with(List<Increment> chunk) {
      Increment last = chunk.get(chunk.size() - 1);
      BigDecimal more = BigDecimal.ZERO;
      for (Increment increment : chunk) {
        more = more.add(increment.delta());
      }
      return new Spilled(
          origin,
          firstSeq,
          last.dot().seq(),
          last.stamp(),
          count + chunk.size(),
          plain(sum.add(more)));
    }
  }

  public static final Cell EMPTY =
      new Cell(List.of(), List.of(), List.of(), List.of(), VersionVector.EMPTY);

  /** Highest stamp first; at equal stamps the smaller region id first. */
  public static final Comparator<Write> NEWEST_FIRST =
      Comparator.<Write>comparingLong(w -> w.stamp().packed())
          .reversed()
          .thenComparing(write -> write.dot().origin().regionId())
          .thenComparing(Write::dot);

  private final List<Write> writes;
  private final List<Increment> increments;
  private final List<Spilled> spilled;
  private final List<Folded> folded;
  private final VersionVector removed;

  Cell(
      List<Write> writes,
      List<Increment> increments,
      List<Spilled> spilled,
      List<Folded> folded,
      VersionVector removed) {
    this.writes = writes;
    this.increments = increments;
    this.spilled = spilled;
    this.folded = folded;
    this.removed = removed;
  }

  /** Surviving writes, by dot. */
  public List<Write> writes() {
    return writes;
  }

  /** Surviving increments that lie in the cell, by dot. */
  public List<Increment> increments() {
    return increments;
  }

  /** Surviving increments that lie in the log, by origin. */
  public List<Spilled> spilled() {
    return spilled;
  }

  /** What of {@code origin} lies in the log, or null if nothing does. */
  public @Nullable Spilled spilled(Origin origin) {
    for (Spilled part : spilled) {
      if (part.origin().equals(origin)) {
        return part;
      }
    }
    return null;
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
    // An origin with spilled increments has some in the cell, too.
    return writes.isEmpty() && increments.isEmpty() && folded.isEmpty();
  }

  /** Nothing survives and nothing is waited for: the row need not be kept. */
  public boolean isBlank() {
    return isEmpty() && removed.isEmpty();
  }

  // --- operations

  /** Replaces what {@code seen} covers by {@code value}. */
  public Cell write(
      Dot dot, HybridTimestamp stamp, Bytes value, VersionVector seen, IncrementLog log) {
    Cell rest = remove(seen, log);
    if (rest.removed.covers(dot) || contains(rest.writes, dot)) {
      return rest;
    }
    Write write = new Write(dot, stamp, value);
    return new Cell(
        with(rest.writes, write), rest.increments, rest.spilled, rest.folded, rest.removed);
  }

  private static List<Write> with(List<Write> writes, Write more) {
    if (writes.isEmpty()) {
      return List.of(more);
    }
    List<Write> all = new ArrayList<>(writes.size() + 1);
    all.addAll(writes);
    all.add(more);
    all.sort(Comparator.comparing(Write::dot));
    return List.copyOf(all);
  }

  /** Adds {@code delta}; an increment not after the origin's last one has been received before. */
  public Cell increment(Dot dot, HybridTimestamp stamp, BigDecimal delta) {
    int end = endOfRuns(dot.origin());
    if (removed.covers(dot) || lastSeq(dot.origin(), end) >= dot.seq()) {
      return this;
    }
    List<Increment> all = new ArrayList<>(increments.size() + 1);
    all.addAll(increments);
    all.add(end, new Increment(dot, stamp, delta));
    return new Cell(writes, all, spilled, folded, removed);
  }

  /** Where the increments of {@code origin} end, or would. */
  private int endOfRuns(Origin origin) {
    int end = increments.size();
    while (end > 0 && increments.get(end - 1).dot().origin().compareTo(origin) > 0) {
      end--;
    }
    return end;
  }

  /**
   * The last surviving increment of {@code origin}, whose increments in the cell end at {@code
   * end}.
   */
  private long lastSeq(Origin origin, int end) {
    if (end > 0) {
      Dot last = increments.get(end - 1).dot();
      if (last.origin().equals(origin)) {
        return last.seq();
      }
    }
    for (Folded part : folded) {
      if (part.origin().equals(origin)) {
        return part.lastSeq();
      }
    }
    return 0;
  }

  /** Removes what {@code seen} covers, and remembers it for events still to come. */
  public Cell remove(VersionVector seen, IncrementLog log) {
    return beyond(seen, removed.join(seen), log);
  }

  /**
   * This cell without what {@code hidden} covers; nothing is remembered. For looking, not for
   * storing.
   */
  public Cell without(VersionVector hidden, IncrementLog log) {
    return hidden.isEmpty() || isEmpty() ? this : beyond(hidden, removed, log);
  }

  private Cell beyond(VersionVector covered, VersionVector removedAfter, IncrementLog log) {
    return new Cell(
        rest(writes, w -> covered.covers(w.dot())),
        rest(increments, i -> covered.covers(i.dot())),
        beyond(spilled, covered, log),
        rest(folded, f -> covered.get(f.origin()) >= f.lastSeq()),
        removedAfter);
  }

  private static List<Spilled> beyond(
      List<Spilled> spilled, VersionVector covered, IncrementLog log) {
    if (spilled.isEmpty()) {
      return spilled;
    }
    List<Spilled> rest = new ArrayList<>(spilled.size());
    for (Spilled part : spilled) {
      long seq = covered.get(part.origin());
      if (seq < part.firstSeq()) {
        rest.add(part);
      } else if (seq < part.lastSeq()) {
        rest.add(part.after(log.upTo(part.origin(), part.firstSeq(), seq)));
      }
    }
    return List.copyOf(rest);
  }

  /** {@code all} without those that are {@code gone}; itself if none is, as mostly. */
  private static <T> List<T> rest(List<T> all, Predicate<T> gone) {
    int first = 0;
    while (first < all.size() && !gone.test(all.get(first))) {
      first++;
    }
    if (first == all.size()) {
      return all;
    }
    if (all.size() == 1) {
      return List.of();
    }
    List<T> rest = new ArrayList<>(all.size());
    rest.addAll(all.subList(0, first));
    for (T one : all.subList(first + 1, all.size())) {
      if (!gone.test(one)) {
        rest.add(one);
      }
    }
    return Collections.unmodifiableList(rest);
  }

  /** Forgets what removals covered of events that have been received: they cannot come again. */
  public Cell prune(VersionVector received) {
    VersionVector pending = removed.beyond(received);
    return pending.equals(removed) ? this : new Cell(writes, increments, spilled, folded, pending);
  }

  /** Folds increments that {@code stable} covers, that is, which every region has seen. */
  public Cell fold(VersionVector stable, IncrementLog log) {
    if (!hasFoldable(stable)) {
      return this;
    }
    List<Folded> sums = new ArrayList<>(folded);
    List<Spilled> restSpilled = new ArrayList<>(spilled.size());
    for (Spilled part : spilled) {
      long seq = stable.get(part.origin());
      if (seq >= part.lastSeq()) {
        fold(sums, part.origin(), part.lastSeq(), part.stamp(), part.sum());
      } else if (seq < part.firstSeq()) {
        restSpilled.add(part);
      } else {
        IncrementLog.Prefix gone = log.upTo(part.origin(), part.firstSeq(), seq);
        fold(sums, part.origin(), gone.last().dot().seq(), gone.last().stamp(), gone.sum());
        restSpilled.add(part.after(gone));
      }
    }
    List<Increment> rest = new ArrayList<>();
    for (Increment increment : increments) {
      Dot dot = increment.dot();
      if (stable.covers(dot)) {
        fold(sums, dot.origin(), dot.seq(), increment.stamp(), increment.delta());
      } else {
        rest.add(increment);
      }
    }
    sums.sort(Comparator.comparing(Folded::origin));
    return new Cell(writes, rest, List.copyOf(restSpilled), List.copyOf(sums), removed);
  }

  private boolean hasFoldable(VersionVector stable) {
    for (Spilled part : spilled) {
      if (stable.get(part.origin()) >= part.firstSeq()) {
        return true;
      }
    }
    for (Increment increment : increments) {
      if (stable.covers(increment.dot())) {
        return true;
      }
    }
    return false;
  }

  private static void fold(
      List<Folded> sums, Origin origin, long lastSeq, HybridTimestamp stamp, BigDecimal more) {
    for (int i = 0; i < sums.size(); i++) {
      Folded sum = sums.get(i);
      if (sum.origin().equals(origin)) {
        sums.set(i, new Folded(origin, lastSeq, stamp, plain(sum.sum().add(more))));
        return;
      }
    }
    sums.add(new Folded(origin, lastSeq, stamp, plain(more)));
  }

  /**
   * The same number with as few digits behind the point as it needs: equal sums are equal bytes.
   */
  static BigDecimal plain(BigDecimal sum) {
    if (sum.scale() == 0) {
      return sum;
    }
    BigDecimal stripped = sum.stripTrailingZeros();
    return stripped.scale() < 0 ? stripped.setScale(0) : stripped;
  }

  /**
   * This cell as it is to be stored where {@code before} is: what {@code rule} sends there has
   * moved to the log, and what the log no longer needs has left it.
   */
  public Cell stored(Cell before, SpillRule rule, IncrementLog log) {
    return Spilling.store(this, before, rule, log);
  }

  /** Where the increments of the origin at {@code from} end. */
  int endOfRun(int from) {
    Origin origin = increments.get(from).dot().origin();
    int to = from + 1;
    while (to < increments.size() && increments.get(to).dot().origin().equals(origin)) {
      to++;
    }
    return to;
  }

  // --- what it shows

  /** The visible write, or null if none survives. */
  public @Nullable Write winner() {
    if (writes.size() == 1) {
      return writes.get(0);
    }
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
    for (Spilled part : spilled) {
      sum = sum.add(part.sum());
    }
    for (Increment increment : increments) {
      sum = sum.add(increment.delta());
    }
    return sum;
  }

  /**
   * The newest of the surviving writes and each origin's last increment, with an empty value for
   * increments; null if nothing survives.
   */
  public @Nullable Write newest() {
    Write best = winner();
    for (Folded part : folded) {
      Dot last = new Dot(part.origin(), part.lastSeq());
      if (lastSeq(part.origin(), endOfRuns(part.origin())) == last.seq()) {
        best = newer(best, new Write(last, part.stamp(), Bytes.EMPTY));
      }
    }
    for (int from = 0; from < increments.size(); ) {
      int to = endOfRun(from);
      Increment last = increments.get(to - 1);
      best = newer(best, new Write(last.dot(), last.stamp(), Bytes.EMPTY));
      from = to;
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

  // --- byte form

  public void encode(ByteWriter out) {
    CellForm.encode(this, out);
  }

  /** About as many bytes as {@link #encode} writes: for a writer's capacity. */
  public int sizeExpected() {
    return CellForm.sizeExpected(this);
  }

  public static Cell decode(ByteReader in) {
    return CellForm.decode(in);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Cell that
        && writes.equals(that.writes)
        && increments.equals(that.increments)
        && spilled.equals(that.spilled)
        && folded.equals(that.folded)
        && removed.equals(that.removed);
  }

  @Override
  public int hashCode() {
    int hash = writes.hashCode() * 31 + increments.hashCode();
    return (hash * 31 + spilled.hashCode()) * 31 + folded.hashCode();
  }

  @Override
  public String toString() {
    return "Cell"
        + writes
        + increments
        + spilled
        + folded
        + (removed.isEmpty() ? "" : " removed " + removed);
  }
}
