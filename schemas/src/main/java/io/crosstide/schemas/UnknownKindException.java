package io.crosstide.schemas;

/**
 * A well-formed event of a kind that a later version introduced. Unless {@link #mayBeIgnored()}, a
 * reader must stop before it: skipping a write would break convergence silently.
 */
public final class UnknownKindException extends MalformedEventException {
  private static final long serialVersionUID = 1L;

  private final int kind;

  UnknownKindException(int kind, int offset) {
    super(
        "kind",
        offset,
        "kind " + kind + " is unknown to this version; upgrade this reader before its writers");
    this.kind = kind;
  }

  public int kind() {
    return kind;
  }

  /** Kinds below -63 inform only; a reader that does not know them goes on. */
  public boolean mayBeIgnored() {
    return kind < ChangeKind.CODE_MIN_BINDING;
  }
}
