package io.crosstide.protocol;

import java.math.BigInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The id of a stream's entry, and where an entry is shown whose id another region has used, too.
 *
 * <p><b>Displaced ids.</b> Of several entries with one id, that of the smallest region id is shown
 * under it. Each other one is shown in the same millisecond far above, at a sequence number made of
 * a one, 40 bits of the sequence number it was given, 7 bits of its region's id and 16 zeros:
 * unique, the same in every region, and readable in both directions. The zeros leave room for what
 * Redis itself numbers on from there.
 *
 * @param millis unsigned
 * @param sequence unsigned
 */
public record StreamId(long millis, long sequence) implements Comparable<StreamId> {
  public static final StreamId MIN = new StreamId(0, 0);

  /** Sequence numbers from here on cannot be displaced. */
  private static final long DISPLACEABLE_END = 1L << 40;

  private static final int REGION_SHIFT = 16;
  private static final int SEQUENCE_SHIFT = 23;
  private static final Pattern TEXT = Pattern.compile("(\\d{1,20})(?:-(\\d{1,20}))?");
  private static final BigInteger END = BigInteger.ONE.shiftLeft(64);

  /**
   * Reads {@code millis-sequence} or {@code millis} alone.
   *
   * @param sequence if there is none in {@code text}
   * @return null if it is neither
   */
  public static @Nullable StreamId parse(String text, long sequence) {
    Matcher parts = TEXT.matcher(text);
    if (!parts.matches() || !isUnsigned(parts.group(1))) {
      return null;
    }
    String second = parts.group(2);
    if (second != null && !isUnsigned(second)) {
      return null;
    }
    return new StreamId(
        Long.parseUnsignedLong(parts.group(1)),
        second == null ? sequence : Long.parseUnsignedLong(second));
  }

  private static boolean isUnsigned(String digits) {
    return digits.length() < 19 || new BigInteger(digits).compareTo(END) < 0;
  }

  /** Whether an entry with this id can be shown under another beside one with the same id. */
  public boolean isDisplaceable() {
    return sequence >= 0 && sequence < DISPLACEABLE_END;
  }

  /** Where the entry of {@code region} is shown if a smaller region has one with this id. */
  public StreamId displaced(int region) {
    if (!isDisplaceable()) {
      throw new IllegalStateException(this + " cannot be displaced");
    }
    return new StreamId(
        millis, Long.MIN_VALUE | sequence << SEQUENCE_SHIFT | (long) region << REGION_SHIFT);
  }

  /** The region whose displaced entry is shown here; 0 if this is no displaced id. */
  public int region() {
    boolean form = sequence < 0 && (sequence & ((1L << REGION_SHIFT) - 1)) == 0;
    return form ? (int) (sequence >>> REGION_SHIFT) & 0x7f : 0;
  }

  /** The id that the entry shown here was given: another one if it is displaced. */
  public StreamId given() {
    return region() == 0
        ? this
        : new StreamId(millis, (sequence & Long.MAX_VALUE) >>> SEQUENCE_SHIFT);
  }

  /** The id just below; {@link #MIN} has none. */
  public StreamId previous() {
    if (equals(MIN)) {
      throw new IllegalStateException("no id is below " + this);
    }
    return sequence == 0 ? new StreamId(millis - 1, -1L) : new StreamId(millis, sequence - 1);
  }

  @Override
  public int compareTo(StreamId other) {
    int byMillis = Long.compareUnsigned(millis, other.millis);
    return byMillis != 0 ? byMillis : Long.compareUnsigned(sequence, other.sequence);
  }

  @Override
  public String toString() {
    return Long.toUnsignedString(millis) + "-" + Long.toUnsignedString(sequence);
  }
}
