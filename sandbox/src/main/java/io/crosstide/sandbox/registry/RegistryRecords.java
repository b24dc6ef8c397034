package io.crosstide.sandbox.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.schemas.registry.CompatibilityLevel;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The records of the {@code _schemas} topic, in the JSON that Confluent's registry keeps there, so
 * that it can take the topic over.
 */
final class RegistryRecords {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  /**
   * @param value null for a Kafka tombstone
   */
  record Entry(ObjectNode key, @Nullable ObjectNode value) {}

  private RegistryRecords() {}

  static Entry schema(StoredSchema schema) {
    ObjectNode value = JSON.objectNode();
    value.put("subject", schema.subject());
    value.put("version", schema.version());
    value.put("id", schema.id());
    if (!schema.references().isEmpty()) {
      for (StoredSchema.Reference reference : schema.references()) {
        value.withArray("references").add(toJson(reference));
      }
    }
    value.put("schema", schema.text());
    value.put("deleted", schema.deleted());
    return new Entry(schemaKey(schema.subject(), schema.version()), value);
  }

  static Entry schemaGone(String subject, int version) {
    return new Entry(schemaKey(subject, version), null);
  }

  static Entry level(String subject, @Nullable CompatibilityLevel level) {
    return new Entry(
        settingKey("CONFIG", subject),
        level == null ? null : setting(subject, "compatibilityLevel", level.name()));
  }

  static Entry mode(String subject, @Nullable RegistryMode mode) {
    return new Entry(
        settingKey("MODE", subject), mode == null ? null : setting(subject, "mode", mode.name()));
  }

  /** The state after one more record of the log. */
  static RegistryState apply(RegistryState state, JsonNode key, @Nullable JsonNode value) {
    String subject = key.path("subject").asText(RegistryState.GLOBAL);
    if (key.path("subject").isNull()) {
      subject = RegistryState.GLOBAL;
    }
    int version = key.path("version").asInt();
    return switch (key.path("keytype").asText()) {
      case "SCHEMA" ->
          value == null
              ? state.withoutSchema(subject, version)
              : state.withSchema(toSchema(subject, version, value));
      case "DELETE_SUBJECT" ->
          value == null ? state : state.withSubjectDeleted(subject, value.path("version").asInt());
      case "CONFIG" ->
          state.withLevel(
              subject,
              value == null
                  ? null
                  : CompatibilityLevel.valueOf(value.path("compatibilityLevel").asText()));
      case "MODE" ->
          state.withMode(
              subject, value == null ? null : RegistryMode.valueOf(value.path("mode").asText()));
      default -> state; // NOOP and the like, which say nothing about schemas
    };
  }

  static ObjectNode toJson(StoredSchema.Reference reference) {
    ObjectNode node = JSON.objectNode();
    node.put("name", reference.name());
    node.put("subject", reference.subject());
    node.put("version", reference.version());
    return node;
  }

  static List<StoredSchema.Reference> references(JsonNode holder) {
    List<StoredSchema.Reference> references = new ArrayList<>();
    for (JsonNode reference : holder.path("references")) {
      references.add(
          new StoredSchema.Reference(
              reference.path("name").asText(),
              reference.path("subject").asText(),
              reference.path("version").asInt()));
    }
    return references;
  }

  private static StoredSchema toSchema(String subject, int version, JsonNode value) {
    return new StoredSchema(
        subject,
        version,
        value.path("id").asInt(),
        value.path("schema").asText(),
        references(value),
        value.path("deleted").asBoolean());
  }

  private static ObjectNode schemaKey(String subject, int version) {
    ObjectNode key = JSON.objectNode();
    key.put("keytype", "SCHEMA");
    key.put("subject", subject);
    key.put("version", version);
    key.put("magic", 1);
    return key;
  }

  private static ObjectNode settingKey(String type, String subject) {
    ObjectNode key = JSON.objectNode();
    key.put("keytype", type);
    key.put("subject", subject.equals(RegistryState.GLOBAL) ? null : subject);
    key.put("magic", 0);
    return key;
  }

  private static ObjectNode setting(String subject, String name, String text) {
    ObjectNode value = JSON.objectNode();
    value.put("subject", subject.equals(RegistryState.GLOBAL) ? null : subject);
    value.put(name, text);
    return value;
  }
}
