package io.crosstide.crdt;

import io.crosstide.crdt.Cell.Folded;
import io.crosstide.crdt.Cell.Increment;
import io.crosstide.crdt.Cell.Spilled;
import io.crosstide.crdt.Cell.Write;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** The byte form of a {@link Cell}: writes, increments by origin, sums, removal context. */
final class CellForm {
  private CellForm() {}

  static void encode(Cell cell, ByteWriter out) {
    out.varint(cell.writes().size());
    for (Write write : cell.writes()) {
      out.dot(write.dot()).varint(write.stamp().packed()).bytes(write.value());
    }
    encodeIncrements(cell, out);
    out.varint(cell.spilled().size());
    for (Spilled part : cell.spilled()) {
      out.varint(part.origin().packed())
          .varint(part.firstSeq())
          .varint(part.lastSeq())
          .varint(part.stamp().packed())
          .varint(part.count())
          .decimal(part.sum());
    }
    out.varint(cell.folded().size());
    for (Folded part : cell.folded()) {
      out.varint(part.origin().packed())
          .varint(part.lastSeq())
          .varint(part.stamp().packed())
          .decimal(part.sum());
    }
    out.vector(cell.removed());
  }

  private static void encodeIncrements(Cell cell, ByteWriter out) {
    List<Increment> increments = cell.increments();
    int origins = 0;
    for (int from = 0; from < increments.size(); from = cell.endOfRun(from)) {
      origins++;
    }
    out.varint(origins);
    int from = 0;
    while (from < increments.size()) {
      int to = cell.endOfRun(from);
      out.varint(increments.get(from).dot().origin().packed());
      IncrementRun.encode(out, increments.subList(from, to));
      from = to;
    }
  }

  static Cell decode(ByteReader in) {
    return new Cell(
        list(in, each -> new Write(each.dot(), new HybridTimestamp(each.varint()), each.bytes())),
        decodeIncrements(in),
        list(in, CellForm::decodeSpilled),
        list(in, CellForm::decodeFolded),
        in.vector());
  }

  /** A count and as many items; most cells are one write and nothing else. */
  private static <T> List<T> list(ByteReader in, Function<ByteReader, T> item) {
    int count = in.count();
    if (count == 0) {
      return List.of();
    }
    if (count == 1) {
      return List.of(item.apply(in));
    }
    List<T> all = new ArrayList<>();
    for (int n = count; n > 0; n--) {
      all.add(item.apply(in));
    }
    return List.copyOf(all);
  }

  private static List<Increment> decodeIncrements(ByteReader in) {
    int origins = in.count();
    if (origins == 0) {
      return List.of();
    }
    List<Increment> increments = new ArrayList<>();
    for (int n = origins; n > 0; n--) {
      increments.addAll(IncrementRun.decode(in, Origin.fromPacked(in.varint())));
    }
    return increments;
  }

  private static Spilled decodeSpilled(ByteReader in) {
    return new Spilled(
        Origin.fromPacked(in.varint()),
        in.varint(),
        in.varint(),
        new HybridTimestamp(in.varint()),
        in.varint(),
        in.decimal());
  }

  private static Folded decodeFolded(ByteReader in) {
    return new Folded(
        Origin.fromPacked(in.varint()),
        in.varint(),
        new HybridTimestamp(in.varint()),
        in.decimal());
  }

  /** About as many bytes as {@link #encode} writes; more costs a copy. */
  static int sizeExpected(Cell cell) {
    int size = 32 + 16 * cell.increments().size();
    for (Write write : cell.writes()) {
      size += 32 + write.value().length();
    }
    return size;
  }
}
