package io.crosstide.sandbox.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.sandbox.registry.AvroTexts.Submitted;
import io.crosstide.sandbox.registry.RegistryStore.Decision;
import io.crosstide.schemas.registry.Compatibility;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.Schema;

/** Subjects and their versions: registering, looking up, deleting. */
final class SubjectsApi {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final int LATEST = -1;

  private final RegistryStore store;

  SubjectsApi(RegistryStore store) {
    this.store = store;
  }

  JsonNode register(String subject, JsonNode body) {
    int id =
        store.write(
            state -> {
              Submitted submitted = AvroTexts.submitted(state, body);
              for (StoredSchema known : state.versions(subject, false)) {
                if (known.hasText(submitted.text(), submitted.references())) {
                  return Decision.unchanged(known.id());
                }
              }
              StoredSchema next =
                  state.mode(subject) == RegistryMode.IMPORT
                      ? imported(state, subject, submitted, body)
                      : next(state, subject, submitted, body);
              return new Decision<>(List.of(RegistryRecords.schema(next)), next.id());
            });
    return JSON.objectNode().put("id", id);
  }

  private static StoredSchema next(
      RegistryState state, String subject, Submitted submitted, JsonNode body) {
    if (state.mode(subject) == RegistryMode.READONLY) {
      throw RegistryError.notPermitted("Subject " + subject + " is in read-only mode");
    }
    if (body.path("id").asInt(LATEST) > 0) {
      throw RegistryError.notPermitted("Subject " + subject + " is not in import mode");
    }
    List<Schema> earlier =
        state.versions(subject, false).stream()
            .map(known -> AvroTexts.parse(state, known))
            .toList();
    List<String> problems =
        Compatibility.problems(state.level(subject), earlier, submitted.schema());
    if (!problems.isEmpty()) {
      throw RegistryError.incompatible(subject, problems);
    }
    return new StoredSchema(
        subject,
        versionAfterLast(state, subject),
        state.idOf(submitted.text(), submitted.references()).orElse(state.idMax() + 1),
        submitted.text(),
        submitted.references(),
        false);
  }

  /** Under the id, and if it is given the version, that the schema had elsewhere. */
  private static StoredSchema imported(
      RegistryState state, String subject, Submitted submitted, JsonNode body) {
    int id = body.path("id").asInt(LATEST);
    if (id < 1) {
      throw RegistryError.notPermitted(
          "Subject " + subject + " is in import mode: the request must name the schema's id");
    }
    for (StoredSchema holder : state.withId(id)) {
      if (!holder.hasText(submitted.text(), submitted.references())) {
        throw RegistryError.notPermitted(
            "Overwrite new schema with id " + id + " is not permitted.");
      }
    }
    int version = body.path("version").asInt(LATEST);
    if (state.all(subject).containsKey(version)) {
      throw RegistryError.notPermitted(
          "Overwrite version " + version + " of subject " + subject + " is not permitted.");
    }
    return new StoredSchema(
        subject,
        version > 0 ? version : versionAfterLast(state, subject),
        id,
        submitted.text(),
        submitted.references(),
        false);
  }

  private static int versionAfterLast(RegistryState state, String subject) {
    return state.all(subject).isEmpty() ? 1 : state.all(subject).lastKey() + 1;
  }

  JsonNode lookUp(String subject, JsonNode body, boolean withDeleted) {
    RegistryState state = store.state();
    if (state.versions(subject, withDeleted).isEmpty()) {
      throw RegistryError.subjectNotFound(subject);
    }
    Submitted submitted = AvroTexts.submitted(state, body);
    for (StoredSchema known : state.versions(subject, withDeleted)) {
      if (known.hasText(submitted.text(), submitted.references())) {
        return describe(known);
      }
    }
    throw RegistryError.schemaNotFound();
  }

  JsonNode subjects(String prefix, boolean withDeleted) {
    RegistryState state = store.state();
    var names = JSON.arrayNode();
    for (String subject : state.subjects().keySet()) {
      if (subject.startsWith(prefix) && !state.versions(subject, withDeleted).isEmpty()) {
        names.add(subject);
      }
    }
    return names;
  }

  JsonNode versions(String subject, boolean withDeleted) {
    List<StoredSchema> versions = store.state().versions(subject, withDeleted);
    if (versions.isEmpty()) {
      throw RegistryError.subjectNotFound(subject);
    }
    var numbers = JSON.arrayNode();
    versions.forEach(schema -> numbers.add(schema.version()));
    return numbers;
  }

  StoredSchema version(String subject, String version, boolean withDeleted) {
    return find(store.state(), subject, version, withDeleted);
  }

  JsonNode referencedBy(String subject, String version) {
    RegistryState state = store.state();
    StoredSchema schema = find(state, subject, version, true);
    var ids = JSON.arrayNode();
    state.referringTo(subject, schema.version()).stream()
        .map(StoredSchema::id)
        .distinct()
        .forEach(ids::add);
    return ids;
  }

  JsonNode deleteVersion(String subject, String version, boolean permanent) {
    int deleted =
        store.write(
            state -> {
              StoredSchema schema = find(state, subject, version, true);
              int number = schema.version();
              if (permanent) {
                if (!schema.deleted()) {
                  throw RegistryError.versionNotSoftDeleted(subject, number);
                }
                return new Decision<>(List.of(RegistryRecords.schemaGone(subject, number)), number);
              }
              if (schema.deleted()) {
                throw RegistryError.versionSoftDeleted(subject, number);
              }
              return new Decision<>(List.of(softDelete(state, schema)), number);
            });
    return JSON.numberNode(deleted);
  }

  JsonNode deleteSubject(String subject, boolean permanent) {
    List<Integer> versions =
        store.write(
            state -> {
              List<StoredSchema> present = state.versions(subject, false);
              List<StoredSchema> all = state.versions(subject, true);
              if (all.isEmpty()) {
                throw RegistryError.subjectNotFound(subject);
              }
              if (permanent && !present.isEmpty()) {
                throw RegistryError.subjectNotSoftDeleted(subject);
              }
              if (!permanent && present.isEmpty()) {
                throw RegistryError.subjectSoftDeleted(subject);
              }
              List<RegistryRecords.Entry> entries = new ArrayList<>();
              List<Integer> numbers = new ArrayList<>();
              for (StoredSchema schema : permanent ? all : present) {
                entries.add(
                    permanent
                        ? RegistryRecords.schemaGone(subject, schema.version())
                        : softDelete(state, schema));
                numbers.add(schema.version());
              }
              if (permanent && state.levels().containsKey(subject)) {
                entries.add(RegistryRecords.level(subject, null));
              }
              return new Decision<>(entries, numbers);
            });
    var numbers = JSON.arrayNode();
    versions.forEach(numbers::add);
    return numbers;
  }

  private static RegistryRecords.Entry softDelete(RegistryState state, StoredSchema schema) {
    if (!state.referringTo(schema.subject(), schema.version()).isEmpty()) {
      throw RegistryError.referenced(schema.subject(), schema.version());
    }
    return RegistryRecords.schema(schema.withDeleted(true));
  }

  /** By number, {@code latest} or -1. */
  static StoredSchema find(
      RegistryState state, String subject, String version, boolean withDeleted) {
    int number = versionNumber(version);
    List<StoredSchema> versions = state.versions(subject, withDeleted);
    if (versions.isEmpty()) {
      throw RegistryError.subjectNotFound(subject);
    }
    if (number == LATEST) {
      return versions.get(versions.size() - 1);
    }
    for (StoredSchema schema : versions) {
      if (schema.version() == number) {
        return schema;
      }
    }
    throw RegistryError.versionNotFound(number);
  }

  /** -1 for the latest. */
  static int versionNumber(String version) {
    if (version.equals("latest")) {
      return LATEST;
    }
    try {
      int number = Integer.parseInt(version);
      if (number >= 1 || number == LATEST) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw RegistryError.invalidVersion(version);
    }
    throw RegistryError.invalidVersion(version);
  }

  static boolean isLatest(String version) {
    return versionNumber(version) == LATEST;
  }

  static ObjectNode describe(StoredSchema schema) {
    ObjectNode node = JSON.objectNode();
    node.put("subject", schema.subject());
    node.put("version", schema.version());
    node.put("id", schema.id());
    addReferences(node, schema);
    node.put("schema", schema.text());
    return node;
  }

  static void addReferences(ObjectNode node, StoredSchema schema) {
    for (StoredSchema.Reference reference : schema.references()) {
      node.withArray("references").add(RegistryRecords.toJson(reference));
    }
  }
}
