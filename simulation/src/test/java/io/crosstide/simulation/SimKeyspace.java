package io.crosstide.simulation;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.EffectSemantics;
import io.crosstide.protocol.merge.RedisList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Typed keys with deadlines, as Redis holds them. Knows no time: nothing expires by itself. */
final class SimKeyspace {
  /** A key as Redis holds it. */
  static final class Value {
    final ElementKind kind;
    final TreeMap<Bytes, Content> elements = new TreeMap<>();

    /** Of a list, the order of its elements. */
    RedisList list = new RedisList();

    long deadline;

    Value(ElementKind kind) {
      this.kind = kind;
    }

    Value copy() {
      Value copy = new Value(kind);
      copy.elements.putAll(elements);
      copy.list = list.copy();
      copy.deadline = deadline;
      return copy;
    }
  }

  private final TreeMap<RedisKey, Value> keys = new TreeMap<>();

  SimKeyspace copy() {
    SimKeyspace copy = new SimKeyspace();
    keys.forEach((key, value) -> copy.keys.put(key, value.copy()));
    return copy;
  }

  /** Holds from now on what {@code other} does. */
  void become(SimKeyspace other) {
    SimKeyspace copy = other.copy();
    keys.clear();
    keys.putAll(copy.keys);
  }

  @Nullable Value value(RedisKey key) {
    return keys.get(key);
  }

  List<RedisKey> names() {
    return List.copyOf(keys.keySet());
  }

  void remove(RedisKey key) {
    keys.remove(key);
  }

  Content content(Element element) {
    Value value = keys.get(element.key());
    if (value == null) {
      return Content.ABSENT;
    }
    if (element.kind() == ElementKind.DEADLINE) {
      return value.deadline == 0 ? Content.ABSENT : Content.deadline(value.deadline);
    }
    return value.kind == element.kind()
        ? value.elements.getOrDefault(element.name(), Content.ABSENT)
        : Content.ABSENT;
  }

  /** Every element of one key. */
  Map<Element, Content> contents(RedisKey key) {
    Map<Element, Content> all = new TreeMap<>();
    Value value = keys.get(key);
    if (value != null) {
      value.elements.forEach(
          (name, content) -> all.put(new Element(key, value.kind, name), content));
      if (value.deadline != 0) {
        all.put(Element.deadline(key), Content.deadline(value.deadline));
      }
    }
    return all;
  }

  /** Every element. */
  Map<Element, Content> contents() {
    Map<Element, Content> all = new TreeMap<>();
    keys.keySet().forEach(key -> all.putAll(contents(key)));
    return all;
  }

  // --- clients' changes
  // --------------------------------------------------------------------------------------------------------------

  /** Applies a client's change; true if it emptied a key that had a deadline. */
  boolean apply(SimRedis.KeyChange keyChange) {
    RedisKey key = keyChange.key();
    Change change = keyChange.change();
    if (change instanceof Change.StringSet set) {
      Value old = keys.get(key);
      Value value = new Value(ElementKind.STRING);
      value.elements.put(Bytes.EMPTY, Content.of(set.value()));
      value.deadline = set.keepsDeadline() && old != null ? old.deadline : set.deadlineMillis();
      keys.put(key, value);
    } else if (change instanceof Change.KeyDelete || change instanceof Change.KeyExpire) {
      keys.remove(key);
    } else if (change instanceof Change.DeadlineSet set) {
      present(key).deadline = set.deadlineMillis();
    } else if (change instanceof Change.DeadlinePersist) {
      present(key).deadline = 0;
    } else if (change instanceof Change.DeadlineRemove) {
      if (keys.containsKey(key)) {
        throw new IllegalStateException(key + " is there, but its deadline went with it");
      }
    } else if (change instanceof Change.OfElement of) {
      if (of instanceof Change.ListPut put && keyChange.at() >= 0) {
        insert(key, put, keyChange.at());
        return false;
      }
      return applyElement(key, of);
    }
    return false;
  }

  private Value present(RedisKey key) {
    Value value = keys.get(key);
    if (value == null) {
      throw new IllegalStateException("no key " + key);
    }
    return value;
  }

  private boolean applyElement(RedisKey key, Change.OfElement change) {
    Value value = keys.computeIfAbsent(key, k -> new Value(change.kind()));
    if (value.kind != change.kind()) {
      throw new IllegalStateException(change + " of " + key + ", which is a " + value.kind);
    }
    Content before = value.elements.getOrDefault(change.name(), Content.ABSENT);
    Content after;
    if (change instanceof Change.HashPut put) {
      after = Content.of(put.value());
    } else if (change instanceof Change.ListPut put) {
      after = Content.of(put.value());
    } else if (change instanceof Change.SetAdd) {
      after = Content.PRESENT;
    } else if (change instanceof Change.ZsetPut put) {
      after = Content.score(put.score());
    } else if (change instanceof Change.ZsetAdd add) {
      after = Content.score(add.to());
    } else if (change instanceof Change.StringAdd add) {
      after = sum(key, change, before, add.delta().longValueExact());
    } else if (change instanceof Change.HashAdd add) {
      after = sum(key, change, before, add.delta().longValueExact());
    } else {
      after = Content.ABSENT;
    }
    return put(key, value, change.name(), after);
  }

  private static Content sum(RedisKey key, Change.OfElement change, Content before, long delta) {
    Content sum =
        EffectSemantics.add(new Element(key, change.kind(), change.name()), before, delta);
    if (sum == null) {
      throw new IllegalStateException(change + " on " + before);
    }
    return sum;
  }

  private void insert(RedisKey key, Change.ListPut put, int at) {
    Value value = keys.computeIfAbsent(key, k -> new Value(put.kind()));
    value.list.insert(Math.min(at, value.list.size()), put.name(), put.value());
    value.elements.put(put.name(), Content.of(put.value()));
  }

  private boolean put(RedisKey key, Value value, Bytes name, Content content) {
    if (value.kind == ElementKind.LIST_ELEMENT) {
      if (content.isAbsent()) {
        value.list.remove(name);
      } else {
        value.list.put(name, Objects.requireNonNull(content.value()));
      }
    }
    if (!content.isAbsent()) {
      value.elements.put(name, content);
      return false;
    }
    value.elements.remove(name);
    if (value.elements.isEmpty()) {
      keys.remove(key);
      return value.deadline != 0;
    }
    return false;
  }

  // --- effects
  // -----------------------------------------------------------------------------------------------------------------------

  /** Whether Redis would refuse to write {@code content} for the key's type, or for lack of it. */
  boolean refuses(Element element, Content content) {
    Value value = keys.get(element.key());
    if (content.isAbsent()) {
      return false;
    }
    return element.kind() == ElementKind.DEADLINE
        ? value == null
        : value != null && value.kind != element.kind();
  }

  /** Does to a list what an effect does; null if it misses. */
  RedisList.@Nullable Outcome applyToList(Element element, Effect effect) {
    RedisKey key = element.key();
    Value held = keys.get(key);
    boolean foreign = held != null && held.kind != ElementKind.LIST_ELEMENT;
    boolean writes = effect instanceof Effect.Put put && !put.desired().isAbsent();
    if (foreign && writes) {
      return null;
    }
    Value value = held == null || foreign ? new Value(ElementKind.LIST_ELEMENT) : held;
    RedisList.Outcome outcome = value.list.apply(element, effect);
    if (outcome == null || foreign) {
      return outcome;
    }
    Bytes changed = outcome.changed();
    if (changed != null) {
      keys.put(key, value);
      Content now = value.list.content(changed);
      if (now.isAbsent()) {
        value.elements.remove(changed);
      } else {
        value.elements.put(changed, now);
      }
      if (value.elements.isEmpty()) {
        keys.remove(key);
      }
    }
    return outcome;
  }

  /** What capture says of an element of a list. */
  Change.ListHolds holds(Element element) {
    Value value = keys.get(element.key());
    RedisList list =
        value == null || value.kind != ElementKind.LIST_ELEMENT ? new RedisList() : value.list;
    return list.holds(element.key(), element.name());
  }

  /** Writes one element as an effect does, whatever the key held of another type. */
  void write(Element element, Content content) {
    RedisKey key = element.key();
    Value value = keys.get(key);
    if (element.kind() == ElementKind.DEADLINE) {
      if (value != null) {
        value.deadline =
            content.isAbsent() ? 0 : Long.parseLong(Objects.requireNonNull(content.value()).text());
      }
      return;
    }
    boolean other = value == null || value.kind != element.kind();
    if (other && content.isAbsent()) {
      return;
    }
    if (value == null || other) {
      value = new Value(element.kind());
      keys.put(key, value);
    }
    put(key, value, element.name(), content);
  }
}
