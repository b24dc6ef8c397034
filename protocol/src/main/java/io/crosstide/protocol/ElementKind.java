package io.crosstide.protocol;

/**
 * What an element of a key is. The tag is its one-letter name in effects, digests and stored rows.
 */
public enum ElementKind {
  /** The value of a string key; its element name is empty. */
  STRING('s'),
  HASH_FIELD('h'),
  SET_MEMBER('m'),
  ZSET_MEMBER('z'),
  /** Its element name is its {@link io.crosstide.crdt.ListPosition}. */
  LIST_ELEMENT('l'),
  /** An entry or group of a stream, or the stream itself: {@link StreamElements} has the names. */
  STREAM('x'),
  /**
   * The key's expiry time; its element name is empty, its content the decimal milliseconds since
   * 1970.
   */
  DEADLINE('d');

  private final char tag;

  ElementKind(char tag) {
    this.tag = tag;
  }

  public char tag() {
    return tag;
  }

  public static ElementKind ofTag(char tag) {
    for (ElementKind kind : values()) {
      if (kind.tag == tag) {
        return kind;
      }
    }
    throw new IllegalArgumentException("'" + tag + "' is not the tag of an element kind");
  }
}
