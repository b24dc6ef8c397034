package io.crosstide.capture.command;

import io.crosstide.capture.shadow.ElementCursor;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleBinaryOperator;

/**
 * A set or sorted set that a command computes and stores. It grows in the shadow, under a name that
 * no key has, because the key that it replaces may be one it is computed from; so its size does not
 * matter.
 */
final class StoredResult {
  private static final Bytes NAME = Bytes.utf8(RedisKey.RESERVED_PREFIX + "result");

  /** A handle on another key than the one read is not opened for each member. */
  private static final int TOGETHER = 512;

  private final CommandContext context;
  private final ShadowType type;
  private final DoubleBinaryOperator aggregate;
  private final List<Bytes> members = new ArrayList<>();
  private final double[] scores = new double[TOGETHER];

  /**
   * @param type {@link ShadowType#SET} or {@link ShadowType#ZSET}
   * @param aggregate score of a member that is added again, of those before and now
   */
  StoredResult(CommandContext context, ShadowType type, DoubleBinaryOperator aggregate) {
    this.context = context;
    this.type = type;
    this.aggregate = aggregate;
  }

  /** A result to which no member is added twice, or whose scores do not matter. */
  StoredResult(CommandContext context, ShadowType type) {
    this(context, type, (before, now) -> now);
  }

  void add(Bytes member, double score) {
    scores[members.size()] = score;
    members.add(member);
    if (members.size() == TOGETHER) {
      flush();
    }
  }

  private void flush() {
    ShadowKey result = result();
    for (int i = 0; i < members.size(); i++) {
      Bytes member = members.get(i);
      if (type == ShadowType.SET) {
        result.addMember(member);
      } else {
        double before = result.score(member);
        result.putScore(
            member, Double.isNaN(before) ? scores[i] : aggregate.applyAsDouble(before, scores[i]));
      }
    }
    members.clear();
  }

  private ShadowKey result() {
    return context.shadow().key(context.db(), NAME);
  }

  /** Puts the result in the place of {@code target}, or deletes that if there is none. */
  void store(byte[] target) {
    flush();
    if (!result().exists()) {
      context.removeKey(context.key(target));
      return;
    }
    RedisKey key = context.redisKey(target);
    if (context.key(target).exists()) {
      context.emit(key, new Change.KeyDelete());
    }
    try (ElementCursor elements = result().elements()) {
      while (elements.next()) {
        context.emitMaking(
            key,
            type == ShadowType.SET
                ? new Change.SetAdd(elements.name())
                : new Change.ZsetPut(elements.name(), elements.score()));
      }
    }
    context.shadow().rename(context.db(), NAME, key.name());
  }
}
