package io.crosstide.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CaptureMetricsTest {
  @Test
  void theReferenceListsEveryMeter() throws IOException {
    List<String> expected =
        CaptureMetrics.catalogue().stream()
            .map(
                metric ->
                    "| `%s` | %s | %s |"
                        .formatted(
                            metric.meterName(),
                            metric.isCounter() ? "counter" : "gauge",
                            metric.description()))
            .toList();
    List<String> listed =
        Files.readAllLines(Path.of("../docs/reference/metrics-capture.md")).stream()
            .filter(line -> line.startsWith("| `"))
            .toList();
    assertThat(listed).isEqualTo(expected);
  }
}
