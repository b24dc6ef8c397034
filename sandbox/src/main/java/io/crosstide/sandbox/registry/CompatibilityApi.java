package io.crosstide.sandbox.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.schemas.registry.Compatibility;
import java.util.List;
import org.apache.avro.Schema;

/** Says whether a subject would take a schema, without registering it. */
final class CompatibilityApi {
  private final RegistryStore store;

  CompatibilityApi(RegistryStore store) {
    this.store = store;
  }

  /** Against as many versions as the subject's level asks for. */
  JsonNode againstAll(String subject, JsonNode body, boolean verbose) {
    RegistryState state = store.state();
    return check(state, subject, state.versions(subject, false), body, verbose);
  }

  /** Against one version; anything is compatible with the latest of a subject without any. */
  JsonNode againstOne(String subject, String version, JsonNode body, boolean verbose) {
    RegistryState state = store.state();
    if (SubjectsApi.isLatest(version) && state.versions(subject, false).isEmpty()) {
      return check(state, subject, List.of(), body, verbose);
    }
    StoredSchema one = SubjectsApi.find(state, subject, version, false);
    return check(state, subject, List.of(one), body, verbose);
  }

  private static JsonNode check(
      RegistryState state,
      String subject,
      List<StoredSchema> versions,
      JsonNode body,
      boolean verbose) {
    Schema next = AvroTexts.submitted(state, body).schema();
    List<Schema> earlier = versions.stream().map(stored -> AvroTexts.parse(state, stored)).toList();
    List<String> problems = Compatibility.problems(state.level(subject), earlier, next);
    ObjectNode result = JsonNodeFactory.instance.objectNode();
    result.put("is_compatible", problems.isEmpty());
    if (verbose) {
      problems.forEach(result.putArray("messages")::add);
    }
    return result;
  }
}
