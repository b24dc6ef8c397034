package io.crosstide.sandbox.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.sandbox.SandboxException;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import io.crosstide.schemas.ChangeEventSchema;
import io.crosstide.schemas.registry.CompatibilityLevel;
import io.crosstide.schemas.registry.HttpSchemaRegistry;
import io.crosstide.schemas.registry.SchemaRegistry;
import io.crosstide.schemas.registry.SchemaRegistryConfig;
import io.crosstide.schemas.registry.SchemaRegistryException;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The embedded registry on a real broker, through Crosstide's own client. */
class EmbeddedSchemaRegistryIT {
  @TempDir static Path directory;
  private static EmbeddedBroker broker;

  private static final Schema ONE =
      SchemaBuilder.record("R").fields().requiredLong("a").endRecord();
  private static final Schema TWO =
      SchemaBuilder.record("R").fields().requiredLong("a").optionalString("b").endRecord();
  private static final Schema INCOMPATIBLE =
      SchemaBuilder.record("R").fields().requiredLong("a").requiredString("b").endRecord();

  @BeforeAll
  static void startBroker() {
    broker = EmbeddedBroker.startOnFreePorts(1, directory.resolve("kafka"));
  }

  @AfterAll
  static void stopBroker() {
    broker.close();
  }

  @Test
  void schemasIdsAndLevelsOutliveTheRegistry() {
    int one;
    int two;
    try (EmbeddedSchemaRegistry registry = start()) {
      SchemaRegistry client = client(registry);
      one = client.register("outlive-value", ONE);
      client.compatibility("outlive-value", CompatibilityLevel.FULL_TRANSITIVE);
      two = client.register("outlive-value", TWO);
      assertThat(two).isGreaterThan(one);
    }
    try (EmbeddedSchemaRegistry registry = start()) {
      SchemaRegistry client = client(registry);
      assertThat(client.byId(one)).contains(ONE);
      assertThat(client.find("outlive-value", TWO)).contains(two);
      assertThat(client.versions("outlive-value")).containsExactly(1, 2);
      assertThat(client.isCompatible("outlive-value", INCOMPATIBLE)).isFalse();
      assertThatThrownBy(() -> client.register("outlive-value", INCOMPATIBLE))
          .isInstanceOf(SchemaRegistryException.class)
          .hasMessageContaining("incompatible");
      assertThat(client.register("other-value", INCOMPATIBLE)).isGreaterThan(two);
    }
  }

  @Test
  void equalSchemasHaveOneIdInAllSubjects() {
    try (EmbeddedSchemaRegistry registry = start()) {
      SchemaRegistry client = client(registry);
      int id = client.register("changes.us-east-value", ChangeEventSchema.SCHEMA);
      assertThat(client(registry).register("changes.eu-west-value", ChangeEventSchema.SCHEMA))
          .isEqualTo(id);
      assertThat(client(registry).byId(id)).contains(ChangeEventSchema.SCHEMA);
    }
  }

  @Test
  void aRegistryThatWasReplacedTakesTheLogOverBeforeItWritesAgain() {
    try (EmbeddedSchemaRegistry first = start();
        EmbeddedSchemaRegistry second = start()) {
      int id = client(second).register("replaced-value", TWO);
      SchemaRegistry late = client(first);
      assertThat(late.register("replaced-value", TWO)).isEqualTo(id);
      assertThat(late.register("replaced-value", ONE)).isNotEqualTo(id);
      assertThat(client(second).register("replaced-2-value", ONE))
          .isEqualTo(client(first).register("replaced-2-value", ONE));
    }
  }

  @Test
  void aPortInUseIsNamed() {
    try (EmbeddedSchemaRegistry registry = start()) {
      int port = registry.port();
      assertThatThrownBy(() -> EmbeddedSchemaRegistry.start(broker.bootstrapLan(), port))
          .isInstanceOf(SandboxException.class)
          .hasMessageContaining(Integer.toString(port));
    }
  }

  private static EmbeddedSchemaRegistry start() {
    return EmbeddedSchemaRegistry.start(broker.bootstrapLan(), 0);
  }

  private static SchemaRegistry client(EmbeddedSchemaRegistry registry) {
    return new HttpSchemaRegistry(
        SchemaRegistryConfig.of(registry.url().toString())
            .withRequestTimeout(Duration.ofSeconds(25))
            .withRetryFor(Duration.ofSeconds(40)));
  }
}
