package io.crosstide.control.explain;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.control.redis.KeyView;
import io.crosstide.control.redis.RedisUnavailableException;
import io.crosstide.control.redis.RegionRedis;
import io.crosstide.control.redis.Shown;
import io.crosstide.control.role.KeyExplanation;
import io.crosstide.control.role.KeyExplanation.ElementExplanation;
import io.crosstide.control.role.KeyExplanation.Write;
import io.crosstide.control.role.MergedState;
import io.crosstide.control.stats.Peers;
import io.crosstide.control.verify.RemoteMergedImages;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;
import io.crosstide.schemas.Partitions;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Answers why a key has its value, for every region of the deployment. */
public final class ExplainService {
  private static final int ELEMENTS_MAX = 50;

  private final ObjectMapper json;
  private final Map<String, Integer> regionIds;
  private final int partitions;
  private final Function<String, RegionRedis> redis;
  private final Function<String, @Nullable MergedState> merged;
  private final Peers peers;

  /**
   * @param regionIds by name, in the order to show them
   * @param redis opens a connection to a region's Redis, closed after use
   * @param merged a region's merged state if it is in this process
   */
  public ExplainService(
      ObjectMapper json,
      Map<String, Integer> regionIds,
      int partitions,
      Function<String, RegionRedis> redis,
      Function<String, @Nullable MergedState> merged,
      Peers peers) {
    this.json = json;
    this.regionIds = Map.copyOf(regionIds);
    this.partitions = partitions;
    this.redis = redis;
    this.merged = merged;
    this.peers = peers;
  }

  /** The key in every region. */
  public ObjectNode explain(RedisKey key) {
    ObjectNode out = json.createObjectNode();
    out.put("key", Shown.text(key.name().array()));
    out.put("db", key.db());
    out.put("slot", Partitions.slot(key.name().array()));
    out.put("partition", Partitions.of(key.name().array(), partitions));
    ObjectNode regions = out.putObject("regions");
    new TreeMap<>(regionIds)
        .keySet()
        .forEach(
            region -> {
              ObjectNode one = regions.putObject(region);
              one.set("redis", inRedis(region, key));
              one.setAll(mergedAnywhere(region, key));
              RedisDifference.of(one.path("redis"), one.path("merged"))
                  .ifPresent(
                      different -> one.put("why", different + " " + one.path("why").asText()));
            });
    return out;
  }

  /**
   * What this process knows of the merged state, for other processes to ask; null if the region's
   * streams stage is not here.
   *
   * @throws IOException if it cannot be asked now
   */
  public @Nullable ObjectNode explainMerged(String region, RedisKey key) throws IOException {
    MergedState state = merged.apply(region);
    if (state == null) {
      return null;
    }
    ObjectNode out = json.createObjectNode();
    KeyExplanation explanation = state.explain(key, ELEMENTS_MAX).orElse(null);
    if (explanation == null) {
      out.putNull("merged");
      out.put("why", WhyText.unknown());
      return out;
    }
    out.set("merged", merged(explanation));
    out.put("why", new WhyText(this::regionName).of(explanation));
    return out;
  }

  private ObjectNode inRedis(String region, RedisKey key) {
    try (RegionRedis connection = redis.apply(region)) {
      return KeyView.of(connection, key, json);
    } catch (RedisUnavailableException e) {
      return json.createObjectNode().put("error", e.getMessage());
    }
  }

  private ObjectNode mergedAnywhere(String region, RedisKey key) {
    try {
      ObjectNode local = explainMerged(region, key);
      if (local != null) {
        return local;
      }
      String path =
          "/api/v1/process/explain/"
              + region
              + "?db="
              + key.db()
              + "&name="
              + RemoteMergedImages.base64(key);
      try (InputStream answer = peers.stream(path, "the merged state of " + region)) {
        JsonNode remote = json.readTree(answer);
        return remote instanceof ObjectNode object ? object : json.createObjectNode();
      }
    } catch (IOException e) {
      ObjectNode out = json.createObjectNode();
      out.putNull("merged");
      out.put("why", "The merged state cannot be asked now: " + e.getMessage());
      return out;
    }
  }

  private ObjectNode merged(KeyExplanation explanation) {
    ObjectNode out = json.createObjectNode();
    out.put("type", explanation.type());
    if (explanation.deadlineMillis() > 0) {
      out.put("deadline_ms", explanation.deadlineMillis());
    }
    ArrayNode elements = out.putArray("elements");
    explanation.elements().forEach(element -> elements.add(element(element)));
    out.put("elements_more", explanation.elementsMore());
    return out;
  }

  private ObjectNode element(ElementExplanation element) {
    ObjectNode out = json.createObjectNode();
    out.put("kind", element.kind().name().toLowerCase(java.util.Locale.ROOT));
    out.put("name", Shown.text(element.name().array()));
    put(out, "visible", element.visible());
    ArrayNode writes = out.putArray("writes");
    for (Write write : element.writes()) {
      ObjectNode one = writes.addObject();
      one.put("region", regionName(write.dot().origin().regionId()));
      one.put("dot", write.dot().toString());
      if (!write.stamp().equals(HybridTimestamp.ZERO)) {
        one.put("stamp", write.stamp().toString());
        one.put("time", Instant.ofEpochMilli(write.stamp().physicalMillis()).toString());
      }
      put(one, "value", write.content());
    }
    ObjectNode increments = out.putObject("increments");
    new TreeMap<>(element.increments()).forEach(increments::put);
    if (!element.note().isEmpty()) {
      out.put("note", element.note());
    }
    return out;
  }

  private static void put(ObjectNode out, String field, Content content) {
    if (content.isAbsent()) {
      out.putNull(field);
    } else {
      out.put(field, Shown.text(content));
    }
  }

  private String regionName(int id) {
    List<String> names =
        regionIds.entrySet().stream()
            .filter(region -> region.getValue() == id)
            .map(Map.Entry::getKey)
            .toList();
    return names.isEmpty() ? "region " + id : names.get(0);
  }
}
