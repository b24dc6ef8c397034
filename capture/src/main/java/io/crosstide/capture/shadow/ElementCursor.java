package io.crosstide.capture.shadow;

import io.crosstide.capture.shadow.RowStore.RowScan;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A walk over the elements of one key. Elements may be written and removed during the walk, the
 * current one too. To be closed.
 */
public final class ElementCursor implements AutoCloseable {
  private final @Nullable RowScan scan;
  private final ShadowType type;
  private final @Nullable Overlay elementsOfScores;
  private Bytes name = Bytes.EMPTY;
  private byte[] value = {};
  private @Nullable FirstMet firstMet;

  private ElementCursor(@Nullable RowScan scan, ShadowType type, @Nullable Overlay ofScores) {
    this.scan = scan;
    this.type = type;
    this.elementsOfScores = ofScores;
  }

  static ElementCursor empty() {
    return new ElementCursor(null, ShadowType.OPAQUE, null);
  }

  static ElementCursor byName(RowScan scan, ShadowType type) {
    return new ElementCursor(scan, type, null);
  }

  /** Hears of the first row that a walk meets. */
  interface FirstMet {
    void row(byte[] row);
  }

  static ElementCursor byScore(RowScan scan, Overlay elements, FirstMet firstMet) {
    ElementCursor cursor = new ElementCursor(scan, ShadowType.ZSET, elements);
    cursor.firstMet = firstMet;
    return cursor;
  }

  /** Moves to the next element; false at the end. */
  public boolean next() {
    if (scan == null || !scan.next()) {
      return false;
    }
    byte[] row = scan.row();
    FirstMet tell = firstMet;
    if (tell != null) {
      tell.row(row);
      firstMet = null;
    }
    if (elementsOfScores != null) {
      row = Rows.elementOfByScore(row);
      byte[] found = elementsOfScores.get(row);
      if (found == null) {
        throw new IllegalStateException(
            "the shadow is damaged: a score without its member in row " + Arrays.toString(row));
      }
      value = found;
    } else {
      value = scan.value();
    }
    Bytes position = type == ShadowType.LIST ? ElementRow.position(value) : null;
    if (position != null) {
      name = position;
      return true;
    }
    name =
        ShadowNames.isLongInRow(Rows.rowNameLengthOfElement(row))
            ? ElementRow.longName(value)
            : Rows.nameOfElement(row);
    return true;
  }

  /** A field or member; of a list's element, its position. */
  public Bytes name() {
    return name;
  }

  /** The value or digest of a field or list element; {@link Content#PRESENT} for members. */
  public Content content() {
    return switch (type) {
      case HASH, STREAM -> ElementRow.field(value, ShadowNames.isLong(name));
      case LIST -> ElementRow.listElement(value);
      default -> Content.PRESENT;
    };
  }

  /** A sorted-set member's score. */
  public double score() {
    return ElementRow.score(value);
  }

  @Override
  public void close() {
    if (scan != null) {
      scan.close();
    }
  }
}
