package io.crosstide.schemas;

import org.jspecify.annotations.Nullable;

/**
 * Bytes that are not a change event this version can read. Reading them again gives the same
 * result: the record belongs in {@code dead-letters.<region>}, or the partition stops.
 */
public class MalformedEventException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** {@link #offset()} where no single byte is to blame. */
  public static final int NO_OFFSET = -1;

  private final String field;
  private final int offset;

  /**
   * @param field the field or part being read, as the schema names it
   * @param offset of the byte within the record's value or header, or {@link #NO_OFFSET}
   * @param problem what is wrong, as a clause
   */
  public MalformedEventException(String field, int offset, String problem) {
    this(field, offset, problem, null);
  }

  public MalformedEventException(
      String field, int offset, String problem, @Nullable Throwable cause) {
    super(
        "not a readable change event: "
            + problem
            + ", in '"
            + field
            + "'"
            + (offset == NO_OFFSET ? "" : " at byte " + offset),
        cause);
    this.field = field;
    this.offset = offset;
  }

  /** The field or part being read, as the schema names it. */
  public String field() {
    return field;
  }

  /** Where in the record's value or header reading stopped, or {@link #NO_OFFSET}. */
  public int offset() {
    return offset;
  }
}
