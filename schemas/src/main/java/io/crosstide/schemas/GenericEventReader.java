package io.crosstide.schemas;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState.Missed;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.jspecify.annotations.Nullable;

/**
 * Reads events written with another version of the schema, by Avro's schema resolution: slower than
 * {@link EventReader}, used while versions are mixed.
 */
final class GenericEventReader {
  private final GenericDatumReader<GenericRecord> reader;

  GenericEventReader(Schema writer) {
    reader = new GenericDatumReader<>(writer, ChangeEventSchema.SCHEMA);
  }

  ChangeEvent read(byte @Nullable [] recordKey, byte[] value, int from) {
    AvroInput walk = new AvroInput(value, from, "value");
    AvroWalk.skip(walk, reader.getSchema());
    walk.expectEnd();
    GenericRecord in = readRecord(value, from);
    EventHeader header = header(in);
    ChangeKind kind = EventBody.kindOf(header, MalformedEventException.NO_OFFSET);
    return new EventBody(
            header,
            vector(in, "context"),
            exceptions(in),
            fx(in),
            new ChangeEvent.StreamPosition(
                new ReplIds().unpack(bytes(in, "replId")),
                number(in, "replOffset"),
                integer(in, "index")),
            transaction(in),
            fields(in))
        .toEvent(kind, recordKey);
  }

  private GenericRecord readRecord(byte[] value, int from) {
    try {
      return reader.read(
          null, DecoderFactory.get().binaryDecoder(value, from, value.length - from, null));
    } catch (IOException | RuntimeException e) {
      throw new MalformedEventException(
          "value", MalformedEventException.NO_OFFSET, "Avro cannot read it: " + e, e);
    }
  }

  private static EventHeader header(GenericRecord in) {
    long origin = number(in, "origin");
    if (!PackedOrigins.isValid(origin)) {
      throw malformed("origin", origin + " is not an origin");
    }
    long seq = number(in, "seq");
    return new EventHeader(
        integer(in, "kind"),
        origin,
        seq,
        seq - 1 - number(in, "skipped"),
        integer(in, "captureEpoch"),
        new HybridTimestamp(number(in, "stamp")),
        integer(in, "db"));
  }

  private static ChangeFields fields(GenericRecord in) {
    Object delta = in.get("delta");
    return new ChangeFields(
        bytes(in, "name"),
        in.get("value") == null ? null : bytes(in, "value"),
        number(in, "deadline"),
        (Boolean) in.get("keepsDeadline"),
        delta == null ? null : delta(delta),
        (Double) in.get("score"),
        (Double) in.get("scoreBefore"),
        vector(in, "vector"));
  }

  private static BigDecimal delta(Object delta) {
    return delta instanceof Long integer
        ? BigDecimal.valueOf(integer)
        : EventReader.parseDelta(delta.toString(), MalformedEventException.NO_OFFSET);
  }

  private static ChangeEvent.@Nullable TransactionPart transaction(GenericRecord in) {
    GenericRecord part = (GenericRecord) in.get("transaction");
    return part == null
        ? null
        : EventReader.transaction(
            number(part, "id"),
            integer(part, "index"),
            integer(part, "count"),
            MalformedEventException.NO_OFFSET);
  }

  private static Map<String, Missed> exceptions(GenericRecord in) {
    Map<String, Missed> exceptions = new HashMap<>();
    for (GenericRecord missed : records(in, "exceptions")) {
      exceptions.put(
          EventReader.unpackDigest(bytes(missed, "element"), MalformedEventException.NO_OFFSET),
          new Missed(fx(missed), vector(missed, "context")));
    }
    return exceptions;
  }

  private static Fx fx(GenericRecord in) {
    return new Fx(integer(in, "fxEpoch"), number(in, "fxNumber"));
  }

  private static VersionVector vector(GenericRecord in, String field) {
    VersionVector vector = VersionVector.EMPTY;
    long last = 0;
    for (GenericRecord entry : records(in, field)) {
      long origin = number(entry, "origin");
      long seq = number(entry, "seq");
      if (!Vectors.isNext(last, origin, seq)) {
        throw malformed(
            field, "entry " + origin + "=" + seq + " of a version vector after origin " + last);
      }
      vector = vector.with(origin, seq);
      last = origin;
    }
    return vector;
  }

  @SuppressWarnings("unchecked") // the reader's schema says so
  private static List<GenericRecord> records(GenericRecord in, String field) {
    return (List<GenericRecord>) in.get(field);
  }

  private static Bytes bytes(GenericRecord in, String field) {
    ByteBuffer buffer = (ByteBuffer) in.get(field);
    byte[] copy = new byte[buffer.remaining()];
    buffer.duplicate().get(copy);
    return Bytes.wrap(copy);
  }

  private static long number(GenericRecord in, String field) {
    return (Long) in.get(field);
  }

  private static int integer(GenericRecord in, String field) {
    return (Integer) in.get(field);
  }

  private static MalformedEventException malformed(String field, String problem) {
    return new MalformedEventException(field, MalformedEventException.NO_OFFSET, problem);
  }
}
