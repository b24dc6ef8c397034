package io.crosstide.cli.bench;

import java.util.Locale;

/** A command that the bench writes with. */
enum CommandKind {
  SET,
  INCR,
  HSET,
  SADD,
  ZADD;

  /** As in {@code --mix} and in key names. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
