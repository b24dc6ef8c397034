package io.crosstide.schemas;

import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.RedisKey;
import io.crosstide.schemas.registry.CompatibilityLevel;
import io.crosstide.schemas.registry.SchemaRegistry;
import io.crosstide.schemas.registry.SchemaRegistryException;
import io.crosstide.schemas.registry.SchemaRegistryUnavailableException;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Turns change events into records and back: Avro in Confluent's wire format, a zero byte, the
 * schema's id in four bytes, then the value. The record's key is the Redis key, null for control
 * events; the header {@value Headers#NAME} repeats what a bridge needs.
 *
 * <p>Events written with this version's schema are read by a hand-written reader; those of other
 * versions by Avro's schema resolution. The registry is asked once per schema id, and once for the
 * id to write with; after that it may be down.
 *
 * <p>Safe for use by several threads.
 */
public final class ChangeEventCodec {
  private static final int MAGIC = 0;
  static final int PREFIX_BYTES = 5;

  /** An event's own fields take about 90 bytes besides its context, name and value. */
  private static final int SIZE_EXPECTED = 256;

  private static final int SIZE_MARGIN = 160;
  private static final int UNKNOWN = -1;

  private static final byte[] OWN_FINGERPRINT = fingerprint(ChangeEventSchema.SCHEMA);

  private final SchemaRegistry registry;
  private final String subject;
  private final EventWriter writer = new EventWriter();
  private final EventReader ownReader = new EventReader();
  private final Map<Integer, GenericEventReader> otherReaders = new ConcurrentHashMap<>();

  /** Id to write with; asked for at the first event. */
  private volatile int ownId = UNKNOWN;

  /** The id that reading last found to be this version's schema. */
  private volatile int ownReadId = UNKNOWN;

  /**
   * @param topic the topic whose subject ({@link Topics#valueSubject}) new schemas are registered
   *     under; events of other topics can be decoded all the same
   */
  public ChangeEventCodec(SchemaRegistry registry, String topic) {
    this.registry = registry;
    this.subject = Topics.valueSubject(topic);
  }

  /**
   * Registers this version's schema, if the subject does not have it, and holds the subject to
   * {@link CompatibilityLevel#FULL_TRANSITIVE}. Done by the first {@link #encode} otherwise.
   *
   * @throws SchemaRegistryException if the registry refuses the schema or cannot be reached
   */
  public synchronized void register() {
    if (ownId == UNKNOWN) {
      int id = registry.find(subject, ChangeEventSchema.SCHEMA).orElse(UNKNOWN);
      if (id == UNKNOWN) {
        id = registry.register(subject, ChangeEventSchema.SCHEMA);
        registry.compatibility(subject, CompatibilityLevel.FULL_TRANSITIVE);
      }
      ownId = id;
    }
  }

  /** The value of the event's record. */
  public byte[] encode(ChangeEvent event) {
    if (ownId == UNKNOWN) {
      register();
    }
    ChangeFields fields = ChangeFields.of(event);
    AvroOutput out = new AvroOutput(sizeExpected(fields));
    out.writeByte(MAGIC);
    out.writeInt32(ownId);
    writer.write(out, event, fields);
    return out.toByteArray();
  }

  /** The whole record: key, value, header, and the stamp's milliseconds as its timestamp. */
  public ProducerRecord<byte @Nullable [], byte[]> toRecord(
      String topic, int partition, ChangeEvent event) {
    RedisKey key = event.key();
    return new ProducerRecord<>(
        topic,
        partition,
        event.stamp().physicalMillis(),
        key == null ? null : key.name().array(),
        encode(event),
        List.of(Headers.of(event)));
  }

  /**
   * The event of a record, by key and value alone.
   *
   * @throws MalformedEventException if it is none, {@link UnknownKindException} and {@link
   *     UnknownSchemaException} included
   * @throws SchemaRegistryUnavailableException if the value's schema is not known yet and no
   *     registry answers: try again later
   */
  public ChangeEvent decode(byte @Nullable [] recordKey, byte @Nullable [] value) {
    int id = schemaId(value);
    byte[] bytes = Objects.requireNonNull(value);
    if (id == ownReadId) {
      return ownReader.read(recordKey, bytes, PREFIX_BYTES);
    }
    GenericEventReader other = otherReaders.get(id);
    if (other == null) {
      Schema schema = writerSchema(id);
      if (Arrays.equals(fingerprint(schema), OWN_FINGERPRINT)) {
        ownReadId = id;
        return ownReader.read(recordKey, bytes, PREFIX_BYTES);
      }
      other = otherReaders.computeIfAbsent(id, unused -> new GenericEventReader(schema));
    }
    return other.read(recordKey, bytes, PREFIX_BYTES);
  }

  /**
   * The event of a record. Where a bridge left events out, the header's {@code previousSeq} takes
   * the place of the value's.
   *
   * @throws MalformedEventException as {@link #decode(byte[], byte[])}
   */
  public ChangeEvent decode(ConsumerRecord<byte @Nullable [], byte @Nullable []> record) {
    return decode(record.key(), record.value(), record.headers());
  }

  /** As {@link #decode(ConsumerRecord)}, of a record in parts. */
  public ChangeEvent decode(
      byte @Nullable [] recordKey,
      byte @Nullable [] value,
      org.apache.kafka.common.header.Headers headers) {
    ChangeEvent event = decode(recordKey, value);
    if (Headers.areRepeated(headers, value)) {
      return event;
    }
    EventHeader header = Headers.readIfPresent(headers);
    if (header == null || header.previousSeq() == event.previousSeq()) {
      return event;
    }
    return new ChangeEvent(
        event.origin(),
        event.seq(),
        header.previousSeq(),
        event.captureEpoch(),
        event.stamp(),
        event.context(),
        event.exceptions(),
        event.fx(),
        event.key(),
        event.change(),
        event.position(),
        event.transaction());
  }

  /** The id of the schema a value was written with. */
  static int schemaId(byte @Nullable [] value) {
    if (value == null) {
      throw new MalformedEventException(
          "value", MalformedEventException.NO_OFFSET, "the record has no value");
    }
    if (value.length < PREFIX_BYTES || value[0] != MAGIC) {
      throw new MalformedEventException(
          "value", 0, "it does not begin with a zero byte and a schema id");
    }
    return (value[1] & 0xff) << 24
        | (value[2] & 0xff) << 16
        | (value[3] & 0xff) << 8
        | (value[4] & 0xff);
  }

  private Schema writerSchema(int id) {
    Schema schema = registry.byId(id).orElseThrow(() -> new UnknownSchemaException(id));
    if (schema.getType() != Schema.Type.RECORD
        || !schema.getFullName().equals(ChangeEventSchema.SCHEMA.getFullName())) {
      throw new MalformedEventException(
          "value", 1, "schema id " + id + " is of " + schema.getFullName());
    }
    return schema;
  }

  private static int sizeExpected(ChangeFields fields) {
    int value = fields.value() == null ? 0 : fields.value().length();
    return Math.max(SIZE_EXPECTED, SIZE_MARGIN + fields.name().length() + value);
  }

  private static byte[] fingerprint(Schema schema) {
    try {
      return SchemaNormalization.parsingFingerprint("SHA-256", schema);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
