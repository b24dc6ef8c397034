package io.crosstide.capture.rdb;

import io.crosstide.capture.shadow.ElementCursor;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowNames;
import io.crosstide.capture.shadow.ShadowStream;
import io.crosstide.capture.shadow.ShadowStream.Group;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.StreamElements;
import io.crosstide.protocol.StreamId;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Makes a stream of the shadow equal to that of a snapshot, and reports what a client would have
 * had to change, entry by entry. What is pending, and the last id, concern this Redis alone and are
 * only followed.
 *
 * <p>Where several entries have one id, effects put them there: what differs among them is followed
 * and not reported, for it could not be told whose entry it is.
 */
final class StreamDifferences {
  private final ShadowKey knownKey;
  private final ShadowStream known;
  private final ShadowStream actual;
  private final Predicate<Change> receiver;
  private boolean complete = true;

  /**
   * @param receiver whether the change is published
   */
  StreamDifferences(ShadowKey known, ShadowKey actual, Predicate<Change> receiver) {
    this.knownKey = known;
    this.known = new ShadowStream(known);
    this.actual = new ShadowStream(actual);
    this.receiver = receiver;
  }

  /**
   * @param tooLong told if an entry cannot be published
   */
  void walk(Runnable tooLong) {
    boolean isNew = !known.exists();
    boolean hadMore = known.entries() > 0 || known.hasGroups();
    boolean isEmpty = actual.entries() == 0 && !actual.hasGroups();
    if (isEmpty && (isNew || hadMore)) {
      publish(new Change.StreamPut(StreamElements.STREAM, Bytes.EMPTY));
    }
    known.create();
    entries();
    groups();
    known.last(actual.last());
    if (!complete) {
      tooLong.run();
    }
  }

  private void entries() {
    try (ElementCursor left = known.walk();
        ElementCursor right = actual.walk()) {
      boolean hasLeft = left.next();
      boolean hasRight = right.next();
      while (hasLeft || hasRight) {
        int order = !hasRight ? -1 : !hasLeft ? 1 : ShadowNames.compare(left.name(), right.name());
        if (order < 0) {
          gone(StreamElements.idOf(left.name()));
          hasLeft = left.next();
          continue;
        }
        if (order > 0 || !left.content().equals(right.content())) {
          added(StreamElements.idOf(right.name()), right.content().value());
        }
        hasLeft = order == 0 ? left.next() : hasLeft;
        hasRight = right.next();
      }
    }
  }

  private void gone(StreamId id) {
    known.remove(id);
    StreamId given = id.given();
    if (actual.shown(given).isEmpty() && known.shown(given).isEmpty()) {
      publish(new Change.StreamRemove(StreamElements.entry(given)));
    }
  }

  private void added(StreamId id, @Nullable Bytes value) {
    if (value == null) {
      complete = false;
      return;
    }
    known.add(id, value);
    StreamId given = id.given();
    if (actual.shown(given).size() == 1) {
      publish(new Change.StreamPut(StreamElements.entry(given), value));
    }
  }

  private void groups() {
    List<Bytes> before = known.groups();
    List<Bytes> after = actual.groups();
    for (Bytes name : before) {
      if (!after.contains(name)) {
        known.removeGroup(name);
        publish(new Change.StreamRemove(StreamElements.group(name)));
      }
    }
    for (Bytes name : after) {
      group(name);
    }
  }

  private void group(Bytes name) {
    Group before = known.group(name);
    Group after = actual.group(name);
    if (after == null) {
      throw new IllegalStateException("the snapshot of " + knownKey + " lost a group");
    }
    StreamId told = before == null ? StreamId.MIN : before.acknowledged();
    StreamId reached = after.delivered();
    StreamId pending = actual.firstPending(name, told);
    if (pending != null) {
      StreamId below = actual.below(pending);
      reached = below == null ? StreamId.MIN : below;
    }
    boolean moved = before == null || reached.compareTo(told) > 0;
    known.removeGroup(name);
    known.group(name, new Group(after.delivered(), moved ? reached : told));
    actual.eachPending(name, (id, consumer) -> known.pend(name, id, consumer));
    if (moved) {
      publish(
          new Change.StreamPut(
              StreamElements.group(name), StreamElements.groupValue(reached, false)));
    }
  }

  private void publish(Change change) {
    complete &= receiver.test(change);
  }
}
