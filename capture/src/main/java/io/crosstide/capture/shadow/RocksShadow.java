package io.crosstide.capture.shadow;

import java.nio.file.Path;

/**
 * A shadow in RocksDB. A process killed at any moment finds it again as of its last commit; one
 * process at a time can have it open.
 */
public final class RocksShadow extends Shadow {
  private RocksShadow(RocksRows rows, ShadowOptions options) {
    super(rows, options);
  }

  /** Opens the shadow in {@code dir}, creating it if there is none. */
  public static RocksShadow open(Path dir, ShadowOptions options) {
    RocksRows rows = new RocksRows(dir, options);
    try {
      return new RocksShadow(rows, options);
    } catch (RuntimeException e) {
      rows.close();
      throw e;
    }
  }
}
