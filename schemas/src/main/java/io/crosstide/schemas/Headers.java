package io.crosstide.schemas;

import io.crosstide.protocol.ChangeEvent;
import java.util.Arrays;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.jspecify.annotations.Nullable;

/**
 * The record header {@value #NAME}, in which every event repeats its {@link EventHeader}, so that
 * stages on the way need not decode the value.
 *
 * <p>One format byte, now {@value #FORMAT}, then kind, origin, seq, skipped, captureEpoch, stamp
 * and db as Avro longs: byte for byte the beginning of the value, so that compression makes the
 * repetition nearly free. About 25 bytes.
 */
public final class Headers {
  public static final String NAME = "ct";

  static final int FORMAT = 1;
  private static final int SIZE_EXPECTED = 32;

  private Headers() {}

  public static Header of(ChangeEvent event) {
    return toHeader(EventHeader.of(event));
  }

  public static Header toHeader(EventHeader header) {
    AvroOutput out = new AvroOutput(SIZE_EXPECTED);
    out.writeByte(FORMAT);
    header.write(out);
    return new RecordHeader(NAME, out.toByteArray());
  }

  /**
   * The event header among a record's headers.
   *
   * @throws MalformedEventException if there is none, or it cannot be read
   */
  public static EventHeader read(org.apache.kafka.common.header.Headers headers) {
    EventHeader header = readIfPresent(headers);
    if (header == null) {
      throw new MalformedEventException(
          NAME, MalformedEventException.NO_OFFSET, "the record has no header '" + NAME + "'");
    }
    return header;
  }

  /** As {@link #read}, null if there is no such header. */
  public static @Nullable EventHeader readIfPresent(
      org.apache.kafka.common.header.Headers headers) {
    Header header = headers.lastHeader(NAME);
    return header == null ? null : parse(header.value());
  }

  /**
   * Whether {@code value}, an event's, begins with what its record's header says, so that there is
   * nothing to learn from the header: the rule, unless a bridge left events out before this one.
   */
  public static boolean areRepeated(
      org.apache.kafka.common.header.Headers headers, byte @Nullable [] value) {
    Header header = headers.lastHeader(NAME);
    if (header == null || value == null) {
      return false;
    }
    byte[] content = header.value();
    int from = ChangeEventCodec.PREFIX_BYTES;
    int length = content == null ? 0 : content.length - 1;
    return length > 0
        && content[0] == FORMAT
        && value.length >= from + length
        && Arrays.equals(content, 1, content.length, value, from, from + length);
  }

  /** The content of one header. */
  public static EventHeader parse(byte @Nullable [] value) {
    if (value == null || value.length == 0 || value[0] != FORMAT) {
      throw new MalformedEventException(
          NAME,
          0,
          value == null || value.length == 0
              ? "the header is empty"
              : "header format " + value[0] + " is unknown to this version");
    }
    AvroInput in = new AvroInput(value, 1, NAME);
    EventHeader header = EventHeader.read(in);
    in.expectEnd();
    return header;
  }

  /** Replaces the event header of a record that a filtering bridge forwards. */
  public static void replace(org.apache.kafka.common.header.Headers headers, EventHeader header) {
    headers.remove(NAME);
    headers.add(toHeader(header));
  }
}
