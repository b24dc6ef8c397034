package io.crosstide.sandbox.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.TreeSet;

/** Schemas by id, whichever subjects hold them; soft-deleted ones too, as records outlive them. */
final class SchemasApi {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private final RegistryStore store;

  SchemasApi(RegistryStore store) {
    this.store = store;
  }

  JsonNode byId(String id, boolean withIdMax) {
    StoredSchema schema = holders(id).get(0);
    ObjectNode node = JSON.objectNode();
    node.put("schema", schema.text());
    SubjectsApi.addReferences(node, schema);
    if (withIdMax) {
      node.put("maxId", store.state().idMax());
    }
    return node;
  }

  String textById(String id) {
    return holders(id).get(0).text();
  }

  JsonNode subjectsOf(String id, boolean withDeleted) {
    TreeSet<String> subjects = new TreeSet<>();
    for (StoredSchema schema : holders(id)) {
      if (withDeleted || !schema.deleted()) {
        subjects.add(schema.subject());
      }
    }
    ArrayNode names = JSON.arrayNode();
    subjects.forEach(names::add);
    return names;
  }

  JsonNode versionsOf(String id, boolean withDeleted) {
    ArrayNode versions = JSON.arrayNode();
    for (StoredSchema schema : holders(id)) {
      if (withDeleted || !schema.deleted()) {
        versions.addObject().put("subject", schema.subject()).put("version", schema.version());
      }
    }
    return versions;
  }

  JsonNode list(String subjectPrefix, boolean withDeleted, boolean latestOnly) {
    RegistryState state = store.state();
    ArrayNode list = JSON.arrayNode();
    for (String subject : state.subjects().tailMap(subjectPrefix, true).keySet()) {
      if (!subject.startsWith(subjectPrefix)) {
        break;
      }
      List<StoredSchema> versions = state.versions(subject, withDeleted);
      int from = latestOnly ? Math.max(0, versions.size() - 1) : 0;
      versions.subList(from, versions.size()).forEach(s -> list.add(SubjectsApi.describe(s)));
    }
    return list;
  }

  private List<StoredSchema> holders(String id) {
    int number;
    try {
      number = Integer.parseInt(id);
    } catch (NumberFormatException e) {
      throw new RegistryError(404, "'" + id + "' is not a schema id");
    }
    List<StoredSchema> holders = store.state().withId(number);
    if (holders.isEmpty()) {
      throw RegistryError.schemaNotFound(number);
    }
    return holders;
  }
}
