package io.crosstide.crdt;

import io.crosstide.crdt.Cell.Folded;
import io.crosstide.crdt.Cell.Increment;
import io.crosstide.crdt.Cell.Spilled;
import io.crosstide.crdt.Cell.Write;
import java.util.ArrayList;
import java.util.List;

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
    List<Write> writes = new ArrayList<>();
    for (int n = in.count(); n > 0; n--) {
      writes.add(new Write(in.dot(), new HybridTimestamp(in.varint()), in.bytes()));
    }
    List<Increment> increments = new ArrayList<>();
    for (int n = in.count(); n > 0; n--) {
      increments.addAll(IncrementRun.decode(in, Origin.fromPacked(in.varint())));
    }
    List<Spilled> spilled = new ArrayList<>();
    for (int n = in.count(); n > 0; n--) {
      spilled.add(
          new Spilled(
              Origin.fromPacked(in.varint()),
              in.varint(),
              in.varint(),
              new HybridTimestamp(in.varint()),
              in.varint(),
              in.decimal()));
    }
    List<Folded> folded = new ArrayList<>();
    for (int n = in.count(); n > 0; n--) {
      folded.add(
          new Folded(
              Origin.fromPacked(in.varint()),
              in.varint(),
              new HybridTimestamp(in.varint()),
              in.decimal()));
    }
    return new Cell(
        List.copyOf(writes), increments, List.copyOf(spilled), List.copyOf(folded), in.vector());
  }
}
