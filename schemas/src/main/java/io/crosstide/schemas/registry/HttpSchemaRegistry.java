package io.crosstide.schemas.registry;

import com.fasterxml.jackson.databind.JsonNode;
import io.crosstide.schemas.registry.RegistryHttp.Answer;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Schema;

/**
 * A registry that speaks Confluent's REST API.
 *
 * <p>Ids and schemas are remembered for the life of the process, as they never change: with the
 * registry down, everything that was asked once goes on. Answers that may change (no such id, no
 * such subject) are not remembered.
 */
public final class HttpSchemaRegistry implements SchemaRegistry {
  private static final int SUBJECT_NOT_FOUND = 40401;
  private static final int VERSION_NOT_FOUND = 40402;
  private static final int SCHEMA_NOT_FOUND = 40403;

  private record SubjectSchema(String subject, Schema schema) {}

  private final RegistryHttp http;
  private final Map<SubjectSchema, Integer> ids = new ConcurrentHashMap<>();
  private final Map<Integer, Schema> schemas = new ConcurrentHashMap<>();

  /** Connects at the first question, not now. */
  public HttpSchemaRegistry(SchemaRegistryConfig config) {
    http = new RegistryHttp(config);
  }

  @Override
  public int register(String subject, Schema schema) {
    Integer known = ids.get(new SubjectSchema(subject, schema));
    if (known != null) {
      return known;
    }
    Answer answer =
        http.send("POST", "/subjects/" + encoded(subject) + "/versions", schemaBody(schema));
    return remember(subject, schema, expectSuccess(answer, "register a schema for " + subject));
  }

  @Override
  public Optional<Integer> find(String subject, Schema schema) {
    Integer known = ids.get(new SubjectSchema(subject, schema));
    if (known != null) {
      return Optional.of(known);
    }
    Answer answer = http.send("POST", "/subjects/" + encoded(subject), schemaBody(schema));
    if (isOneOf(answer, SUBJECT_NOT_FOUND, SCHEMA_NOT_FOUND)) {
      return Optional.empty();
    }
    return Optional.of(
        remember(subject, schema, expectSuccess(answer, "find a schema of " + subject)));
  }

  @Override
  public Optional<Schema> byId(int id) {
    Schema known = schemas.get(id);
    if (known != null) {
      return Optional.of(known);
    }
    Answer answer = http.send("GET", "/schemas/ids/" + id, null);
    if (isOneOf(answer, SCHEMA_NOT_FOUND)) {
      return Optional.empty();
    }
    JsonNode body = expectSuccess(answer, "read schema id " + id);
    Schema schema = parse(id, body);
    schemas.put(id, schema);
    return Optional.of(schema);
  }

  @Override
  public List<Integer> versions(String subject) {
    Answer answer = http.send("GET", "/subjects/" + encoded(subject) + "/versions", null);
    if (isOneOf(answer, SUBJECT_NOT_FOUND)) {
      return List.of();
    }
    List<Integer> versions = new ArrayList<>();
    expectSuccess(answer, "list the versions of " + subject)
        .forEach(version -> versions.add(version.asInt()));
    return List.copyOf(versions);
  }

  @Override
  public boolean isCompatible(String subject, Schema schema) {
    Answer answer =
        http.send(
            "POST",
            "/compatibility/subjects/" + encoded(subject) + "/versions",
            schemaBody(schema));
    if (isOneOf(answer, SUBJECT_NOT_FOUND, VERSION_NOT_FOUND)) {
      return true;
    }
    return expectSuccess(answer, "check a schema for " + subject).path("is_compatible").asBoolean();
  }

  @Override
  public void compatibility(String subject, CompatibilityLevel level) {
    Answer answer =
        http.send("PUT", "/config/" + encoded(subject), http.object("compatibility", level.name()));
    expectSuccess(answer, "set the compatibility of " + subject + " to " + level);
  }

  private int remember(String subject, Schema schema, JsonNode body) {
    JsonNode id = body.path("id");
    if (!id.isInt()) {
      throw new SchemaRegistryException(
          "the schema registry named no id for a schema of " + subject + ": " + body,
          SchemaRegistryException.NO_CODE);
    }
    ids.put(new SubjectSchema(subject, schema), id.asInt());
    schemas.putIfAbsent(id.asInt(), schema);
    return id.asInt();
  }

  private JsonNode schemaBody(Schema schema) {
    return http.object("schema", schema.toString());
  }

  private static Schema parse(int id, JsonNode body) {
    String type = body.path("schemaType").asText("AVRO");
    if (!type.equals("AVRO") || !body.path("schema").isTextual()) {
      throw new SchemaRegistryException(
          "schema id " + id + " is of type " + type + ", not Avro",
          SchemaRegistryException.NO_CODE);
    }
    try {
      return new Schema.Parser().parse(body.path("schema").asText());
    } catch (RuntimeException e) { // unresolved names give more than Avro's own exceptions
      throw new SchemaRegistryException(
          "schema id " + id + " cannot be parsed: " + e, SchemaRegistryException.NO_CODE, e);
    }
  }

  private static boolean isOneOf(Answer answer, int... codes) {
    for (int code : codes) {
      if (answer.status() == 404 && answer.errorCode() == code) {
        return true;
      }
    }
    return false;
  }

  private static JsonNode expectSuccess(Answer answer, String wish) {
    if (!answer.isSuccess()) {
      throw new SchemaRegistryException(
          "the schema registry would not "
              + wish
              + ": "
              + answer.body().path("message").asText(answer.body().toString())
              + " ("
              + (answer.errorCode() == SchemaRegistryException.NO_CODE
                  ? answer.status()
                  : answer.errorCode())
              + ")",
          answer.errorCode());
    }
    return answer.body();
  }

  private static String encoded(String subject) {
    return URLEncoder.encode(subject, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
