package io.crosstide.protocol;

import java.util.List;

/**
 * Redis's answer to an {@link EffectBatch}.
 *
 * @param misses numbers of the effects whose guard failed, with the reason; empty unless {@link
 *     Outcome#APPLIED}
 * @param answers of the batch's probes; empty unless {@link Outcome#APPLIED}
 */
public record BatchReply(Outcome outcome, List<Miss> misses, List<ProbeAnswer> answers) {

  public enum Outcome {
    APPLIED,
    /**
     * The marker was already at or beyond the batch's last number: it was applied by an earlier
     * sending.
     */
    ALREADY_APPLIED,
    /** There is no marker. Only capture can tell why (P3). */
    NO_MARKER,
    /** Another owner has raised the epoch: this one must stop. */
    OLD_EPOCH,
    /** The batch before this one has not been applied. */
    GAP
  }

  /**
   * @param reason {@code guard}, {@code exception}, or the error Redis gave
   */
  public record Miss(long number, String reason) {}

  /**
   * @param exception number of the element's exception, {@link Fx#NONE} if it has none
   */
  public record ProbeAnswer(long number, Content content, Fx exception) {}

  public BatchReply {
    misses = List.copyOf(misses);
    answers = List.copyOf(answers);
  }

  public static BatchReply of(Outcome outcome) {
    return new BatchReply(outcome, List.of(), List.of());
  }
}
