package io.crosstide.capture.shadow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RocksShadowTest extends ShadowContract {
  @TempDir Path dir;

  private final Map<Shadow, Path> places = new HashMap<>();
  private int created;

  @Override
  Shadow create() {
    return open(dir.resolve("shadow" + created++));
  }

  private Shadow open(Path place) {
    Shadow opened = RocksShadow.open(place, ShadowOptions.defaults());
    places.put(opened, place);
    return opened;
  }

  private Path placeOf(Shadow opened) {
    return Objects.requireNonNull(places.get(opened));
  }

  /** Closing writes nothing; that a killed process is no different is RocksShadowCrashIT's. */
  @Override
  Shadow afterCrash(Shadow dying) {
    Path place = placeOf(dying);
    dying.close();
    places.remove(dying);
    return open(place);
  }

  @Test
  void oneProcessAtATimeHasIt() {
    assertThatThrownBy(() -> open(placeOf(shadow)))
        .isInstanceOf(ShadowStoreException.class)
        .hasMessageContaining("stop it");
  }

  @Test
  void aDirectoryThatCannotBeMadeIsNamed() {
    Path impossible = Path.of("/dev/null/shadow");
    assertThatThrownBy(() -> open(impossible)).hasMessageContaining("/dev/null/shadow");
  }

  @Test
  void stagingKeepsWholeValuesAndWritesAsItGoes() {
    try (Shadow staging = RocksShadow.open(dir.resolve("staging"), ShadowOptions.staging())) {
      String value = "x".repeat(1000);
      for (int i = 0; i < 50_000; i++) {
        staging.key(0, b("h")).putField(b("f" + i), b(value));
      }
      assertThat(staging.waitingRows()).isLessThan(10_000);
      assertThat(staging.key(0, b("h")).count()).isEqualTo(50_000);
      assertThat(staging.key(0, b("h")).field(b("f1"))).isEqualTo(Content.utf8(value));
      assertThat(staging.key(0, b("h")).field(b("f1")).isDigestOnly()).isFalse();
      assertThat(drain(staging.key(0, b("h")).elements())).hasSize(50_000);
    }
  }

  /** A read of a row reads its whole block: no large value may lie in it. */
  @Test
  void stagedLargeValuesLieNeitherOnTheHeapNorInBlocksWithOthers() throws Exception {
    Path place = dir.resolve("staging");
    byte[] large = new byte[4 << 20];
    new Random(1).nextBytes(large);
    int waiting = 0;
    try (Shadow staging = RocksShadow.open(place, ShadowOptions.staging())) {
      for (int i = 0; i < 100; i++) {
        staging.key(0, b("k" + i)).setString(i % 4 == 0 ? Bytes.wrap(large) : b("small"));
        waiting = Math.max(waiting, staging.waitingRows());
      }
      assertThat(staging.key(0, b("k40")).content()).isEqualTo(Content.of(Bytes.wrap(large)));
      // Of what was written, two write buffers at most are not in files yet.
      try (Stream<Path> files = Files.list(place)) {
        assertThat(files.filter(file -> file.toString().endsWith(".sst")))
            .isNotEmpty()
            .allSatisfy(file -> assertThat(Files.size(file)).isLessThan(100_000));
      }
    }
    assertThat(waiting).isLessThan(10);
  }

  @Test
  void closingTwiceIsHarmless() {
    shadow.close();
    shadow.close();
  }
}
