package io.crosstide.capture.shadow;

/** A shadow on the heap: for tests and simulation, with the same units and the same rows. */
public final class InMemoryShadow extends Shadow {
  /** Small, so that rows drive each other out as they do in a large shadow. */
  private static final int ROW_CACHE_BYTES = 4096;

  private final InMemoryRows rows;

  public InMemoryShadow() {
    this(new InMemoryRows(), ShadowOptions.defaults().withRowCacheBytes(ROW_CACHE_BYTES));
  }

  /** One to stage a snapshot in: whole values, no units. */
  public static InMemoryShadow staging() {
    return new InMemoryShadow(new InMemoryRows(), ShadowOptions.staging());
  }

  private InMemoryShadow(InMemoryRows rows, ShadowOptions options) {
    super(rows, options);
    this.rows = rows;
  }

  /**
   * The shadow as a process finds it that starts after this one died: as of the last commit. This
   * one must not be used any more.
   */
  public InMemoryShadow crashed() {
    return new InMemoryShadow(rows, options());
  }
}
