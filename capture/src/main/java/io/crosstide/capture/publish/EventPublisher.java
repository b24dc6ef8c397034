package io.crosstide.capture.publish;

import io.crosstide.protocol.ChangeEvent;
import io.crosstide.schemas.ChangeEventCodec;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;

/**
 * Sends change events to the region's log, in the order given within each partition, and knows how
 * far the replication stream is durable.
 *
 * <p>An outage of Kafka only delays: the producer retries for ever, {@link #publish} blocks once
 * the in-flight limit is reached. A refusal (record too large, no authorisation) is final: nothing
 * more is sent, because a later event behind a missing one would be a gap that no reader may pass.
 * The durable position then stays before the refused event.
 *
 * <p>{@link #publish} and {@link #endUnit} belong to one thread.
 */
public final class EventPublisher implements AutoCloseable {
  /** What a record costs in Kafka besides key and value: header, batch overhead, rounded up. */
  private static final int RECORD_OVERHEAD_BYTES = 128;

  private final Producer<byte[], byte[]> producer;
  private final ChangeEventCodec codec;
  private final String topic;
  private final AckWatermark watermark;
  private final InFlightLimit limit;
  private final AtomicLong acknowledged = new AtomicLong();
  private volatile @Nullable AppendOrder order;
  private volatile @Nullable PublishException failure;

  /**
   * @param producer idempotent, with acknowledgement by all replicas; closed with this publisher
   */
  public EventPublisher(
      Producer<byte[], byte[]> producer,
      ChangeEventCodec codec,
      String topic,
      AckWatermark watermark,
      long inFlightBytesMax,
      int inFlightRecordsMax) {
    this.producer = producer;
    this.codec = codec;
    this.topic = topic;
    this.watermark = watermark;
    this.limit = new InFlightLimit(inFlightBytesMax, inFlightRecordsMax);
  }

  /**
   * From here on, what others append to the log among this capture's records is looked at before
   * more of them count as published. Before the first event is published.
   *
   * @param fences offsets of this capture's fence records, by partition
   * @param foreign reads the log; on a thread of its own
   */
  public void watchOrder(int captureEpoch, long[] fences, ForeignRecords foreign) {
    AppendOrder watching =
        new AppendOrder(fences.length, captureEpoch, foreign, this::failTakenOver);
    for (int partition = 0; partition < fences.length; partition++) {
      watching.startsBehind(partition, fences[partition]);
    }
    order = watching;
  }

  /**
   * Sends one event of the unit that {@link #endUnit} will end; blocks while too much is in flight.
   *
   * @throws PublishException if Kafka has refused an event, this one or one before
   */
  @SuppressWarnings("unchecked")
  public void publish(int partition, ChangeEvent event) {
    checkAlive();
    ProducerRecord<byte[], byte[]> record =
        (ProducerRecord<byte[], byte[]>)
            (ProducerRecord<?, byte[]>) codec.toRecord(topic, partition, event);
    int size =
        RECORD_OVERHEAD_BYTES
            + record.value().length
            + (record.key() == null ? 0 : record.key().length);
    try {
      limit.acquire(size);
      checkAlive();
      // The callback hears of failures.
      Future<RecordMetadata> unused = producer.send(record, new InFlight(watermark.add(), size));
    } catch (InterruptedException | InterruptException e) {
      Thread.currentThread().interrupt();
      throw new PublishException("publishing was interrupted", e);
    }
    checkAlive();
  }

  /** Everything of the stream up to {@code endOffset} has been given to {@link #publish}. */
  public void endUnit(long unit, long endOffset) {
    watermark.end(unit, endOffset);
  }

  /**
   * Waits until all that was published is acknowledged.
   *
   * @throws PublishException if Kafka refused any of it
   */
  public void drain() {
    try {
      producer.flush();
      AppendOrder watching = order;
      if (watching != null) {
        watching.settle();
      }
    } catch (InterruptedException | InterruptException e) {
      Thread.currentThread().interrupt();
      throw new PublishException("waiting for acknowledgements was interrupted", e);
    }
    checkAlive();
  }

  public long inFlightBytes() {
    return limit.bytes();
  }

  public int inFlightRecords() {
    return limit.records();
  }

  /** Records acknowledged since this publisher was made. */
  public long acknowledged() {
    return acknowledged.get();
  }

  /** Why nothing can be published any more; null as long as all is well. */
  public @Nullable PublishException failure() {
    return failure;
  }

  private void checkAlive() {
    PublishException why = failure;
    if (why != null) {
      throw new PublishException(String.valueOf(why.getMessage()), why);
    }
  }

  private void fail(Exception cause) {
    fail(
        "Kafka refused an event for "
            + topic
            + ": "
            + cause.getMessage()
            + ". Nothing after it is published; mend the cause and start capture again.",
        cause);
  }

  private void failTakenOver(int captureEpoch) {
    fail(
        "Another capture has taken over "
            + topic
            + " (epoch "
            + captureEpoch
            + "): what this one published since is read by nobody and not confirmed to clients."
            + " It stops; run only one capture per region.",
        null);
  }

  private void fail(String sentence, @Nullable Exception cause) {
    synchronized (this) {
      if (failure != null) {
        return;
      }
      failure = new PublishException(sentence, cause);
    }
    limit.abort();
    // Without the lock: any other thread waits here for the sender's, which tells of what it drops.
    // From the sender's own thread only a close without waiting is allowed; it drops what is
    // queued,
    // so that no later event of the partition reaches the log behind the missing one.
    producer.close(Duration.ZERO);
  }

  /** Sends what is queued, waiting at most {@code timeout}. */
  public void close(Duration timeout) {
    limit.abort();
    producer.close(timeout);
    AppendOrder watching = order;
    if (watching != null) {
      watching.close();
    }
  }

  /** Closes without waiting; what is not acknowledged is derived again after the next start. */
  @Override
  public void close() {
    close(Duration.ZERO);
  }

  private final class InFlight implements Callback, Runnable {
    private final AckWatermark.Unit unit;
    private final int size;

    InFlight(AckWatermark.Unit unit, int size) {
      this.unit = unit;
      this.size = size;
    }

    @Override
    public void onCompletion(@Nullable RecordMetadata metadata, @Nullable Exception exception) {
      if (exception != null) {
        fail(exception);
        return;
      }
      AppendOrder watching = order;
      if (watching == null || metadata == null) {
        run();
      } else {
        watching.appended(metadata.partition(), metadata.offset(), this);
      }
    }

    /** The record counts as published. */
    @Override
    public void run() {
      limit.release(size);
      acknowledged.incrementAndGet();
      watermark.acknowledged(unit);
    }
  }
}
