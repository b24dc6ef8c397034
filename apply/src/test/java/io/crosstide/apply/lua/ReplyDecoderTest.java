package io.crosstide.apply.lua;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.BatchReply.Outcome;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.RedisKey;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReplyDecoderTest {
  private static final Element STRING = Element.string(RedisKey.of(0, "k"));
  private static final Element SCORE =
      new Element(RedisKey.of(0, "z"), ElementKind.ZSET_MEMBER, Bytes.utf8("m"));
  private static final EffectBatch BATCH =
      new EffectBatch(
          0,
          1,
          5,
          List.of(
              new EffectBatch.Group(
                  VersionVector.EMPTY,
                  List.of(new Effect.Noop(), new Effect.Probe(STRING), new Effect.Probe(SCORE)))));

  private static byte[] b(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void outcomesWithoutDetails() {
    assertThat(ReplyDecoder.decode(BATCH, List.of(b("A"), 0L)))
        .isEqualTo(BatchReply.of(Outcome.APPLIED));
    assertThat(ReplyDecoder.decode(BATCH, List.of(b("D"))))
        .isEqualTo(BatchReply.of(Outcome.ALREADY_APPLIED));
    assertThat(ReplyDecoder.decode(BATCH, List.of(b("N"))))
        .isEqualTo(BatchReply.of(Outcome.NO_MARKER));
    assertThat(ReplyDecoder.decode(BATCH, List.of(b("G"), b("1"), b("1:3"))))
        .isEqualTo(BatchReply.of(Outcome.GAP));
    assertThat(ReplyDecoder.markerOf(List.of(b("E"), b("2"), b("1:3"))))
        .isEqualTo("epoch 2 at 1:3");
  }

  @Test
  void missesAndAnswersWithScoresInOurForm() {
    BatchReply reply =
        ReplyDecoder.decode(
            BATCH,
            List.of(
                b("A"),
                1L,
                5L,
                b("guard"),
                6L,
                b("s"),
                b("a9993e364706816aba3e25717850c26c9cd0d89d"),
                b("1:2"),
                7L,
                b("v"),
                b("0.10000000000000001"),
                b("")));
    assertThat(reply)
        .isEqualTo(
            new BatchReply(
                Outcome.APPLIED,
                List.of(new BatchReply.Miss(5, "guard")),
                List.of(
                    new BatchReply.ProbeAnswer(6, Content.utf8("abc"), new Fx(1, 2)),
                    new BatchReply.ProbeAnswer(7, Content.score(0.1), Fx.NONE))));
  }

  @Test
  void anythingElseIsNotTakenForAnAnswer() {
    assertThatThrownBy(() -> ReplyDecoder.decode(BATCH, List.of()))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> ReplyDecoder.decode(BATCH, List.of(b("OK"))))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(
            () -> ReplyDecoder.decode(BATCH, List.of(b("A"), 0L, 99L, b("v"), b("x"), b(""))))
        .isInstanceOf(IllegalStateException.class);
  }
}
