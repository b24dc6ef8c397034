package io.crosstide.protocol.merge;

import io.crosstide.crdt.ByteReader;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Cell;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads a partition's rows for people and for verification: what is merged, and why. Changes
 * nothing. For the owner's thread, between two calls of {@link PartitionMerger}.
 *
 * <p>Iteration is cut into visits of bounded size. What one visit shows of a key is one moment's
 * state; a key too large for one visit may change between two.
 */
public final class KeyInspector {
  /** Header rows read at a time. */
  private static final int CHUNK = 256;

  private static final long CHUNK_BYTES = 1 << 20;

  /** Receives keys one after the other: {@link #key}, its elements, {@link #end}. */
  public interface Visitor {
    /**
     * @param deadlineMillis since 1970; 0 for none
     */
    void key(RedisKey key, ElementKind kind, long deadlineMillis);

    /**
     * @param name empty for a string
     */
    void element(Bytes name, Content content);

    void end();
  }

  /** A place between two elements of an iteration. */
  public static final class Cursor {
    /** The last header row looked at. */
    private final byte[] header;

    /** The last element row shown of that key, or null if the key is done. */
    private final byte @Nullable [] element;

    private Cursor(byte[] header, byte @Nullable [] element) {
      this.header = header;
      this.element = element;
    }
  }

  private final RowStore rows;
  private final KeyView keys;
  private final Belief belief;

  KeyInspector(RowStore rows, KeyView keys, Belief belief) {
    this.rows = rows;
    this.keys = keys;
    this.belief = belief;
  }

  // --- one key
  // -------------------------------------------------------------------------------------------------------------------

  /** Everything known of {@code key}; null if nothing is stored of it. */
  public @Nullable KeyReport report(RedisKey key, int elementsMax) {
    byte[] row = rows.get(RowKeys.header(key));
    if (row == null) {
      return null;
    }
    KeyState state = KeyState.decode(row);
    Shown shown = shown(key, state);
    List<KeyReport.ElementReport> elements = new ArrayList<>();
    Element string = Element.string(key);
    if (!state.string.isBlank()) {
      elements.add(report(string, state.string, shown));
    }
    long[] stored = {0};
    rows.scan(
        RowKeys.elements(key),
        null,
        (rowKey, value) -> {
          Element element = RowKeys.parseElement(rowKey);
          elements.add(report(element, Cell.decode(new ByteReader(value)), shown));
          stored[0]++;
          return stored[0] < elementsMax;
        });
    return new KeyReport(
        key,
        shown.kind,
        shown.deadlineMillis,
        elements,
        Math.max(0, state.rows - stored[0]),
        state.deadlines,
        state.expiries,
        state.removals,
        tracked(Element.deadline(key)));
  }

  private KeyReport.ElementReport report(Element element, Cell cell, Shown shown) {
    return new KeyReport.ElementReport(
        element, shown.content(element, cell), cell, tracked(element));
  }

  private KeyReport.@Nullable TrackedReport tracked(Element element) {
    Tracked tracked = belief.get(element);
    if (tracked == null) {
      return null;
    }
    List<KeyReport.SentEffect> pending = new ArrayList<>();
    for (Tracked.Pending sent : tracked.pending) {
      pending.add(new KeyReport.SentEffect(sent.number(), sent.effect()));
    }
    return new KeyReport.TrackedReport(
        tracked.known,
        tracked.known ? tracked.state.content() : Content.ABSENT,
        tracked.known ? tracked.believed().content() : Content.ABSENT,
        tracked.state.exception(),
        pending);
  }

  /**
   * Shows what Redis should hold under {@code key}, in one go.
   *
   * @return false if nothing
   */
  public boolean visit(RedisKey key, Visitor visitor) {
    byte[] header = RowKeys.header(key);
    byte[] row = rows.get(header);
    return row != null && visitKey(header, row, null, new Budget(Long.MAX_VALUE), visitor).began;
  }

  // --- all keys
  // ------------------------------------------------------------------------------------------------------------------

  /**
   * Shows the keys that Redis should hold, from {@code from} on (null: from the first), until about
   * {@code bytesMax} bytes of names and values have been shown.
   *
   * @return where to go on, or null at the end. A key that was not finished goes on without a new
   *     {@link Visitor#key}
   */
  public @Nullable Cursor visit(@Nullable Cursor from, long bytesMax, Visitor visitor) {
    Budget budget = new Budget(bytesMax);
    byte[] after = null;
    if (from != null) {
      after = from.header;
      byte[] element = from.element;
      if (element != null) {
        byte[] row = rows.get(after);
        if (row == null) {
          visitor.end(); // gone meanwhile
        } else {
          byte[] stoppedAt = visitKey(after, row, element, budget, visitor).stoppedAt;
          if (stoppedAt != null) {
            return new Cursor(after, stoppedAt);
          }
        }
      }
    }
    while (!budget.isSpent()) {
      List<byte[][]> chunk = new ArrayList<>(CHUNK);
      boolean more = headers(after, chunk);
      for (byte[][] header : chunk) {
        after = header[0];
        byte[] stoppedAt = visitKey(after, header[1], null, budget, visitor).stoppedAt;
        if (stoppedAt != null || budget.isSpent()) {
          return new Cursor(after, stoppedAt);
        }
      }
      if (!more) {
        return null;
      }
    }
    return after == null ? null : new Cursor(after, null);
  }

  /** Reads the next header rows; false if those are the last. */
  private boolean headers(byte @Nullable [] after, List<byte[][]> chunk) {
    long[] bytes = {0};
    boolean[] more = {false};
    rows.scan(
        RowKeys.HEADERS,
        after,
        (key, value) -> {
          chunk.add(new byte[][] {key, value});
          bytes[0] += value.length;
          more[0] = chunk.size() == CHUNK || bytes[0] > CHUNK_BYTES;
          return !more[0];
        });
    return more[0];
  }

  /** What a visit of one key came to: whether there was anything, and where it stopped. */
  private static final class Visited {
    static final Visited NOTHING = new Visited(false, null);
    static final Visited WHOLE = new Visited(true, null);

    final boolean began;
    final byte @Nullable [] stoppedAt;

    Visited(boolean began, byte @Nullable [] stoppedAt) {
      this.began = began;
      this.stoppedAt = stoppedAt;
    }
  }

  private Visited visitKey(
      byte[] header, byte[] row, byte @Nullable [] after, Budget budget, Visitor visitor) {
    RedisKey key = RowKeys.parseHeader(header);
    KeyState state = KeyState.decode(row);
    Shown shown = shown(key, state);
    ElementKind kind = shown.kind;
    if (kind == null) {
      budget.spend(row.length / 8); // looking costs too
      if (after != null) {
        visitor.end();
      }
      return Visited.NOTHING;
    }
    if (after == null) {
      visitor.key(key, kind, shown.deadlineMillis);
      budget.spend(key.name().length() + 16);
    }
    if (kind == ElementKind.STRING) {
      if (after == null) {
        show(Bytes.EMPTY, shown.content(Element.string(key), state.string), budget, visitor);
      }
      visitor.end();
      return Visited.WHOLE;
    }
    byte[][] stoppedAt = {null};
    rows.scan(
        RowKeys.elements(key),
        after,
        (rowKey, value) -> {
          Element element = RowKeys.parseElement(rowKey);
          Content content = shown.content(element, Cell.decode(new ByteReader(value)));
          if (!content.isAbsent()) {
            show(element.name(), content, budget, visitor);
          }
          if (budget.isSpent()) {
            stoppedAt[0] = Arrays.copyOf(rowKey, rowKey.length);
            return false;
          }
          return true;
        });
    if (stoppedAt[0] == null) {
      visitor.end();
    }
    return new Visited(true, stoppedAt[0]);
  }

  private static void show(Bytes name, Content content, Budget budget, Visitor visitor) {
    visitor.element(name, content);
    Bytes value = content.value();
    budget.spend(name.length() + (value == null ? 20L : value.length()) + 16);
  }

  /** What is left of a visit's size. */
  private static final class Budget {
    private long left;

    Budget(long left) {
      this.left = left;
    }

    void spend(long bytes) {
      left -= bytes;
    }

    boolean isSpent() {
      return left <= 0;
    }
  }

  // --- visibility
  // ----------------------------------------------------------------------------------------------------------------

  private Shown shown(RedisKey key, KeyState state) {
    Element deadline = Element.deadline(key);
    List<KeyState.Expiry> hiding = state.effectiveExpiries(deadline);
    ElementKind kind = keys.visibleKind(key, state, hiding);
    Cell string = keys.without(Element.string(key), state.string, hiding);
    long deadlineMillis =
        kind == null
            ? 0
            : state.deadline(deadline, kind == ElementKind.STRING ? string.winner() : null);
    return new Shown(keys, kind, hiding, deadlineMillis);
  }

  /** What of a key is to be seen. */
  private record Shown(
      KeyView keys, @Nullable ElementKind kind, List<KeyState.Expiry> hiding, long deadlineMillis) {
    Content content(Element element, Cell cell) {
      return element.kind() == kind
          ? Visible.of(element.kind(), keys.without(element, cell, hiding))
          : Content.ABSENT;
    }
  }
}
