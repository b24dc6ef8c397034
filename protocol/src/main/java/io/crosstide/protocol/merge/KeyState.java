package io.crosstide.protocol.merge;

import io.crosstide.crdt.ByteReader;
import io.crosstide.crdt.ByteWriter;
import io.crosstide.crdt.Cell;
import io.crosstide.crdt.Dot;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The header of one key: what concerns the key as a whole, and the cell of a string, so that a
 * string key is one row.
 *
 * <p>Mutable, confined to the event being merged; loaded from and stored to one row.
 */
public final class KeyState {
  /** The deadline of {@code PERSIST}: beats every other. */
  public static final long PERSIST = Long.MAX_VALUE;

  /**
   * A surviving write of the key's deadline (P6).
   *
   * @param at milliseconds since 1970, or {@link #PERSIST}
   * @param bound it came with the string value of the same dot and counts only while that value is
   *     visible
   */
  public record DeadlineWrite(Dot dot, long at, boolean bound) {}

  /**
   * A removal of everything that its context covers, for events still to come; elements with an
   * exception were seen only up to theirs.
   */
  public record Removal(VersionVector context, Map<String, VersionVector> exceptions) {
    VersionVector seen(Element element) {
      if (exceptions.isEmpty()) {
        return context;
      }
      return exceptions.getOrDefault(element.digest(), context);
    }
  }

  /** An expiry that is not stable yet: a conditional removal (P6). */
  public record Expiry(Dot dot, long deadlineMillis, Removal covers, boolean refuted) {}

  /**
   * A deadline set or taken away on purpose, as long as an expiry it had not seen may still come:
   * it refutes such an expiry, even if it has itself been superseded since, so that the order of
   * arrival makes no difference.
   */
  record DeadlineEvent(Dot dot, long at, VersionVector seen) {}

  Cell string = Cell.EMPTY;
  final List<DeadlineWrite> deadlines = new ArrayList<>();
  VersionVector deadlineRemoved = VersionVector.EMPTY;
  final List<Removal> removals = new ArrayList<>();
  final List<Expiry> expiries = new ArrayList<>();
  final List<DeadlineEvent> deadlineEvents = new ArrayList<>();

  /** The kinds in the order of their encoding; never reorder. */
  private static final List<ElementKind> KINDS =
      List.of(
          ElementKind.STRING,
          ElementKind.HASH_FIELD,
          ElementKind.SET_MEMBER,
          ElementKind.ZSET_MEMBER,
          ElementKind.LIST_ELEMENT,
          ElementKind.STREAM);

  /** Visible elements by kind. */
  private final long[] visible = new long[7];

  private static int place(ElementKind kind) {
    return switch (kind) {
      case STRING -> 0;
      case HASH_FIELD -> 1;
      case SET_MEMBER -> 2;
      case ZSET_MEMBER -> 3;
      case LIST_ELEMENT -> 4;
      case STREAM -> 5;
      case DEADLINE -> 6;
    };
  }

  /** Element rows of the key, visible or not. */
  long rows;

  public Cell string() {
    return string;
  }

  public List<DeadlineWrite> deadlines() {
    return deadlines;
  }

  public List<Expiry> expiries() {
    return expiries;
  }

  public long visibleCount(ElementKind kind) {
    return visible[place(kind)];
  }

  void addVisible(ElementKind kind, long more) {
    visible[place(kind)] += more;
  }

  /** The kind of all visible elements, or null if there are none or of several kinds. */
  @Nullable ElementKind onlyVisibleKind() {
    ElementKind only = null;
    for (ElementKind kind : KINDS) {
      if (visibleCount(kind) > 0) {
        if (only != null) {
          return null;
        }
        only = kind;
      }
    }
    return only;
  }

  boolean hasVisible() {
    for (ElementKind kind : KINDS) {
      if (visibleCount(kind) > 0) {
        return true;
      }
    }
    return false;
  }

  /** A removal whose events are still to come covers {@code dot} on {@code element}. */
  boolean isRemoved(Element element, Dot dot) {
    for (Removal removal : removals) {
      if (removal.seen(element).covers(dot)) {
        return true;
      }
    }
    return false;
  }

  /**
   * The expiries that take effect: those that no deadline they had not seen refutes (P6). Deadlines
   * bound to a string value do not refute: they live and die with that value.
   */
  List<Expiry> effectiveExpiries(Element deadlineElement) {
    if (expiries.isEmpty()) {
      return List.of();
    }
    List<Expiry> effective = new ArrayList<>();
    for (Expiry expiry : expiries) {
      if (!isRefuted(expiry, deadlineElement)) {
        effective.add(expiry);
      }
    }
    return effective;
  }

  /** What {@code effective} expiries hide of {@code element}. */
  static VersionVector hidden(List<Expiry> effective, Element element) {
    VersionVector hidden = VersionVector.EMPTY;
    for (Expiry expiry : effective) {
      hidden = hidden.join(expiry.covers().seen(element));
    }
    return hidden;
  }

  /** A deadline event concurrent with {@code expiry} says otherwise. */
  private boolean isRefuted(Expiry expiry, Element deadlineElement) {
    if (expiry.refuted()) {
      return true;
    }
    VersionVector seen = expiry.covers().seen(deadlineElement);
    for (DeadlineEvent event : deadlineEvents) {
      boolean sameLog = event.dot().origin().equals(expiry.dot().origin());
      boolean longer = event.at() > expiry.deadlineMillis();
      if (longer && !sameLog && !seen.covers(event.dot()) && !event.seen().covers(expiry.dot())) {
        return true;
      }
    }
    return false;
  }

  /**
   * Remembers a deadline event. It replaces those of its origin that had seen the same of the
   * others and were no longer: whatever they refute, it refutes.
   */
  void addDeadlineEvent(Dot dot, long at, VersionVector seen) {
    VersionVector others = seen.with(dot.origin(), 0);
    deadlineEvents.removeIf(
        event ->
            event.dot().origin().equals(dot.origin())
                && event.seen().equals(others)
                && event.at() <= at);
    deadlineEvents.add(new DeadlineEvent(dot, at, others));
    deadlineEvents.sort(Comparator.comparing(DeadlineEvent::dot));
  }

  /**
   * Forgets deadline events that every region has seen: no expiry to come is concurrent with them.
   */
  void settleDeadlineEvents(VersionVector stable, Element deadlineElement) {
    if (deadlineEvents.isEmpty()
        || deadlineEvents.stream().noneMatch(event -> stable.covers(event.dot()))) {
      return;
    }
    expiries.replaceAll(
        expiry ->
            new Expiry(
                expiry.dot(),
                expiry.deadlineMillis(),
                expiry.covers(),
                isRefuted(expiry, deadlineElement)));
    deadlineEvents.removeIf(event -> stable.covers(event.dot()));
  }

  /**
   * The deadline of the visible key, or 0 for none: none if any surviving write says so, else the
   * longest. Of deadlines bound to string values only that of {@code winner} counts.
   */
  long deadline(Element deadlineElement, Cell.@Nullable Write winner) {
    long longest = 0;
    for (DeadlineWrite write : deadlines) {
      if (write.bound() && (winner == null || !winner.dot().equals(write.dot()))) {
        continue;
      }
      boolean expired = false;
      for (Expiry expiry : expiries) {
        expired |= expiry.covers().seen(deadlineElement).covers(write.dot());
      }
      if (!expired) {
        longest = Math.max(longest, write.at());
      }
    }
    return longest == PERSIST ? 0 : longest;
  }

  void removeDeadlines(VersionVector seen) {
    if (!deadlines.isEmpty()) {
      deadlines.removeIf(write -> seen.covers(write.dot()));
    }
    deadlineRemoved = deadlineRemoved.join(seen);
  }

  /** A deadline that came with a string goes with it, whichever of the two was removed first. */
  void dropUnbound() {
    if (!deadlines.isEmpty()) {
      deadlines.removeIf(
          deadline ->
              deadline.bound()
                  && string.writes().stream()
                      .noneMatch(write -> write.dot().equals(deadline.dot())));
    }
  }

  void addDeadline(DeadlineWrite write, Element deadlineElement) {
    if (deadlineRemoved.covers(write.dot())
        || isRemoved(deadlineElement, write.dot())
        || deadlines.contains(write)) {
      return;
    }
    deadlines.add(write);
    deadlines.sort(Comparator.comparing(DeadlineWrite::dot));
  }

  void addRemoval(Removal removal) {
    if (removal.exceptions().isEmpty()) {
      for (int i = 0; i < removals.size(); i++) {
        if (removals.get(i).exceptions().isEmpty()) {
          removals.set(i, new Removal(removals.get(i).context().join(removal.context()), Map.of()));
          return;
        }
      }
    }
    removals.add(removal);
  }

  void addExpiry(Expiry expiry) {
    expiries.add(expiry);
    expiries.sort(Comparator.comparing(Expiry::dot));
  }

  /** Forgets what removals covered of events that have been received. */
  void prune(VersionVector received) {
    string = string.prune(received);
    deadlineRemoved = deadlineRemoved.beyond(received);
    if (removals.isEmpty()) {
      return;
    }
    List<Removal> pending = new ArrayList<>(removals.size());
    for (Removal removal : removals) {
      VersionVector beyond = removal.context().beyond(received);
      if (!beyond.isEmpty()) {
        pending.add(
            new Removal(
                removal.exceptions().isEmpty() ? beyond : removal.context(), removal.exceptions()));
      }
    }
    removals.clear();
    removals.addAll(pending);
  }

  /** All that is left of the key are deadline events, which go once they are stable. */
  boolean isOnlyDeadlineEvents() {
    return !deadlineEvents.isEmpty() && rows == 0 && string.isEmpty() && deadlines.isEmpty();
  }

  boolean isBlank() {
    return string.isBlank()
        && deadlines.isEmpty()
        && deadlineRemoved.isEmpty()
        && removals.isEmpty()
        && expiries.isEmpty()
        && rows == 0
        && deadlineEvents.isEmpty();
  }

  byte[] encode() {
    ByteWriter out = new ByteWriter(64 + string.sizeExpected());
    string.encode(out);
    for (ElementKind kind : KINDS) {
      out.varint(visibleCount(kind));
    }
    out.varint(rows);
    out.varint(deadlines.size());
    for (DeadlineWrite write : deadlines) {
      out.dot(write.dot()).varint(write.at()).u8(write.bound() ? 1 : 0);
    }
    out.vector(deadlineRemoved);
    out.varint(removals.size());
    for (Removal removal : removals) {
      encode(out, removal);
    }
    out.varint(expiries.size());
    for (Expiry expiry : expiries) {
      out.dot(expiry.dot()).varint(expiry.deadlineMillis());
      encode(out, expiry.covers());
      out.u8(expiry.refuted() ? 1 : 0);
    }
    out.varint(deadlineEvents.size());
    for (DeadlineEvent event : deadlineEvents) {
      out.dot(event.dot()).varint(event.at()).vector(event.seen());
    }
    return out.toByteArray();
  }

  private static void encode(ByteWriter out, Removal removal) {
    out.vector(removal.context()).varint(removal.exceptions().size());
    new TreeMap<>(removal.exceptions())
        .forEach((digest, context) -> out.text(digest).vector(context));
  }

  static KeyState decode(byte[] row) {
    ByteReader in = new ByteReader(row);
    KeyState state = new KeyState();
    state.string = Cell.decode(in);
    for (ElementKind kind : KINDS) {
      state.addVisible(kind, in.varint());
    }
    state.rows = in.varint();
    for (int n = in.count(); n > 0; n--) {
      state.deadlines.add(new DeadlineWrite(in.dot(), in.varint(), in.u8() == 1));
    }
    state.deadlineRemoved = in.vector();
    for (int n = in.count(); n > 0; n--) {
      state.removals.add(decodeRemoval(in));
    }
    for (int n = in.count(); n > 0; n--) {
      state.expiries.add(new Expiry(in.dot(), in.varint(), decodeRemoval(in), in.u8() == 1));
    }
    for (int n = in.count(); n > 0; n--) {
      state.deadlineEvents.add(new DeadlineEvent(in.dot(), in.varint(), in.vector()));
    }
    return state;
  }

  private static Removal decodeRemoval(ByteReader in) {
    VersionVector context = in.vector();
    Map<String, VersionVector> exceptions = new TreeMap<>();
    for (int n = in.count(); n > 0; n--) {
      exceptions.put(in.text(), in.vector());
    }
    return new Removal(context, exceptions);
  }
}
