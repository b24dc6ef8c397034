package io.crosstide.control.http;

/** A request that cannot be answered: an HTTP status and a sentence for whoever asked. */
final class ApiException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final int status;

  ApiException(int status, String message) {
    super(message);
    this.status = status;
  }

  int status() {
    return status;
  }
}
