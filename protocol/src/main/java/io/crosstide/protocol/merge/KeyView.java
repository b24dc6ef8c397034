package io.crosstide.protocol.merge;

import io.crosstide.crdt.Cell;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is to be seen of a key in the rows: of which type it is, and what each element holds,
 * expiries that hide something considered. Reads only; {@link KeyMerger} writes.
 */
final class KeyView {
  private final RowStore rows;
  private final CellRows cells;

  KeyView(RowStore rows, CellRows cells) {
    this.rows = rows;
    this.cells = cells;
  }

  /** The header of {@code key}; a new one if there is none. */
  KeyState load(RedisKey key) {
    byte[] row = rows.get(RowKeys.header(key));
    return row == null ? new KeyState() : KeyState.decode(row);
  }

  /** What Redis should hold for {@code element}. */
  Content wanted(Element element) {
    RedisKey key = element.key();
    byte[] row = rows.get(RowKeys.header(key));
    if (row == null) {
      return Content.ABSENT;
    }
    KeyState state = KeyState.decode(row);
    List<KeyState.Expiry> hiding = state.effectiveExpiries(Element.deadline(key));
    ElementKind kind = visibleKind(key, state, hiding);
    if (element.kind() == ElementKind.DEADLINE) {
      if (kind == null) {
        return Content.ABSENT;
      }
      Cell visible = without(Element.string(key), state.string, hiding);
      long at = state.deadline(element, kind == ElementKind.STRING ? visible.winner() : null);
      return at == 0 ? Content.ABSENT : Content.deadline(at);
    }
    if (element.kind() != kind) {
      return Content.ABSENT;
    }
    Cell cell = kind == ElementKind.STRING ? state.string : cells.load(element);
    return cell == null ? Content.ABSENT : Visible.of(kind, without(element, cell, hiding));
  }

  /** {@code cell} without what {@code hiding} hides of it: what is to be seen. */
  Cell without(Element element, Cell cell, List<KeyState.Expiry> hiding) {
    return cell.without(KeyState.hidden(hiding, element), cells.log(element));
  }

  /**
   * The type of the newest surviving write, or null if nothing is visible. Reads all rows only
   * while there are several types.
   */
  @Nullable ElementKind visibleKind(RedisKey key, KeyState state, List<KeyState.Expiry> hiding) {
    if (!state.hasVisible()) {
      return null;
    }
    ElementKind only = state.onlyVisibleKind();
    if (only != null) {
      return only;
    }
    NewestKind newest = new NewestKind();
    newest.add(ElementKind.STRING, without(Element.string(key), state.string, hiding));
    cells.forEach(
        key, (element, cell) -> newest.add(element.kind(), without(element, cell, hiding)));
    return newest.get();
  }
}
