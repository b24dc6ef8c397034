package io.crosstide.sandbox.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The registry over a log that fails, before or after it has written. */
class RegistryStoreTest {
  private final FailingLog log = new FailingLog();
  private final RegistryStore store = new RegistryStore(log);
  private final SubjectsApi subjects = new SubjectsApi(store);

  @Test
  void aWriteThatFailedWithoutATraceIsDoneOnceMore() {
    log.failBefore = 1;
    assertThat(register("a", "int")).isEqualTo(1);
    assertThat(log.entries).hasSize(1);
    assertThat(log.opened).isEqualTo(2);
  }

  @Test
  void aWriteThatHappenedAlthoughItFailedIsFoundAndNotRepeated() {
    log.failAfter = 1;
    assertThat(register("a", "int")).isEqualTo(1);
    assertThat(log.entries).hasSize(1);
    assertThat(register("b", "long")).isEqualTo(2);
  }

  @Test
  void anIdIsNeverGivenTwiceAlthoughItsWriteWasReportedAsFailed() {
    log.failBefore = 1;
    log.failAfter = 1;
    assertThatThrownBy(() -> register("a", "int")).isInstanceOf(RegistryError.class);
    assertThat(store.state().subjects()).isEmpty();
    assertThat(register("b", "long")).isEqualTo(2);
    assertThat(register("a", "int")).isEqualTo(1);
  }

  @Test
  void readersSeeNothingThatIsNotInTheLog() {
    log.failBefore = 2;
    assertThatThrownBy(() -> register("a", "int"))
        .isInstanceOf(RegistryError.class)
        .hasMessageContaining("before");
    assertThatThrownBy(() -> subjects.versions("a", false))
        .isInstanceOfSatisfying(
            RegistryError.class, e -> assertThat(e.errorCode()).isEqualTo(40401));
  }

  @Test
  void importedSchemasKeepTheirIdsAndNeverReplaceOthers() {
    register("taken", "int");
    new SettingsApi(store).mode("copy", JSON.objectNode().put("mode", "IMPORT"), false);
    ObjectNode body = schema("long").put("id", 40).put("version", 3);
    assertThat(subjects.register("copy", body).path("id").asInt()).isEqualTo(40);
    assertThat(subjects.versions("copy", false).toString()).isEqualTo("[3]");
    assertThat(register("after", "string")).isEqualTo(41);
    assertThatThrownBy(() -> subjects.register("copy", schema("bytes").put("id", 1)))
        .isInstanceOf(RegistryError.class)
        .hasMessageContaining("id 1");
    assertThatThrownBy(
            () -> subjects.register("copy", schema("bytes").put("id", 50).put("version", 3)))
        .isInstanceOf(RegistryError.class)
        .hasMessageContaining("version 3");
  }

  @Test
  void referencesResolveAndProtectWhatTheyReferTo() {
    String point =
        "{\"type\":\"record\",\"name\":\"Point\",\"namespace\":\"g\",\"fields\":["
            + "{\"name\":\"x\",\"type\":\"int\"}]}";
    subjects.register("point", JSON.objectNode().put("schema", point));
    ObjectNode line =
        JSON.objectNode()
            .put(
                "schema",
                "{\"type\":\"record\",\"name\":\"Line\",\"namespace\":\"g\",\"fields\":["
                    + "{\"name\":\"from\",\"type\":\"g.Point\"}]}");
    assertThatThrownBy(() -> subjects.register("line", line))
        .isInstanceOfSatisfying(
            RegistryError.class, e -> assertThat(e.errorCode()).isEqualTo(42201));
    line.withArray("references")
        .addObject()
        .put("name", "g.Point")
        .put("subject", "point")
        .put("version", 1);
    assertThat(subjects.register("line", line).path("id").asInt()).isEqualTo(2);
    assertThat(subjects.referencedBy("point", "1").toString()).isEqualTo("[2]");
    assertThatThrownBy(() -> subjects.deleteVersion("point", "1", false))
        .isInstanceOfSatisfying(
            RegistryError.class, e -> assertThat(e.errorCode()).isEqualTo(42206));
  }

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private int register(String subject, String type) {
    JsonNode answer = subjects.register(subject, schema(type));
    return answer.path("id").asInt();
  }

  private static ObjectNode schema(String type) {
    return JSON.objectNode().put("schema", "\"" + type + "\"");
  }

  /** Keeps entries in memory and fails as often as told. */
  private static final class FailingLog implements RegistryLog {
    final List<RegistryRecords.Entry> entries = new ArrayList<>();
    int opened;
    int failBefore;
    int failAfter;

    @Override
    public RegistryState open() {
      opened++;
      RegistryState state = RegistryState.EMPTY;
      for (RegistryRecords.Entry entry : entries) {
        state = RegistryRecords.apply(state, entry.key(), entry.value());
      }
      return state;
    }

    @Override
    public void append(List<RegistryRecords.Entry> more) {
      if (failBefore > 0) {
        failBefore--;
        throw RegistryError.backend("failed before writing", null);
      }
      entries.addAll(more);
      if (failAfter > 0) {
        failAfter--;
        throw RegistryError.backend("failed after writing", null);
      }
    }

    @Override
    public void close() {}
  }
}
