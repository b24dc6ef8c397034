package io.crosstide.sandbox.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which request asks for what, as Confluent's REST API lays it out. */
final class RegistryRouter {

  /**
   * @param path decoded segments
   * @param body an empty object if there was none
   */
  record Request(String method, List<String> path, Map<String, String> query, JsonNode body) {
    boolean flag(String name) {
      return "true".equalsIgnoreCase(query.get(name));
    }

    String text(String name) {
      return query.getOrDefault(name, "");
    }

    boolean is(String wantedMethod, String... pattern) {
      return method.equals(wantedMethod) && matches(pattern);
    }

    /** Segments equal to the pattern's; {@code *} stands for any one. */
    boolean matches(String... pattern) {
      if (path.size() != pattern.length) {
        return false;
      }
      for (int i = 0; i < pattern.length; i++) {
        if (!pattern[i].equals("*") && !pattern[i].equals(path.get(i))) {
          return false;
        }
      }
      return true;
    }
  }

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private final SubjectsApi subjects;
  private final SchemasApi schemas;
  private final SettingsApi settings;
  private final CompatibilityApi compatibility;

  RegistryRouter(RegistryStore store) {
    subjects = new SubjectsApi(store);
    schemas = new SchemasApi(store);
    settings = new SettingsApi(store);
    compatibility = new CompatibilityApi(store);
  }

  /**
   * The answer's body: JSON, or a schema's text as it is.
   *
   * @throws RegistryError for every other answer
   */
  Object answer(Request request) {
    Object answer =
        switch (request.path().isEmpty() ? "" : request.path().get(0)) {
          case "" -> request.method().equals("GET") ? JSON.objectNode() : null;
          case "subjects" -> subjects(request);
          case "schemas" -> schemas(request);
          case "compatibility" -> compatibility(request);
          case "config" -> config(request);
          case "mode" -> mode(request);
          case "v1" -> metadata(request);
          case "contexts" -> request.is("GET", "contexts") ? JSON.arrayNode().add(".") : null;
          default -> null;
        };
    if (answer == null) {
      throw new RegistryError(
          404, "HTTP 404 Not Found: " + request.method() + " /" + String.join("/", request.path()));
    }
    return answer;
  }

  private @Nullable Object subjects(Request request) {
    boolean deleted = request.flag("deleted");
    if (request.is("GET", "subjects")) {
      return subjects.subjects(request.text("subjectPrefix"), deleted);
    }
    if (request.path().size() < 2) {
      return null;
    }
    String subject = request.path().get(1);
    if (request.is("POST", "subjects", "*")) {
      return subjects.lookUp(subject, request.body(), deleted);
    }
    if (request.is("DELETE", "subjects", "*")) {
      return subjects.deleteSubject(subject, request.flag("permanent"));
    }
    if (request.is("GET", "subjects", "*", "versions")) {
      return subjects.versions(subject, deleted);
    }
    if (request.is("POST", "subjects", "*", "versions")) {
      return subjects.register(subject, request.body());
    }
    return request.path().size() < 4 ? null : version(request, subject, request.path().get(3));
  }

  private @Nullable Object version(Request request, String subject, String version) {
    boolean deleted = request.flag("deleted");
    if (request.is("GET", "subjects", "*", "versions", "*")) {
      return SubjectsApi.describe(subjects.version(subject, version, deleted));
    }
    if (request.is("DELETE", "subjects", "*", "versions", "*")) {
      return subjects.deleteVersion(subject, version, request.flag("permanent"));
    }
    if (request.is("GET", "subjects", "*", "versions", "*", "schema")) {
      return subjects.version(subject, version, deleted).text();
    }
    if (request.is("GET", "subjects", "*", "versions", "*", "referencedby")) {
      return subjects.referencedBy(subject, version);
    }
    return null;
  }

  private @Nullable Object schemas(Request request) {
    boolean deleted = request.flag("deleted");
    if (request.is("GET", "schemas")) {
      return schemas.list(request.text("subjectPrefix"), deleted, request.flag("latestOnly"));
    }
    if (request.is("GET", "schemas", "types")) {
      return JSON.arrayNode().add("AVRO");
    }
    if (request.is("GET", "schemas", "ids", "*")) {
      return schemas.byId(request.path().get(2), request.flag("fetchMaxId"));
    }
    if (request.is("GET", "schemas", "ids", "*", "schema")) {
      return schemas.textById(request.path().get(2));
    }
    if (request.is("GET", "schemas", "ids", "*", "subjects")) {
      return schemas.subjectsOf(request.path().get(2), deleted);
    }
    if (request.is("GET", "schemas", "ids", "*", "versions")) {
      return schemas.versionsOf(request.path().get(2), deleted);
    }
    return null;
  }

  private @Nullable Object compatibility(Request request) {
    boolean verbose = request.flag("verbose");
    if (request.is("POST", "compatibility", "subjects", "*", "versions")) {
      return compatibility.againstAll(request.path().get(2), request.body(), verbose);
    }
    if (request.is("POST", "compatibility", "subjects", "*", "versions", "*")) {
      return compatibility.againstOne(
          request.path().get(2), request.path().get(4), request.body(), verbose);
    }
    return null;
  }

  private @Nullable Object config(Request request) {
    if (!request.matches("config") && !request.matches("config", "*")) {
      return null;
    }
    String subject = subjectOrGlobal(request);
    return switch (request.method()) {
      case "GET" -> settings.level(subject, request.flag("defaultToGlobal"));
      case "PUT" -> settings.level(subject, request.body());
      case "DELETE" -> settings.deleteLevel(subject);
      default -> null;
    };
  }

  private @Nullable Object mode(Request request) {
    if (!request.matches("mode") && !request.matches("mode", "*")) {
      return null;
    }
    String subject = subjectOrGlobal(request);
    return switch (request.method()) {
      case "GET" -> settings.mode(subject, request.flag("defaultToGlobal"));
      case "PUT" -> settings.mode(subject, request.body(), request.flag("force"));
      case "DELETE" -> settings.deleteMode(subject);
      default -> null;
    };
  }

  private static @Nullable Object metadata(Request request) {
    if (request.is("GET", "v1", "metadata", "id")) {
      var node = JSON.objectNode().put("id", "");
      var scope = node.putObject("scope");
      scope.putArray("path");
      scope.putObject("clusters").put("schema-registry-cluster", "crosstide-sandbox");
      return node;
    }
    return request.is("GET", "v1", "metadata", "version")
        ? JSON.objectNode().put("version", "crosstide-sandbox").put("commitId", "")
        : null;
  }

  private static String subjectOrGlobal(Request request) {
    return request.path().size() > 1 ? request.path().get(1) : RegistryState.GLOBAL;
  }
}
