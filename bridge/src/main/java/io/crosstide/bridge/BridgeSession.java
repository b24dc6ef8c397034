package io.crosstide.bridge;

import io.crosstide.schemas.EventHeader;
import io.crosstide.schemas.Headers;
import io.crosstide.schemas.MalformedEventException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One attempt at copying: reads the source from the given positions and sends every record on, in
 * order per partition, until told to stop or a send fails for good.
 *
 * <p>A crash anywhere loses nothing: the stored position trails the target's acknowledgements. What
 * was acknowledged after it is sent again. Confined to the bridge's thread, but for {@link
 * #progress} and figures.
 */
final class BridgeSession {
  private static final Logger log = LoggerFactory.getLogger(BridgeSession.class);
  private static final Duration POLL = Duration.ofMillis(500);
  private static final Duration GATHER = Duration.ofMillis(5);
  private static final Duration ASK_TIMEOUT = Duration.ofSeconds(3);
  private static final long SECOND_NANOS = 1_000_000_000L;
  private static final int FRAMING_BYTES = 16;

  private final BridgeConfig config;
  private final BridgeCounters counters;
  private final AtomicBoolean closing;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final KafkaProducer<byte[], byte[]> producer;
  private final InFlight inFlight;
  private final StallDetector stalls;
  private final Pacer pacer = new Pacer(System::nanoTime);
  private final Map<TopicPartition, PartitionProgress> progress = new HashMap<>();
  private final Map<TopicPartition, CaptureFence> fences = new HashMap<>();
  private final Map<TopicPartition, Uuid> targetTopics = new HashMap<>();
  private final Map<TopicPartition, Long> committed = new HashMap<>();
  private final @Nullable Metric wireBytes;
  private final long recheckAtNanos;
  private long committedAt = System.nanoTime();
  private volatile long unread;
  private volatile int polledLeft;

  /**
   * Takes over nothing: both clients stay the caller's to close.
   *
   * @param resume where to go on, for every partition to be copied
   * @param recheckNanos after which {@link #pump} returns so that missing topics are looked for; 0
   *     for never
   */
  BridgeSession(
      BridgeConfig config,
      BridgeCounters counters,
      AtomicBoolean closing,
      KafkaConsumer<byte[], byte[]> consumer,
      KafkaProducer<byte[], byte[]> producer,
      Map<TopicPartition, ResumePoint> resume,
      long recheckNanos) {
    this.config = config;
    this.counters = counters;
    this.closing = closing;
    this.consumer = consumer;
    this.producer = producer;
    this.stalls = StallDetector.of(config);
    this.inFlight = new InFlight(config.bytesInFlightMax());
    this.wireBytes = outgoingBytes(producer);
    this.recheckAtNanos = recheckNanos == 0 ? 0 : System.nanoTime() + recheckNanos;
    consumer.assign(resume.keySet());
    resume.forEach(
        (tp, point) -> {
          progress.put(tp, new PartitionProgress(point.position(), point.targetOffset()));
          fences.put(tp, new CaptureFence());
          committed.put(tp, point.position());
          if (point.targetTopic() != null) {
            targetTopics.put(tp, point.targetTopic());
          }
          consumer.seek(tp, point.position());
        });
  }

  /**
   * Copies until the bridge closes, a recheck is due, or something fails.
   *
   * @throws KafkaException a send failed for good, or the source cannot be read
   */
  void pump() throws InterruptedException {
    while (!closing.get() && !recheckDue()) {
      List<ConsumerRecords<byte[], byte[]>> group = readGroup();
      int count = group.stream().mapToInt(ConsumerRecords::count).sum();
      int left = count;
      // Far behind, throughput counts, and the batches are full anyway.
      if (count > 0 && count < Clients.POLL_RECORDS_MAX) {
        pacer.sending();
      }
      for (ConsumerRecords<byte[], byte[]> polled : group) {
        for (TopicPartition tp : polled.partitions()) {
          List<ConsumerRecord<byte[], byte[]>> records = polled.records(tp);
          if (!forward(tp, records, left)) {
            return;
          }
          left -= records.size();
        }
      }
      polledLeft = left;
      throwIfFailed();
      noteUnread();
      commitIfDue();
    }
  }

  /** Reads what is to go out together, not before the pacer allows it. */
  private List<ConsumerRecords<byte[], byte[]>> readGroup() {
    long wait = pacer.nanosToWait();
    if (wait == 0) {
      return List.of(consumer.poll(POLL));
    }
    LockSupport.parkNanos(wait);
    // The fetch under way was answered with the first event that came; what came since is in the
    // next one.
    ConsumerRecords<byte[], byte[]> first = consumer.poll(POLL);
    return first.isEmpty() ? List.of(first) : List.of(first, consumer.poll(GATHER));
  }

  /**
   * Waits for outstanding acknowledgements and stores the position; what fails is repeated later.
   */
  void finish(Duration timeout) throws InterruptedException {
    if (!inFlight.awaitNone(timeout.toNanos())) {
      log.info(
          "Bridge {} ends with {} events unacknowledged; they are sent again at the next start",
          config.link(),
          inFlight.count());
    }
    Map<TopicPartition, OffsetAndMetadata> positions = moved();
    if (!positions.isEmpty()) {
      consumer.commitSync(positions, ASK_TIMEOUT);
      noteCommitted(positions);
    }
  }

  /** Where to go on after this session, by what the target acknowledged. */
  Map<TopicPartition, ResumePoint> resume() {
    Map<TopicPartition, ResumePoint> points = new HashMap<>();
    progress.forEach((tp, p) -> points.put(tp, point(tp, p)));
    return points;
  }

  /** Events in the source's log that the target has not acknowledged, as far as known. */
  long backlog() {
    return unread + polledLeft + inFlight.count();
  }

  long inFlightEvents() {
    return inFlight.count();
  }

  /** Stamp of the oldest unacknowledged event, ms since 1970; 0 when there is none. */
  long oldestStampMillis() {
    return inFlight.oldestStampMillis();
  }

  long wireBytes() {
    Metric metric = wireBytes;
    return metric != null && metric.metricValue() instanceof Double total ? total.longValue() : 0;
  }

  /**
   * Sends records on; false when the bridge closes while it waits for room.
   *
   * @param polled how many of all that were read have not been sent on yet, these included
   */
  private boolean forward(
      TopicPartition tp, List<ConsumerRecord<byte[], byte[]>> records, int polled)
      throws InterruptedException {
    PartitionProgress partition = progress.get(tp);
    CaptureFence fence = fences.get(tp);
    if (partition == null || fence == null) {
      throw new IllegalStateException("Read " + tp + ", which is not copied by " + config.link());
    }
    int left = polled;
    for (ConsumerRecord<byte[], byte[]> record : records) {
      polledLeft = left--;
      if (!forward(record, partition, fence)) {
        return false;
      }
    }
    return true;
  }

  private boolean forward(
      ConsumerRecord<byte[], byte[]> record, PartitionProgress partition, CaptureFence fence)
      throws InterruptedException {
    EventHeader header = header(record);
    if (header != null && fence.isStale(header)) {
      counters.fenced.increment();
      partition.skipped(record.offset());
      return true;
    }
    long stamp = header == null ? record.timestamp() : header.stamp().physicalMillis();
    InFlight.Sent sent = new InFlight.Sent(bytes(record), stamp, System.nanoTime());
    while (!inFlight.acquire(sent, SECOND_NANOS)) {
      throwIfFailed();
      if (closing.get()) {
        return false;
      }
      askUnread();
      commitIfDue();
    }
    long ticket = partition.sent(record.offset());
    boolean lastOfGroup = polledLeft == 1;
    // The future says nothing that the callback does not.
    var unused =
        producer.send(
            new ProducerRecord<>(
                record.topic(),
                record.partition(),
                record.timestamp(),
                record.key(),
                record.value(),
                record.headers()),
            (metadata, error) -> {
              if (error == null) {
                partition.acked(ticket, metadata.offset());
                counters.events.increment();
                counters.bytes.add(sent.bytes());
                counters.lag.record(System.currentTimeMillis() - sent.stampMillis());
                if (lastOfGroup) {
                  pacer.sample(System.nanoTime() - sent.sentNanos());
                }
              }
              inFlight.release(sent, error);
            });
    return true;
  }

  private @Nullable EventHeader header(ConsumerRecord<byte[], byte[]> record) {
    try {
      return Headers.readIfPresent(record.headers());
    } catch (MalformedEventException foreign) {
      // Judging events is the receivers' business; a bridge copies what is there.
      return null;
    }
  }

  private static long bytes(ConsumerRecord<byte[], byte[]> record) {
    long bytes =
        (long) FRAMING_BYTES
            + Math.max(0, record.serializedKeySize())
            + Math.max(0, record.serializedValueSize());
    for (var header : record.headers()) {
      bytes += header.key().length() + (header.value() == null ? 0 : header.value().length);
    }
    return bytes;
  }

  private void throwIfFailed() throws InterruptedException {
    if (stalls.isStalled(inFlight.oldestSentNanos())) {
      throw new KafkaException(
          config.target() + " answers but acknowledges nothing: connecting to it anew");
    }
    Exception failure = inFlight.failure();
    if (failure instanceof KafkaException kafka) {
      throw kafka;
    }
    if (failure != null) {
      throw new KafkaException("A record cannot be sent to " + config.target(), failure);
    }
  }

  private boolean recheckDue() {
    return recheckAtNanos != 0 && System.nanoTime() - recheckAtNanos > 0;
  }

  /** Learns how much is unread from what the last fetches said. */
  private void noteUnread() {
    long sum = 0;
    for (TopicPartition tp : progress.keySet()) {
      sum += Math.max(0, consumer.currentLag(tp).orElse(0));
    }
    unread = sum;
  }

  /** Learns how much is unread by asking, while reading is held up and fetches say nothing. */
  private void askUnread() {
    long sum = 0;
    for (Map.Entry<TopicPartition, Long> end :
        consumer.endOffsets(progress.keySet(), ASK_TIMEOUT).entrySet()) {
      sum += Math.max(0, end.getValue() - consumer.position(end.getKey(), ASK_TIMEOUT));
    }
    unread = sum;
  }

  private void commitIfDue() {
    long now = System.nanoTime();
    if (now - committedAt < config.commitInterval().toNanos()) {
      return;
    }
    committedAt = now;
    Map<TopicPartition, OffsetAndMetadata> positions = moved();
    if (!positions.isEmpty()) {
      consumer.commitAsync(
          positions,
          (offsets, error) -> {
            if (error == null) {
              noteCommitted(offsets);
            } else {
              log.debug(
                  "Bridge {} could not store its position: {}", config.link(), error.getMessage());
            }
          });
    }
  }

  private Map<TopicPartition, OffsetAndMetadata> moved() {
    Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
    progress.forEach(
        (tp, p) -> {
          ResumePoint point = point(tp, p);
          Long before = committed.get(tp);
          if (before == null || before != point.position()) {
            positions.put(tp, point.toCommit());
          }
        });
    return positions;
  }

  private void noteCommitted(Map<TopicPartition, OffsetAndMetadata> positions) {
    positions.forEach((tp, position) -> committed.put(tp, position.offset()));
  }

  private ResumePoint point(TopicPartition tp, PartitionProgress p) {
    // Read in this order: the target may then hold more than the position says, never less.
    long position = p.position();
    return new ResumePoint(position, targetTopics.get(tp), p.targetOffset());
  }

  private static @Nullable Metric outgoingBytes(KafkaProducer<byte[], byte[]> producer) {
    for (Map.Entry<MetricName, ? extends Metric> metric : producer.metrics().entrySet()) {
      if (metric.getKey().name().equals("outgoing-byte-total")
          && metric.getKey().group().equals("producer-metrics")) {
        return metric.getValue();
      }
    }
    return null;
  }
}
