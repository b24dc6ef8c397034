package io.crosstide.cli.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.HdrHistogram.Histogram;

/** A lag distribution as JSON, in milliseconds. */
final class LagJson {
  private LagJson() {}

  /** Without samples every figure is null: nothing became visible, which is not a lag of 0. */
  static ObjectNode of(Histogram micros, ObjectMapper json) {
    ObjectNode out = json.createObjectNode();
    if (micros.getTotalCount() == 0) {
      out.putNull("p50").putNull("p99").putNull("max");
    } else {
      out.put("p50", millis(micros.getValueAtPercentile(50)));
      out.put("p99", millis(micros.getValueAtPercentile(99)));
      out.put("max", millis(micros.getMaxValue()));
    }
    out.put("samples", micros.getTotalCount());
    return out;
  }

  private static double millis(long micros) {
    return Math.round(micros / 10.0) / 100.0;
  }
}
