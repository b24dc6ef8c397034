package io.crosstide.schemas;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState.Missed;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads events that were written with exactly {@code change-event.avsc}; {@link EventWriter}. */
final class EventReader {
  private static final int DELTA_BRANCHES = 3;

  private final ReplIds replIds = new ReplIds();

  ChangeEvent read(byte @Nullable [] recordKey, byte[] value, int from) {
    AvroInput in = new AvroInput(value, from, "kind");
    EventHeader header = EventHeader.read(in);
    ChangeKind kind = EventBody.kindOf(header, from);
    VersionVector context = Vectors.read(in.field("context"));
    Map<String, Missed> exceptions = readExceptions(in);
    int fxEpoch = in.field("fxEpoch").readInt();
    long fxNumber = in.field("fxNumber").readLong();
    String replId = replIds.unpack(in.field("replId").readBytes());
    long replOffset = in.field("replOffset").readLong();
    int index = in.field("index").readInt();
    ChangeEvent.TransactionPart transaction = readTransaction(in);
    ChangeFields fields = readFields(in);
    in.expectEnd();
    return new EventBody(
            header,
            context,
            exceptions,
            new Fx(fxEpoch, fxNumber),
            new ChangeEvent.StreamPosition(replId, replOffset, index),
            transaction,
            fields)
        .toEvent(kind, recordKey);
  }

  private static ChangeFields readFields(AvroInput in) {
    Bytes name = in.field("name").readBytes();
    Bytes value = in.field("value").readBranch(2) == 0 ? null : in.readBytes();
    long deadline = in.field("deadline").readLong();
    boolean keepsDeadline = in.field("keepsDeadline").readBoolean();
    BigDecimal delta = readDelta(in.field("delta"));
    Double score = in.field("score").readBranch(2) == 0 ? null : in.readDouble();
    Double scoreBefore = in.field("scoreBefore").readBranch(2) == 0 ? null : in.readDouble();
    VersionVector vector = Vectors.read(in.field("vector"));
    in.field("items");
    for (long block = in.readBlock(); block > 0; block = in.readBlock()) {
      for (long i = 0; i < block; i++) {
        in.readBytes();
      }
    }
    return new ChangeFields(
        name, value, deadline, keepsDeadline, delta, score, scoreBefore, vector);
  }

  private static @Nullable BigDecimal readDelta(AvroInput in) {
    return switch (in.readBranch(DELTA_BRANCHES)) {
      case EventWriter.DELTA_NONE -> null;
      case EventWriter.DELTA_LONG -> BigDecimal.valueOf(in.readLong());
      default ->
          parseDelta(new String(in.readBytes().array(), StandardCharsets.UTF_8), in.offset());
    };
  }

  static BigDecimal parseDelta(String text, int offset) {
    try {
      return new BigDecimal(text);
    } catch (NumberFormatException e) {
      throw new MalformedEventException("delta", offset, "'" + text + "' is not a number", e);
    }
  }

  private static ChangeEvent.@Nullable TransactionPart readTransaction(AvroInput in) {
    if (in.field("transaction").readBranch(2) == 0) {
      return null;
    }
    long id = in.readLong();
    int index = in.readInt();
    int count = in.readInt();
    return transaction(id, index, count, in.offset());
  }

  static ChangeEvent.TransactionPart transaction(long id, int index, int count, int offset) {
    if (index < 0 || index >= count) {
      throw new MalformedEventException(
          "transaction", offset, "part " + index + " of a transaction of " + count);
    }
    return new ChangeEvent.TransactionPart(id, index, count);
  }

  private static Map<String, Missed> readExceptions(AvroInput in) {
    long block = in.field("exceptions").readBlock();
    if (block == 0) {
      return Map.of();
    }
    Map<String, Missed> exceptions = new HashMap<>();
    for (; block > 0; block = in.readBlock()) {
      for (long i = 0; i < block; i++) {
        String element = unpackDigest(in.readBytes(), in.offset());
        int epoch = in.readInt();
        long number = in.readLong();
        exceptions.put(element, new Missed(new Fx(epoch, number), Vectors.read(in)));
      }
    }
    return exceptions;
  }

  static String unpackDigest(Bytes digest, int offset) {
    if (digest.length() * 2 != EventWriter.DIGEST_HEX) {
      throw new MalformedEventException(
          "exceptions", offset, "an element digest of " + digest.length() + " bytes");
    }
    return HexFormat.of().formatHex(digest.array());
  }
}
