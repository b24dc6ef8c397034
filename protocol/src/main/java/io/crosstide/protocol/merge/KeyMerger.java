package io.crosstide.protocol.merge;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Cell;
import io.crosstide.crdt.Dot;
import io.crosstide.crdt.IncrementLog;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.StreamElements;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Merges one event into the rows of its key and tells which elements' merged content it touched.
 * Idempotent only together with the caller's rule that each event is merged once, in its origin's
 * order.
 *
 * <p>An event on one element reads and writes the key's header and that element's row, however many
 * there are. Whole-key changes, a change of the visible type and an expiry read every row of the
 * key, in chunks.
 */
final class KeyMerger {
  /**
   * Told, for every element that the event touched, what was and what is now to be seen; the
   * deadline last.
   */
  interface Visitor {
    /**
     * @param addressed the event is about this element, even if nothing changed
     */
    void touched(Element element, Content before, Content after, boolean addressed);
  }

  /** Told of conflicts: writes of which one is not to be seen. */
  interface ConflictListener {
    void conflict(ChangeEvent event, Element element);
  }

  private final RowStore rows;
  private final CellRows cells;
  private final KeyView view;
  private final ConflictListener conflicts;

  /** What is being merged now, or null. */
  private @Nullable Work merging;

  /**
   * What of a key is to be seen.
   *
   * @param kind null: nothing
   */
  record Shown(@Nullable ElementKind kind, List<KeyState.Expiry> hiding) {}

  KeyMerger(RowStore rows, CellRows cells, ConflictListener conflicts) {
    this.rows = rows;
    this.cells = cells;
    view = new KeyView(rows, cells);
    this.conflicts = conflicts;
  }

  /** A loaded key with what is needed to tell before from after. */
  private final class Work {
    final ChangeEvent event;
    final RedisKey key;
    final Element stringElement;
    final Element deadlineElement;
    final KeyState state;
    final Cell stringStored;
    final VersionVector merged;
    final VersionVector stable;
    final boolean existed;
    final byte[] rowKey;
    private @Nullable VersionVector seen;
    Content deadlineBefore = Content.ABSENT;
    @Nullable ElementKind kindBefore;
    @Nullable ElementKind kindAfter;
    List<KeyState.Expiry> hidingBefore = List.of();
    List<KeyState.Expiry> hidingAfter = List.of();

    Work(
        ChangeEvent event,
        RedisKey key,
        byte[] rowKey,
        KeyState state,
        boolean existed,
        VersionVector merged,
        VersionVector stable) {
      this.event = event;
      this.key = key;
      this.rowKey = rowKey;
      this.state = state;
      stringStored = state.string;
      this.existed = existed;
      this.merged = merged;
      this.stable = stable;
      stringElement = Element.string(key);
      deadlineElement = Element.deadline(key);
    }

    /** What the event's writer had seen of {@code element}. */
    VersionVector seen(Element element) {
      if (!event.exceptions().isEmpty()) {
        return event.seen(element);
      }
      VersionVector known = seen;
      if (known == null) {
        known = event.seen();
        seen = known;
      }
      return known;
    }

    /** Remembers for events still to come that this one removed what it had seen of the key. */
    void addRemoval(Map<String, VersionVector> exceptions) {
      VersionVector context = event.exceptions().isEmpty() ? seen(stringElement) : event.seen();
      if (!merged.dominates(context)) {
        state.addRemoval(new KeyState.Removal(context, exceptions));
      }
    }

    /**
     * Up to where increments may fold: not while an expiry is unsettled, which may hide some of an
     * origin's increments and not the others.
     */
    VersionVector foldable() {
      return state.expiries.isEmpty() ? stable : VersionVector.EMPTY;
    }

    /** The visible kind changed from one type to another. */
    boolean kindChanged() {
      return kindBefore != null && kindAfter != null && kindBefore != kindAfter;
    }

    ElementKind before() {
      return Objects.requireNonNull(kindBefore);
    }

    ElementKind after() {
      return Objects.requireNonNull(kindAfter);
    }

    Content content(Element element, Cell cell, List<KeyState.Expiry> hiding) {
      return Visible.of(element.kind(), view.without(element, cell, hiding));
    }

    Content deadline() {
      if (!state.hasVisible()) {
        return Content.ABSENT;
      }
      Cell visible = view.without(stringElement, state.string, hidingAfter);
      long at =
          state.deadline(
              deadlineElement, kindAfter == ElementKind.STRING ? visible.winner() : null);
      return at == 0 ? Content.ABSENT : Content.deadline(at);
    }
  }

  /** What is to be seen in the same rows. */
  KeyView view() {
    return view;
  }

  /**
   * Merges {@code event}.
   *
   * @param merged per origin the last seq merged, this event included
   * @param stable what every region has seen
   */
  void merge(ChangeEvent event, VersionVector merged, VersionVector stable, Visitor visitor) {
    RedisKey key = Objects.requireNonNull(event.key(), "only writes are merged");
    byte[] rowKey = RowKeys.header(key);
    byte[] header = rows.get(rowKey);
    KeyState state = header == null ? new KeyState() : KeyState.decode(header);
    Work work = new Work(event, key, rowKey, state, header != null, merged, stable);
    state.settleDeadlineEvents(stable, work.deadlineElement);
    work.hidingBefore = state.effectiveExpiries(work.deadlineElement);
    work.kindBefore = view.visibleKind(key, state, work.hidingBefore);
    work.hidingAfter = work.hidingBefore;
    work.kindAfter = work.kindBefore;
    work.deadlineBefore = work.deadline();
    merging = work;

    if (event.change() instanceof Change.OfElement change
        && change.kind() != ElementKind.DEADLINE) {
      mergeElement(work, change, visitor);
    } else {
      mergeKey(work, visitor);
    }

    Content deadlineAfter = work.deadline();
    if (work.kindChanged()) {
      work.deadlineBefore = Content.ABSENT; // it went with the old type
    }
    boolean addressed =
        event.change() instanceof Change.StringSet
            || (event.change() instanceof Change.OfElement of && of.kind() == ElementKind.DEADLINE);
    if (!work.deadlineBefore.equals(deadlineAfter)
        || (addressed && !deadlineAfter.isAbsent())
        || (event.change() instanceof Change.KeyExpire && !deadlineAfter.isAbsent())
        || setsDeadline(event.change())) {
      visitor.touched(work.deadlineElement, work.deadlineBefore, deadlineAfter, addressed);
    }
    store(work);
    merging = null;
  }

  /**
   * What is to be seen of {@code key}; while an event on it is merged, what was to be seen before
   * it.
   */
  Shown shownBefore(RedisKey key) {
    Work work = merging;
    if (work != null && work.key.equals(key)) {
      return new Shown(work.kindBefore, work.hidingBefore);
    }
    KeyState state = view.load(key);
    List<KeyState.Expiry> hiding = state.effectiveExpiries(Element.deadline(key));
    return new Shown(view.visibleKind(key, state, hiding), hiding);
  }

  // --- events on one element
  // ---------------------------------------------------------------------------------------------------------

  private void mergeElement(Work work, Change.OfElement change, Visitor visitor) {
    if (work.event.createsKey()) {
      work.state.removeDeadlines(work.event.seen());
      work.state.deadlineRemoved = work.state.deadlineRemoved.beyond(work.merged);
    }
    Element element = new Element(work.key, change.kind(), change.name());
    boolean inHeader = element.kind() == ElementKind.STRING;
    Cell stored = inHeader ? work.state.string : work.state.rows == 0 ? null : cells.load(element);
    Cell before = stored == null ? Cell.EMPTY : stored;
    Cell after =
        apply(work, element, before).prune(work.merged).fold(work.foldable(), cells.log(element));
    Content shownBefore = work.content(element, before, work.hidingBefore);
    Content shownAfter = work.content(element, after, work.hidingAfter);
    if (inHeader) {
      work.state.string = after;
    } else {
      storeCell(work, element, stored != null, before, after);
    }
    count(work, element.kind(), shownBefore, shownAfter);
    noteConflict(work, element, after);

    work.kindAfter = view.visibleKind(work.key, work.state, work.hidingAfter);
    if (work.kindChanged()) {
      changeKind(work, element, shownBefore, shownAfter, visitor);
      return;
    }
    visitor.touched(
        element,
        element.kind() == work.kindBefore ? shownBefore : Content.ABSENT,
        element.kind() == work.kindAfter ? shownAfter : Content.ABSENT,
        true);
    dropStream(work, visitor);
  }

  /**
   * The key is a stream no more: Redis would keep it, empty, so that it has to go on purpose, also
   * where that it was there never was an event of its own.
   */
  private static void dropStream(Work work, Visitor visitor) {
    if (work.kindBefore == ElementKind.STREAM && work.kindAfter != ElementKind.STREAM) {
      visitor.touched(
          new Element(work.key, ElementKind.STREAM, StreamElements.STREAM),
          Content.PRESENT,
          Content.ABSENT,
          true); // a check of its absence removes it as well: entries make it again unasked
    }
  }

  private static void clearDeadline(Work work, Visitor visitor) {
    if (!work.deadlineBefore.isAbsent()) {
      visitor.touched(work.deadlineElement, work.deadlineBefore, Content.ABSENT, false);
    }
  }

  /**
   * The visible type changed: everything of the old type goes, then everything of the new one
   * comes, for Redis refuses an element while the key has another type.
   */
  private void changeKind(
      Work work, Element changed, Content shownBefore, Content shownAfter, Visitor visitor) {
    clearDeadline(work, visitor);
    for (ElementKind kind : List.of(work.before(), work.after())) {
      if (changed.kind() == kind) {
        visitKinds(work, changed, shownBefore, shownAfter, true, visitor);
      }
      if (kind == ElementKind.STRING) {
        if (changed.kind() != ElementKind.STRING) {
          Content shown = work.content(work.stringElement, work.state.string, work.hidingAfter);
          visitKinds(work, work.stringElement, shown, shown, false, visitor);
        }
      } else {
        cells.forEach(
            work.key,
            (element, cell) -> {
              if (element.kind() == kind && !element.equals(changed)) {
                Content shown = work.content(element, cell, work.hidingAfter);
                visitKinds(work, element, shown, shown, false, visitor);
              }
            });
      }
      if (kind == work.before()) {
        dropStream(work, visitor);
      }
    }
    if (changed.kind() != work.kindBefore && changed.kind() != work.kindAfter) {
      visitKinds(work, changed, shownBefore, shownAfter, true, visitor);
    }
  }

  private static void visitKinds(
      Work work,
      Element element,
      Content shownBefore,
      Content shownAfter,
      boolean addressed,
      Visitor visitor) {
    Content before = element.kind() == work.kindBefore ? shownBefore : Content.ABSENT;
    Content after = element.kind() == work.kindAfter ? shownAfter : Content.ABSENT;
    // What an expiry leaves standing because a deadline refutes it is gone from the Redis that
    // expired it all the same.
    boolean refuted = work.event.change() instanceof Change.KeyExpire && !before.isAbsent();
    if (addressed || refuted || !before.equals(after)) {
      visitor.touched(element, before, after, addressed);
    }
  }

  private Cell apply(Work work, Element element, Cell cell) {
    ChangeEvent event = work.event;
    Change change = event.change();
    Dot dot = event.dot();
    boolean removed = work.state.isRemoved(element, dot);
    if (change instanceof Change.StringAdd add) {
      return removed ? cell : cell.increment(dot, event.stamp(), add.delta());
    } else if (change instanceof Change.HashAdd add) {
      return removed ? cell : cell.increment(dot, event.stamp(), add.delta());
    } else if (change instanceof Change.ZsetAdd add) {
      if (Double.isFinite(add.from()) && Double.isFinite(add.to())) {
        BigDecimal delta = new BigDecimal(add.to()).subtract(new BigDecimal(add.from()));
        return removed ? cell : cell.increment(dot, event.stamp(), delta);
      }
      return write(work, cell, element, Bytes.utf8(Content.formatScore(add.to())), removed);
    } else if (change instanceof Change.HashPut put) {
      return write(work, cell, element, put.value(), removed);
    } else if (change instanceof Change.ListPut put) {
      return write(work, cell, element, put.value(), removed);
    } else if (change instanceof Change.StreamPut put) {
      return write(work, cell, element, put.value(), removed);
    } else if (change instanceof Change.StreamRemove remove) {
      return cell.remove(deleted(work.seen(element), remove), cells.log(element));
    } else if (change instanceof Change.SetAdd) {
      return write(work, cell, element, Bytes.EMPTY, removed);
    } else if (change instanceof Change.ZsetPut put) {
      return write(work, cell, element, Bytes.utf8(Content.formatScore(put.score())), removed);
    }
    return cell.remove(work.seen(element), cells.log(element)); // the removals
  }

  /** What of {@code seen} the removal is about: of several entries with one id perhaps not all. */
  private static VersionVector deleted(VersionVector seen, Change.StreamRemove remove) {
    VersionVector deleted = seen;
    for (Origin origin : seen.origins()) {
      if (!remove.deletes(origin.regionId())) {
        deleted = deleted.with(origin, 0);
      }
    }
    return deleted;
  }

  private Cell write(Work work, Cell cell, Element element, Bytes value, boolean removed) {
    ChangeEvent event = work.event;
    VersionVector seen = work.seen(element);
    IncrementLog log = cells.log(element);
    return removed
        ? cell.remove(seen, log)
        : cell.write(event.dot(), event.stamp(), value, seen, log);
  }

  private void noteConflict(Work work, Element element, Cell after) {
    if (StreamElements.isUnguarded(element)) {
      return; // of concurrent positions the furthest is right
    }
    Dot dot = work.event.dot();
    // The second first: it is rare, and mostly told at once.
    if ((Visible.hasLosers(element.kind(), after) || Visible.dropsIncrements(element.kind(), after))
        && (after.writes().stream().anyMatch(w -> w.dot().equals(dot))
            || after.increments().stream().anyMatch(i -> i.dot().equals(dot)))) {
      conflicts.conflict(work.event, element);
    }
  }

  // --- events on the whole key
  // -------------------------------------------------------------------------------------------------------

  private void mergeKey(Work work, Visitor visitor) {
    KeyState state = work.state;
    ChangeEvent event = work.event;
    Change change = event.change();
    final Cell stringBefore = state.string;
    final Content shownBefore = work.content(work.stringElement, stringBefore, work.hidingBefore);
    boolean removesRows = change instanceof Change.StringSet || change instanceof Change.KeyDelete;

    if (change instanceof Change.StringSet set) {
      mergeStringSet(work, set);
    } else if (change instanceof Change.KeyDelete) {
      state.string =
          state.string.remove(work.seen(work.stringElement), cells.log(work.stringElement));
      state.removeDeadlines(work.seen(work.deadlineElement));
      work.addRemoval(exceptions(event));
    } else if (change instanceof Change.KeyExpire expire) {
      state.addExpiry(
          new KeyState.Expiry(
              event.dot(),
              expire.deadlineMillis(),
              new KeyState.Removal(event.seen(), exceptions(event)),
              false));
      rows.put(RowKeys.waiting('S', event.dot(), work.rowKey), new byte[0]);
    } else {
      mergeDeadline(work, change);
    }
    state.prune(work.merged);
    state.string = state.string.fold(work.foldable(), cells.log(work.stringElement));
    work.hidingAfter = state.effectiveExpiries(work.deadlineElement);
    boolean hidingChanged = !work.hidingAfter.equals(work.hidingBefore);

    Content shownAfter = work.content(work.stringElement, state.string, work.hidingAfter);
    count(work, ElementKind.STRING, shownBefore, shownAfter);
    boolean rowsTouched =
        state.rows > 0 && (removesRows || hidingChanged || change instanceof Change.KeyExpire);
    if (rowsTouched) {
      work.kindAfter = kindAfterRows(work, removesRows);
    } else {
      work.kindAfter = view.visibleKind(work.key, state, work.hidingAfter);
    }
    boolean addressed = change instanceof Change.StringSet;
    boolean rowsVisited = rowsTouched || (work.kindChanged() && state.rows > 0);
    boolean stringFirst = work.kindBefore == ElementKind.STRING;
    if (work.kindChanged()) {
      clearDeadline(work, visitor);
    }
    if (stringFirst) {
      visitKinds(work, work.stringElement, shownBefore, shownAfter, addressed, visitor);
    }
    if (rowsVisited) {
      visitRows(work, removesRows, visitor);
    }
    if (!stringFirst) {
      visitKinds(work, work.stringElement, shownBefore, shownAfter, addressed, visitor);
    }
    if (change instanceof Change.StringSet) {
      noteConflict(work, work.stringElement, state.string);
    }
  }

  private static boolean setsDeadline(Change change) {
    return change instanceof Change.DeadlineSet
        || (change instanceof Change.StringSet set && set.deadlineMillis() > 0);
  }

  private void mergeStringSet(Work work, Change.StringSet set) {
    KeyState state = work.state;
    ChangeEvent event = work.event;
    boolean removed = state.isRemoved(work.stringElement, event.dot());
    boolean deadlineLives = !state.isRemoved(work.deadlineElement, event.dot());
    state.string = write(work, state.string, work.stringElement, set.value(), removed);
    Map<String, VersionVector> exceptions = exceptions(event);
    if (set.keepsDeadline()) {
      exceptions.put(work.deadlineElement.digest(), VersionVector.EMPTY);
    } else {
      state.removeDeadlines(work.seen(work.deadlineElement));
    }
    if (set.deadlineMillis() > 0 && !removed && deadlineLives) {
      state.addDeadline(
          new KeyState.DeadlineWrite(event.dot(), set.deadlineMillis(), true),
          work.deadlineElement);
    }
    work.addRemoval(exceptions);
    state.dropUnbound();
  }

  private static void mergeDeadline(Work work, Change change) {
    KeyState state = work.state;
    state.removeDeadlines(work.event.seen(work.deadlineElement));
    long at =
        change instanceof Change.DeadlineSet set
            ? set.deadlineMillis()
            : change instanceof Change.DeadlinePersist ? KeyState.PERSIST : 0;
    if (at > 0) {
      VersionVector seen = work.event.seen(work.deadlineElement);
      state.addDeadlineEvent(work.event.dot(), at, seen);
      state.addDeadline(
          new KeyState.DeadlineWrite(work.event.dot(), at, false), work.deadlineElement);
    }
  }

  private static Map<String, VersionVector> exceptions(ChangeEvent event) {
    Map<String, VersionVector> exceptions = new TreeMap<>();
    event
        .exceptions()
        .forEach(
            (digest, missed) ->
                exceptions.put(
                    digest,
                    missed
                        .context()
                        .with(
                            event.origin(),
                            Math.max(event.seq() - 1, missed.context().get(event.origin())))));
    return exceptions;
  }

  private Cell after(Work work, boolean removesRows, Element element, Cell cell) {
    IncrementLog log = cells.log(element);
    return (removesRows ? cell.remove(work.event.seen(element), log) : cell)
        .prune(work.merged)
        .fold(work.foldable(), log);
  }

  /**
   * Looks ahead: which type will be visible once the event has been applied to every row. Changes
   * only the counts.
   */
  private @Nullable ElementKind kindAfterRows(Work work, boolean removesRows) {
    NewestKind newest = new NewestKind();
    cells.forEach(
        work.key,
        (element, cell) -> {
          Cell after =
              view.without(element, after(work, removesRows, element, cell), work.hidingAfter);
          Content shownBefore = work.content(element, cell, work.hidingBefore);
          Content shownAfter = Visible.of(element.kind(), after);
          count(work, element.kind(), shownBefore, shownAfter);
          newest.add(element.kind(), after);
        });
    newest.add(
        ElementKind.STRING, view.without(work.stringElement, work.state.string, work.hidingAfter));
    return newest.get();
  }

  private void visitRows(Work work, boolean removesRows, Visitor visitor) {
    cells.forEach(
        work.key,
        (element, cell) -> {
          Cell after = after(work, removesRows, element, cell);
          if (!after.equals(cell)) {
            storeCell(work, element, true, cell, after);
          }
          if (!work.kindChanged() || element.kind() != work.kindAfter) {
            Content shownBefore = work.content(element, cell, work.hidingBefore);
            Content shownAfter = work.content(element, after, work.hidingAfter);
            visitKinds(work, element, shownBefore, shownAfter, false, visitor);
          }
        });
    dropStream(work, visitor);
    if (work.kindChanged() && work.kindAfter != ElementKind.STRING) {
      cells.forEach(
          work.key,
          (element, cell) -> {
            if (element.kind() == work.kindAfter) {
              Content shown = work.content(element, cell, work.hidingAfter);
              visitKinds(work, element, shown, shown, false, visitor);
            }
          });
    }
  }

  private static void count(Work work, ElementKind kind, Content before, Content after) {
    if (before.isAbsent() != after.isAbsent()) {
      work.state.addVisible(kind, after.isAbsent() ? -1 : 1);
    }
  }

  // --- rows
  // --------------------------------------------------------------------------------------------------------------------------

  private void storeCell(Work work, Element element, boolean existed, Cell before, Cell after) {
    if (!existed && after.isBlank()) {
      return;
    }
    boolean stays = cells.store(element, before, after);
    if (stays != existed) {
      work.state.rows += stays ? 1 : -1;
    }
    if (stays) {
      waitFor(after.removed(), before.removed(), RowKeys.element(element));
    }
  }

  private void store(Work work) {
    KeyState state = work.state;
    byte[] rowKey = work.rowKey;
    state.string = cells.spill(work.stringElement, work.stringStored, state.string);
    if (state.isBlank()) {
      if (work.existed) {
        rows.delete(rowKey);
      }
      return;
    }
    rows.put(rowKey, state.encode());
    if (state.isOnlyDeadlineEvents()) {
      for (KeyState.DeadlineEvent event : state.deadlineEvents) {
        rows.put(RowKeys.waiting('S', event.dot(), rowKey), new byte[0]);
      }
    }
    VersionVector waits = state.string.removed().join(state.deadlineRemoved);
    for (KeyState.Removal removal : state.removals) {
      waits = waits.join(removal.context().beyond(work.merged));
    }
    waitFor(waits, VersionVector.EMPTY, rowKey);
  }

  /** Has the row visited again once the events that its removals wait for have been received. */
  private void waitFor(VersionVector pending, VersionVector known, byte[] rowKey) {
    for (int i = 0; i < pending.size(); i++) {
      if (known.get(pending.packedOriginAt(i)) < pending.seqAt(i)) {
        rows.put(
            RowKeys.waiting('G', new Dot(pending.originAt(i), pending.seqAt(i)), rowKey),
            new byte[0]);
      }
    }
  }
}
