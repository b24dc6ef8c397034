package io.crosstide.capture.shadow;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.protocol.Content;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process with an open shadow is killed at some moment; what it committed is there, whole. */
class RocksShadowCrashIT {
  private static final int KEYS = 50;

  @TempDir Path dir;

  /** Writes for ever: unit n sets key n mod 50 and a member of a set and a sorted set to n. */
  public static final class Writer {
    private Writer() {}

    public static void main(String[] args) {
      Shadow shadow = RocksShadow.open(Path.of(args[0]), ShadowOptions.defaults());
      Checkpoint last = shadow.committed();
      long from = last == null ? 0 : last.replOffset();
      for (long n = from + 1; ; n++) {
        Bytes text = Bytes.utf8(Long.toString(n));
        shadow.key(0, Bytes.utf8("s" + n % KEYS)).setString(text);
        shadow.key(0, Bytes.utf8("set")).addMember(text);
        shadow.key(0, Bytes.utf8("set")).remove(Bytes.utf8(Long.toString(n - 2 * KEYS)));
        shadow.key(0, Bytes.utf8("z")).putScore(Bytes.utf8("m" + n % KEYS), (double) n);
        shadow.meta("n", text.array());
        long unit = shadow.seal(new Checkpoint("id", n, 0, 0, HybridTimestamp.ZERO));
        if (n % 7 == 0) {
          shadow.commitThrough(unit - 3);
          System.out.println(Objects.requireNonNull(shadow.committed()).replOffset());
        }
      }
    }
  }

  @Test
  void aKilledProcessLeavesItsLastCommitWhole() throws IOException, InterruptedException {
    for (int round = 1; round <= 4; round++) {
      long seen = runAndKill(2000L * round);
      try (Shadow shadow = RocksShadow.open(dir, ShadowOptions.defaults())) {
        Checkpoint at = Objects.requireNonNull(shadow.committed());
        assertThat(at.replOffset()).isGreaterThanOrEqualTo(seen);
        isStateAfter(shadow, at.replOffset());
      }
    }
  }

  private long runAndKill(long lines) throws IOException, InterruptedException {
    Process writer =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Writer.class.getName(),
                dir.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    long last = 0;
    try (BufferedReader out =
        new BufferedReader(
            new InputStreamReader(writer.getInputStream(), StandardCharsets.US_ASCII))) {
      for (long i = 0; i < lines; i++) {
        last = Long.parseLong(Objects.requireNonNull(out.readLine(), "the writer ended by itself"));
      }
      writer.destroyForcibly();
      assertThat(writer.waitFor(20, TimeUnit.SECONDS)).isTrue();
    }
    return last;
  }

  private static void isStateAfter(Shadow shadow, long n) {
    assertThat(new String(Objects.requireNonNull(shadow.meta("n")), StandardCharsets.US_ASCII))
        .isEqualTo(Long.toString(n));
    for (long i = n; i > n - KEYS; i--) {
      assertThat(shadow.key(0, Bytes.utf8("s" + i % KEYS)).content())
          .isEqualTo(Content.utf8(Long.toString(i)));
      assertThat(shadow.key(0, Bytes.utf8("z")).score(Bytes.utf8("m" + i % KEYS)))
          .isEqualTo((double) i);
    }
    ShadowKey set = shadow.key(0, Bytes.utf8("set"));
    assertThat(set.count()).isEqualTo(2 * KEYS);
    for (long i = n; i > n - 2 * KEYS; i--) {
      assertThat(set.hasMember(Bytes.utf8(Long.toString(i)))).isTrue();
    }
    assertThat(ShadowContract.drain(set.elements())).hasSize(2 * KEYS);
    assertThat(ShadowContract.drain(shadow.key(0, Bytes.utf8("z")).byScore(false))).hasSize(KEYS);
  }
}
