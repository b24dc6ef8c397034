package io.crosstide.capture.shadow;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Where committed rows live: a sorted map of byte strings, compared unsigned. */
interface RowStore extends AutoCloseable {

  /** The row's value, or null. */
  byte @Nullable [] get(byte[] row);

  /** Rows from {@code from} (inclusive) to {@code to} (exclusive), ascending or descending. */
  RowScan scan(byte[] from, byte[] to, boolean descending);

  /** Does everything {@code writer} puts into the batch, or nothing of it. */
  void write(Consumer<RowBatch> writer);

  @Override
  void close();

  /** What one atomic write does, in order. */
  interface RowBatch {
    void put(byte[] row, byte[] value);

    void delete(byte[] row);

    /** Deletes rows from {@code from} (inclusive) to {@code to} (exclusive). */
    void deleteRange(byte[] from, byte[] to);
  }

  /** A walk over rows. */
  interface RowScan extends AutoCloseable {
    /** Moves to the next row; false at the end. */
    boolean next();

    byte[] row();

    byte[] value();

    @Override
    void close();
  }
}
