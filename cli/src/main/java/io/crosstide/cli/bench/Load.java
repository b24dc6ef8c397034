package io.crosstide.cli.bench;

import java.time.Duration;
import java.util.List;

/**
 * What is written.
 *
 * @param ratePerSecond of all regions together; {@link #MAX} for as fast as it goes
 * @param mix command kinds, drawn evenly; a kind may stand twice
 * @param keys of each kind
 * @param valueBytes of strings and fields
 */
record Load(
    long ratePerSecond,
    Duration warmup,
    Duration duration,
    List<CommandKind> mix,
    int keys,
    int valueBytes) {
  static final long MAX = 0;

  boolean isMax() {
    return ratePerSecond == MAX;
  }
}
