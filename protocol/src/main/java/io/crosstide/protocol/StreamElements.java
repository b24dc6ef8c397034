package io.crosstide.protocol;

import io.crosstide.crdt.ByteReader;
import io.crosstide.crdt.ByteWriter;
import io.crosstide.crdt.Bytes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the elements of a stream are called and what they hold. All are of one {@link ElementKind},
 * because a key's kind is its type; the first byte of the name tells them apart:
 *
 * <ul>
 *   <li>{@code e} and 16 bytes of id: the entries that were given this id, one of each region at
 *       most. One entry is a byte, the number of its byte strings (4), then each with its length
 *       (4) before it. The byte is 0 for the first and for others the id of the region that added
 *       it, as their {@linkplain StreamId#displaced displaced} ids show.
 *   <li>{@code g} and a name: a consumer group. Holds 0xff, a flag, and the id up to which it has
 *       acknowledged everything; the flag is 1 if a client set the id on purpose.
 *   <li>{@code s}: the stream itself, which Redis keeps without entries.
 * </ul>
 *
 * <p>Redis cannot say what the last two hold here, only whether they are there: their guards always
 * pass.
 */
public final class StreamElements {
  /** The name of the stream itself. */
  public static final Bytes STREAM = Bytes.utf8("s");

  private static final int ENTRY = 'e';
  private static final int GROUP = 'g';
  private static final int GROUP_VALUE = 0xff;
  private static final int ENTRY_NAME = 17;

  private StreamElements() {}

  public static Bytes entry(StreamId id) {
    return Bytes.wrap(
        new ByteWriter(ENTRY_NAME)
            .u8(ENTRY)
            .fixed64(id.millis())
            .fixed64(id.sequence())
            .toByteArray());
  }

  public static Bytes group(Bytes name) {
    return Bytes.wrap(new ByteWriter(1 + name.length()).u8(GROUP).raw(name.array()).toByteArray());
  }

  public static boolean isEntry(Bytes name) {
    return name.length() == ENTRY_NAME && name.at(0) == ENTRY;
  }

  public static boolean isGroup(Bytes name) {
    return !name.isEmpty() && name.at(0) == GROUP;
  }

  /** The id in the name of entries. */
  public static StreamId idOf(Bytes name) {
    ByteReader in = new ByteReader(name.array());
    in.u8();
    return new StreamId(in.fixed64(), in.fixed64());
  }

  /** The group's own name. */
  public static Bytes groupOf(Bytes name) {
    ByteReader in = new ByteReader(name.array());
    in.u8();
    return in.rest();
  }

  /** Whether its guard always passes: Redis cannot be asked what it holds. */
  public static boolean isUnguarded(Element element) {
    return element.kind() == ElementKind.STREAM && !isEntry(element.name());
  }

  /** An entry that is the first with its id. */
  public static Bytes entryValue(List<Bytes> fieldsAndValues) {
    int size = 5;
    for (Bytes bytes : fieldsAndValues) {
      size += 4 + bytes.length();
    }
    ByteWriter out = new ByteWriter(size).u8(0).fixed32(fieldsAndValues.size());
    for (Bytes bytes : fieldsAndValues) {
      out.fixed32(bytes.length()).raw(bytes.array());
    }
    return Bytes.wrap(out.toByteArray());
  }

  /**
   * The entries in {@code value}, each as the first of its id would be, by where it is shown.
   *
   * @param id in the element's name
   */
  public static Map<StreamId, Bytes> shown(StreamId id, Bytes value) {
    Map<StreamId, Bytes> shown = new TreeMap<>();
    ByteReader in = new ByteReader(value.array());
    while (!in.atEnd()) {
      int region = in.u8();
      List<Bytes> strings = new ArrayList<>();
      for (int n = in.fixed32(); n > 0; n--) {
        strings.add(Bytes.wrap(in.raw(in.fixed32())));
      }
      shown.put(region == 0 ? id : id.displaced(region), entryValue(strings));
    }
    return shown;
  }

  /** Fields and values, in order, of the first entry in {@code value}. */
  public static List<Bytes> fieldsAndValues(Bytes value) {
    ByteReader in = new ByteReader(value.array());
    in.u8();
    List<Bytes> all = new ArrayList<>();
    for (int n = in.fixed32(); n > 0; n--) {
      all.add(Bytes.wrap(in.raw(in.fixed32())));
    }
    return all;
  }

  /**
   * @param onPurpose a client set it, perhaps back
   */
  public static Bytes groupValue(StreamId acknowledged, boolean onPurpose) {
    return Bytes.wrap(
        new ByteWriter(18)
            .u8(GROUP_VALUE)
            .u8(onPurpose ? 1 : 0)
            .fixed64(acknowledged.millis())
            .fixed64(acknowledged.sequence())
            .toByteArray());
  }

  public static boolean isGroupValue(Bytes value) {
    return value.length() == 18 && (value.at(0) & 0xff) == GROUP_VALUE;
  }

  /** The id that a group's value holds. */
  public static StreamId acknowledged(Bytes value) {
    ByteReader in = new ByteReader(value.array());
    in.raw(2);
    return new StreamId(in.fixed64(), in.fixed64());
  }
}
