package io.crosstide.protocol.merge;

import io.crosstide.protocol.EffectWire;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import org.jspecify.annotations.Nullable;

/**
 * What an owner asks of the marker, and of capture where there is none (P3): take-overs, each with
 * a token of its own, which stays in Redis where there is no marker and comes back in capture's
 * report; and writing the marker as the report on the last question says that it was.
 */
final class MarkerCalls {
  private final int partition;
  private final EffectWire wire;
  private final long pauseMillis;
  private long nonce;
  private long questions;
  private boolean connected;

  /** Calls that have not been answered. */
  private int unanswered;

  /** What the last question left in the marker's place; null once there is a marker. */
  private @Nullable String token;

  /** Capture's answer, until the marker is written. */
  private @Nullable MarkerState lost;

  /** When to repeat a refused call; 0 for never. */
  private long retryAt;

  /** When to ask again if the question is not answered before; 0 for never. */
  private long askAgainAt;

  /**
   * @param pauseMillis before a refused call is repeated, and before a question is that capture
   *     does not answer
   */
  MarkerCalls(int partition, EffectWire wire, long pauseMillis) {
    this.partition = partition;
    this.wire = wire;
    this.pauseMillis = pauseMillis;
  }

  /**
   * @param ofOwner another one for each owner: tells its questions from those of owners before it
   */
  void start(long ofOwner) {
    nonce = ofOwner;
  }

  void connected() {
    unanswered = 0;
    connected = true;
  }

  void disconnected() {
    connected = false;
  }

  boolean isConnected() {
    return connected;
  }

  /** An answer of Redis is awaited. */
  boolean isAwaited() {
    return unanswered > 0;
  }

  /** There was no marker when last asked, and none has been written since. */
  boolean isMissing() {
    return token != null;
  }

  /** Capture's report of what the marker held, while it is being written; null if there is none. */
  @Nullable MarkerState lost() {
    return lost;
  }

  /**
   * Takes over or, if there is no marker, asks capture what it held: the answer to an earlier
   * question is of no use.
   *
   * @param least a marker behind this counts as none
   */
  void takeOver(int epoch, Fx least) {
    unanswered++;
    questions++;
    lost = null;
    askAgainAt = 0;
    token = Long.toHexString(nonce) + "." + questions;
    wire.takeOver(partition, epoch, least, token);
  }

  /** Whether {@code reported} is the token of the last question, not yet answered. */
  boolean isAnswer(String reported) {
    return reported.equals(token) && lost == null;
  }

  /** Capture has answered the last question. */
  void answeredBy(MarkerState report) {
    lost = report;
  }

  /**
   * Writes {@code marker} where the last question's token still stands.
   *
   * @throws IllegalStateException if nothing has been asked
   */
  void install(MarkerState marker) {
    String asked = token;
    if (asked == null) {
      throw new IllegalStateException("no question has been asked that this would answer");
    }
    unanswered++;
    wire.install(partition, marker, asked);
  }

  /** Unless the question is answered soon, it is asked again. */
  void askAgainLater(long nowMillis) {
    askAgainAt = nowMillis + pauseMillis;
  }

  /** The call was refused and will be repeated. */
  void retryLater(long nowMillis) {
    retryAt = nowMillis + pauseMillis;
  }

  /** Only the answer to the last call counts: earlier ones describe a marker that may be gone. */
  boolean isLastAnswer() {
    unanswered--;
    return unanswered == 0;
  }

  /** There is a marker. */
  void found() {
    token = null;
    lost = null;
  }

  /** Whether a refused call is to be repeated now. */
  boolean isRetryDue(long nowMillis) {
    if (retryAt == 0 || nowMillis < retryAt) {
      return false;
    }
    retryAt = 0;
    return true;
  }

  /** Whether the question is to be asked again now. */
  boolean isQuestionDue(long nowMillis) {
    if (askAgainAt == 0 || nowMillis < askAgainAt) {
      return false;
    }
    askAgainAt = 0;
    return connected && token != null && lost == null;
  }
}
