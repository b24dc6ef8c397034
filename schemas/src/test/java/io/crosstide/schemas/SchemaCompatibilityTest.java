package io.crosstide.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.schemas.registry.Compatibility;
import io.crosstide.schemas.registry.CompatibilityLevel;
import io.crosstide.schemas.registry.InMemorySchemaRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.junit.jupiter.api.Test;

/** The schema against its committed past, and against changes a later version may make. */
class SchemaCompatibilityTest {
  private static final int VERSIONS = 1;
  private static final int PREFIX = 5;

  private final InMemorySchemaRegistry registry = new InMemorySchemaRegistry();
  private final ChangeEventCodec codec = new ChangeEventCodec(registry, "changes.us-east");

  @Test
  void theSchemaReadsAndIsReadByEveryCommittedVersion() throws IOException {
    List<Schema> past = new ArrayList<>();
    for (int version = 1; version <= VERSIONS; version++) {
      past.add(committed(version));
    }
    assertThat(
            Compatibility.problems(
                CompatibilityLevel.FULL_TRANSITIVE, past, ChangeEventSchema.SCHEMA))
        .isEmpty();
  }

  @Test
  void theLatestCommittedVersionIsTheSchemaSoThatAChangeIsNeverForgotten() throws IOException {
    assertThat(committed(VERSIONS)).isEqualTo(ChangeEventSchema.SCHEMA);
  }

  @Test
  void everyFieldIsDocumented() {
    assertDocumented(ChangeEventSchema.SCHEMA);
  }

  @Test
  void theFieldsOfTheHeaderComeFirst() {
    assertThat(ChangeEventSchema.SCHEMA.getFields().stream().map(Schema.Field::name).limit(7))
        .containsExactly("kind", "origin", "seq", "skipped", "captureEpoch", "stamp", "db");
  }

  @Test
  void eventsOfALaterVersionWithMoreFieldsAreReadWithoutThem() throws IOException {
    Schema later = withField("{\"name\":\"extra\",\"type\":\"string\",\"default\":\"\"}");
    assertThat(
            Compatibility.problems(
                CompatibilityLevel.FULL_TRANSITIVE, List.of(ChangeEventSchema.SCHEMA), later))
        .isEmpty();
    int id = registry.register("later", later);
    for (Map.Entry<String, Change> golden : Golden.changes().entrySet()) {
      ChangeEvent event = Events.of(golden.getValue());
      byte[] bytes = rewrite(codec.encode(event), later, id);
      byte[] key = event.isControl() ? null : Events.KEY.name().array();
      assertThat(codec.decode(key, bytes)).as(golden.getKey()).isEqualTo(event);
    }
  }

  @Test
  void everyKindOfVersionOneIsReadByAvroAsItWas() throws IOException {
    GenericEventReader reader = new GenericEventReader(committed(1));
    Map<String, String> bytes = Golden.bytes();
    for (Map.Entry<String, Change> golden : Golden.changes().entrySet()) {
      ChangeEvent event = Events.of(golden.getValue());
      String hex = bytes.get(golden.getKey());
      assertThat(hex).as(golden.getKey()).isNotNull();
      byte[] key = event.isControl() ? null : Events.KEY.name().array();
      assertThat(reader.read(key, HexFormat.of().parseHex(hex), PREFIX)).isEqualTo(event);
    }
  }

  private static byte[] rewrite(byte[] value, Schema later, int id) throws IOException {
    GenericRecord record =
        new GenericDatumReader<GenericRecord>(ChangeEventSchema.SCHEMA, later)
            .read(
                null,
                DecoderFactory.get().binaryDecoder(value, PREFIX, value.length - PREFIX, null));
    record.put("extra", "unheard of");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(ByteBuffer.allocate(PREFIX).put((byte) 0).putInt(id).array());
    BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
    new GenericDatumWriter<GenericRecord>(later, GenericData.get()).write(record, encoder);
    encoder.flush();
    return out.toByteArray();
  }

  private static Schema withField(String field) {
    String text = ChangeEventSchema.SCHEMA.toString();
    int end = text.lastIndexOf(']');
    return new Schema.Parser().parse(text.substring(0, end) + "," + field + text.substring(end));
  }

  private static Schema committed(int version) throws IOException {
    String resource = "change-event-v" + version + ".avsc";
    try (InputStream in = SchemaCompatibilityTest.class.getResourceAsStream(resource)) {
      assertThat(in).as(resource).isNotNull();
      return new Schema.Parser().parse(in);
    }
  }

  private static void assertDocumented(Schema schema) {
    switch (schema.getType()) {
      case RECORD -> {
        assertThat(schema.getDoc()).as(schema.getName()).isNotBlank();
        for (Schema.Field field : schema.getFields()) {
          assertThat(field.doc()).as(schema.getName() + "." + field.name()).isNotBlank();
          assertDocumented(field.schema());
        }
      }
      case ARRAY -> assertDocumented(schema.getElementType());
      case UNION -> schema.getTypes().forEach(SchemaCompatibilityTest::assertDocumented);
      default -> {}
    }
  }
}
