package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Small stories of one owner, region 1, beside logs of the regions 2 and 3. The Redis executes
 * batches when they are sent and answers when told to.
 */
class PartitionMergerTest {
  private static final RedisKey KEY = RedisKey.of(0, "k");
  private static final RedisKey OTHER = RedisKey.of(0, "o");
  private static final Element STRING = Element.string(KEY);
  private static final Element OTHER_STRING = Element.string(OTHER);
  private static final VersionVector NOTHING = VersionVector.EMPTY;
  private static final int EPOCH = 1;

  private final EventLog us = new EventLog(1);
  private final EventLog eu = new EventLog(2);
  private final EventLog ap = new EventLog(3);
  private final MemoryRedis redis = new MemoryRedis(us);
  private final MapEventCodec codec = new MapEventCodec();
  private final Told told = new Told();
  private MemoryRowStore rows = new MemoryRowStore();
  private PartitionMerger owner = newOwner();
  private long now;

  /** Counts what the listener is told. */
  private static final class Told implements MergerListener {
    final List<Element> misses = new ArrayList<>();
    final List<Element> probes = new ArrayList<>();
    final List<Element> unrepresentable = new ArrayList<>();
    final List<String> refusals = new ArrayList<>();
    int duplicates;
    int fenced;

    @Override
    public void miss(Element element, String reason) {
      misses.add(element);
    }

    @Override
    public void probe(Element element) {
      probes.add(element);
    }

    @Override
    public void unrepresentable(Element element, String reason) {
      unrepresentable.add(element);
    }

    @Override
    public void refused(String error) {
      refusals.add(error);
    }

    @Override
    public void duplicate(ChangeEvent event) {
      duplicates++;
    }

    @Override
    public void fenced(ChangeEvent event) {
      fenced++;
    }
  }

  private PartitionMerger newOwner() {
    return new PartitionMerger(
        MergerConfig.of(7, us.origin(), Set.of(1, 2, 3)), rows, redis, codec, told);
  }

  private static Change set(String value) {
    return new Change.StringSet(Bytes.utf8(value), 0, false);
  }

  private static Change incr(long delta) {
    return new Change.StringAdd(BigDecimal.valueOf(delta), null);
  }

  /** Takes over a Redis that has never had a marker. */
  private void start() {
    owner.start(0, EPOCH);
    redis.connect(owner);
    redis.deliver();
    owner.onEvent(redis.markerLost());
    redis.deliver();
    assertThat(owner.phase()).isEqualTo(PartitionMerger.Phase.RUNNING);
  }

  /** Lets time pass and capture report the marker's place until nothing moves any more. */
  private void settle() {
    for (int i = 0; i < 50 && !owner.isSettled(); i++) {
      now += 1_000;
      owner.tick(now);
      redis.deliver();
      owner.onEvent(redis.beat());
      redis.deliver();
    }
    assertThat(owner.isSettled()).as("settled; tracked %s", owner.tracked()).isTrue();
  }

  private VersionVector context() {
    MarkerState marker = redis.marker();
    assertThat(marker).isNotNull();
    return marker.context();
  }

  // --- the steady state --------------------------------------------------------------------------

  @Test
  void theFirstMarkerIsInstalledOnlyOnceCaptureHasReportedThatThereIsNone() { // P3
    owner.start(0, EPOCH);
    redis.connect(owner);
    redis.deliver();
    assertThat(owner.phase()).isEqualTo(PartitionMerger.Phase.CONNECTING);
    assertThat(redis.installs()).isEmpty();
    owner.onEvent(redis.markerLost());
    redis.deliver();
    assertThat(redis.installs()).hasSize(1);
    assertThat(owner.phase()).isEqualTo(PartitionMerger.Phase.RUNNING);
  }

  @Test
  void aRemoteSetIsAppliedAndClaimedInOneBatch() {
    start();
    owner.onEvent(eu.write(KEY, set("v"), NOTHING, 1));
    redis.deliver();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("v"));
    assertThat(redis.effects())
        .containsExactly(new Effect.Put(STRING, Content.ABSENT, Content.utf8("v"), Fx.NONE));
    assertThat(context()).isEqualTo(VersionVector.of(eu.origin(), 1));
    settle();
  }

  @Test
  void aRemoteSetOfALongValueIsAppliedAndClaimedInOneBatch() {
    start();
    String value = "v".repeat(Content.INLINE_MAX + 1);
    owner.onEvent(eu.write(KEY, set(value), NOTHING, 1));
    redis.deliver();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8(value));
    settle();
  }

  @Test
  void aRemoteLongValueReplacesALongValue() {
    start();
    owner.onEvent(redis.client(KEY, set("a".repeat(100)), 1));
    owner.onEvent(eu.write(KEY, set("b".repeat(100)), VersionVector.of(us.origin(), 1), 2));
    redis.deliver();
    assertThat(redis.content(STRING)).isEqualTo(Content.utf8("b".repeat(100)));
    settle();
  }

  @Test
  void aRemoteLongHashFieldOfANewKeyIsAppliedAndClaimedInOneBatch() {
    start();
    Bytes value = Bytes.utf8("v".repeat(100));
    Element field = new Element(KEY, ElementKind.HASH_FIELD, Bytes.utf8("f"));
    owner.onEvent(eu.write(KEY, new Change.HashPut(field.name(), value), NOTHING, 1));
    redis.deliver();
    assertThat(redis.content(field)).isEqualTo(Content.of(value));
    settle();
  }
}
