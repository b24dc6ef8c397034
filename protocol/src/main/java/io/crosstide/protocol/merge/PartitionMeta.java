package io.crosstide.protocol.merge;

import io.crosstide.crdt.ByteReader;
import io.crosstide.crdt.ByteWriter;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Fx;
import java.util.Map;
import java.util.TreeMap;

/** What one partition's owner must remember beside the rows: one row, committed with them. */
final class PartitionMeta {
  /** Per origin the last seq received in order; records up to it are duplicates. */
  VersionVector received = VersionVector.EMPTY;

  /** Per origin the last seq merged; lower than received while records are held. */
  VersionVector merged = VersionVector.EMPTY;

  /**
   * Per origin the highest capture epoch seen: lower ones come from a capture that has been
   * replaced (P16).
   */
  VersionVector captureEpochs = VersionVector.EMPTY;

  /** Per region id what every later event of its log has seen at least (P13). */
  final Map<Integer, VersionVector> floors = new TreeMap<>();

  /** The last number the local log has shown. */
  Fx localFx = Fx.NONE;

  /** The epoch this owner or the one before last used. */
  int epoch;

  HybridTimestamp highestStamp = HybridTimestamp.ZERO;

  byte[] encode() {
    ByteWriter out = new ByteWriter(128);
    out.vector(received).vector(merged).vector(captureEpochs).varint(floors.size());
    floors.forEach((region, floor) -> out.varint(region).vector(floor));
    out.varint(localFx.epoch()).varint(localFx.number()).varint(epoch);
    out.varint(highestStamp.packed());

    return out.toByteArray();
  }

  static PartitionMeta decode(byte[] row) {
    ByteReader in = new ByteReader(row);
    PartitionMeta meta = new PartitionMeta();
    meta.received = in.vector();
    meta.merged = in.vector();
    meta.captureEpochs = in.vector();
    for (int n = in.count(); n > 0; n--) {
      meta.floors.put((int) in.varint(), in.vector());
    }
    meta.localFx = new Fx((int) in.varint(), in.varint());
    meta.epoch = (int) in.varint();
    meta.highestStamp = new HybridTimestamp(in.varint());

    return meta;
  }

  /** Positions of the region's own current log and of all others. */
  static VersionVector without(VersionVector vector, Origin origin) {
    return vector.with(origin, 0);
  }
}
