package io.crosstide.capture.rdb;

import io.crosstide.capture.shadow.ElementCursor;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowCursor;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowNames;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * Makes the shadow equal to a snapshot and reports each step as the change a client would have had
 * to make: both are walked once, in the same order, element by element, so memory does not depend
 * on their size.
 *
 * <p>An integer that differs is taken for an increment, so that it adds up with what other regions
 * added meanwhile; everything else for a write of the new value.
 */
final class Differences {

  /** Receives the changes, each before the shadow follows it. */
  interface Receiver {
    /** Returns whether the change is published; if not, the key becomes unknown in the shadow. */
    boolean change(RedisKey key, Change change);

    /** An element differs whose value is too long to be published; its key becomes unknown. */
    void tooLong(Element element);

    /** A position for the next change published of this key, between two places in its list. */
    Bytes position(RedisKey key, @Nullable Bytes left, @Nullable Bytes right);

    /** The shadow has followed all changes so far: a unit may end here. */
    void done();
  }

  private final Shadow shadow;
  private final Shadow snapshot;
  private final long nowMillis;
  private final Receiver receiver;

  /**
   * @param nowMillis a time by which a deadline must have passed for a missing key to have expired
   */
  Differences(Shadow shadow, Shadow snapshot, long nowMillis, Receiver receiver) {
    this.shadow = shadow;
    this.snapshot = snapshot;
    this.nowMillis = nowMillis;
    this.receiver = receiver;
  }

  void walk() {
    try (ShadowCursor known = shadow.keys();
        ShadowCursor actual = snapshot.keys()) {
      RedisKey left = next(known);
      ShadowKey right = actual.next();
      while (left != null || right != null) {
        int order = right == null ? -1 : left == null ? 1 : compare(left, right);
        if (order < 0 && left != null) {
          gone(shadow.key(left.db(), left.name()));
        } else if (right != null) {
          compareKey(shadow.key(right.db(), right.name()), right);
          right = actual.next();
        }
        if (order <= 0) {
          left = next(known);
        }
        receiver.done();
      }
    }
  }

  /** Only the name: opening another key of the shadow detaches the cursor's handle. */
  private static @Nullable RedisKey next(ShadowCursor cursor) {
    ShadowKey key = cursor.next();
    return key == null ? null : key.redisKey();
  }

  private static int compare(RedisKey left, ShadowKey right) {
    return left.db() != right.db()
        ? Integer.compare(left.db(), right.db())
        : ShadowNames.compare(left.name(), right.name());
  }

  private void gone(ShadowKey known) {
    long deadline = known.deadlineMillis();
    emit(
        known,
        deadline != 0 && deadline <= nowMillis
            ? new Change.KeyExpire(deadline)
            : new Change.KeyDelete());
  }

  private void compareKey(ShadowKey known, ShadowKey actual) {
    if (actual.is(ShadowType.OPAQUE)) {
      if (known.exists() && !known.is(ShadowType.OPAQUE)) {
        emit(known, new Change.KeyDelete());
      }
      known.markOpaque();
      known.deadline(actual.deadlineMillis());
      return;
    }
    if (known.is(ShadowType.OPAQUE)) {
      // Others hold nothing of it.
      known.delete();
    }
    if (actual.is(ShadowType.STRING)) {
      compareString(known, actual);
    } else {
      if (known.exists() && (!known.is(actual.type()) || !known.exact())) {
        emit(known, new Change.KeyDelete());
      }
      if (actual.is(ShadowType.LIST)) {
        compareList(known, actual);
      } else if (actual.is(ShadowType.STREAM)) {
        new StreamDifferences(known, actual, change -> receiver.change(known.redisKey(), change))
            .walk(
                () ->
                    leaveOut(
                        known, new Element(known.redisKey(), ElementKind.STREAM, Bytes.EMPTY)));
      } else {
        compareElements(known, actual);
      }
    }
    compareDeadline(known, actual);
  }

  private void compareString(ShadowKey known, ShadowKey actual) {
    Content content = actual.content();
    if (content == null) {
      throw new IllegalStateException("the snapshot of " + actual.redisKey() + " lost its value");
    }
    Content before = known.is(ShadowType.STRING) ? known.content() : null;
    if (before != null && content.equals(before)) {
      return;
    }
    Bytes value = content.value();
    if (value == null) {
      leaveOut(known, Element.string(known.redisKey()));
      return;
    }
    BigDecimal increment = Integers.difference(before, content);
    emit(
        known,
        increment != null
            ? new Change.StringAdd(increment, null)
            : new Change.StringSet(value, actual.deadlineMillis(), false));
  }

  private void compareDeadline(ShadowKey known, ShadowKey actual) {
    long deadline = actual.deadlineMillis();
    if (known.deadlineMillis() != deadline) {
      emit(known, deadline == 0 ? new Change.DeadlinePersist() : new Change.DeadlineSet(deadline));
    }
  }

  private void compareElements(ShadowKey known, ShadowKey actual) {
    ShadowType type = actual.type();
    try (ElementCursor left = known.elements();
        ElementCursor right = actual.elements()) {
      boolean hasLeft = left.next();
      boolean hasRight = right.next();
      while (hasLeft || hasRight) {
        int order = !hasRight ? -1 : !hasLeft ? 1 : ShadowNames.compare(left.name(), right.name());
        if (order < 0) {
          emit(known, removal(type, left.name()));
          hasLeft = left.next();
          continue;
        }
        if (order > 0 || !isEqual(type, left, right)) {
          Bytes value = type == ShadowType.HASH ? right.content().value() : Bytes.EMPTY;
          if (value == null) {
            leaveOut(known, new Element(known.redisKey(), ElementKind.HASH_FIELD, right.name()));
          } else {
            emit(
                known,
                order > 0 ? addition(type, right, value) : difference(type, left, right, value));
          }
        }
        hasLeft = order == 0 ? left.next() : hasLeft;
        hasRight = right.next();
      }
    }
  }

  private void compareList(ShadowKey known, ShadowKey actual) {
    new ListDifferences(
            known,
            actual,
            new ListDifferences.Output() {
              @Override
              public boolean change(Change change) {
                emit(known, change);
                return known.exact();
              }

              @Override
              public Bytes position(@Nullable Bytes left, @Nullable Bytes right) {
                return receiver.position(known.redisKey(), left, right);
              }

              @Override
              public void tooLong() {
                leaveOut(
                    known, new Element(known.redisKey(), ElementKind.LIST_ELEMENT, Bytes.EMPTY));
              }
            })
        .run();
  }

  private static Change removal(ShadowType type, Bytes name) {
    return switch (type) {
      case HASH -> new Change.HashRemove(name);
      case SET -> new Change.SetRemove(name);
      case ZSET -> new Change.ZsetRemove(name);
      case STRING, LIST, STREAM, OPAQUE, UNRESOLVED -> throw hasNoElements(type);
    };
  }

  private static boolean isEqual(ShadowType type, ElementCursor before, ElementCursor after) {
    return switch (type) {
      case HASH -> before.content().equals(after.content());
      case SET -> true;
      case ZSET -> before.score() == after.score();
      case STRING, LIST, STREAM, OPAQUE, UNRESOLVED -> throw hasNoElements(type);
    };
  }

  /**
   * @param value of a hash's field
   */
  private static Change addition(ShadowType type, ElementCursor element, Bytes value) {
    return switch (type) {
      case HASH -> new Change.HashPut(element.name(), value);
      case SET -> new Change.SetAdd(element.name());
      case ZSET -> new Change.ZsetPut(element.name(), element.score());
      case STRING, LIST, STREAM, OPAQUE, UNRESOLVED -> throw hasNoElements(type);
    };
  }

  private static Change difference(
      ShadowType type, ElementCursor before, ElementCursor after, Bytes value) {
    if (type == ShadowType.HASH) {
      BigDecimal increment = Integers.difference(before.content(), after.content());
      return increment == null
          ? addition(type, after, value)
          : new Change.HashAdd(after.name(), increment, null);
    }
    return Integers.isExact(before.score()) && Integers.isExact(after.score())
        ? new Change.ZsetAdd(after.name(), before.score(), after.score())
        : addition(type, after, value);
  }

  private static IllegalStateException hasNoElements(ShadowType type) {
    return new IllegalStateException("a key of type " + type + " has no elements");
  }

  private void leaveOut(ShadowKey known, Element element) {
    receiver.tooLong(element);
    known.markUnknown(ShadowFold.typeOf(element.kind()));
  }

  private void emit(ShadowKey known, Change change) {
    if (receiver.change(known.redisKey(), change)) {
      ShadowFold.apply(known, change);
    } else {
      known.markUnknown(typeWritten(change));
    }
  }

  private static ShadowType typeWritten(Change change) {
    if (change instanceof Change.OfElement element) {
      return switch (element.kind()) {
        case HASH_FIELD -> ShadowType.HASH;
        case SET_MEMBER -> ShadowType.SET;
        case ZSET_MEMBER -> ShadowType.ZSET;
        case LIST_ELEMENT -> ShadowType.LIST;
        case STREAM -> ShadowType.STREAM;
        case STRING, DEADLINE -> ShadowType.STRING;
      };
    }
    return ShadowType.STRING;
  }
}
