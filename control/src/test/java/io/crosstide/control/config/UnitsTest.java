package io.crosstide.control.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class UnitsTest {
  @Test
  void durationsCarryUnits() {
    assertThat(Units.duration("40ms")).isEqualTo(Duration.ofMillis(40));
    assertThat(Units.duration("1.5 s")).isEqualTo(Duration.ofMillis(1500));
    assertThat(Units.duration("2m")).isEqualTo(Duration.ofMinutes(2));
    assertThatThrownBy(() -> Units.duration("40"))
        .hasMessage("'40' is not a duration: write a number and us, ms, s, m, h or d, as in 40ms");
    assertThatThrownBy(() -> Units.duration("-1ms")).hasMessageContaining("not a duration");
  }

  @Test
  void sizesDistinguishThousandsFromPowersOfTwo() {
    assertThat(Units.bytes("10KB")).isEqualTo(10_000);
    assertThat(Units.bytes("64MiB")).isEqualTo(64L << 20);
    assertThat(Units.bytes("1.5kib")).isEqualTo(1536);
    assertThatThrownBy(() -> Units.bytes("99999999999GB")).hasMessageContaining("too large");
  }

  @Test
  void ratesAreSizesPerSecond() {
    assertThat(Units.bytesPerSecond("10MB/s")).isEqualTo(10_000_000);
    assertThat(Units.bytesPerSecond("unlimited")).isEqualTo(Long.MAX_VALUE);
    assertThatThrownBy(() -> Units.bytesPerSecond("10MB")).hasMessageContaining("not a rate");
    assertThatThrownBy(() -> Units.bytesPerSecond("0B/s")).hasMessageContaining("lets nothing");
  }

  @Test
  void formatsAsPeopleWouldWriteIt() {
    assertThat(Units.format(Duration.ofMillis(40))).isEqualTo("40ms");
    assertThat(Units.format(Duration.ofMillis(1500))).isEqualTo("1.5s");
    assertThat(Units.format(Duration.ofMinutes(2))).isEqualTo("2m");
    assertThat(Units.format(Duration.ZERO)).isEqualTo("0ms");
    assertThat(Units.formatBytes(64L << 20)).isEqualTo("64MiB");
    assertThat(Units.formatBytes(1_234_567)).isEqualTo("1.2MB");
    assertThat(Units.formatBytes(12)).isEqualTo("12B");
  }

  @Test
  void guessesWhatAMisspeltWordMeant() {
    assertThat(DidYouMean.among(java.util.List.of("bootstrap", "properties"), "bootsrap"))
        .contains("bootstrap");
    assertThat(DidYouMean.among(java.util.List.of("id", "name"), "zebra")).isEmpty();
  }
}
