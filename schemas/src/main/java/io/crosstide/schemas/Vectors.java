package io.crosstide.schemas;

import io.crosstide.crdt.VersionVector;

/** Version vectors as Avro arrays of {@code Seen}. */
final class Vectors {
  private Vectors() {}

  static void write(AvroOutput out, VersionVector vector) {
    int size = vector.size();
    if (size > 0) {
      out.writeLong(size);
      for (int i = 0; i < size; i++) {
        out.writeLong(vector.packedOriginAt(i));
        out.writeLong(vector.seqAt(i));
      }
    }
    out.writeLong(0);
  }

  static VersionVector read(AvroInput in) {
    VersionVector vector = VersionVector.EMPTY;
    long last = 0;
    for (long block = in.readBlock(); block > 0; block = in.readBlock()) {
      for (long i = 0; i < block; i++) {
        long origin = in.readLong();
        long seq = in.readLong();
        if (!isNext(last, origin, seq)) {
          throw in.malformed(
              "entry " + origin + "=" + seq + " of a version vector after origin " + last);
        }
        vector = vector.with(origin, seq);
        last = origin;
      }
    }
    return vector;
  }

  /** Entries ascend by origin, are valid and say something: one vector has one encoding. */
  static boolean isNext(long lastOrigin, long origin, long seq) {
    return origin > lastOrigin && PackedOrigins.isValid(origin) && seq >= 1;
  }
}
