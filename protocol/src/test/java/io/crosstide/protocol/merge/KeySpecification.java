package io.crosstide.protocol.merge;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Cell;
import io.crosstide.crdt.Dot;
import io.crosstide.crdt.IncrementLog;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What one key shows after a set of events, by definition and without any order of arrival: a write
 * or increment survives if no removal and no effective expiry among the events had seen it.
 */
final class KeySpecification {
  private final List<ChangeEvent> events;
  private final List<ChangeEvent> effectiveExpiries = new ArrayList<>();

  private KeySpecification(List<ChangeEvent> events) {
    this.events = events;
    for (ChangeEvent event : events) {
      if (event.change() instanceof Change.KeyExpire expire && !isRefuted(event, expire)) {
        effectiveExpiries.add(event);
      }
    }
  }

  /** Present elements with what they show, the deadline among them. */
  static Map<Element, Content> shown(List<ChangeEvent> events) {
    return new KeySpecification(events).shown();
  }

  private Map<Element, Content> shown() {
    Map<Element, Cell> survivors = new TreeMap<>();
    for (Element element : KeyHistory.ELEMENTS) {
      Cell cell = survivors(element);
      if (!Visible.of(element.kind(), cell).isAbsent()) {
        survivors.put(element, cell);
      }
    }
    ElementKind kind = kind(survivors);
    Map<Element, Content> shown = new TreeMap<>();
    survivors.forEach(
        (element, cell) -> {
          if (element.kind() == kind) {
            shown.put(element, Visible.of(kind, cell));
          }
        });
    Cell string = survivors.get(KeyHistory.STRING);
    long deadline = deadline(kind == ElementKind.STRING && string != null ? string.winner() : null);
    if (kind != null && deadline != 0) {
      shown.put(KeyHistory.DEADLINE, Content.deadline(deadline));
    }
    return shown;
  }

  private static @Nullable ElementKind kind(Map<Element, Cell> survivors) {
    ElementKind kind = null;
    Cell.Write newest = null;
    for (Map.Entry<Element, Cell> survivor : survivors.entrySet()) {
      Cell.Write candidate = survivor.getValue().newest();
      if (newest == null || Cell.NEWEST_FIRST.compare(candidate, newest) < 0) {
        newest = candidate;
        kind = survivor.getKey().kind();
      }
    }
    return kind;
  }

  private Cell survivors(Element element) {
    Cell cell = Cell.EMPTY;
    for (ChangeEvent event : events) {
      Dot dot = event.dot();
      if (isRemoved(element, dot) || isHidden(element, dot)) {
        continue;
      }
      Bytes value = written(event, element);
      BigDecimal delta = added(event, element);
      if (value != null) {
        cell = cell.write(dot, event.stamp(), value, VersionVector.EMPTY, IncrementLog.NONE);
      } else if (delta != null) {
        cell = cell.increment(dot, event.stamp(), delta);
      }
    }
    return cell;
  }

  private static @Nullable Bytes written(ChangeEvent event, Element element) {
    Change change = event.change();
    if (change instanceof Change.StringSet set) {
      return element.equals(KeyHistory.STRING) ? set.value() : null;
    }
    if (!element.equals(event.element())) {
      return null;
    }
    if (change instanceof Change.HashPut put) {
      return put.value();
    } else if (change instanceof Change.SetAdd) {
      return Bytes.EMPTY;
    } else if (change instanceof Change.ZsetPut put) {
      return Bytes.utf8(Content.formatScore(put.score()));
    }
    return null;
  }

  private static @Nullable BigDecimal added(ChangeEvent event, Element element) {
    Change change = event.change();
    if (!element.equals(event.element())) {
      return null;
    } else if (change instanceof Change.StringAdd add) {
      return add.delta();
    } else if (change instanceof Change.HashAdd add) {
      return add.delta();
    } else if (change instanceof Change.ZsetAdd add) {
      return BigDecimal.valueOf(add.to()).subtract(BigDecimal.valueOf(add.from()));
    }
    return null;
  }

  private boolean isRemoved(Element element, Dot dot) {
    return events.stream()
        .anyMatch(
            event ->
                (event.change() instanceof Change.StringSet
                        || event.change() instanceof Change.KeyDelete
                        || (element.equals(event.element()) && added(event, element) == null))
                    && event.seen(element).covers(dot));
  }

  private boolean isHidden(Element element, Dot dot) {
    return effectiveExpiries.stream().anyMatch(expiry -> expiry.seen(element).covers(dot));
  }

  /** A longer deadline of another region, of which the expiry and which of the expiry knew not. */
  private boolean isRefuted(ChangeEvent expiry, Change.KeyExpire expire) {
    return events.stream()
        .anyMatch(
            event ->
                ownDeadline(event) > expire.deadlineMillis()
                    && !event.origin().equals(expiry.origin())
                    && !expiry.seen(KeyHistory.DEADLINE).covers(event.dot())
                    && !event.seen(KeyHistory.DEADLINE).covers(expiry.dot()));
  }

  /** The deadline that an event sets by itself, not with a string; 0 for none. */
  private static long ownDeadline(ChangeEvent event) {
    return event.change() instanceof Change.DeadlineSet set
        ? set.deadlineMillis()
        : event.change() instanceof Change.DeadlinePersist ? KeyState.PERSIST : 0;
  }

  private long deadline(Cell.@Nullable Write winner) {
    long longest = 0;
    for (ChangeEvent event : events) {
      long at = ownDeadline(event);
      if (event.change() instanceof Change.StringSet set
          && winner != null
          && winner.dot().equals(event.dot())) {
        at = set.deadlineMillis();
      }
      if (at > longest && !isDeadlineRemoved(event.dot())) {
        longest = at;
      }
    }
    return longest == KeyState.PERSIST ? 0 : longest;
  }

  private boolean isDeadlineRemoved(Dot dot) {
    return events.stream()
        .anyMatch(
            event ->
                (event.createsKey() && event.seen().covers(dot))
                    || (removesDeadlines(event) && event.seen(KeyHistory.DEADLINE).covers(dot)));
  }

  private static boolean removesDeadlines(ChangeEvent event) {
    return KeyHistory.DEADLINE.equals(event.element())
        || event.change() instanceof Change.KeyDelete
        || event.change() instanceof Change.KeyExpire
        || (event.change() instanceof Change.StringSet set && !set.keepsDeadline());
  }
}
