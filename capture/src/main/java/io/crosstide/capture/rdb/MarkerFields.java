package io.crosstide.capture.rdb;

import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The fields of a marker as it stands in Redis; see {@link MarkerState}. */
final class MarkerFields {
  private static final String EXCEPTION_PREFIX = "x:";

  private MarkerFields() {}

  /** Whether that is a marker, and not what a client or an owner that found none has left there. */
  static boolean isMarker(Map<String, String> fields) {
    return fields.keySet().containsAll(List.of("e", "f", "c", "k"));
  }

  static MarkerState decode(Map<String, String> fields) {
    Map<String, MarkerState.Missed> exceptions = new HashMap<>();
    fields.forEach(
        (field, value) -> {
          if (field.startsWith(EXCEPTION_PREFIX)) {
            exceptions.put(
                field.substring(EXCEPTION_PREFIX.length()), MarkerState.Missed.decode(value));
          }
        });
    return new MarkerState(
        Integer.parseInt(fields.getOrDefault("e", "0")),
        Fx.parse(fields.getOrDefault("f", Fx.NONE.toString())),
        Fx.parse(fields.getOrDefault("b", Fx.NONE.toString())),
        VersionVector.decode(fields.getOrDefault("c", "")),
        exceptions);
  }

  /** Highest stamp of what the marker's effects show (P28). */
  static HybridTimestamp stamp(Map<String, String> fields) {
    return new HybridTimestamp(Long.parseLong(fields.getOrDefault("h", "0")));
  }
}
