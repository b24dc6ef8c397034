package io.crosstide.capture.shadow;

/** What a key is, as far as the shadow follows it. */
public enum ShadowType {
  STRING(1),
  HASH(2),
  SET(3),
  ZSET(4),
  /**
   * A key whose contents are not followed: a list, a stream, a module's value, or the result of a
   * command that cannot be derived. It may have ceased to exist unnoticed.
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
