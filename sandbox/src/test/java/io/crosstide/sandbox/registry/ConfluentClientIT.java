package io.crosstide.sandbox.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.RedisKey;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import io.crosstide.schemas.ChangeEventCodec;
import io.crosstide.schemas.ChangeEventSchema;
import io.crosstide.schemas.registry.HttpSchemaRegistry;
import io.crosstide.schemas.registry.SchemaRegistryConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Confluent's own client against the embedded registry on a real broker. */
class ConfluentClientIT {
  private static final Path JARS = Path.of("target", "confluent-client");
  private static final int PREFIX = 5;

  private static final String ONE =
      "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"long\"}]}";
  private static final String TWO =
      "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"long\"},"
          + "{\"name\":\"b\",\"type\":\"string\",\"default\":\"\"}]}";
  private static final String INCOMPATIBLE =
      "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"c\",\"type\":\"long\"}]}";

  @TempDir static Path directory;
  private static EmbeddedBroker broker;
  private static EmbeddedSchemaRegistry registry;
  private ConfluentClient client;

  @BeforeAll
  static void start() {
    broker = EmbeddedBroker.startOnFreePorts(1, directory.resolve("kafka"));
    registry = EmbeddedSchemaRegistry.start(broker.bootstrapLan(), 0);
  }

  @AfterAll
  static void stop() {
    registry.close();
    broker.close();
  }

  @BeforeEach
  void connect() throws IOException {
    client = new ConfluentClient(JARS, registry.url());
  }

  @AfterEach
  void disconnect() throws IOException {
    client.close();
  }

  @Test
  void registersAndFindsSchemasAndTheirVersions() {
    int one = (Integer) client.call("register", "find-value", client.schema(ONE));
    int two = (Integer) client.call("register", "find-value", client.schema(TWO));

    assertThat(two).isGreaterThan(one);
    assertThat(client.call("register", "find-value", client.schema(ONE))).isEqualTo(one);
    client.call("reset");
    assertThat(client.call("getId", "find-value", client.schema(TWO))).isEqualTo(two);
    assertThat(client.call("getVersion", "find-value", client.schema(TWO))).isEqualTo(2);
    assertThat(text(client.call("getSchemaById", one))).isEqualTo(ONE);
    assertThat(text(client.call("getSchemaBySubjectAndId", "find-value", two))).isEqualTo(TWO);
    assertThat(client.call("getAllVersions", "find-value")).isEqualTo(List.of(1, 2));
    assertThat(list(client.call("getAllSubjects"))).contains("find-value");
    assertThat(list(client.call("getAllSubjectsByPrefix", "find-")))
        .isEqualTo(List.of("find-value"));
    assertThat(list(client.call("getAllSubjectsById", two))).contains("find-value");
    assertThat(client.call("getAllVersionsById", one).toString()).contains("find-value");
    assertThat(list(client.call("getSchemas", "find-", false, true))).hasSize(1);
    Object latest = client.call("getLatestSchemaMetadata", "find-value");
    assertThat(client.callOn(latest, "getId")).isEqualTo(two);
    assertThat(client.callOn(latest, "getVersion")).isEqualTo(2);
    assertThat(client.callOn(latest, "getSchema")).isEqualTo(TWO);
    Object first = client.call("getSchemaMetadata", "find-value", 1);
    assertThat(client.callOn(first, "getId")).isEqualTo(one);
  }

  @Test
  void subjectsWithUnusualNamesWork() {
    String subject = "a b/c+d%e-value";
    int id = (Integer) client.call("register", subject, client.schema(ONE));
    assertThat(client.call("getId", subject, client.schema(ONE))).isEqualTo(id);
    assertThat(list(client.call("getAllSubjects"))).contains(subject);
  }

  @Test
  void refusesIncompatibleSchemasByTheSubjectsLevel() {
    client.call("register", "level-value", client.schema(ONE));

    assertThat(client.call("testCompatibility", "level-value", client.schema(TWO))).isEqualTo(true);
    assertThat(client.call("testCompatibility", "level-value", client.schema(INCOMPATIBLE)))
        .isEqualTo(false);
    assertThat(
            list(
                client.call(
                    "testCompatibilityVerbose", "level-value", client.schema(INCOMPATIBLE))))
        .isNotEmpty();
    assertCode(409, () -> client.call("register", "level-value", client.schema(INCOMPATIBLE)));
    assertThat(client.call("updateCompatibility", "level-value", "NONE")).isEqualTo("NONE");
    assertThat(client.call("getCompatibility", "level-value")).isEqualTo("NONE");
    assertThat((Integer) client.call("register", "level-value", client.schema(INCOMPATIBLE)))
        .isPositive();
    client.call("deleteCompatibility", "level-value");
    assertCode(40408, () -> client.call("getCompatibility", "level-value"));
    assertCode(42203, () -> client.call("updateCompatibility", "level-value", "SOMETIMES"));
    assertThat(client.call("testCompatibility", "nothing-yet-value", client.schema(ONE)))
        .isEqualTo(true);
  }

  @Test
  void missingThingsHaveConfluentsCodes() {
    client.call("register", "codes-value", client.schema(ONE));

    assertCode(40401, () -> client.call("getAllVersions", "no-such-value"));
    assertCode(40401, () -> client.call("getId", "no-such-value", client.schema(ONE)));
    assertCode(40402, () -> client.call("getSchemaMetadata", "codes-value", 9));
    assertCode(40403, () -> client.call("getId", "codes-value", client.schema(TWO)));
    assertCode(40403, () -> client.call("getSchemaById", 999_999));
    assertCode(42202, () -> client.call("getSchemaMetadata", "codes-value", 0));
  }

  @Test
  void deletingHidesAVersionButItsIdStillResolves() {
    int id = (Integer) client.call("register", "gone-value", client.schema(ONE));
    client.call("register", "gone-value", client.schema(TWO));

    assertCode(40407, () -> client.call("deleteSchemaVersion", "gone-value", "1", true));
    assertThat(client.call("deleteSchemaVersion", "gone-value", "1", false)).isEqualTo(1);
    assertCode(40406, () -> client.call("deleteSchemaVersion", "gone-value", "1", false));
    assertThat(client.call("getAllVersions", "gone-value")).isEqualTo(List.of(2));
    assertThat(client.call("getAllVersions", "gone-value", true)).isEqualTo(List.of(1, 2));
    client.call("reset");
    assertThat(text(client.call("getSchemaById", id))).isEqualTo(ONE);
    assertCode(40405, () -> client.call("deleteSubject", "gone-value", true));
    assertThat(client.call("deleteSubject", "gone-value", false)).isEqualTo(List.of(2));
    assertCode(40404, () -> client.call("deleteSubject", "gone-value", false));
    assertThat(client.call("deleteSubject", "gone-value", true)).isEqualTo(List.of(1, 2));
    assertCode(40401, () -> client.call("getAllVersions", "gone-value"));
  }

  @Test
  void modesAreKept() {
    assertThat(client.call("getMode")).isEqualTo("READWRITE");
    assertThat(client.call("setMode", "READONLY", "mode-value")).isEqualTo("READONLY");
    assertThat(client.call("getMode", "mode-value")).isEqualTo("READONLY");
    assertCode(42205, () -> client.call("register", "mode-value", client.schema(ONE)));
    assertThat(client.call("setMode", "IMPORT", "mode-value")).isEqualTo("IMPORT");
    assertThat(client.call("register", "mode-value", client.schema(INCOMPATIBLE), 7, 4711))
        .isEqualTo(4711);
    assertThat(client.call("getAllVersions", "mode-value")).isEqualTo(List.of(7));
    assertCode(42204, () -> client.call("setMode", "ODD", "mode-value"));
  }

  @Test
  void aPlainConsumerReadsChangeEventsWithTheSchemaThatItsIdNames() throws IOException {
    ChangeEventCodec codec =
        new ChangeEventCodec(
            new HttpSchemaRegistry(SchemaRegistryConfig.of(registry.url().toString())),
            "changes.us-east");
    byte[] value = codec.encode(event());

    int id = ByteBuffer.wrap(value).getInt(1);
    Schema writer = new Schema.Parser().parse(text(client.call("getSchemaById", id)));
    GenericRecord record =
        new GenericDatumReader<GenericRecord>(writer)
            .read(
                null,
                DecoderFactory.get().binaryDecoder(value, PREFIX, value.length - PREFIX, null));

    assertThat(writer).isEqualTo(ChangeEventSchema.SCHEMA);
    assertThat(writer.getField("seq").doc()).contains("dot");
    assertThat(record.get("seq")).isEqualTo(17L);
    assertThat(record.get("name")).isEqualTo(ByteBuffer.wrap(new byte[] {'f'}));
    assertThat(record.get("value")).isEqualTo(ByteBuffer.wrap(new byte[] {'v'}));
    assertThat(list(client.call("getAllSubjects"))).contains("changes.us-east-value");
    assertThat(client.call("getCompatibility", "changes.us-east-value"))
        .isEqualTo("FULL_TRANSITIVE");
  }

  private static ChangeEvent event() {
    return new ChangeEvent(
        Origin.of(1),
        17,
        16,
        1,
        HybridTimestamp.of(1_790_000_000_000L, 0),
        VersionVector.of(Origin.of(2), 5),
        Map.of(),
        Fx.NONE,
        RedisKey.of(0, "h"),
        new Change.HashPut(Bytes.utf8("f"), Bytes.utf8("v")),
        ChangeEvent.StreamPosition.UNKNOWN,
        null);
  }

  private static List<Object> list(Object collection) {
    return new ArrayList<>((Collection<?>) collection);
  }

  private String text(Object parsedSchema) {
    return (String) client.callOn(parsedSchema, "canonicalString");
  }

  private static void assertCode(int code, ThrowingCallable call) {
    assertThatThrownBy(call)
        .asInstanceOf(type(ConfluentClient.Refused.class))
        .satisfies(refused -> assertThat(refused.errorCode).as("%s", refused).isEqualTo(code));
  }
}
