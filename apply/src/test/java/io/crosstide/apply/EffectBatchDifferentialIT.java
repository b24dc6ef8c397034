package io.crosstide.apply;

import io.crosstide.apply.TestRedis.Version;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Holds the Lua script against {@link ModelRedis}: random batches among random client writes, on
 * every version of Redis at hand; after each, the reply, every key of every database and the marker
 * must be the model's. A failure names its seed; {@code -Dapply.differential.seed} runs that one
 * alone, {@code -Dapply.differential.batches} sets how many batches each seed runs.
 */
class EffectBatchDifferentialIT {
  private static final int SEEDS = 10;

  static Iterable<Version> versions() {
    return Version.available().toList();
  }

  @ParameterizedTest
  @MethodSource("versions")
  void luaDoesWhatTheModelDoes(Version version, @TempDir Path directory) throws IOException {
    int batches = Integer.getInteger("apply.differential.batches", 200);
    Long only = Long.getLong("apply.differential.seed");
    try (TestRedis redis = TestRedis.start(version, directory)) {
      for (long seed = only == null ? 1 : only; seed <= (only == null ? SEEDS : only); seed++) {
        new DifferentialRun(
                redis,
                seed % 2 == 0
                    ? new ScriptRunner(redis, "local PRELOAD_MAX = 128", "local PRELOAD_MAX = 2")
                    : new ScriptRunner(redis),
                seed)
            .run(batches);
      }
    }
  }
}
