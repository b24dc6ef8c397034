package io.crosstide.protocol.merge;

import io.crosstide.crdt.Cell;
import io.crosstide.crdt.Dot;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes stored keys smaller without an event that asks for it. Nothing that is to be seen changes.
 */
final class KeyTidier {
  private final RowStore rows;
  private final CellRows cells;

  KeyTidier(RowStore rows, CellRows cells) {
    this.rows = rows;
    this.cells = cells;
  }

  /** A key's header, loaded to be changed and stored. */
  private final class Header {
    final RedisKey key;
    final Element stringElement;
    final Element deadlineElement;
    final KeyState state;
    private final byte[] rowKey;
    private final byte[] row;
    private final Cell stringBefore;

    Header(RedisKey key, byte[] rowKey, byte[] row) {
      this.key = key;
      this.rowKey = rowKey;
      this.row = row;
      state = KeyState.decode(row);
      stringBefore = state.string;
      stringElement = Element.string(key);
      deadlineElement = Element.deadline(key);
    }

    void storeCell(Element element, Cell before, Cell after) {
      if (!after.equals(before) && !cells.store(element, before, after)) {
        state.rows--;
      }
    }

    void store() {
      state.string = cells.spill(stringElement, stringBefore, state.string);
      if (state.isBlank()) {
        rows.delete(rowKey);
        return;
      }
      byte[] after = state.encode();
      if (!Arrays.equals(row, after)) {
        rows.put(rowKey, after);
      }
    }
  }

  private @Nullable Header load(RedisKey key) {
    byte[] rowKey = RowKeys.header(key);
    byte[] row = rows.get(rowKey);
    return row == null ? null : new Header(key, rowKey, row);
  }

  /** Drops what the removals of {@code element}'s row no longer wait for. */
  void prune(Element element, VersionVector merged) {
    if (element.kind() == ElementKind.STRING) {
      Header header = load(element.key());
      if (header != null) {
        header.state.prune(merged);
        header.store();
      }
      return;
    }
    Cell cell = cells.load(element);
    if (cell == null) {
      return;
    }
    Cell after = cell.prune(merged);
    if (after.equals(cell) || cells.store(element, cell, after)) {
      return;
    }
    Header header = load(element.key());
    if (header != null) {
      header.state.rows--;
      header.store();
    }
  }

  /** Turns the key's stable expiries into removals, or drops them where a deadline refuted them. */
  void settleExpiries(RedisKey key, VersionVector merged, VersionVector stable) {
    Header header = load(key);
    if (header != null) {
      settleExpiries(header, merged, stable);
      header.store();
    }
  }

  private void settleExpiries(Header header, VersionVector merged, VersionVector stable) {
    KeyState state = header.state;
    state.settleDeadlineEvents(stable, header.deadlineElement);
    List<KeyState.Expiry> effective = state.effectiveExpiries(header.deadlineElement);
    for (KeyState.Expiry expiry : List.copyOf(state.expiries)) {
      if (!stable.covers(expiry.dot())) {
        continue;
      }
      if (effective.contains(expiry)) {
        state.string = remove(header.stringElement, state.string, expiry, merged);
        cells.forEach(
            header.key,
            (element, cell) ->
                header.storeCell(element, cell, remove(element, cell, expiry, merged)));
      }
      state.removeDeadlines(expiry.covers().seen(header.deadlineElement));
      state.deadlineRemoved = state.deadlineRemoved.beyond(merged);
      state.expiries.remove(expiry);
    }
  }

  private Cell remove(Element element, Cell cell, KeyState.Expiry expiry, VersionVector merged) {
    return cell.remove(expiry.covers().seen(element), cells.log(element)).prune(merged);
  }

  /**
   * Folds what is stable of a cell with spilled increments, and has it visited again if some are
   * left.
   */
  void fold(Element element, VersionVector merged, VersionVector stable) {
    Header header = load(element.key());
    if (header == null) {
      return;
    }
    settleExpiries(header, merged, stable);
    boolean isString = element.kind() == ElementKind.STRING;
    Cell cell = isString ? header.state.string : cells.load(element);
    if (cell != null) {
      Cell after = cell;
      if (header.state.expiries.isEmpty()) {
        after = cell.fold(stable, cells.log(element));
      }
      if (isString) {
        header.state.string = after;
      } else {
        header.storeCell(element, cell, after);
      }
      awaitFold(header.state, element, after);
    }
    header.store();
  }

  private void awaitFold(KeyState state, Element element, Cell cell) {
    if (cell.spilled().isEmpty()) {
      return;
    }
    if (state.expiries.isEmpty()) {
      cells.awaitFold(element, cell);
    } else {
      Dot unsettled = state.expiries.get(0).dot();
      cells.awaitFold(element, unsettled);
    }
  }
}
