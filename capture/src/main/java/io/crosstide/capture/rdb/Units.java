package io.crosstide.capture.rdb;

import io.crosstide.capture.command.StreamInterpreter;

/**
 * The shadow's units while it corresponds to no place in the stream: small enough that little is
 * held back for Kafka's acknowledgement. After a crash the shadow holds the units that were
 * committed, and no position: the next start takes another snapshot and goes on from there.
 */
final class Units {
  /** Position of such units. */
  static final long NO_POSITION = -1;

  static final int CHANGES_MAX = 500;

  private final StreamInterpreter interpreter;
  private final int changesMax;
  private int changes;

  Units(StreamInterpreter interpreter, int changesMax) {
    this.interpreter = interpreter;
    this.changesMax = changesMax;
  }

  void changed(int more) {
    changes += more;
  }

  /** Whether the open unit is to be sealed as soon as shadow, marker and log agree. */
  boolean isFull() {
    return changes >= changesMax;
  }

  void seal() {
    interpreter.sealUnit(NO_POSITION);
    changes = 0;
  }
}
