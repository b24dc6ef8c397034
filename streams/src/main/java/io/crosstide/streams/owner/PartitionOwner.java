package io.crosstide.streams.owner;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.SpillRule;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.EffectWire;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.merge.MergerConfig;
import io.crosstide.protocol.merge.MergerListener;
import io.crosstide.protocol.merge.PartitionMerger;
import io.crosstide.protocol.merge.RowStore;
import io.crosstide.streams.query.OwnerRequests;
import io.crosstide.streams.thread.ThreadWaker;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Drives one partition's {@link PartitionMerger} on a stream thread: feeds it records, answers from
 * Redis and time, and keeps what waits for Redis bounded.
 *
 * <p><b>Back-pressure.</b> While more effects wait for Redis than allowed, {@link #onEvent} waits
 * for answers, but returns after {@value #WAIT_MILLIS} ms in any case: Kafka Streams must get to
 * commit and to poll, or its transaction times out and the group expels it. Commits never wait for
 * Redis: what is not acknowledged is tracked in rows that commit with the positions (D').
 *
 * <p><b>A Redis that is away for long.</b> If the backlog is full and Redis acknowledges nothing
 * for a few seconds, the owner gives up its plans and begins again as a successor would after a
 * crash: a new merger over the same rows. Until Redis answers, that one merges local records and
 * holds remote ones in rows, on disk; memory stays bounded, the consumer stays in its group, and
 * offsets go on being committed. When Redis is back it takes over, asks for what was tracked, and
 * drains.
 */
public final class PartitionOwner implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PartitionOwner.class);

  /** How long {@link #onEvent} waits for room. */
  private static final long WAIT_MILLIS = 100;

  /** As {@link #WAIT_MILLIS}, when the limit is bytes: each further record may be a large one. */
  private static final long WAIT_FOR_BYTES_MILLIS = 2_000;

  private static final long TICK_MILLIS = 20;

  /** Less than a full batch waits no longer than this for the thread to have read all it has. */
  private static final long GATHER_MILLIS = 5;

  /** One call of 128 effects blocks Redis for about 0.4 ms. */
  private static final int BATCH_EFFECTS_MAX = 128;

  private static final long BATCH_BYTES_MAX = 4 << 20;

  /**
   * One being executed and one on its way. With more the batches get smaller, and each costs Redis,
   * the kernel and two threads a fixed amount.
   */
  private static final int BATCHES_IN_FLIGHT_MAX = 2;

  private static final long REFUSAL_PAUSE_MILLIS_MAX = 500;

  /** Held records merged per call, so that the thread gets to its other work. */
  private static final int DRAIN_PER_CALL = 1000;

  private static final int LOOK_MASK = 31;

  /** 2025-01-01: epochs are at least the seconds since then, which outlives what they must tell. */
  private static final long EPOCHS_BEGIN_SECONDS = 1_735_689_600;

  private final int partition;
  private final OwnerSettings settings;
  private final RowStore rows;
  private final ThreadWaker waker;
  private final OwnerRequests requests;
  private final Told told = new Told();
  private final Answers answers = new Answers();
  private final Map<Integer, OfRegion> regions = new HashMap<>();
  private final ThreadWaker.Work work = new Work();

  /** Nothing goes on before Redis answers. Read by I/O threads. */
  private volatile boolean awaitsAnswers = true;

  private OwnerWire wire;
  private PartitionMerger merger;
  private VersionVector applied = VersionVector.EMPTY;
  private volatile PartitionStatus status;

  /** Bytes of values planned since the backlog was last empty: an upper bound of what waits. */
  private long plannedBytes;

  private int eventCount;

  /** The last look found no room, so that each further record is preceded by another. */
  private boolean waited;

  private long lastAcknowledgedNanos = System.nanoTime();
  private long lastTickMillis;
  private long lastSendMillis;

  /** What is counted of one region's log; looked up once. */
  private final class OfRegion {
    private final int id;
    private final Counter events;
    private final PendingStamps stamps = new PendingStamps();
    private @Nullable Timer lag;

    OfRegion(int id) {
      this.id = id;
      events = settings.metrics().events(id);
    }

    /** Registered with the first measurement, so that a region that sends nothing shows none. */
    Timer lag() {
      Timer known = lag;
      if (known == null) {
        known = settings.metrics().lag(id);
        lag = known;
      }
      return known;
    }
  }

  private OfRegion of(int regionId) {
    OfRegion region = regions.get(regionId);
    if (region == null) {
      region = new OfRegion(regionId);
      regions.put(regionId, region);
    }
    return region;
  }

  /** Begins to take the partition over, on the calling stream thread. */
  public PartitionOwner(int partition, OwnerSettings settings, RowStore rows, ThreadWaker waker) {
    this.partition = partition;
    this.settings = settings;
    this.rows = rows;
    this.waker = waker;
    requests = new OwnerRequests(waker::wakeUp);
    long logEnd = logEnd();
    wire = settings.opener().open(waker::wakeUp, this::answered);
    merger = newMerger(logEnd);
    status = PartitionStatus.of(partition, merger, applied);
    waker.addWork(work);
  }

  private long logEnd() {
    return settings.logEnds().lastSeq(partition, PartitionMerger.received(rows, settings.local()));
  }

  private PartitionMerger newMerger(long logEnd) {
    PartitionMerger created =
        new PartitionMerger(
            new MergerConfig(
                partition,
                settings.local(),
                settings.members(),
                BATCH_EFFECTS_MAX,
                BATCH_BYTES_MAX,
                BATCHES_IN_FLIGHT_MAX,
                REFUSAL_PAUSE_MILLIS_MAX,
                DRAIN_PER_CALL,
                SpillRule.DEFAULT),
            rows,
            wire,
            settings.codec(),
            told);
    long seconds = settings.clock().millis() / 1000 - EPOCHS_BEGIN_SECONDS;
    created.start(logEnd, (int) Math.max(0, seconds), ThreadLocalRandom.current().nextLong());
    created.gather();
    awaitsAnswers = true;
    return created;
  }

  /** For other threads: questions to the merger. */
  public OwnerRequests requests() {
    return requests;
  }

  /** For any thread: where it stood a moment ago. */
  public PartitionStatus status() {
    return status;
  }

  public int partition() {
    return partition;
  }

  /**
   * Merges the next record.
   *
   * @throws io.crosstide.protocol.merge.MergeStoppedException if the partition cannot go on
   */
  public void onEvent(ChangeEvent event) {
    VersionVector before = merger.merged();
    merger.onEvent(event);
    if (event.origin().equals(settings.local())
        && merger.merged().get(settings.local()) != before.get(settings.local())) {
      of(settings.local().regionId()).events.increment();
    }
    if (wire.hasEvents()) {
      drain();
    }
    beginAgainIfLost();
    // Counting what waits takes a look at every batch in flight; a few events more do no harm.
    if (isFullOfBytes() || ((++eventCount & LOOK_MASK) == 0 && isFull()) || waited) {
      awaitRoom();
    }
  }

  /** Goes on with what has happened meanwhile; call often. */
  public void onTimer(long nowMillis) {
    if (wire.hasEvents()) {
      drain();
    }
    beginAgainIfLost();
    if (nowMillis - lastTickMillis >= TICK_MILLIS || nowMillis < lastTickMillis) {
      lastTickMillis = nowMillis;
      merger.tick(nowMillis);
      wire.shown(merger.shown());
      status = PartitionStatus.of(partition, merger, applied);
    }
    if (requests.isWaiting()) {
      requests.answer(merger);
    }
    if (nowMillis - lastSendMillis >= GATHER_MILLIS || nowMillis < lastSendMillis) {
      lastSendMillis = nowMillis;
      merger.send();
    }
  }

  /** The thread has read all records it has: sends what has been gathered. Writes no rows. */
  public void beforePoll() {
    merger.send();
    awaitsAnswers = merger.awaitsAnswers();
  }

  /** Writes the positions into the rows; before each commit. */
  public void persist() {
    merger.persist();
  }

  /** What the thread looks at before it sleeps. */
  private final class Work implements ThreadWaker.Work {
    @Override
    public void beforePoll() {
      PartitionOwner.this.beforePoll();
    }

    @Override
    public boolean isWaiting() {
      return wire.hasEvents() || requests.isWaiting();
    }
  }

  /** In an I/O thread: a batch was applied. While records flow, that is soon enough noticed. */
  private void answered() {
    if (awaitsAnswers) {
      waker.wakeUp();
    } else {
      waker.wakeUpIfIdle();
    }
  }

  private void drain() {
    wire.drain(answers);
    if (merger.backlog() == 0) {
      plannedBytes = 0;
    }
  }

  // --- back-pressure
  // -----------------------------------------------------------------------------------------------------------

  private boolean isFull() {
    return merger.backlog() > settings.backlogEffectsMax() || isFullOfBytes();
  }

  private boolean isFullOfBytes() {
    return plannedBytes > settings.backlogBytesMax();
  }

  private void awaitRoom() {
    waited = isFull();
    long begin = System.nanoTime();
    long waitMillis = isFullOfBytes() ? WAIT_FOR_BYTES_MILLIS : WAIT_MILLIS;
    awaitsAnswers = true;
    while (isFull()) {
      merger.send();
      long waitedMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
      if (waitedMillis >= waitMillis) {
        break;
      }
      try {
        waker.await(Math.min(TICK_MILLIS, waitMillis - waitedMillis));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      onTimer(settings.clock().millis());
    }
    long quietNanos = System.nanoTime() - lastAcknowledgedNanos;
    if (isFull() && TimeUnit.NANOSECONDS.toMillis(quietNanos) >= settings.stallMillis()) {
      LOG.warn(
          "Partition {}: Redis has acknowledged nothing for {} ms while {} effects wait; until it"
              + " does, records are held on disk",
          partition,
          settings.stallMillis(),
          merger.backlog());
      settings.metrics().stalls.increment();
      beginAgain();
    }
  }

  /** Redis came back without effects that it had acknowledged (P8). */
  private void beginAgainIfLost() {
    if (merger.mustBeginAgain()) {
      LOG.warn(
          "Partition {}: Redis has lost effects that it had acknowledged; taking it over anew",
          partition);
      beginAgain();
    }
  }

  private void beginAgain() {
    long logEnd = logEnd();
    merger.persist();
    wire.close();
    wire = settings.opener().open(waker::wakeUp, this::answered);
    regions.values().forEach(region -> region.stamps.clear());
    plannedBytes = 0;
    lastAcknowledgedNanos = System.nanoTime();
    merger = newMerger(logEnd);
  }

  /** Gives the partition up; whoever has it next takes over. */
  @Override
  public void close() {
    waker.removeWork(work);
    requests.close();
    wire.close();
  }

  // --- what Redis answers
  // ------------------------------------------------------------------------------------------------------

  /** Hands answers on to the merger, having read from them what is applied. */
  private final class Answers implements EffectWire.Listener {
    @Override
    public void onConnected() {
      lastAcknowledgedNanos = System.nanoTime();
      merger.onConnected();
    }

    @Override
    public void onDisconnected() {
      merger.onDisconnected();
    }

    @Override
    public void onReply(EffectBatch batch, BatchReply reply) {
      if (reply.outcome() == BatchReply.Outcome.APPLIED
          || reply.outcome() == BatchReply.Outcome.ALREADY_APPLIED) {
        lastAcknowledgedNanos = System.nanoTime();
        if (batch.epoch() == merger.epoch()) {
          applied(batch.groups().get(batch.groups().size() - 1).contextAfter());
        }
      }
      merger.onReply(batch, reply);
    }

    @Override
    public void onRefused(EffectBatch batch, String error) {
      merger.onRefused(batch, error);
    }

    @Override
    public void onMarker(int markerPartition, @Nullable MarkerState marker) {
      if (marker != null) {
        applied(marker.context());
      }
      merger.onMarker(markerPartition, marker);
    }

    @Override
    public void onMarkerRefused(int markerPartition, String error) {
      merger.onMarkerRefused(markerPartition, error);
    }
  }

  private void applied(VersionVector context) {
    applied = context;
    long now = settings.clock().millis();
    for (OfRegion region : regions.values()) {
      long seq = 0;
      for (int i = 0; i < context.size(); i++) {
        if (context.originAt(i).regionId() == region.id) {
          seq = context.seqAt(i); // the highest incarnation comes last
        }
      }
      region.stamps.takeUpTo(
          seq, stamp -> region.lag().record(Math.max(0, now - stamp), TimeUnit.MILLISECONDS));
    }
  }

  // --- what the merger tells
  // ---------------------------------------------------------------------------------------------------

  private final class Told implements MergerListener {
    @Override
    public void merged(ChangeEvent event, int effects) {
      OfRegion region = of(event.origin().regionId());
      region.events.increment();
      region.stamps.add(event.seq(), event.stamp().physicalMillis());
      if (effects > 0) {
        settings.metrics().effects.increment(effects);
        plannedBytes += valueBytes(event.change());
      }
    }

    @Override
    public void duplicate(ChangeEvent event) {
      settings.metrics().duplicates.increment();
    }

    @Override
    public void fenced(ChangeEvent event) {
      settings.metrics().fenced.increment();
    }

    @Override
    public void conflict(ChangeEvent event, Element element) {
      settings.metrics().conflicts.increment();
    }

    @Override
    public void miss(Element element, String reason) {
      settings.metrics().misses.increment();
    }

    @Override
    public void probe(Element element) {
      settings.metrics().probes.increment();
    }

    @Override
    public void unrepresentable(Element element, String reason) {
      settings.metrics().unrepresentable.increment();
      LOG.warn("Redis cannot hold the merged value of {}: {}", element, reason);
    }

    @Override
    public void refused(String error) {
      settings.metrics().refused.increment();
    }
  }

  private static long valueBytes(Change change) {
    Bytes value = Bytes.EMPTY;
    if (change instanceof Change.StringSet set) {
      value = set.value();
    } else if (change instanceof Change.HashPut put) {
      value = put.value();
    }
    long name = change instanceof Change.OfElement of ? of.name().length() : 0;
    return value.length() + name;
  }
}
