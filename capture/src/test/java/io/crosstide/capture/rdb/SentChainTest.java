package io.crosstide.capture.rdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.capture.rdb.SentChain.Picker;
import io.crosstide.capture.rdb.SentChain.Segment;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.SentBatch;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Of all that was remembered, exactly what Redis applied is found, or it is said to be unknown. */
final class SentChainTest {
  private final SentChain chain = new SentChain();
  private final List<SentBatch.Head> records = new ArrayList<>();

  private void batch(int epoch, long first, long last, Fx preceding) {
    SentBatch.Head head = new SentBatch.Head(epoch, first, last, preceding);
    chain.add(head, records.size());
    records.add(head);
  }

  private void batch(int epoch, long first, long last) {
    batch(epoch, first, last, Fx.NONE);
  }

  private static Fx fx(int epoch, long number) {
    return new Fx(epoch, number);
  }

  /** The batches found, as {@code epoch:first-last}; with the word "broken" if they do not end. */
  private List<String> found(Fx after, Fx through) throws UnknownEffectsException {
    List<Segment> segments = chain.between(after, through);
    Picker picker = new Picker(segments);
    List<String> found = new ArrayList<>();
    for (SentBatch.Head head : records) {
      if (!picker.done() && picker.takes(head)) {
        found.add(head.epoch() + ":" + head.first() + "-" + head.last());
      }
    }
    if (!picker.done()) {
      found.add("broken");
    }
    return found;
  }

  @Test
  void withinOneEpochWhatFollowsUpToTheMarkerIsFound() throws UnknownEffectsException {
    batch(3, 1, 4);
    batch(3, 5, 5);
    batch(3, 6, 9);
    batch(3, 10, 11);
    assertThat(found(fx(3, 4), fx(3, 9))).containsExactly("3:5-5", "3:6-9");
    assertThat(found(Fx.NONE, fx(3, 4))).containsExactly("3:1-4");
  }

  @Test
  void anEpochsPredecessorSaysWhereTheOneBeforeEnded() throws UnknownEffectsException {
    batch(3, 1, 4);
    batch(3, 5, 6);
    batch(3, 7, 9); // never applied: epoch 5 says so
    batch(5, 1, 2, fx(3, 6));
    batch(5, 3, 3);
    assertThat(found(fx(3, 4), fx(5, 3))).containsExactly("3:5-6", "5:1-2", "5:3-3");
    assertThat(found(fx(3, 6), fx(5, 2))).containsExactly("5:1-2");
  }

  @Test
  void whatAFencedOwnerWroteBehindItsSuccessorIsIgnored() throws UnknownEffectsException {
    batch(3, 1, 4);
    batch(5, 1, 2, fx(3, 4));
    batch(3, 5, 6);
    batch(4, 1, 8, fx(3, 4)); // an owner that was fenced before Redis saw anything of it
    batch(5, 3, 4);
    assertThat(found(Fx.NONE, fx(5, 4))).containsExactly("3:1-4", "5:1-2", "5:3-4");
  }

  @Test
  void epochsWithoutEffectsLeaveNoTrace() throws UnknownEffectsException {
    batch(3, 1, 4);
    batch(9, 1, 1, fx(3, 4));
    assertThat(found(fx(3, 4), fx(9, 1))).containsExactly("9:1-1");
    assertThat(found(Fx.NONE, fx(9, 1))).containsExactly("3:1-4", "9:1-1");
  }

  @Test
  void batchesWrittenTwiceCountOnce() throws UnknownEffectsException {
    batch(3, 1, 4);
    batch(3, 5, 6);
    batch(3, 9, 9); // its predecessor had failed, and was written again
    batch(3, 5, 6);
    batch(3, 7, 8);
    batch(3, 9, 9);
    assertThat(found(fx(3, 4), fx(3, 9))).containsExactly("3:5-6", "3:7-8", "3:9-9");
  }

  @Test
  void whatIsNotNeededMayBeGone() throws UnknownEffectsException {
    batch(3, 5, 6);
    batch(3, 9, 9);
    assertThat(found(fx(3, 4), fx(3, 6))).containsExactly("3:5-6");
    assertThat(found(fx(3, 8), fx(3, 9))).containsExactly("3:9-9");
  }

  @Test
  void aHoleIsUnknown() {
    batch(3, 1, 4);
    batch(3, 7, 9);
    assertThatThrownBy(() -> found(fx(3, 2), fx(3, 9)))
        .isInstanceOf(UnknownEffectsException.class)
        .hasMessageContaining("not all of 3:3 to 3:9");
  }

  @Test
  void anEndOrBeginningThatIsMissingIsUnknown() {
    batch(3, 5, 6);
    batch(4, 3, 4);
    assertThatThrownBy(() -> found(fx(3, 4), fx(3, 7))).hasMessageContaining("not all of 3:5");
    assertThatThrownBy(() -> found(fx(3, 4), fx(4, 4))).hasMessageContaining("not all of 4:1");
    assertThatThrownBy(() -> found(fx(3, 4), fx(8, 1)))
        .hasMessageContaining("no effect of epoch 8");
  }

  @Test
  void anEpochBeforeThatIsMissingIsUnknown() {
    batch(5, 1, 2, fx(4, 6));
    assertThatThrownBy(() -> found(fx(3, 4), fx(5, 2)))
        .isInstanceOf(UnknownEffectsException.class)
        .hasMessageContaining("no effect of epoch 4");
  }

  @Test
  void aRedisThatHadForgottenEffectsBeforeATakeOverHasLostData() {
    batch(3, 1, 4);
    batch(3, 5, 9);
    batch(5, 1, 2, fx(3, 4));
    assertThatThrownBy(() -> found(fx(3, 9), fx(5, 2)))
        .isInstanceOfSatisfying(UnknownEffectsException.class, e -> assertThat(e.lost()).isTrue())
        .hasMessageContaining("up to 3:4 only, not up to 3:9");
  }

  @Test
  void aMarkerInTheMiddleOfABatchFitsNothing() throws UnknownEffectsException {
    batch(3, 1, 4);
    batch(3, 5, 9);
    assertThat(found(fx(3, 4), fx(3, 7))).containsExactly("broken");
    assertThat(found(fx(3, 2), fx(3, 9))).contains("broken");
  }

  @Test
  void anEpochCannotFollowItself() {
    batch(3, 1, 4, fx(3, 2));
    assertThatThrownBy(() -> found(Fx.NONE, fx(3, 4))).hasMessageContaining("claims to follow");
  }
}
