package io.crosstide.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.RedisKey;
import io.crosstide.schemas.registry.InMemorySchemaRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Random;
import java.util.Set;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ChangeEventCodecProperties {
  private static final int EVENTS = 20_000;
  private static final int PREFIX = 5;

  private final ChangeEventCodec codec =
      new ChangeEventCodec(new InMemorySchemaRegistry(), Topics.changes("us-east"));

  @Test
  void everyEventReadsBackAsItWas() {
    RandomEvents events = new RandomEvents(1);
    Set<ChangeKind> kinds = EnumSet.noneOf(ChangeKind.class);
    for (int i = 0; i < EVENTS; i++) {
      ChangeEvent event = events.next();
      kinds.add(ChangeKind.of(event.change()));
      assertThat(codec.decode(recordKey(event), codec.encode(event))).isEqualTo(event);
    }
    assertThat(kinds).containsExactlyInAnyOrder(ChangeKind.values());
  }

  @Test
  void avroItselfReadsAndWritesTheSameBytes() throws IOException {
    RandomEvents events = new RandomEvents(2);
    GenericDatumReader<GenericRecord> reader = new GenericDatumReader<>(ChangeEventSchema.SCHEMA);
    GenericDatumWriter<GenericRecord> writer = new GenericDatumWriter<>(ChangeEventSchema.SCHEMA);
    for (int i = 0; i < EVENTS / 4; i++) {
      byte[] ours = codec.encode(events.next());
      BinaryDecoder decoder =
          DecoderFactory.get().binaryDecoder(ours, PREFIX, ours.length - PREFIX, null);
      GenericRecord read = reader.read(null, decoder);
      assertThat(decoder.isEnd()).isTrue();
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
      writer.write(read, encoder);
      encoder.flush();
      assertThat(out.toByteArray()).isEqualTo(Arrays.copyOfRange(ours, PREFIX, ours.length));
    }
  }

  @Test
  void schemaResolutionReadsTheSameEvents() {
    GenericEventReader generic = new GenericEventReader(ChangeEventSchema.SCHEMA);
    RandomEvents events = new RandomEvents(3);
    for (int i = 0; i < EVENTS / 4; i++) {
      ChangeEvent event = events.next();
      assertThat(generic.read(recordKey(event), codec.encode(event), PREFIX)).isEqualTo(event);
    }
  }

  @Test
  void theHeaderSaysWhatTheEventSaysInTheBytesThatBeginTheValue() {
    RandomEvents events = new RandomEvents(4);
    for (int i = 0; i < EVENTS / 4; i++) {
      ChangeEvent event = events.next();
      byte[] header = Headers.of(event).value();
      byte[] value = codec.encode(event);
      assertThat(Headers.parse(header)).isEqualTo(EventHeader.of(event));
      assertThat(header).startsWith(Headers.FORMAT);
      assertThat(Arrays.copyOfRange(header, 1, header.length))
          .isEqualTo(Arrays.copyOfRange(value, PREFIX, PREFIX + header.length - 1));
      RecordHeaders headers = new RecordHeaders();
      headers.add(Headers.of(event));
      assertThat(Headers.read(headers).origin()).isEqualTo(event.origin());
    }
  }

  @Test
  void damagedBytesAreReadOrCalledMalformedAndNothingElse() {
    RandomEvents events = new RandomEvents(5);
    Random random = new Random(6);
    GenericEventReader generic = new GenericEventReader(ChangeEventSchema.SCHEMA);
    int malformed = 0;
    for (int i = 0; i < EVENTS; i++) {
      ChangeEvent event = events.next();
      byte[] bytes = codec.encode(event);
      if (random.nextInt(4) == 0) {
        bytes = Arrays.copyOf(bytes, PREFIX + random.nextInt(bytes.length - PREFIX));
      } else {
        for (int n = 1 + random.nextInt(3); n > 0; n--) {
          bytes[PREFIX + random.nextInt(bytes.length - PREFIX)] = (byte) random.nextInt();
        }
      }
      ChangeEvent own = tryRead(recordKey(event), bytes, null);
      ChangeEvent other = tryRead(recordKey(event), bytes, generic);
      malformed += own == null ? 1 : 0;
      if (own != null) {
        assertThat(other).isEqualTo(own);
      }
    }
    assertThat(malformed).isBetween(EVENTS / 10, EVENTS - 1);
  }

  private @Nullable ChangeEvent tryRead(
      byte @Nullable [] key, byte[] bytes, @Nullable GenericEventReader generic) {
    try {
      return generic == null ? codec.decode(key, bytes) : generic.read(key, bytes, PREFIX);
    } catch (MalformedEventException e) {
      assertThat(e).hasMessageContaining(e.field());
      return null;
    } catch (RuntimeException e) {
      return fail("expected MalformedEventException", e);
    }
  }

  private static byte @Nullable [] recordKey(ChangeEvent event) {
    RedisKey key = event.key();
    return key == null ? null : key.name().array();
  }
}
