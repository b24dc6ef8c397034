package io.crosstide.apply.lua;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.RedisKey;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class BatchEncoderTest {
  private static final Element STRING = Element.string(RedisKey.of(0, "k"));
  private static final Element MEMBER =
      new Element(RedisKey.of(2, "s"), ElementKind.SET_MEMBER, Bytes.utf8("m"));

  private static EffectBatch.Group group(long seq, Effect... effects) {
    return new EffectBatch.Group(VersionVector.of(Origin.of(2), seq), List.of(effects));
  }

  private static EffectBatch batch(EffectBatch.Group... groups) {
    return new EffectBatch(5, 3, 10, List.of(groups));
  }

  private static List<String> text(List<byte[]> parts) {
    return parts.stream().map(part -> new String(part, StandardCharsets.ISO_8859_1)).toList();
  }

  @Test
  void theFormIsAsTheScriptSays() {
    ScriptCall call =
        BatchEncoder.encode(
            batch(
                group(1, new Effect.Put(MEMBER, Content.ABSENT, Content.PRESENT, Fx.NONE)),
                group(2),
                group(
                    3,
                    new Effect.Put(STRING, Content.utf8("old"), Content.utf8("new"), new Fx(3, 9)),
                    new Effect.Probe(MEMBER)),
                group(4, new Effect.Noop())));
    assertThat(text(call.keys())).containsExactly("__ct:{5}", "k", "s");
    assertThat(text(call.arguments()))
        .containsExactly(
            "3",
            "10",
            "13",
            "2=4",
            "*;2=2;2=3",
            "1",
            "0",
            "2",
            "0",
            "1",
            "2",
            "1",
            "pm0=\u0001\u0000\u0000\u0003",
            "m",
            "ps==\u0003\u0000\u0000\u0002",
            "old",
            "new",
            "3:9",
            "?m00\u0000\u0000\u0000\u0003",
            "m",
            "--00\u0001\u0000\u0000\u0000");
  }

  @Test
  void longValuesAreExpectedByDigestAndShortOnesAsTheyAre() {
    Content shortest = Content.utf8("x".repeat(Content.INLINE_MAX));
    Content longer = Content.utf8("x".repeat(Content.INLINE_MAX + 1));
    List<String> arguments =
        text(
            BatchEncoder.encode(
                    batch(
                        group(
                            1,
                            new Effect.Check(STRING, shortest, Fx.NONE),
                            new Effect.Check(STRING, longer, Fx.NONE),
                            new Effect.Check(STRING, longer.compact(), Fx.NONE))))
                .arguments());
    assertThat(arguments)
        .contains("x".repeat(Content.INLINE_MAX))
        .doesNotContain("x".repeat(Content.INLINE_MAX + 1));
    assertThat(arguments.stream().filter(longer.sha1Hex()::equals)).hasSize(2);
  }

  @Test
  void equalBatchesGiveEqualBytes() {
    EffectBatch one = batch(group(1, new Effect.Add(STRING, 4, Fx.NONE), new Effect.Probe(MEMBER)));
    EffectBatch other =
        batch(group(1, new Effect.Add(STRING, 4, Fx.NONE), new Effect.Probe(MEMBER)));
    assertThat(
            Arrays.deepEquals(
                BatchEncoder.encode(one).arguments().toArray(),
                BatchEncoder.encode(other).arguments().toArray()))
        .isTrue();
  }

  @Test
  void whatCannotBeCarriedOutIsRefusedBeforeItIsSent() {
    assertThatThrownBy(() -> encode(new Effect.Add(MEMBER, 1, Fx.NONE)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () -> encode(new Effect.Put(MEMBER, Content.ABSENT, Content.utf8("value"), Fx.NONE)))
        .hasMessageContaining("is there or not");
    assertThatThrownBy(
            () ->
                encode(
                    new Effect.Put(
                        STRING, Content.ABSENT, Content.utf8("x".repeat(100)).compact(), Fx.NONE)))
        .hasMessageContaining("only the SHA-1");
    assertThatThrownBy(
            () ->
                encode(
                    new Effect.Put(
                        new Element(RedisKey.of(0, "z"), ElementKind.ZSET_MEMBER, Bytes.utf8("m")),
                        Content.ABSENT,
                        Content.utf8("NaN"),
                        Fx.NONE)))
        .hasMessageContaining("cannot hold");
  }

  private static void encode(Effect effect) {
    BatchEncoder.encode(batch(group(1, effect)));
  }
}
