package io.crosstide.sandbox.registry;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.apache.avro.Schema;

/** Parses schema texts, with the schemas of other subjects that they refer to. */
final class AvroTexts {
  private static final int REFERENCE_DEPTH_MAX = 16;

  /**
   * What a client sent.
   *
   * @param text in the form in which texts are compared and stored
   */
  record Submitted(Schema schema, String text, List<StoredSchema.Reference> references) {}

  private AvroTexts() {}

  static Submitted submitted(RegistryState state, JsonNode body) {
    String type = body.path("schemaType").asText("AVRO");
    if (!type.equals("AVRO")) {
      throw RegistryError.invalidSchema("type " + type + "; this registry holds Avro only");
    }
    if (!body.path("schema").isTextual()) {
      throw RegistryError.invalidSchema("the request has no field 'schema' with a text");
    }
    List<StoredSchema.Reference> references = RegistryRecords.references(body);
    Schema schema = parse(state, body.path("schema").asText(), references);
    return new Submitted(schema, schema.toString(), references);
  }

  static Schema parse(RegistryState state, StoredSchema stored) {
    return parse(state, stored.text(), stored.references());
  }

  private static Schema parse(
      RegistryState state, String text, List<StoredSchema.Reference> references) {
    try {
      Schema.Parser parser = new Schema.Parser();
      addReferences(state, parser, references, 0);
      return parser.parse(text);
    } catch (RegistryError e) {
      throw e;
    } catch (RuntimeException e) { // unresolved names give more than Avro's own exceptions
      throw RegistryError.invalidSchema(String.valueOf(e.getMessage()));
    }
  }

  private static void addReferences(
      RegistryState state,
      Schema.Parser parser,
      List<StoredSchema.Reference> references,
      int depth) {
    if (depth > REFERENCE_DEPTH_MAX) {
      throw RegistryError.invalidSchema(
          "references nest deeper than " + REFERENCE_DEPTH_MAX + " levels");
    }
    for (StoredSchema.Reference reference : references) {
      StoredSchema target = state.all(reference.subject()).get(reference.version());
      if (target == null || target.deleted()) {
        throw RegistryError.invalidSchema(
            "it refers to version "
                + reference.version()
                + " of subject "
                + reference.subject()
                + ", which does not exist");
      }
      if (!parser.getTypes().containsKey(reference.name())) {
        addReferences(state, parser, target.references(), depth + 1);
        parser.parse(target.text());
      }
    }
  }
}
