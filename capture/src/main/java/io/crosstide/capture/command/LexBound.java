package io.crosstide.capture.command;

import io.crosstide.crdt.Bytes;
import java.util.Arrays;

/** An end of a range of names: {@code -}, {@code +}, {@code [name} or {@code (name}. */
record LexBound(char kind, Bytes name) {
  static LexBound parse(byte[] argument) {
    return new LexBound(
        (char) argument[0], Bytes.wrap(Arrays.copyOfRange(argument, 1, argument.length)));
  }

  boolean isAtOrBelow(Bytes member) {
    return switch (kind) {
      case '-' -> true;
      case '+' -> false;
      case '[' -> name.compareTo(member) <= 0;
      default -> name.compareTo(member) < 0;
    };
  }

  boolean isAtOrAbove(Bytes member) {
    return switch (kind) {
      case '-' -> false;
      case '+' -> true;
      case '[' -> name.compareTo(member) >= 0;
      default -> name.compareTo(member) > 0;
    };
  }
}
