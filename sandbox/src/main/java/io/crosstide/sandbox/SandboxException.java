package io.crosstide.sandbox;

import org.jspecify.annotations.Nullable;

/**
 * Something that keeps the sandbox from starting or running, said in one sentence for the person at
 * the terminal: what is wrong, with its value, and what to do next. The message is complete without
 * the stack trace.
 */
public final class SandboxException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public SandboxException(String sentence) {
    super(sentence);
  }

  public SandboxException(String sentence, @Nullable Throwable cause) {
    super(sentence, cause);
  }
}
