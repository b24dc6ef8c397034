package io.crosstide.schemas;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.MarkerState.Missed;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Writes an event's fields in the order of {@code change-event.avsc}. */
final class EventWriter {
  static final int DELTA_NONE = 0;
  static final int DELTA_LONG = 1;
  static final int DELTA_TEXT = 2;

  /** Hex digits of an element's digest. */
  static final int DIGEST_HEX = 40;

  private static final int LONG_BITS_MAX = 63;

  private final ReplIds replIds = new ReplIds();

  /** {@code fields} are those of the event's change. */
  void write(AvroOutput out, ChangeEvent event, ChangeFields fields) {
    EventHeader.of(event).write(out);
    Vectors.write(out, event.context());
    writeExceptions(out, event.exceptions());
    out.writeLong(event.fx().epoch());
    out.writeLong(event.fx().number());
    ChangeEvent.StreamPosition position = event.position();
    out.writeBytes(replIds.pack(position.replId()).array());
    out.writeLong(position.replOffset());
    out.writeLong(position.index());
    ChangeEvent.TransactionPart part = event.transaction();
    if (part == null) {
      out.writeLong(0);
    } else {
      out.writeLong(1);
      out.writeLong(part.id());
      out.writeLong(part.index());
      out.writeLong(part.count());
    }
    writeFields(out, fields);
  }

  private static void writeFields(AvroOutput out, ChangeFields fields) {
    out.writeBytes(fields.name().array());
    Bytes value = fields.value();
    if (value == null) {
      out.writeLong(0);
    } else {
      out.writeLong(1);
      out.writeBytes(value.array());
    }
    out.writeLong(fields.deadline());
    out.writeBoolean(fields.keepsDeadline());
    writeDelta(out, fields.delta());
    writeDouble(out, fields.score());
    writeDouble(out, fields.scoreBefore());
    Vectors.write(out, fields.vector());
    out.writeLong(0); // items: of no kind yet
  }

  private static void writeDelta(AvroOutput out, @Nullable BigDecimal delta) {
    if (delta == null) {
      out.writeLong(DELTA_NONE);
    } else if (delta.scale() == 0 && delta.unscaledValue().bitLength() <= LONG_BITS_MAX) {
      out.writeLong(DELTA_LONG);
      out.writeLong(delta.longValueExact());
    } else {
      out.writeLong(DELTA_TEXT);
      out.writeBytes(delta.toString().getBytes(StandardCharsets.US_ASCII));
    }
  }

  private static void writeDouble(AvroOutput out, @Nullable Double value) {
    if (value == null) {
      out.writeLong(0);
    } else {
      out.writeLong(1);
      out.writeDouble(value);
    }
  }

  /** In order of element, so that equal events have equal bytes. */
  private static void writeExceptions(AvroOutput out, Map<String, Missed> exceptions) {
    if (!exceptions.isEmpty()) {
      out.writeLong(exceptions.size());
      for (Map.Entry<String, Missed> entry : new TreeMap<>(exceptions).entrySet()) {
        out.writeBytes(packDigest(entry.getKey()));
        Missed missed = entry.getValue();
        out.writeLong(missed.fx().epoch());
        out.writeLong(missed.fx().number());
        Vectors.write(out, missed.context());
      }
    }
    out.writeLong(0);
  }

  private static byte[] packDigest(String digest) {
    if (digest.length() != DIGEST_HEX) {
      throw new IllegalArgumentException(
          "'" + digest + "' is no element digest: those have 40 hexadecimal digits");
    }
    return HexFormat.of().parseHex(digest);
  }
}
