package io.crosstide.schemas.registry;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.avro.Schema;

/**
 * A registry that lives and dies with its process: for tests, simulation and single-process use.
 */
public final class InMemorySchemaRegistry implements SchemaRegistry {
  private final List<Schema> byId = new ArrayList<>();
  private final Map<String, List<Schema>> subjects = new HashMap<>();
  private final Map<String, CompatibilityLevel> levels = new HashMap<>();

  @Override
  public synchronized int register(String subject, Schema schema) {
    List<Schema> versions = subjects.computeIfAbsent(subject, name -> new ArrayList<>());
    if (!versions.contains(schema)) {
      List<String> problems = Compatibility.problems(level(subject), versions, schema);
      if (!problems.isEmpty()) {
        throw new SchemaRegistryException(
            "subject " + subject + " refuses the schema: " + String.join("; ", problems), 409);
      }
      versions.add(schema);
      if (!byId.contains(schema)) {
        byId.add(schema);
      }
    }
    return byId.indexOf(schema) + 1;
  }

  @Override
  public synchronized Optional<Integer> find(String subject, Schema schema) {
    return subjects.getOrDefault(subject, List.of()).contains(schema)
        ? Optional.of(byId.indexOf(schema) + 1)
        : Optional.empty();
  }

  @Override
  public synchronized Optional<Schema> byId(int id) {
    return id >= 1 && id <= byId.size() ? Optional.of(byId.get(id - 1)) : Optional.empty();
  }

  @Override
  public synchronized List<Integer> versions(String subject) {
    return IntStream.rangeClosed(1, subjects.getOrDefault(subject, List.of()).size())
        .boxed()
        .toList();
  }

  @Override
  public synchronized boolean isCompatible(String subject, Schema schema) {
    List<Schema> versions = subjects.getOrDefault(subject, List.of());
    return Compatibility.problems(level(subject), versions, schema).isEmpty();
  }

  @Override
  public synchronized void compatibility(String subject, CompatibilityLevel level) {
    levels.put(subject, level);
  }

  private CompatibilityLevel level(String subject) {
    return levels.getOrDefault(subject, CompatibilityLevel.BACKWARD);
  }
}
