package io.crosstide.protocol.merge;

import io.crosstide.crdt.ByteReader;
import io.crosstide.crdt.ByteWriter;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.List;

/**
 * The elements that capture says Redis has lost (P8), in rows until they are asked for: there may
 * be as many as Redis held. Not every one asked for needs to be in Redis when a commit comes; it is
 * tracked by then (P11).
 */
final class LostElements {
  private final RowStore rows;
  private long first;
  private long next;

  LostElements(RowStore rows) {
    this.rows = rows;
    rows.scan(
        RowKeys.LOST,
        null,
        (row, value) -> {
          long number = RowKeys.parseTracked(row);
          first = next == 0 ? number : first;
          next = number + 1;
          return true;
        });
    if (next == 0) {
      first = 1;
      next = 1;
    }
  }

  boolean isEmpty() {
    return first == next;
  }

  /** How many wait. */
  long size() {
    return next - first;
  }

  void add(Element element) {
    ByteWriter out = new ByteWriter(32);
    out.varint(element.key().db()).bytes(element.key().name()).u8(element.kind().tag());
    out.bytes(element.name());
    rows.put(RowKeys.lost(next), out.toByteArray());
    next++;
  }

  /** Takes the first {@code max} that wait. */
  List<Element> take(int max) {
    List<Element> taken = new ArrayList<>();
    while (taken.size() < max && first < next) {
      byte[] key = RowKeys.lost(first);
      byte[] row = rows.get(key);
      if (row != null) {
        ByteReader in = new ByteReader(row);
        RedisKey of = new RedisKey(Math.toIntExact(in.varint()), in.bytes());
        taken.add(new Element(of, ElementKind.ofTag((char) in.u8()), in.bytes()));
        rows.delete(key);
      }
      first++;
    }
    return taken;
  }
}
