package io.crosstide.crdt;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The place of an element in a replicated list: a path of components between whose neighbours there
 * is always room, compared as its bytes are (P23). An element keeps its position for ever; removed
 * elements leave nothing behind.
 *
 * <p>A component is a number, the origin that made it, and the signed number of the write. Writes
 * are numbered upwards, so no two positions are equal. What an origin adds at one end or behind its
 * own elements stays together: it repeats their number and is ordered by the writes', which count
 * downwards where the list grows to the front.
 */
public final class ListPosition {
  /** Which neighbour the new element is to stay close to when others insert at the same place. */
  public enum Side {
    /** {@code RPUSH}, {@code LINSERT AFTER}. */
    AFTER_LEFT,
    /** {@code LPUSH}, {@code LINSERT BEFORE}. */
    BEFORE_RIGHT
  }

  private static final int ONE_BYTE_MIN = -64;
  private static final int ONE_BYTE_MAX = 63;
  private static final int ZERO = 0x80;
  private static final int ABOVE = 0xc0;
  private static final int BELOW = 0x3f;

  private ListPosition() {}

  private record Component(long number, long origin, long write) {
    int compareTo(Component other) {
      if (number != other.number) {
        return Long.compare(number, other.number);
      }
      if (origin != other.origin) {
        return Long.compare(origin, other.origin);
      }
      return Long.compare(write, other.write);
    }
  }

  /**
   * A new position between two neighbours.
   *
   * @param left the position just before, null at the list's head
   * @param right the position just after, null at the list's tail; greater than {@code left}
   * @param write number of the write, above 0, never used before by {@code origin} in this key
   */
  public static Bytes between(
      @Nullable Bytes left, @Nullable Bytes right, Origin origin, long write, Side side) {
    if (write <= 0) {
      throw new IllegalArgumentException("writes are numbered from 1, not " + write);
    }
    if (left != null && right != null && left.compareTo(right) >= 0) {
      throw new IllegalArgumentException(
          "no position fits between " + hex(left) + " and " + hex(right));
    }
    List<Component> low = left == null ? List.of() : parse(left);
    List<Component> high = right == null ? List.of() : parse(right);
    long self = origin.packed();
    for (int depth = 0; depth <= low.size(); depth++) {
      Component before = depth < low.size() ? low.get(depth) : null;
      Component after =
          depth < high.size() && low.subList(0, depth).equals(high.subList(0, depth))
              ? high.get(depth)
              : null;
      Component behind =
          before == null
              ? new Component(0, self, write)
              : before.origin == self && before.write < write
                  ? new Component(before.number, self, write)
                  : new Component(Math.addExact(before.number, 1), self, write);
      Component ahead =
          after == null
              ? behind
              : after.origin == self && after.write > -write
                  ? new Component(after.number, self, -write)
                  : new Component(Math.subtractExact(after.number, 1), self, -write);
      Component first = side == Side.AFTER_LEFT ? behind : ahead;
      Component second = side == Side.AFTER_LEFT ? ahead : behind;
      if (fits(before, first, after)) {
        return encode(low, depth, first);
      }
      if (fits(before, second, after)) {
        return encode(low, depth, second);
      }
    }
    throw new IllegalStateException("below " + left + " there is always room");
  }

  private static boolean fits(
      @Nullable Component before, Component made, @Nullable Component after) {
    return (before == null || before.compareTo(made) < 0)
        && (after == null || made.compareTo(after) < 0);
  }

  private static Bytes encode(List<Component> path, int depth, Component last) {
    ByteWriter out = new ByteWriter(16 * (depth + 1));
    for (int i = 0; i < depth; i++) {
      encode(out, path.get(i));
    }
    encode(out, last);
    return Bytes.wrap(out.toByteArray());
  }

  private static void encode(ByteWriter out, Component component) {
    ordered(out, component.number);
    ordered(out, component.origin);
    ordered(out, component.write);
  }

  /** A number in bytes that are ordered as it is, and of which none begins with another's. */
  private static void ordered(ByteWriter out, long value) {
    if (value >= ONE_BYTE_MIN && value <= ONE_BYTE_MAX) {
      out.u8(ZERO + (int) value);
      return;
    }
    int more = 1;
    while (more < 8 && (value >= 0 ? value >>> (8 * more) != 0 : value >> (8 * more) != -1)) {
      more++;
    }
    out.u8(value >= 0 ? ABOVE + more - 1 : BELOW - more + 1);
    for (int shift = 8 * (more - 1); shift >= 0; shift -= 8) {
      out.u8((int) (value >>> shift) & 0xff);
    }
  }

  private static List<Component> parse(Bytes position) {
    byte[] bytes = position.array();
    List<Component> components = new ArrayList<>();
    int[] at = {0};
    while (at[0] < bytes.length) {
      components.add(new Component(number(bytes, at), number(bytes, at), number(bytes, at)));
    }
    return components;
  }

  private static long number(byte[] bytes, int[] at) {
    if (at[0] >= bytes.length) {
      throw malformed(bytes);
    }
    int head = bytes[at[0]++] & 0xff;
    if (head > BELOW && head < ABOVE) {
      return (long) head - ZERO;
    }
    int more = head >= ABOVE ? head - ABOVE + 1 : BELOW - head + 1;
    if (more > 8 || at[0] + more > bytes.length) {
      throw malformed(bytes);
    }
    long value = head >= ABOVE ? 0 : -1;
    for (int i = 0; i < more; i++) {
      value = (value << 8) | (bytes[at[0]++] & 0xff);
    }
    return value;
  }

  private static IllegalArgumentException malformed(byte[] bytes) {
    return new IllegalArgumentException("not a list position: " + hex(Bytes.wrap(bytes)));
  }

  private static String hex(Bytes position) {
    return HexFormat.of().formatHex(position.array());
  }
}
