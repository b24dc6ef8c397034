package io.crosstide.protocol.merge;

import io.crosstide.crdt.ByteReader;
import io.crosstide.crdt.ByteWriter;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Dot;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;

/**
 * The layout of {@link RowStore}. One letter says what a row is; what follows is chosen so that all
 * elements of a key, all held records of an origin and all garbage of an origin are neighbours.
 *
 * <pre>
 *   K db len key               key header, {@link KeyState} (holds a string's cell)
 *   E db len key kind name     element, {@link io.crosstide.crdt.Cell}
 *   I db len key kind len name origin seq
 *                             increments of an element that do not lie in its cell, up to that seq
 *   D &lt;I row less seq&gt;        which of those rows may be deleted, {@link IncrementRows}
 *   T number                   tracked elements, {@link TrackedRows}: Redis may differ (P11)
 *   H origin seq               a received record that waits (P4, P15)
 *   G origin seq &lt;row key&gt;     a row that waits for that event: its removals cover it
 *   F origin seq &lt;row key&gt;     a cell whose increments may fold once that event is stable
 *   L number                  an element that Redis has lost, to be asked for, {@link LostElements}
 *   S origin seq &lt;key header&gt;  a key whose expiry by that event becomes a removal once stable
 *   P origin seq               a message that Redis is not known to have delivered, {@link Messages}
 *   M                          positions and the like, {@link PartitionMeta}
 * </pre>
 */
final class RowKeys {
  static final byte[] META = {'M'};
  static final byte[] HEADERS = {'K'};
  static final byte[] TRACKED = {'T'};
  static final byte[] HELD = {'H'};
  static final byte[] DROPPED = {'D'};
  static final byte[] MESSAGES = {'P'};
  static final byte[] LOST = {'L'};

  private RowKeys() {}

  private static ByteWriter key(char letter, RedisKey key) {
    return new ByteWriter(16 + key.name().length())
        .u8(letter)
        .fixed32(key.db())
        .fixed32(key.name().length())
        .raw(key.name().array());
  }

  static byte[] header(RedisKey key) {
    return key('K', key).toByteArray();
  }

  /** What the rows of all elements of {@code key} begin with. */
  static byte[] elements(RedisKey key) {
    return key('E', key).toByteArray();
  }

  /** What the rows of the elements of {@code key} of one kind begin with. */
  static byte[] elements(RedisKey key, ElementKind kind) {
    return key('E', key).u8(kind.tag()).toByteArray();
  }

  static byte[] element(Element element) {
    return key('E', element.key())
        .u8(element.kind().tag())
        .raw(element.name().array())
        .toByteArray();
  }

  /** The row that holds the cell of {@code element}. */
  static byte[] cell(Element element) {
    return element.kind() == ElementKind.STRING ? header(element.key()) : element(element);
  }

  /** What the {@code I} rows of one element and origin begin with. */
  static byte[] increments(Element element, Origin origin) {
    return key('I', element.key())
        .u8(element.kind().tag())
        .fixed32(element.name().length())
        .raw(element.name().array())
        .fixed64(origin.packed())
        .toByteArray();
  }

  /** The {@code I} row of the chunk that ends with {@code seq}. */
  static byte[] chunk(byte[] increments, long seq) {
    return new ByteWriter(increments.length + 8).raw(increments).fixed64(seq).toByteArray();
  }

  /** The seq that the chunk of an {@code I} row ends with. */
  static long parseChunk(byte[] row) {
    ByteReader in = new ByteReader(row);
    in.raw(row.length - 8);
    return in.fixed64();
  }

  static byte[] dropped(byte[] increments) {
    return new ByteWriter(increments.length + 1).u8('D').raw(increments).toByteArray();
  }

  /** What the {@code I} rows begin with that a {@code D} row speaks of. */
  static byte[] parseDropped(byte[] row) {
    ByteReader in = new ByteReader(row);
    in.u8();
    return in.rest().array();
  }

  static byte[] lost(long number) {
    return new ByteWriter(9).u8('L').fixed64(number).toByteArray();
  }

  static byte[] tracked(long number) {
    return new ByteWriter(9).u8('T').fixed64(number).toByteArray();
  }

  /** The number of a {@code T} row. */
  static long parseTracked(byte[] row) {
    ByteReader in = new ByteReader(row);
    in.u8();
    return in.fixed64();
  }

  /** The element of an {@code E} row. */
  static Element parseElement(byte[] row) {
    ByteReader in = new ByteReader(row);
    in.u8();
    RedisKey key = parseKey(in);
    return new Element(key, ElementKind.ofTag((char) in.u8()), in.rest());
  }

  /** The element whose cell a {@code K} or {@code E} row holds. */
  static Element parseCell(byte[] row) {
    return row[0] == 'K' ? Element.string(parseHeader(row)) : parseElement(row);
  }

  /** The key of a {@code K} row. */
  static RedisKey parseHeader(byte[] row) {
    ByteReader in = new ByteReader(row);
    in.u8();
    return parseKey(in);
  }

  private static RedisKey parseKey(ByteReader in) {
    int db = in.fixed32();
    return new RedisKey(db, Bytes.wrap(in.raw(in.fixed32())));
  }

  static byte[] held(Origin origin, long seq) {
    return new ByteWriter(17).u8('H').fixed64(origin.packed()).fixed64(seq).toByteArray();
  }

  static byte[] held(Origin origin) {
    return new ByteWriter(9).u8('H').fixed64(origin.packed()).toByteArray();
  }

  static byte[] message(Dot dot) {
    return new ByteWriter(17)
        .u8('P')
        .fixed64(dot.origin().packed())
        .fixed64(dot.seq())
        .toByteArray();
  }

  static byte[] waiting(char letter, Dot dot, byte[] row) {
    return new ByteWriter(17 + row.length)
        .u8(letter)
        .fixed64(dot.origin().packed())
        .fixed64(dot.seq())
        .raw(row)
        .toByteArray();
  }

  static byte[] waiting(char letter, Origin origin) {
    return new ByteWriter(9).u8(letter).fixed64(origin.packed()).toByteArray();
  }

  /** The seq of an {@code F}, {@code G}, {@code S} or {@code H} row. */
  static long parseSeq(byte[] key) {
    ByteReader in = new ByteReader(key);
    in.u8();
    in.fixed64();
    return in.fixed64();
  }

  /** The row that an {@code F}, {@code G} or {@code S} row points to. */
  static byte[] parseWaiting(byte[] key) {
    ByteReader in = new ByteReader(key);
    in.raw(17);
    return in.rest().array();
  }
}
