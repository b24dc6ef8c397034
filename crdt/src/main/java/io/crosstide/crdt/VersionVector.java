package io.crosstide.crdt;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.StringJoiner;

/**
 * For every origin, the highest {@code seq} whose events are included; 0 where an origin is absent.
 * A vector stands for the set of dots {@code {(o, n) : n ≤ v[o]}}: {@link #join} is set union,
 * {@link #covers} membership.
 *
 * <p>Immutable. Entries are sorted by origin and never zero, so equal sets have equal
 * representations.
 */
public final class VersionVector {
  public static final VersionVector EMPTY = new VersionVector(new long[0], new long[0]);

  private final long[] origins;
  private final long[] seqs;

  private VersionVector(long[] origins, long[] seqs) {
    this.origins = origins;
    this.seqs = seqs;
  }

  public static VersionVector of(Origin origin, long seq) {
    return EMPTY.with(origin, seq);
  }

  public int size() {
    return origins.length;
  }

  public boolean isEmpty() {
    return origins.length == 0;
  }

  /** The origin of entry {@code index}, in ascending order. */
  public Origin originAt(int index) {
    return Origin.fromPacked(origins[index]);
  }

  public long packedOriginAt(int index) {
    return origins[index];
  }

  public long seqAt(int index) {
    return seqs[index];
  }

  public List<Origin> origins() {
    List<Origin> all = new ArrayList<>(origins.length);
    for (long packed : origins) {
      all.add(Origin.fromPacked(packed));
    }
    return all;
  }

  public long get(Origin origin) {
    return get(origin.packed());
  }

  public long get(long packedOrigin) {
    int at = Arrays.binarySearch(origins, packedOrigin);
    return at < 0 ? 0 : seqs[at];
  }

  public boolean covers(Dot dot) {
    return get(dot.origin().packed()) >= dot.seq();
  }

  /** This vector with {@code origin} at exactly {@code seq}; 0 removes the entry. */
  public VersionVector with(Origin origin, long seq) {
    return with(origin.packed(), seq);
  }

  public VersionVector with(long packedOrigin, long seq) {
    if (seq < 0) {
      throw new IllegalArgumentException("seq " + seq + " is negative");
    }
    int at = Arrays.binarySearch(origins, packedOrigin);
    if (at >= 0) {
      if (seqs[at] == seq) {
        return this;
      }
      if (seq == 0) {
        return without(at);
      }
      long[] changed = seqs.clone();
      changed[at] = seq;
      return new VersionVector(origins, changed);
    }
    if (seq == 0) {
      return this;
    }
    int insert = -at - 1;
    long[] o = new long[origins.length + 1];
    long[] s = new long[origins.length + 1];
    System.arraycopy(origins, 0, o, 0, insert);
    System.arraycopy(seqs, 0, s, 0, insert);
    o[insert] = packedOrigin;
    s[insert] = seq;
    System.arraycopy(origins, insert, o, insert + 1, origins.length - insert);
    System.arraycopy(seqs, insert, s, insert + 1, origins.length - insert);
    return new VersionVector(o, s);
  }

  private VersionVector without(int at) {
    if (origins.length == 1) {
      return EMPTY;
    }
    long[] o = new long[origins.length - 1];
    long[] s = new long[origins.length - 1];
    System.arraycopy(origins, 0, o, 0, at);
    System.arraycopy(seqs, 0, s, 0, at);
    System.arraycopy(origins, at + 1, o, at, o.length - at);
    System.arraycopy(seqs, at + 1, s, at, s.length - at);
    return new VersionVector(o, s);
  }

  /** Least upper bound: per origin the larger seq. */
  public VersionVector join(VersionVector other) {
    if (other.isEmpty()) {
      return this;
    }
    if (isEmpty()) {
      return other;
    }
    VersionVector result = this;
    for (int i = 0; i < other.origins.length; i++) {
      if (other.seqs[i] > result.get(other.origins[i])) {
        result = result.with(other.origins[i], other.seqs[i]);
      }
    }
    return result;
  }

  /** Greatest lower bound: per origin the smaller seq. */
  public VersionVector meet(VersionVector other) {
    VersionVector result = this;
    for (int i = 0; i < origins.length; i++) {
      long theirs = other.get(origins[i]);
      if (theirs < seqs[i]) {
        result = result.with(origins[i], theirs);
      }
    }
    return result;
  }

  /**
   * The entries that {@code received} does not reach yet: what of this context is still to come.
   */
  public VersionVector beyond(VersionVector received) {
    VersionVector result = this;
    for (int i = 0; i < origins.length; i++) {
      if (received.get(origins[i]) >= seqs[i]) {
        result = result.with(origins[i], 0);
      }
    }
    return result;
  }

  /** Every entry of {@code other} is reached by this vector. */
  public boolean dominates(VersionVector other) {
    for (int i = 0; i < other.origins.length; i++) {
      if (get(other.origins[i]) < other.seqs[i]) {
        return false;
      }
    }
    return true;
  }

  public CausalOrder compare(VersionVector other) {
    boolean reaches = dominates(other);
    boolean reached = other.dominates(this);
    if (reaches && reached) {
      return CausalOrder.SAME;
    }
    if (reaches) {
      return CausalOrder.AFTER;
    }
    return reached ? CausalOrder.BEFORE : CausalOrder.CONCURRENT;
  }

  /**
   * The compact text form used in markers: {@code origin=seq} pairs in hexadecimal of {@link
   * Origin#packed()} and decimal seq, separated by commas; empty for the empty vector.
   */
  public String encode() {
    StringBuilder out = new StringBuilder(24 * origins.length);
    encode(out);
    return out.toString();
  }

  /** Appends {@link #encode()}. */
  public void encode(StringBuilder out) {
    for (int i = 0; i < origins.length; i++) {
      if (i > 0) {
        out.append(',');
      }
      hex(out, origins[i]);
      out.append('=').append(seqs[i]);
    }
  }

  private static void hex(StringBuilder out, long number) {
    int digits = Math.max(1, (Long.SIZE - Long.numberOfLeadingZeros(number) + 3) / 4);
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
      out.append(Character.forDigit((int) (number >>> shift) & 15, 16));
    }
  }

  /** Inverse of {@link #encode()}. */
  public static VersionVector decode(String text) {
    VersionVector result = EMPTY;
    if (text.isEmpty()) {
      return result;
    }
    for (String pair : text.split(",", -1)) {
      int equals = pair.indexOf('=');
      if (equals < 0) {
        throw new IllegalArgumentException(
            "'" + text + "' is not a version vector: no '=' in '" + pair + "'");
      }
      result =
          result.with(
              Long.parseLong(pair.substring(0, equals), 16),
              Long.parseLong(pair.substring(equals + 1)));
    }
    return result;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof VersionVector that
        && Arrays.equals(origins, that.origins)
        && Arrays.equals(seqs, that.seqs);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(origins) + Arrays.hashCode(seqs);
  }

  @Override
  public String toString() {
    StringJoiner out = new StringJoiner(" ", "{", "}");
    for (int i = 0; i < origins.length; i++) {
      out.add(originAt(i) + ":" + seqs[i]);
    }
    return out.toString();
  }
}
