package io.crosstide.streams.sent;

import io.crosstide.schemas.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A region's {@code sent-effects} topic as owners write it: appended to before each batch goes to
 * Redis, deleted from the front once the region's log shows that capture has passed it.
 *
 * <p>What is deleted is kept a while longer than it must be ({@link #KEEP}): capture's files may be
 * a little older than the log when its machine loses power.
 */
public final class SentEffectsTopic implements AutoCloseable {
  /** How long a batch is kept at least, even if the log has shown it. */
  public static final Duration KEEP = Duration.ofMinutes(10);

  private static final Logger LOG = LoggerFactory.getLogger(SentEffectsTopic.class);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);
  private static final long DELETE_TIMEOUT_MILLIS = 30_000;

  private final String topic;
  private final Producer<byte[], byte[]> producer;
  private final Map<Integer, Long> deletable = new HashMap<>();

  /**
   * @param producer idempotent, acknowledged by all replicas; closed with this
   */
  public SentEffectsTopic(String region, Producer<byte[], byte[]> producer) {
    this.topic = Topics.sentEffects(region);
    this.producer = producer;
  }

  /**
   * Appends; blocks only while Kafka cannot be reached and the producer's memory is full.
   *
   * @param whenAcknowledged called on the producer's thread, in the order of calls for a partition
   */
  void append(int partition, byte[] batch, Callback whenAcknowledged) {
    var unused =
        producer.send(new ProducerRecord<>(topic, partition, null, batch), whenAcknowledged);
  }

  /** What lies before {@code offset} is not needed any more. */
  void release(int partition, long offset) {
    synchronized (deletable) {
      deletable.merge(partition, offset, Math::max);
    }
  }

  /** Whether {@link #deleteReleased} has something to do. */
  public boolean hasReleased() {
    synchronized (deletable) {
      return !deletable.isEmpty();
    }
  }

  /**
   * Deletes what has been released since the last call. A failure is only logged: it is released
   * again later.
   */
  public void deleteReleased(Admin admin) {
    Map<TopicPartition, RecordsToDelete> wanted = new HashMap<>();
    synchronized (deletable) {
      deletable.forEach(
          (partition, offset) ->
              wanted.put(
                  new TopicPartition(topic, partition), RecordsToDelete.beforeOffset(offset)));
      deletable.clear();
    }
    if (wanted.isEmpty()) {
      return;
    }
    try {
      admin.deleteRecords(wanted).all().get(DELETE_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn(
          "{}: records that are not needed any more could not be deleted; the topic grows until they"
              + " can ({})",
          topic,
          e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** What is not acknowledged yet was not sent to Redis either. */
  @Override
  public void close() {
    producer.close(CLOSE_TIMEOUT);
  }
}
