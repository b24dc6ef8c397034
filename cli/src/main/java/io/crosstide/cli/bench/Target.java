package io.crosstide.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import io.crosstide.cli.CliException;
import io.crosstide.cli.api.ApiClient;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What is measured: the regions of a running sandbox or deployment.
 *
 * @param delayMillis one-way delay of the emulated links, by {@code from>to}; empty outside
 *     sandboxes
 */
record Target(ApiClient api, List<TargetRegion> regions, Map<String, Long> delayMillis) {

  /** A region as the bench needs it. */
  record TargetRegion(String name, URI redis) {}

  static Target of(ApiClient api) {
    List<TargetRegion> regions = new ArrayList<>();
    JsonNode status = api.get("/api/v1/status");
    for (JsonNode region : status.path("regions")) {
      regions.add(
          new TargetRegion(
              region.path("name").asText(), URI.create(region.path("redis").asText())));
    }
    Map<String, Long> delays = new HashMap<>();
    if (status.path("mode").asText().equals("sandbox")) {
      for (JsonNode link : api.get("/api/v1/wan").path("links")) {
        if (link.path("state").asText().equals("cut")) {
          throw new CliException(
              "the link from "
                  + link.path("from").asText()
                  + " to "
                  + link.path("to").asText()
                  + " is cut: nothing could be measured over it; heal it with 'crosstide wan heal'");
        }
        delays.put(
            link.path("from").asText() + ">" + link.path("to").asText(),
            link.path("delay_ms").asLong());
      }
    }
    return new Target(api, regions, delays);
  }

  long delayMillis(String from, String to) {
    return delayMillis.getOrDefault(from + ">" + to, 0L);
  }
}
