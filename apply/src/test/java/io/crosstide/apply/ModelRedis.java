package io.crosstide.apply;

import io.crosstide.crdt.ByteWriter;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.EffectSemantics;
import io.crosstide.protocol.merge.ListSemantics;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The oracle: a Redis in memory that carries out batches by the words of the protocol, element by
 * element through {@link EffectSemantics}.
 */
final class ModelRedis {
  static final String ERROR = "error";

  /** A key: its type is that of its elements. */
  static final class Key {
    final ElementKind kind;
    final SortedMap<Bytes, Content> elements = new TreeMap<>();

    /** What a list holds; its elements have no names. */
    final List<Bytes> list = new ArrayList<>();

    @Nullable Long deadline;

    Key(ElementKind kind) {
      this.kind = kind;
    }
  }

  final SortedMap<RedisKey, Key> keys = new TreeMap<>();
  @Nullable MarkerState marker;

  /** Number of the last batch that held a probe. */
  @Nullable Fx probed;

  /** What the last effect on a list has told capture; null if none has. */
  @Nullable Bytes told;

  /** What the list holds; empty if the key is none. */
  List<Bytes> list(RedisKey key) {
    Key held = keys.get(key);
    return held == null ? List.of() : held.list;
  }

  /** As a client does, or an effect; the key is no other type. */
  void changeList(RedisKey key, Consumer<List<Bytes>> change) {
    Key held = keys.computeIfAbsent(key, k -> new Key(ElementKind.LIST_ELEMENT));
    change.accept(held.list);
    if (held.list.isEmpty()) {
      keys.remove(key);
    }
  }

  /** The element's content; of an element of another type than the key's: absent. */
  Content content(Element element) {
    Key key = keys.get(element.key());
    if (key == null) {
      return Content.ABSENT;
    }
    if (element.kind() == ElementKind.DEADLINE) {
      return key.deadline == null ? Content.ABSENT : Content.deadline(key.deadline);
    }
    return key.kind == element.kind()
        ? key.elements.getOrDefault(element.name(), Content.ABSENT)
        : Content.ABSENT;
  }

  /** Writes whatever was there, as a client that takes the key over would. */
  void write(Element element, Content content) {
    Key key = keys.get(element.key());
    if (element.kind() == ElementKind.DEADLINE) {
      if (key != null) {
        key.deadline = content.isAbsent() ? null : number(content);
      }
      return;
    }
    if (content.isAbsent()) {
      if (key != null && key.kind == element.kind()) {
        key.elements.remove(element.name());
        if (key.elements.isEmpty()) {
          keys.remove(element.key());
        }
      }
      return;
    }
    if (key == null) {
      key = new Key(element.kind());
      keys.put(element.key(), key);
    }
    key.elements.put(element.name(), content);
  }

  private static long number(Content content) {
    Bytes value = content.value();
    if (value == null) {
      throw new IllegalArgumentException(content + " is no number");
    }
    return Long.parseLong(value.text());
  }

  /** Reasons of misses are {@code guard}, {@code exception} or {@link #ERROR}. */
  BatchReply apply(EffectBatch batch) {
    MarkerState held = marker;
    if (held == null) {
      return BatchReply.of(BatchReply.Outcome.NO_MARKER);
    }
    if (held.epoch() != batch.epoch()) {
      return BatchReply.of(BatchReply.Outcome.OLD_EPOCH);
    }
    Fx last = new Fx(batch.epoch(), batch.last());
    if (last.atMost(held.fx())) {
      return BatchReply.of(BatchReply.Outcome.ALREADY_APPLIED);
    }
    long before = held.fx().epoch() == batch.epoch() ? held.fx().number() : 0;
    if (held.fx().epoch() > batch.epoch() || before != batch.first() - 1) {
      return BatchReply.of(BatchReply.Outcome.GAP);
    }

    Map<String, MarkerState.Missed> exceptions = new HashMap<>(held.exceptions());
    List<BatchReply.Miss> misses = new ArrayList<>();
    List<BatchReply.ProbeAnswer> answers = new ArrayList<>();
    VersionVector context = held.context();
    EffectSemantics.EarlierInBatch earlier = new EffectSemantics.EarlierInBatch();
    long number = batch.first();
    for (EffectBatch.Group group : batch.groups()) {
      for (Effect effect : group.effects()) {
        apply(
            effect, new Fx(batch.epoch(), number++), context, exceptions, earlier, misses, answers);
      }
      context = group.contextAfter();
    }
    marker = held.moved(last, context, exceptions);
    if (batch.hasProbe()) {
      probed = last;
    }
    return new BatchReply(BatchReply.Outcome.APPLIED, misses, answers);
  }

  private void apply(
      Effect effect,
      Fx number,
      VersionVector contextBefore,
      Map<String, MarkerState.Missed> exceptions,
      EffectSemantics.EarlierInBatch earlier,
      List<BatchReply.Miss> misses,
      List<BatchReply.ProbeAnswer> answers) {
    Element element = effect.element();
    if (element == null) {
      return;
    }
    MarkerState.Missed exception = exceptions.get(element.digest());
    Fx missedBefore = exception == null ? Fx.NONE : exception.fx();
    if (element.kind() == ElementKind.LIST_ELEMENT) {
      String missed = applyToList(element, effect, number, missedBefore, answers);
      if (missed != null) {
        misses.add(new BatchReply.Miss(number.number(), missed));
        exceptions.put(
            element.digest(),
            new MarkerState.Missed(
                number, exception == null ? contextBefore : exception.context()));
      } else if (!(effect instanceof Effect.Probe)) {
        exceptions.remove(element.digest());
      }
      return;
    }
    Content content = content(element);
    if (effect instanceof Effect.Probe) {
      answers.add(new BatchReply.ProbeAnswer(number.number(), content.compact(), missedBefore));
      return;
    }
    EffectSemantics.ElementState after =
        EffectSemantics.apply(
            new EffectSemantics.ElementState(content, missedBefore), effect, number);
    String reason = null;
    if (!missedBefore.atMost(knows(effect))) {
      reason = "exception";
    } else if (earlier.rulesOut(effect)) {
      reason = "string";
    } else if (after.exception().equals(number)) {
      reason = effect instanceof Effect.Add ? ERROR : "guard";
    } else if (cannotBeWritten(effect, element)) {
      reason = ERROR;
    }
    earlier.note(effect, reason != null);
    if (reason != null) {
      misses.add(new BatchReply.Miss(number.number(), reason));
      exceptions.put(
          element.digest(),
          new MarkerState.Missed(number, exception == null ? contextBefore : exception.context()));
      return;
    }
    exceptions.remove(element.digest());
    if (effect instanceof Effect.Put put) {
      write(element, put.desired());
    } else if (effect instanceof Effect.Add) {
      write(element, after.content());
    }
  }

  private @Nullable String applyToList(
      Element element,
      Effect effect,
      Fx number,
      Fx missedBefore,
      List<BatchReply.ProbeAnswer> answers) {
    RedisKey key = element.key();
    if (effect instanceof Effect.Probe) {
      answers.add(new BatchReply.ProbeAnswer(number.number(), Content.ABSENT, missedBefore));
      tell('p', element, 0);
      return null;
    }
    if (!missedBefore.atMost(knows(effect))) {
      return "exception";
    }
    Key held = keys.get(key);
    boolean foreign = held != null && held.kind != ElementKind.LIST_ELEMENT;
    boolean inserts =
        effect instanceof Effect.Put put && put.expected().isAbsent() && !put.desired().isAbsent();
    if (foreign && inserts) {
      return ERROR;
    }
    List<Bytes> list = foreign ? List.of() : list(key);
    ListSemantics.Step step = ListSemantics.find(list, effect);
    if (step == null) {
      return "guard";
    }
    int index = step.index();
    int behind = list.size() - index - (step.action() == ListSemantics.Action.INSERT ? 0 : 1);
    int told = index <= behind ? index : -1 - behind;
    switch (step.action()) {
      case NOTHING -> {}
      case INSERT -> {
        tell('i', element, told);
        changeList(key, values -> values.add(index, desired(effect)));
      }
      case REMOVE -> {
        tell('r', element, told);
        changeList(key, values -> values.remove(index));
      }
      case SET -> {
        tell('s', element, told);
        changeList(key, values -> values.set(index, desired(effect)));
      }
    }
    return null;
  }

  private static Bytes desired(Effect effect) {
    return Objects.requireNonNull(((Effect.Put) effect).desired().value());
  }

  private void tell(char op, Element element, int index) {
    RedisKey key = element.key();
    String head = op + " " + key.db() + " " + index + " " + key.name().length() + " ";
    told =
        Bytes.wrap(
            new ByteWriter(64)
                .raw(head.getBytes(StandardCharsets.US_ASCII))
                .raw(key.name().array())
                .raw(element.name().array())
                .toByteArray());
  }

  private static Fx knows(Effect effect) {
    if (effect instanceof Effect.Put put) {
      return put.knows();
    }
    return effect instanceof Effect.Check check ? check.knows() : ((Effect.Add) effect).knows();
  }

  private boolean cannotBeWritten(Effect effect, Element element) {
    boolean writes =
        effect instanceof Effect.Add
            || (effect instanceof Effect.Put put && !put.desired().isAbsent());
    Key key = keys.get(element.key());
    if (element.kind() == ElementKind.DEADLINE) {
      return writes && key == null;
    }
    return writes && key != null && key.kind != element.kind();
  }
}
