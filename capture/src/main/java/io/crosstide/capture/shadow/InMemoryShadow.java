package io.crosstide.capture.shadow;

/** A shadow on the heap: for tests and simulation, with the same units and the same rows. */
public final class InMemoryShadow extends Shadow {
  private final InMemoryRows rows;

  public InMemoryShadow() {
    this(new InMemoryRows());
  }

  private InMemoryShadow(InMemoryRows rows) {
    super(rows, ShadowOptions.defaults());
    this.rows = rows;
  }

  /**
   * The shadow as a process finds it that starts after this one died: as of the last commit. This
   * one must not be used any more.
   */
  public InMemoryShadow crashed() {
    return new InMemoryShadow(rows);
  }
}
