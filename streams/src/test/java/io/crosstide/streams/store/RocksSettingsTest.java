package io.crosstide.streams.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.FlushOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;

class RocksSettingsTest {
  @TempDir Path dir;

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** A read of a row reads its whole block: no large value may lie in it. */
  @Test
  void largeValuesDoNotLieInBlocksWithOthers() throws Exception {
    RocksSettings settings = new RocksSettings();
    Random random = new Random(1);
    byte[] large = new byte[4 << 20];
    random.nextBytes(large);
    try (Options options = new Options()) {
      options.setCreateIfMissing(true);
      options.setTableFormatConfig(new BlockBasedTableConfig());
      settings.setConfig("rows", options, Map.of());
      try (RocksDB db = RocksDB.open(options, dir.toString());
          FlushOptions flush = new FlushOptions()) {
        for (int i = 0; i < 100; i++) {
          db.put(bytes("K" + i), i % 20 == 7 ? large : bytes("small"));
        }
        db.flush(flush);
        assertThat(bytesOf(".sst")).isBetween(500L, 100_000L);
        assertThat(bytesOf(".blob")).isGreaterThan(5L * large.length);
        assertThat(db.get(bytes("K27"))).isEqualTo(large);
        assertThat(db.get(bytes("K28"))).isEqualTo(bytes("small"));
      }
      settings.close("rows", options);
    }
  }

  private long bytesOf(String ending) throws IOException {
    try (Stream<Path> files = Files.list(dir)) {
      return files
          .filter(file -> file.toString().endsWith(ending))
          .mapToLong(RocksSettingsTest::size)
          .sum();
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
