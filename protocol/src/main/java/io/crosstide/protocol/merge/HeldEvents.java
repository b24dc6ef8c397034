package io.crosstide.protocol.merge;

import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.ChangeEvent;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Received records that may not be merged yet, per origin in order: while probes are awaited (P4),
 * or until their transaction is complete (P15). Kept in rows, so that neither a crash nor a long
 * wait costs memory.
 */
final class HeldEvents {
  private final RowStore rows;
  private final EventCodec codec;
  private VersionVector last = VersionVector.EMPTY;

  HeldEvents(RowStore rows, EventCodec codec) {
    this.rows = rows;
    this.codec = codec;
    rows.scan(
        RowKeys.HELD,
        null,
        (key, value) -> {
          ChangeEvent event = codec.decode(value);
          last = last.with(event.origin(), Math.max(last.get(event.origin()), event.seq()));
          return true;
        });
  }

  boolean isEmpty() {
    return last.isEmpty();
  }

  boolean holds(Origin origin) {
    return last.get(origin) > 0;
  }

  /** The last held seq of {@code origin}, 0 if none. */
  long lastSeq(Origin origin) {
    return last.get(origin);
  }

  List<Origin> origins() {
    return last.origins();
  }

  void add(ChangeEvent event) {
    rows.put(RowKeys.held(event.origin(), event.seq()), codec.encode(event));
    last = last.with(event.origin(), event.seq());
  }

  /** The first {@code max} held events of {@code origin}. */
  List<ChangeEvent> first(Origin origin, int max) {
    List<ChangeEvent> events = new ArrayList<>();
    rows.scan(
        RowKeys.held(origin),
        null,
        (key, value) -> {
          events.add(codec.decode(value));
          return events.size() < max;
        });
    return events;
  }

  @Nullable ChangeEvent first(Origin origin) {
    List<ChangeEvent> events = first(origin, 1);
    return events.isEmpty() ? null : events.get(0);
  }

  void remove(ChangeEvent event) {
    rows.delete(RowKeys.held(event.origin(), event.seq()));
    if (last.get(event.origin()) == event.seq()) {
      last = last.with(event.origin(), 0);
    }
  }
}
