package io.crosstide.capture.shadow;

import io.crosstide.crdt.ByteReader;
import io.crosstide.crdt.ByteWriter;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.StreamElements;
import io.crosstide.protocol.StreamId;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A key of a {@link Shadow} as a stream, present or not. Its rows are
 *
 * <pre>
 * e id           an entry, by the id it is shown under
 * g group        a group: last delivered id, id up to which all is acknowledged
 * p group id     a pending entry: its consumer
 * s              the stream: last id, an id that no entry is below, number of entries
 * </pre>
 *
 * <p>As in Redis the stream is there until it is deleted, also without entries. Every operation
 * reads and writes a few rows, however long the stream and however many are pending; walks begin
 * where something is, not at rows long deleted.
 */
public final class ShadowStream {
  private static final Bytes STREAM = StreamElements.STREAM;
  private static final Bytes AFTER_ENTRIES = Bytes.utf8("f");

  /**
   * A consumer group.
   *
   * @param acknowledged others have been told that everything up to here is
   */
  public record Group(StreamId delivered, StreamId acknowledged) {}

  private record Header(StreamId last, StreamId floor, long entries) {}

  private final ShadowKey key;

  public ShadowStream(ShadowKey key) {
    this.key = key;
  }

  public boolean exists() {
    return key.is(ShadowType.STREAM);
  }

  /** Makes the key a stream if it is none; what it held else is gone. */
  public void create() {
    if (!exists()) {
      write(new Header(StreamId.MIN, StreamId.MIN, 0));
    }
  }

  /** The last id Redis has given. */
  public StreamId last() {
    return header().last();
  }

  public void last(StreamId id) {
    Header header = header();
    write(new Header(id, header.floor(), header.entries()));
  }

  /** How many entries there are. */
  public long entries() {
    return header().entries();
  }

  // ---- entries ----

  /** What the entry shown under {@code id} holds. */
  public Content entry(StreamId id) {
    return key.streamRow(StreamElements.entry(id));
  }

  public boolean has(StreamId id) {
    return !entry(id).isAbsent();
  }

  /**
   * Adds an entry, or replaces what it holds.
   *
   * @param value as {@link StreamElements#entryValue} makes it
   */
  public void add(StreamId id, Bytes value) {
    addContent(id, key.keep(value));
  }

  /** As {@link #add}, for an entry of which perhaps only the digest is known. */
  public void addContent(StreamId id, Content value) {
    Header header = header();
    boolean isNew = key.putStreamRow(StreamElements.entry(id), value);
    write(
        new Header(
            id.compareTo(header.last()) > 0 ? id : header.last(),
            id.compareTo(header.floor()) < 0 ? id : header.floor(),
            header.entries() + (isNew ? 1 : 0)));
  }

  /** Removes an entry; the stream stays. Returns whether it was there. */
  public boolean remove(StreamId id) {
    if (!exists() || !key.remove(StreamElements.entry(id))) {
      return false;
    }
    Header header = header();
    write(new Header(header.last(), header.floor(), header.entries() - 1));
    return true;
  }

  /** The first entry, or null if there is none. */
  public @Nullable StreamId first() {
    if (!exists()) {
      return null;
    }
    Header header = header();
    if (header.entries() == 0) {
      return null;
    }
    StreamId first = firstFrom(header.floor());
    if (first != null && !first.equals(header.floor())) {
      write(new Header(header.last(), first, header.entries()));
    }
    return first;
  }

  private @Nullable StreamId firstFrom(StreamId id) {
    try (ElementCursor rows = key.streamRows(StreamElements.entry(id), AFTER_ENTRIES, false)) {
      return rows.next() ? StreamElements.idOf(rows.name()) : null;
    }
  }

  /** The last entry below {@code id}, or null if there is none. */
  public @Nullable StreamId below(StreamId id) {
    if (header().floor().compareTo(id) >= 0) {
      return null;
    }
    try (ElementCursor rows =
        key.streamRows(StreamElements.entry(header().floor()), StreamElements.entry(id), true)) {
      return rows.next() ? StreamElements.idOf(rows.name()) : null;
    }
  }

  /** Where the entries are shown that were given {@code id}. */
  public List<StreamId> shown(StreamId id) {
    List<StreamId> shown = new ArrayList<>(1);
    if (has(id)) {
      shown.add(id);
    }
    if (id.isDisplaceable()) {
      Bytes from = StreamElements.entry(id.displaced(0));
      Bytes to = StreamElements.entry(new StreamId(id.millis(), id.displaced(127).sequence() + 1));
      try (ElementCursor rows = key.streamRows(from, to, false)) {
        while (rows.next()) {
          StreamId found = StreamElements.idOf(rows.name());
          if (found.region() != 0) {
            shown.add(found);
          }
        }
      }
    }
    return shown;
  }

  /** The entries, by id. To be closed. */
  public ElementCursor walk() {
    return key.streamRows(StreamElements.entry(StreamId.MIN), AFTER_ENTRIES, false);
  }

  // ---- groups ----

  public @Nullable Group group(Bytes name) {
    Bytes row = key.streamRow(StreamElements.group(name)).value();
    if (row == null) {
      return null;
    }
    ByteReader in = new ByteReader(row.array());
    return new Group(
        new StreamId(in.fixed64(), in.fixed64()), new StreamId(in.fixed64(), in.fixed64()));
  }

  public void group(Bytes name, Group group) {
    create();
    key.putStreamRow(
        StreamElements.group(name),
        Content.of(
            Bytes.wrap(
                new ByteWriter(32)
                    .fixed64(group.delivered().millis())
                    .fixed64(group.delivered().sequence())
                    .fixed64(group.acknowledged().millis())
                    .fixed64(group.acknowledged().sequence())
                    .toByteArray())));
  }

  /** Removes a group with what is pending in it. Returns whether it was there. */
  public boolean removeGroup(Bytes name) {
    if (!exists() || !key.remove(StreamElements.group(name))) {
      return false;
    }
    for (Bytes row : pendingRows(name, null)) {
      key.remove(row);
    }
    return true;
  }

  public boolean hasGroups() {
    return !groups().isEmpty();
  }

  /** The names of all groups. */
  public List<Bytes> groups() {
    List<Bytes> names = new ArrayList<>();
    try (ElementCursor rows = key.streamRows(Bytes.utf8("g"), Bytes.utf8("h"), false)) {
      while (rows.next()) {
        names.add(StreamElements.groupOf(rows.name()));
      }
    }
    return names;
  }

  // ---- what is pending ----

  private static Bytes pending(Bytes group, StreamId id) {
    return Bytes.wrap(
        new ByteWriter(21 + group.length())
            .u8('p')
            .fixed32(group.length())
            .raw(group.array())
            .fixed64(id.millis())
            .fixed64(id.sequence())
            .toByteArray());
  }

  private static StreamId pendingId(Bytes row) {
    byte[] name = row.array();
    return new StreamId(Rows.getLong(name, name.length - 16), Rows.getLong(name, name.length - 8));
  }

  /** The consumer for which {@code id} is pending, or null if it is not. */
  public @Nullable Bytes consumer(Bytes group, StreamId id) {
    Content held = key.streamRow(pending(group, id));
    return held.isAbsent() ? null : held.value();
  }

  public void pend(Bytes group, StreamId id, Bytes consumer) {
    key.putStreamRow(pending(group, id), Content.of(consumer));
  }

  public void settle(Bytes group, StreamId id) {
    key.remove(pending(group, id));
  }

  /** Nothing is pending for {@code consumer} any more. */
  public void removeConsumer(Bytes group, Bytes consumer) {
    for (Bytes row : pendingRows(group, consumer)) {
      key.remove(row);
    }
  }

  /** The first id pending above {@code id}, or null if none is. */
  public @Nullable StreamId firstPending(Bytes group, StreamId id) {
    try (ElementCursor rows =
        key.streamRows(pending(group, id), pending(group, new StreamId(-1, -1)), false)) {
      while (rows.next()) {
        StreamId found = pendingId(rows.name());
        if (!found.equals(id)) {
          return found;
        }
      }
      return null;
    }
  }

  /** What is pending of {@code group}, in order. */
  public void eachPending(Bytes group, BiConsumer<StreamId, Bytes> visitor) {
    try (ElementCursor rows =
        key.streamRows(pending(group, StreamId.MIN), pending(group, new StreamId(-1, -1)), false)) {
      while (rows.next()) {
        Bytes consumer = rows.content().value();
        visitor.accept(pendingId(rows.name()), consumer == null ? Bytes.EMPTY : consumer);
      }
    }
  }

  private List<Bytes> pendingRows(Bytes group, @Nullable Bytes consumer) {
    List<Bytes> found = new ArrayList<>();
    try (ElementCursor rows =
        key.streamRows(pending(group, StreamId.MIN), pending(group, new StreamId(-1, -1)), false)) {
      while (rows.next()) {
        if (consumer == null || rows.content().equals(Content.of(consumer))) {
          found.add(rows.name());
        }
      }
    }
    return found;
  }

  // ---- the stream's own row ----

  private Header header() {
    Bytes row = key.streamRow(STREAM).value();
    if (row == null) {
      return new Header(StreamId.MIN, StreamId.MIN, 0);
    }
    ByteReader in = new ByteReader(row.array());
    return new Header(
        new StreamId(in.fixed64(), in.fixed64()),
        new StreamId(in.fixed64(), in.fixed64()),
        in.varint());
  }

  private void write(Header header) {
    key.putStreamRow(
        STREAM,
        Content.of(
            Bytes.wrap(
                new ByteWriter(42)
                    .fixed64(header.last().millis())
                    .fixed64(header.last().sequence())
                    .fixed64(header.floor().millis())
                    .fixed64(header.floor().sequence())
                    .varint(header.entries())
                    .toByteArray())));
  }
}
