package io.crosstide.control.explain;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Says in a sentence that a Redis holds something else than the merged state, as far as the
 * shortened views of both show it.
 */
final class RedisDifference {
  private static final Set<String> REPLICATED =
      Set.of("none", "string", "hash", "set", "zset", "stream");

  private static final String CAUSES =
      " Either it is on its way, or a command that is not replicated has changed it"
          + " (`crosstide stats` counts those).";

  private RedisDifference() {}

  /**
   * @param redis as {@link io.crosstide.control.redis.KeyView} shows the key
   * @param merged as {@link ExplainService} shows it; missing or null if nothing is known
   */
  static Optional<String> of(JsonNode redis, JsonNode merged) {
    String held = redis.path("type").asText();
    String wanted = merged.path("type").asText("none");
    if (held.isEmpty()) {
      return Optional.empty();
    }
    if (!REPLICATED.contains(held)) {
      return Optional.of("Redis holds a " + held + ", which is not replicated.");
    }
    if (!held.equals(wanted)) {
      return Optional.of(
          "Redis holds "
              + (held.equals("none") ? "nothing" : "a " + held)
              + ", the merged state "
              + (wanted.equals("none") ? "nothing." : "a " + wanted + ".")
              + CAUSES);
    }
    return isComparable(redis, merged) && !inRedis(redis).equals(visible(merged))
        ? Optional.of("Redis holds something else than the merged state." + CAUSES)
        : Optional.empty();
  }

  /** Both are shown whole. */
  private static boolean isComparable(JsonNode redis, JsonNode merged) {
    if (merged.path("elements_more").asLong() > 0 || redis.path("type").asText().equals("stream")) {
      return false;
    }
    return redis.path("type").asText().equals("string")
        ? redis.path("size").asLong() == redis.path("value").asText().length()
        : redis.path("size").asLong() == inRedis(redis).size();
  }

  private static Map<String, String> inRedis(JsonNode redis) {
    Map<String, String> shown = new TreeMap<>();
    redis.path("members").forEach(member -> shown.put(member.asText(), ""));
    for (String form : new String[] {"fields", "scores"}) {
      redis
          .path(form)
          .properties()
          .forEach(element -> shown.put(element.getKey(), element.getValue().asText()));
    }
    if (redis.has("value")) {
      shown.put("", redis.path("value").asText());
    }
    return shown;
  }

  private static Map<String, String> visible(JsonNode merged) {
    Map<String, String> shown = new TreeMap<>();
    for (JsonNode element : merged.path("elements")) {
      if (!element.path("visible").isNull() && !element.path("kind").asText().equals("deadline")) {
        shown.put(element.path("name").asText(), element.path("visible").asText());
      }
    }
    return shown;
  }
}
