package io.crosstide.capture.shadow;

/** What a key is, as far as the shadow follows it. */
public enum ShadowType {
  /**
   * A key that a command changed in a way that does not follow from what is kept, or that is a copy
   * of what is not kept: its content has been asked for and will stand in the stream. Until then
   * its deadline is all that is known of it, and it may have ceased to exist unnoticed.
   */
  UNRESOLVED(0),
  STRING(1),
  HASH(2),
  SET(3),
  ZSET(4),
  LIST(5),
  /** Its elements are the rows of {@link ShadowStream}. */
  STREAM(6),
  /**
   * A key whose contents are not followed: a module's value. It may have ceased to exist unnoticed.
   */
  OPAQUE(7);

  private final int code;

  ShadowType(int code) {
    this.code = code;
  }

  /** Three bits that stand for the type in rows. */
  int code() {
    return code;
  }

  static ShadowType ofCode(int code) {
    for (ShadowType type : values()) {
      if (type.code == code) {
        return type;
      }
    }
    throw new IllegalStateException("the shadow is damaged: " + code + " is no type of a key");
  }
}
