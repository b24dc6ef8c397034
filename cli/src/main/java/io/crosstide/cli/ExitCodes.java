package io.crosstide.cli;

/** What the command's exit status means; listed in {@code docs/reference/exit-codes.md}. */
public final class ExitCodes {
  /** It did what was asked. */
  public static final int OK = 0;

  /** It could not; stderr says why. For {@code verify}: it could not tell. */
  public static final int FAILURE = 1;

  /** It was called wrongly; stderr says how to call it. */
  public static final int USAGE = 2;

  /** {@code verify}: regions differ. */
  public static final int DIFFERENT = 3;

  private ExitCodes() {}
}
