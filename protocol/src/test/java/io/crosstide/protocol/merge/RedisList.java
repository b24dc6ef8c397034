package io.crosstide.protocol.merge;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.ListPosition;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A list as Redis holds it, each element with the position that capture knows it by: does what an
 * effect does to it, by content and neighbours only, and says what capture then says of it.
 */
public final class RedisList {
  /** As capture's shadow has it: where the list is out of order, a place is made. */
  private record Held(Bytes place, Bytes name, Bytes value) {}

  private static final Origin PLACES = new Origin(Origin.REGION_ID_MAX, Origin.SHARD_MAX, 0);

  private final List<Held> elements = new ArrayList<>();

  /**
   * What an effect did.
   *
   * @param changed the element that was inserted, removed or set; null for none
   * @param index of it: before a removal, else after
   * @param news of which elements capture has to say what Redis holds
   */
  public record Outcome(
      ListSemantics.Action action, @Nullable Bytes changed, int index, Set<Bytes> news) {}

  public RedisList copy() {
    RedisList copy = new RedisList();
    copy.elements.addAll(elements);
    return copy;
  }

  public int size() {
    return elements.size();
  }

  public List<Bytes> names() {
    return elements.stream().map(Held::name).toList();
  }

  public List<Bytes> values() {
    return elements.stream().map(Held::value).toList();
  }

  public Content content(Bytes name) {
    int index = names().indexOf(name);
    return index < 0 ? Content.ABSENT : Content.of(elements.get(index).value());
  }

  // --- clients

  /** The position of what a client puts before the element that is at {@code index} now. */
  public Bytes positionAt(int index, Origin origin, long write, ListPosition.Side side) {
    return ListPosition.between(place(index - 1), place(index), origin, write, side);
  }

  private @Nullable Bytes place(int index) {
    return index >= 0 && index < elements.size() ? elements.get(index).place() : null;
  }

  public void insert(int index, Bytes name, Bytes value) {
    Bytes place = sorts(index, name) ? name : made(index, index);
    elements.add(index, new Held(place, name, value));
  }

  /** A place between what is just before {@code from} and what is at {@code to}. */
  private Bytes made(int from, int to) {
    return ListPosition.between(
        place(from - 1), place(to), PLACES, 1, ListPosition.Side.AFTER_LEFT);
  }

  private boolean sorts(int index, Bytes name) {
    return isBetween(place(index - 1), name, place(index));
  }

  /** Sets the element, or puts it where its position sorts. */
  public void put(Bytes name, Bytes value) {
    int index = names().indexOf(name);
    if (index >= 0) {
      elements.set(index, new Held(elements.get(index).place(), name, value));
      return;
    }
    int at = 0;
    while (at < elements.size() && elements.get(at).place().compareTo(name) < 0) {
      at++;
    }
    insert(at, name, value);
  }

  public void remove(Bytes name) {
    elements.removeIf(held -> held.name().equals(name));
  }

  // --- effects

  /** Carries {@code effect} out; null if it misses. */
  public @Nullable Outcome apply(Element element, Effect effect) {
    ListSemantics.Step step = ListSemantics.find(values(), effect);
    if (step == null) {
      return null;
    }
    Bytes meant = element.name();
    int index = step.index();
    switch (step.action()) {
      case NOTHING -> {
        return new Outcome(step.action(), null, index, Set.of());
      }
      case INSERT -> {
        return inserted(meant, index, desired(effect));
      }
      default -> {}
    }
    int wanted = names().indexOf(meant);
    Held met = elements.get(index);
    boolean removes = step.action() == ListSemantics.Action.REMOVE;
    if (met.name().equals(meant) || (removes && wanted >= 0 && isOneRun(wanted, index))) {
      // Among equal elements side by side it is the same to everybody which one goes.
      change(removes ? wanted : index, removes ? null : desired(effect));
      return new Outcome(step.action(), meant, index, Set.of());
    }
    boolean beside = Math.abs(wanted - index) == 1;
    if (wanted >= 0 && !beside && elements.get(wanted).value().equals(met.value())) {
      // An equal one elsewhere: that is now the one meant, and this one where that was.
      Held other = elements.get(wanted);
      replace(wanted, met);
      replace(index, other);
      change(index, removes ? null : desired(effect));
      return new Outcome(step.action(), meant, index, Set.of(meant, met.name()));
    }
    change(index, removes ? null : desired(effect));
    return new Outcome(step.action(), met.name(), index, Set.of(meant, met.name()));
  }

  private void replace(int index, Held by) {
    Held out = elements.remove(index);
    insert(index, by.name(), out.value());
  }

  private void change(int index, @Nullable Bytes value) {
    Held held = elements.get(index);
    if (value == null) {
      elements.remove(index);
    } else {
      elements.set(index, new Held(held.place(), held.name(), value));
    }
  }

  private Outcome inserted(Bytes meant, int index, Bytes value) {
    if (names().contains(meant)) {
      // It was there, unseen by its owner. The second one is nobody's.
      Bytes nobodys = made(index, index);
      insert(index, nobodys, value);
      return new Outcome(ListSemantics.Action.INSERT, nobodys, index, Set.of(nobodys, meant));
    }
    int at = sortedAmongEquals(index, meant, value);
    Set<Bytes> news = new HashSet<>();
    if (!sorts(at, meant)) {
      int odd = oddBeside(at, meant);
      news.add(odd < 0 ? meant : elements.get(odd).name());
      if (odd >= 0) {
        // It sorts but for this one.
        Held out = elements.remove(odd);
        int gap = Math.min(at, odd);
        insert(gap, meant, value);
        insert(odd < at ? gap : gap + 1, out.name(), out.value());
        return new Outcome(ListSemantics.Action.INSERT, meant, at, news);
      }
    }
    insert(at, meant, value);
    return new Outcome(ListSemantics.Action.INSERT, meant, at, news);
  }

  /**
   * The index of the one element beside a gap without which {@code name} would sort there; or -1.
   */
  private int oddBeside(int at, Bytes name) {
    if (isBetween(place(at - 1), name, place(at + 1))) {
      return at;
    }
    return isBetween(place(at - 2), name, place(at)) ? at - 1 : -1;
  }

  private static boolean isBetween(@Nullable Bytes left, Bytes name, @Nullable Bytes right) {
    return (left == null || left.compareTo(name) < 0)
        && (right == null || name.compareTo(right) < 0);
  }

  private static Bytes desired(Effect effect) {
    return Objects.requireNonNull(((Effect.Put) effect).desired().value());
  }

  private boolean isOneRun(int one, int other) {
    for (int i = Math.min(one, other); i < Math.max(one, other); i++) {
      if (!elements.get(i).value().equals(elements.get(i + 1).value())) {
        return false;
      }
    }
    return true;
  }

  /** Among equal values any gap is the same: that where the position sorts, if there is one. */
  private int sortedAmongEquals(int index, Bytes name, Bytes value) {
    int at = index;
    while (at > 0 && name.compareTo(elements.get(at - 1).place()) < 0) {
      if (!elements.get(--at).value().equals(value)) {
        return index;
      }
    }
    while (at < elements.size() && name.compareTo(elements.get(at).place()) > 0) {
      if (!elements.get(at++).value().equals(value)) {
        return index;
      }
    }
    return at;
  }

  /** The element's index if it is not where its position sorts, else -1. */
  private int misplaced(Bytes name) {
    int index = names().indexOf(name);
    return index < 0 || elements.get(index).place().equals(name) ? -1 : index;
  }

  /** What capture says of an element of {@code key} now. */
  public Change.ListHolds holds(RedisKey key, Bytes name) {
    return new Change.ListHolds(key, name, content(name), misplaced(name));
  }
}
