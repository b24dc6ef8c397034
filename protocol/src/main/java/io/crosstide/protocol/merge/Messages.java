package io.crosstide.protocol.merge;

import io.crosstide.crdt.Dot;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Fx;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Messages of other regions on their way to this one's Redis, in order.
 *
 * <p>Each is delivered once. Its effect stands in the group that claims its event, and Redis
 * executes a group wholly or not at all, so that the marker's context says exactly which were
 * delivered. A row holds each until Redis has acknowledged it: a successor deletes those that the
 * context covers and delivers the others.
 */
final class Messages {
  private final RowStore rows;
  private final EventCodec codec;
  private final ArrayDeque<ChangeEvent> waiting = new ArrayDeque<>();
  private final ArrayDeque<Sent> sent = new ArrayDeque<>();
  private VersionVector delivered = VersionVector.EMPTY;

  private record Sent(Fx number, Dot dot) {}

  Messages(RowStore rows, EventCodec codec) {
    this.rows = rows;
    this.codec = codec;
  }

  /**
   * An epoch begins.
   *
   * @param context what the marker claims
   */
  void begin(VersionVector context) {
    delivered = context;
    List<ChangeEvent> stored = new ArrayList<>();
    rows.scan(
        RowKeys.MESSAGES,
        null,
        (key, value) -> {
          stored.add(codec.decode(value));
          return true;
        });
    for (ChangeEvent event : stored) {
      if (isDelivered(event)) {
        rows.delete(RowKeys.message(event.dot()));
      } else {
        waiting.add(event);
      }
    }
  }

  private boolean isDelivered(ChangeEvent event) {
    return event.seq() <= delivered.get(event.origin());
  }

  /** A message was received, and its event counts as merged. */
  void take(ChangeEvent event) {
    if (!isDelivered(event)) {
      rows.put(RowKeys.message(event.dot()), codec.encode(event));
      waiting.add(event);
    }
  }

  /** Appends what waits to the group, which is about to claim everything merged. */
  void appendTo(OpenGroup group) {
    while (!waiting.isEmpty()) {
      ChangeEvent event = waiting.removeFirst();
      Change.Publish message = (Change.Publish) event.change();
      Fx number =
          group.append(
              new Effect.Publish(
                  Objects.requireNonNull(event.key()).name(),
                  message.message(),
                  message.sharded()));
      sent.addLast(new Sent(number, event.dot()));
    }
  }

  /** Redis has executed everything up to {@code last}. */
  void acknowledged(Fx last) {
    while (!sent.isEmpty() && sent.getFirst().number().atMost(last)) {
      rows.delete(RowKeys.message(sent.removeFirst().dot()));
    }
  }

  /** Nothing waits for its group. */
  boolean isEmpty() {
    return waiting.isEmpty();
  }
}
