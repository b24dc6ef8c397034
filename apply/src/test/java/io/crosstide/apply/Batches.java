package io.crosstide.apply;

import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.RedisKey;
import java.util.List;

/** Short ways to write batches in tests. */
final class Batches {
  static final int PARTITION = 3;

  private Batches() {}

  /** One group of effects in epoch 1. */
  static EffectBatch batch(long first, Effect... effects) {
    return batch(1, first, group(first, effects));
  }

  static EffectBatch batch(int epoch, long first, EffectBatch.Group... groups) {
    return new EffectBatch(PARTITION, epoch, first, List.of(groups));
  }

  static EffectBatch.Group group(long seq, Effect... effects) {
    return new EffectBatch.Group(context(seq), List.of(effects));
  }

  static VersionVector context(long seq) {
    return VersionVector.of(Origin.of(2), seq);
  }

  static Element string(String key) {
    return Element.string(RedisKey.of(0, key));
  }

  static Effect put(Element element, Content expected, Content desired) {
    return new Effect.Put(element, expected, desired, Fx.NONE);
  }

  static Effect put(String key, String value) {
    return put(string(key), Content.ABSENT, Content.utf8(value));
  }

  static Effect add(String key, long delta) {
    return new Effect.Add(string(key), delta, Fx.NONE);
  }
}
