package io.crosstide.capture.rdb;

import io.crosstide.protocol.Fx;
import io.crosstide.protocol.SentBatch;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which of the batches that owners remembered before sending them Redis has applied. A batch may be
 * remembered and not applied: its owner was fenced, or Redis was away. What was applied is told
 * backwards from the marker: of its own epoch all numbers up to {@code fx}, of the epoch before
 * what the first batch of its successor names, and so on.
 *
 * <pre>
 *   epoch 3   1 ··· 40 41 ··· 55      41 to 55 were sent by a fenced owner
 *   epoch 5   (3:40) 1 ··· 12         preceded by 3:40; nothing of epoch 4 was applied
 *   marker    fx 5:12
 * </pre>
 *
 * <p>Memory is one entry per epoch, more only for what has holes.
 */
public final class SentChain {
  /**
   * Consecutive numbers of one epoch.
   *
   * @param offset of the record that the first was met in
   */
  public record Segment(int epoch, long from, long to, long offset) {}

  private static final class Run {
    final SentBatch.Head head;
    final long offset;
    long to;

    Run(SentBatch.Head head, long offset) {
      this.head = head;
      this.offset = offset;
      this.to = head.last();
    }
  }

  private final Map<Integer, List<Run>> runs = new HashMap<>();

  /** Takes the next remembered batch, met at {@code offset}. A batch may be met more than once. */
  public void add(SentBatch.Head head, long offset) {
    List<Run> ofEpoch = runs.computeIfAbsent(head.epoch(), epoch -> new ArrayList<>(1));
    for (Run run : ofEpoch) {
      if (head.first() == run.to + 1) {
        run.to = head.last();
        return;
      }
      if (head.first() >= run.head.first() && head.last() <= run.to) {
        return;
      }
    }
    ofEpoch.add(new Run(head, offset));
  }

  /**
   * What was applied after {@code after} and up to {@code through}, in order.
   *
   * @throws UnknownEffectsException if some of it is not remembered
   */
  public List<Segment> between(Fx after, Fx through) throws UnknownEffectsException {
    Deque<Segment> segments = new ArrayDeque<>();
    Fx to = through;
    while (to.compareTo(after) > 0) {
      long from = to.epoch() == after.epoch() ? after.number() + 1 : 1;
      Run run = run(to, from);
      segments.addFirst(new Segment(to.epoch(), from, to.number(), run.offset));
      if (to.epoch() == after.epoch()) {
        return List.copyOf(segments);
      }
      Fx preceding = run.head.preceding();
      if (preceding.epoch() >= to.epoch()) {
        throw new UnknownEffectsException(
            "epoch " + to.epoch() + " claims to follow effect " + preceding);
      }
      to = preceding;
    }
    if (to.compareTo(after) < 0) {
      throw UnknownEffectsException.lost(
          "before epoch "
              + segments.getFirst().epoch()
              + " Redis had applied effects up to "
              + to
              + " only, not up to "
              + after
              + " as capture had seen");
    }
    return List.copyOf(segments);
  }

  /** The run that holds the numbers {@code from} to {@code to}. */
  private Run run(Fx to, long from) throws UnknownEffectsException {
    List<Run> ofEpoch = runs.getOrDefault(to.epoch(), List.of());
    for (Run run : ofEpoch) {
      if (run.head.first() <= from && run.to >= to.number()) {
        return run;
      }
    }
    throw new UnknownEffectsException(
        ofEpoch.isEmpty()
            ? "no effect of epoch " + to.epoch() + " is remembered"
            : "not all of " + new Fx(to.epoch(), from) + " to " + to + " are remembered");
  }

  /**
   * Picks the batches of a chain out of all that are remembered, which are to be shown in order
   * from the first segment's offset on.
   */
  public static final class Picker {
    private final Deque<Segment> left;
    private long next;

    public Picker(List<Segment> segments) {
      this.left = new ArrayDeque<>(segments);
      begin();
    }

    private void begin() {
      Segment segment = left.peekFirst();
      next = segment == null ? 0 : segment.from();
    }

    /** Whether all batches of the chain have been shown. */
    public boolean done() {
      return left.isEmpty();
    }

    /**
     * Whether this is the chain's next batch. One that reaches across a segment's end is not: Redis
     * applies batches whole, so that something is wrong, and the chain is never {@link #done}.
     */
    public boolean takes(SentBatch.Head head) {
      Segment segment = left.peekFirst();
      if (segment == null
          || head.epoch() != segment.epoch()
          || head.first() != next
          || head.last() > segment.to()) {
        return false;
      }
      next = head.last() + 1;
      if (next > segment.to()) {
        left.removeFirst();
        begin();
      }
      return true;
    }
  }
}
