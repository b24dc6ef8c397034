package io.crosstide.protocol.merge;

import org.jspecify.annotations.Nullable;

/**
 * The durable rows of one partition: an ordered map of bytes. In production a Kafka Streams store
 * whose changelog is in Kafka; its content and the input positions are committed together (P12).
 */
public interface RowStore {
  byte @Nullable [] get(byte[] key);

  void put(byte[] key, byte[] value);

  void delete(byte[] key);

  /**
   * Hands the rows whose key begins with {@code prefix} and comes after {@code after} (null: from
   * the first) to {@code visitor}, in unsigned byte order, until it answers false. The visitor must
   * not change rows.
   */
  void scan(byte[] prefix, byte @Nullable [] after, Visitor visitor);

  /**
   * As {@link #scan}, backwards: the rows whose key begins with {@code prefix} and comes before
   * {@code before}, the last first.
   */
  void scanBack(byte[] prefix, byte[] before, Visitor visitor);

  /** Receives rows. */
  interface Visitor {
    boolean row(byte[] key, byte[] value);
  }
}
