package io.crosstide.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import java.util.List;
import org.junit.jupiter.api.Test;

class SentBatchTest {
  private static final RedisKey KEY = new RedisKey(3, Bytes.wrap(new byte[] {0, -1, 13, 10}));
  private static final Element FIELD =
      new Element(KEY, ElementKind.HASH_FIELD, Bytes.wrap(new byte[] {-128}));
  private static final Content LONG = Content.utf8("x".repeat(Content.INLINE_MAX + 1));

  private static EffectBatch batch(long first) {
    return new EffectBatch(
        7,
        4,
        first,
        new Fx(2, 11),
        HybridTimestamp.ZERO,
        List.of(
            new EffectBatch.Group(
                VersionVector.of(Origin.of(2), 5),
                List.of(
                    new Effect.Put(FIELD, Content.ABSENT, LONG, new Fx(3, 9)),
                    new Effect.Check(Element.string(RedisKey.of(0, "s")), LONG, Fx.NONE),
                    new Effect.Noop())),
            new EffectBatch.Group(
                VersionVector.EMPTY,
                List.of(
                    new Effect.Add(Element.string(RedisKey.of(0, "s")), Long.MIN_VALUE, Fx.NONE),
                    new Effect.Probe(Element.deadline(KEY)),
                    new Effect.Put(
                        Element.deadline(KEY), Content.deadline(5), Content.ABSENT, Fx.NONE))),
            new EffectBatch.Group(VersionVector.of(Origin.of(3), 8), List.of())));
  }

  @Test
  void everyKindOfEffectIsReadBack() {
    SentBatch sent = SentBatch.of(batch(1));

    SentBatch read = SentBatch.decode(sent.encode());

    assertThat(read).isEqualTo(sent);
    assertThat(read.preceding()).isEqualTo(new Fx(2, 11));
    assertThat(read.last()).isEqualTo(6);
    assertThat(SentBatch.decodeHead(sent.encode()))
        .isEqualTo(new SentBatch.Head(4, 1, 6, new Fx(2, 11)));
  }

  @Test
  void longValuesAreKeptAsDigests() {
    byte[] encoded = SentBatch.of(batch(1)).encode();

    assertThat(encoded.length).isLessThan(200);
    assertThat(SentBatch.decode(encoded).effects().get(0))
        .isEqualTo(new Effect.Put(FIELD, Content.ABSENT, LONG.compact(), new Fx(3, 9)));
  }

  @Test
  void onlyTheFirstBatchOfAnEpochNamesTheOneBefore() {
    assertThat(SentBatch.of(batch(2)).preceding()).isEqualTo(Fx.NONE);
  }

  @Test
  void otherFormatsAreRefused() {
    assertThatThrownBy(() -> SentBatch.decode(new byte[] {9, 1, 1, 1}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("format 9");
  }
}
