package io.crosstide.sandbox.registry;

import io.crosstide.schemas.registry.CompatibilityLevel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Everything the registry holds: what its log says when read from the beginning. Immutable; each
 * record of the log gives a new one, so that readers never wait for writers. Copying all is cheap
 * as there are tens of schemas, not thousands.
 *
 * @param levels by subject; {@link #GLOBAL} for the registry's own
 * @param modes likewise
 * @param idMax highest id ever seen
 */
record RegistryState(
    NavigableMap<String, NavigableMap<Integer, StoredSchema>> subjects,
    Map<String, CompatibilityLevel> levels,
    Map<String, RegistryMode> modes,
    int idMax) {

  /** Stands for "all subjects" where a subject is expected; no subject has an empty name. */
  static final String GLOBAL = "";

  static final RegistryState EMPTY =
      new RegistryState(Collections.emptyNavigableMap(), Map.of(), Map.of(), 0);

  RegistryState withSchema(StoredSchema schema) {
    NavigableMap<String, NavigableMap<Integer, StoredSchema>> changed = new TreeMap<>(subjects);
    NavigableMap<Integer, StoredSchema> versions = new TreeMap<>(all(schema.subject()));
    versions.put(schema.version(), schema);
    changed.put(schema.subject(), versions);
    return new RegistryState(changed, levels, modes, Math.max(idMax, schema.id()));
  }

  RegistryState withoutSchema(String subject, int version) {
    NavigableMap<String, NavigableMap<Integer, StoredSchema>> changed = new TreeMap<>(subjects);
    NavigableMap<Integer, StoredSchema> versions = new TreeMap<>(all(subject));
    versions.remove(version);
    if (versions.isEmpty()) {
      changed.remove(subject);
    } else {
      changed.put(subject, versions);
    }
    return new RegistryState(changed, levels, modes, idMax);
  }

  RegistryState withSubjectDeleted(String subject, int throughVersion) {
    RegistryState state = this;
    for (StoredSchema schema : all(subject).headMap(throughVersion, true).values()) {
      state = state.withSchema(schema.withDeleted(true));
    }
    return state;
  }

  RegistryState withLevel(String subject, @Nullable CompatibilityLevel level) {
    return new RegistryState(subjects, changed(levels, subject, level), modes, idMax);
  }

  RegistryState withMode(String subject, @Nullable RegistryMode mode) {
    return new RegistryState(subjects, levels, changed(modes, subject, mode), idMax);
  }

  private static <V> Map<String, V> changed(Map<String, V> map, String key, @Nullable V value) {
    Map<String, V> copy = new HashMap<>(map);
    if (value == null) {
      copy.remove(key);
    } else {
      copy.put(key, value);
    }
    return copy;
  }

  /** All versions of a subject, soft-deleted ones included. */
  NavigableMap<Integer, StoredSchema> all(String subject) {
    return subjects.getOrDefault(subject, Collections.emptyNavigableMap());
  }

  /** The versions of a subject, oldest first. */
  List<StoredSchema> versions(String subject, boolean withDeleted) {
    return all(subject).values().stream()
        .filter(schema -> withDeleted || !schema.deleted())
        .toList();
  }

  /** Every version of every subject that has this id. */
  List<StoredSchema> withId(int id) {
    List<StoredSchema> found = new ArrayList<>();
    for (NavigableMap<Integer, StoredSchema> versions : subjects.values()) {
      for (StoredSchema schema : versions.values()) {
        if (schema.id() == id) {
          found.add(schema);
        }
      }
    }
    return found;
  }

  /** The id that this text has in any subject. */
  Optional<Integer> idOf(String text, List<StoredSchema.Reference> references) {
    return subjects.values().stream()
        .flatMap(versions -> versions.values().stream())
        .filter(schema -> schema.hasText(text, references))
        .map(StoredSchema::id)
        .findFirst();
  }

  /** Versions, in any subject, whose text refers to this one. */
  List<StoredSchema> referringTo(String subject, int version) {
    return subjects.values().stream()
        .flatMap(versions -> versions.values().stream())
        .filter(schema -> !schema.deleted())
        .filter(
            schema ->
                schema.references().stream()
                    .anyMatch(r -> r.subject().equals(subject) && r.version() == version))
        .toList();
  }

  CompatibilityLevel level(String subject) {
    CompatibilityLevel own = levels.get(subject);
    return own != null ? own : levels.getOrDefault(GLOBAL, CompatibilityLevel.BACKWARD);
  }

  RegistryMode mode(String subject) {
    RegistryMode own = modes.get(subject);
    return own != null ? own : modes.getOrDefault(GLOBAL, RegistryMode.READWRITE);
  }
}
