package io.crosstide.sandbox.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.crosstide.sandbox.registry.RegistryStore.Decision;
import io.crosstide.schemas.registry.CompatibilityLevel;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Compatibility levels and modes, of the registry and of single subjects. */
final class SettingsApi {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private final RegistryStore store;

  SettingsApi(RegistryStore store) {
    this.store = store;
  }

  JsonNode level(String subject, boolean defaultToGlobal) {
    RegistryState state = store.state();
    if (isMissing(state.levels().containsKey(subject), subject, defaultToGlobal)) {
      throw RegistryError.noSubjectLevel(subject);
    }
    return JSON.objectNode().put("compatibilityLevel", state.level(subject).name());
  }

  JsonNode level(String subject, JsonNode body) {
    CompatibilityLevel level = parseLevel(body.path("compatibility").asText());
    store.write(state -> new Decision<>(List.of(RegistryRecords.level(subject, level)), level));
    return JSON.objectNode().put("compatibility", level.name());
  }

  JsonNode deleteLevel(String subject) {
    CompatibilityLevel before =
        store.write(
            state -> {
              if (isMissing(state.levels().containsKey(subject), subject, false)) {
                throw RegistryError.noSubjectLevel(subject);
              }
              return new Decision<>(
                  List.of(RegistryRecords.level(subject, null)), state.level(subject));
            });
    return JSON.objectNode().put("compatibilityLevel", before.name());
  }

  JsonNode mode(String subject, boolean defaultToGlobal) {
    RegistryState state = store.state();
    if (isMissing(state.modes().containsKey(subject), subject, defaultToGlobal)) {
      throw RegistryError.noSubjectMode(subject);
    }
    return JSON.objectNode().put("mode", state.mode(subject).name());
  }

  JsonNode mode(String subject, JsonNode body, boolean force) {
    RegistryMode mode = parseMode(body.path("mode").asText());
    store.write(
        state -> {
          boolean occupied =
              subject.equals(RegistryState.GLOBAL)
                  ? !state.subjects().isEmpty()
                  : !state.versions(subject, false).isEmpty();
          if (mode == RegistryMode.IMPORT && occupied && !force) {
            throw RegistryError.notPermitted(
                "Cannot import since found existing subjects; use force=true if that is meant");
          }
          return new Decision<>(List.of(RegistryRecords.mode(subject, mode)), mode);
        });
    return JSON.objectNode().put("mode", mode.name());
  }

  JsonNode deleteMode(String subject) {
    RegistryMode before =
        store.write(
            state -> {
              if (isMissing(state.modes().containsKey(subject), subject, false)) {
                throw RegistryError.noSubjectMode(subject);
              }
              return new Decision<>(
                  List.of(RegistryRecords.mode(subject, null)), state.mode(subject));
            });
    return JSON.objectNode().put("mode", before.name());
  }

  private static boolean isMissing(boolean hasOwn, String subject, boolean defaultToGlobal) {
    return !hasOwn && !defaultToGlobal && !subject.equals(RegistryState.GLOBAL);
  }

  private static CompatibilityLevel parseLevel(String text) {
    return Arrays.stream(CompatibilityLevel.values())
        .filter(level -> level.name().equals(text.toUpperCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(() -> RegistryError.invalidLevel(text));
  }

  private static RegistryMode parseMode(String text) {
    return Arrays.stream(RegistryMode.values())
        .filter(mode -> mode.name().equals(text.toUpperCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(() -> RegistryError.invalidMode(text));
  }
}
