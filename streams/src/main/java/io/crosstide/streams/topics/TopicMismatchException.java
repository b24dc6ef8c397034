package io.crosstide.streams.topics;

/** A topic exists but not as the deployment needs it; the message says what to do. */
public final class TopicMismatchException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public TopicMismatchException(String message) {
    super(message);
  }
}
