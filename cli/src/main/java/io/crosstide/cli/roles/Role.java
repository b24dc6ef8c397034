package io.crosstide.cli.roles;

import java.util.Locale;

/** What a process can do for a region. */
public enum Role {
  CAPTURE,
  BRIDGE,
  STREAMS;

  /** As in options, addresses and directories. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
