package io.crosstide.capture.shadow;

import io.crosstide.capture.shadow.RowStore.RowScan;
import io.crosstide.crdt.Bytes;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A walk over keys. Keys may be written and removed during the walk, the current one too; a key
 * created meanwhile is seen if its place is still ahead. To be closed.
 */
public final class ShadowCursor implements AutoCloseable {
  private final Shadow shadow;
  private final Iterator<Integer> dbs;
  private int db;
  private @Nullable RowScan scan;

  ShadowCursor(Shadow shadow, List<Integer> dbs) {
    this.shadow = shadow;
    this.dbs = dbs.iterator();
  }

  /** The next key, opened as {@link Shadow#key} would; null at the end. */
  public @Nullable ShadowKey next() {
    shadow.writeBackCurrent();
    while (true) {
      RowScan rows = scan;
      if (rows == null) {
        if (!dbs.hasNext()) {
          return null;
        }
        db = dbs.next();
        Integer space = shadow.space(db);
        if (space == null) {
          continue;
        }
        rows = shadow.scanPrefix(Rows.keysOf(space), false);
        scan = rows;
      }
      if (rows.next()) {
        Bytes name =
            ShadowNames.isLongInRow(Rows.rowNameLengthOfKey(rows.row()))
                ? KeyHeader.longName(rows.value())
                : Rows.nameOfKey(rows.row());
        return shadow.opened(db, name, KeyHeader.decode(rows.value()));
      }
      close();
    }
  }

  @Override
  public void close() {
    RowScan rows = scan;
    if (rows != null) {
      rows.close();
      scan = null;
    }
  }
}
