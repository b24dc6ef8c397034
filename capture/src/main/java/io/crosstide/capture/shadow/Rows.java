package io.crosstide.capture.shadow;

import io.crosstide.crdt.Bytes;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Names of rows. A row begins with the letter of its table; numbers are big-endian, so that rows
 * sort by them.
 *
 * <pre>
 * M name                                     meta: position, sequence, markers, database numbers
 * K space(4) key                             header of a key
 * E space(4) generation(8) element           element of a collection; of a list, at its place
 * O space(4) generation(8) score(8) member   members of a sorted set by score
 * O space(4) generation(8) position          where a list's element stands that is out of its order
 * U space(4) key                             a key that is unresolved
 * </pre>
 *
 * <p>A <em>space</em> is what a logical database currently is: {@code FLUSHDB} gives the database a
 * new one, {@code SWAPDB} exchanges two. A <em>generation</em> names one life of one collection and
 * is never used again: deleting a collection drops a range of rows without reading them, and {@code
 * RENAME} moves only the header.
 */
final class Rows {
  private static final byte META = 'M';
  private static final byte KEY = 'K';
  private static final byte ELEMENT = 'E';
  private static final byte BY_SCORE = 'O';
  private static final byte UNRESOLVED = 'U';

  private static final int KEY_HEAD = 1 + 4;
  private static final int ELEMENT_HEAD = 1 + 4 + 8;
  private static final int SCORE_HEAD = ELEMENT_HEAD + 8;

  private Rows() {}

  static byte[] meta(String name) {
    byte[] text = name.getBytes(StandardCharsets.UTF_8);
    byte[] row = new byte[1 + text.length];
    row[0] = META;
    System.arraycopy(text, 0, row, 1, text.length);
    return row;
  }

  static byte[] key(int space, Bytes name) {
    byte[] inRow = ShadowNames.inRow(name);
    byte[] row = new byte[KEY_HEAD + inRow.length];
    row[0] = KEY;
    putInt(row, 1, space);
    System.arraycopy(inRow, 0, row, KEY_HEAD, inRow.length);
    return row;
  }

  static byte[] keysOf(int space) {
    byte[] row = new byte[KEY_HEAD];
    row[0] = KEY;
    putInt(row, 1, space);
    return row;
  }

  /** The row that says that a key is unresolved. */
  static byte[] unresolved(int space, Bytes name) {
    byte[] row = key(space, name);
    row[0] = UNRESOLVED;
    return row;
  }

  static byte[] unresolvedOf(int space) {
    byte[] row = keysOf(space);
    row[0] = UNRESOLVED;
    return row;
  }

  /** All elements of a space, whatever their key. */
  static byte[] elementsOf(int space) {
    byte[] row = new byte[KEY_HEAD];
    row[0] = ELEMENT;
    putInt(row, 1, space);
    return row;
  }

  static byte[] byScoreOf(int space) {
    byte[] row = elementsOf(space);
    row[0] = BY_SCORE;
    return row;
  }

  static byte[] elementsOf(int space, long generation) {
    return elementHead(ELEMENT, space, generation, ELEMENT_HEAD);
  }

  static byte[] byScoreOf(int space, long generation) {
    return elementHead(BY_SCORE, space, generation, ELEMENT_HEAD);
  }

  static byte[] element(int space, long generation, Bytes name) {
    byte[] inRow = ShadowNames.inRow(name);
    byte[] row = elementHead(ELEMENT, space, generation, ELEMENT_HEAD + inRow.length);
    System.arraycopy(inRow, 0, row, ELEMENT_HEAD, inRow.length);
    return row;
  }

  static byte[] byScore(int space, long generation, double score, Bytes member) {
    byte[] inRow = ShadowNames.inRow(member);
    byte[] row = byScore(space, generation, score, inRow.length);
    System.arraycopy(inRow, 0, row, SCORE_HEAD, inRow.length);
    return row;
  }

  /** Where the members with {@code score} begin. */
  static byte[] fromScore(int space, long generation, double score) {
    return byScore(space, generation, score, 0);
  }

  /** Of an element of a list that does not stand where its position sorts. */
  static byte[] displaced(int space, long generation, Bytes position) {
    byte[] row = element(space, generation, position);
    row[0] = BY_SCORE;
    return row;
  }

  private static byte[] byScore(int space, long generation, double score, int tail) {
    byte[] row = elementHead(BY_SCORE, space, generation, SCORE_HEAD + tail);
    putLong(row, ELEMENT_HEAD, sortable(score));
    return row;
  }

  static int rowNameLengthOfKey(byte[] row) {
    return row.length - KEY_HEAD;
  }

  static int rowNameLengthOfElement(byte[] row) {
    return row.length - ELEMENT_HEAD;
  }

  static Bytes nameOfKey(byte[] row) {
    return Bytes.wrap(Arrays.copyOfRange(row, KEY_HEAD, row.length));
  }

  static Bytes nameOfElement(byte[] row) {
    return Bytes.wrap(Arrays.copyOfRange(row, ELEMENT_HEAD, row.length));
  }

  /** The element row of the member that this by-score row names. */
  static byte[] elementOfByScore(byte[] row) {
    byte[] element = new byte[row.length - 8];
    System.arraycopy(row, 0, element, 0, ELEMENT_HEAD);
    element[0] = ELEMENT;
    System.arraycopy(row, SCORE_HEAD, element, ELEMENT_HEAD, row.length - SCORE_HEAD);
    return element;
  }

  private static byte[] elementHead(byte table, int space, long generation, int length) {
    byte[] row = new byte[length];
    row[0] = table;
    putInt(row, 1, space);
    putLong(row, KEY_HEAD, generation);
    return row;
  }

  /** The first row after all that begin with {@code prefix}. */
  static byte[] afterPrefix(byte[] prefix) {
    for (int i = prefix.length - 1; i >= 0; i--) {
      if (prefix[i] != (byte) 0xff) {
        byte[] after = Arrays.copyOf(prefix, i + 1);
        after[i]++;
        return after;
      }
    }
    throw new IllegalArgumentException("no row follows a prefix of only 0xff bytes");
  }

  /** The first row after {@code row} itself. */
  static byte[] after(byte[] row) {
    return Arrays.copyOf(row, row.length + 1);
  }

  /** Scores as numbers that sort, unsigned, as the scores do; the two zeros are one score. */
  private static long sortable(double score) {
    long bits = Double.doubleToRawLongBits(score == 0 ? 0.0 : score);
    return bits < 0 ? ~bits : bits | Long.MIN_VALUE;
  }

  static void putInt(byte[] into, int at, int value) {
    for (int i = 0; i < 4; i++) {
      into[at + i] = (byte) (value >>> (24 - 8 * i));
    }
  }

  static int getInt(byte[] from, int at) {
    int value = 0;
    for (int i = 0; i < 4; i++) {
      value = value << 8 | (from[at + i] & 0xff);
    }
    return value;
  }

  static void putLong(byte[] into, int at, long value) {
    for (int i = 0; i < 8; i++) {
      into[at + i] = (byte) (value >>> (56 - 8 * i));
    }
  }

  static long getLong(byte[] from, int at) {
    long value = 0;
    for (int i = 0; i < 8; i++) {
      value = value << 8 | (from[at + i] & 0xff);
    }
    return value;
  }
}
