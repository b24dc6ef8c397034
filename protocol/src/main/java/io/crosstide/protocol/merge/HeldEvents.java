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

  /** Of origins with held events, where to look for the first: none is below it. */
  private VersionVector first = VersionVector.EMPTY;

  HeldEvents(RowStore rows, EventCodec codec) {
    this.rows = rows;
    this.codec = codec;
    rows.scan(
        RowKeys.HELD,
        null,
        (key, value) -> {
          ChangeEvent event = codec.decode(value);
          added(event);
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
    added(event);
  }

  private void added(ChangeEvent event) {
    if (!holds(event.origin())) {
      first = first.with(event.origin(), event.seq());
    }
    last = last.with(event.origin(), event.seq());
  }

  /** The first {@code max} held events of {@code origin}. */
  List<ChangeEvent> first(Origin origin, int max) {
    List<ChangeEvent> events = new ArrayList<>();
    // Mostly each follows the one before. Its row is read by its key: a scan goes one row further
    // than it is asked to, and there lie the rows of other origins, deleted and not yet compacted.
    long seq = first.get(origin);
    while (holds(origin) && events.size() < max && seq <= lastSeq(origin)) {
      byte[] row = rows.get(RowKeys.held(origin, seq++));
      if (row == null) {
        return scanned(origin, max);
      }
      events.add(codec.decode(row));
    }
    return events;
  }

  private List<ChangeEvent> scanned(Origin origin, int max) {
    List<ChangeEvent> events = new ArrayList<>();
    rows.scan(
        RowKeys.held(origin),
        null,
        (key, value) -> {
          events.add(codec.decode(value));
          return events.size() < max;
        });
    if (!events.isEmpty()) {
      first = first.with(origin, events.get(0).seq());
    }
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
      first = first.with(event.origin(), 0);
    } else if (first.get(event.origin()) == event.seq()) {
      first = first.with(event.origin(), event.seq() + 1);
    }
  }
}
