package io.crosstide.schemas.log;

import io.crosstide.schemas.EventHeader;
import io.crosstide.schemas.Headers;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Reads logs of change events back from their ends, many partitions together: a request for each
 * would take minutes where Kafka is far away. Not thread-safe.
 *
 * <p>Every method may throw Kafka's {@code TimeoutException} while Kafka is away; trying again is
 * right. Memory is one poll's worth of records.
 */
public final class LogTails {
  private static final Duration POLL = Duration.ofMillis(200);

  /** Mostly the first chunk will do; a replaced capture may have left thousands behind it. */
  private static final int CHUNK_GROWTH = 16;

  private final Consumer<byte[], byte[]> consumer;
  private final int chunk;
  private final Duration stalledMax;

  /**
   * @param consumer in no group; what it is assigned to changes with every call
   * @param chunk how many records of a partition are read back at first
   * @param stalledMax how long nothing may arrive before an answer is given up
   */
  public LogTails(Consumer<byte[], byte[]> consumer, int chunk, Duration stalledMax) {
    this.consumer = consumer;
    this.chunk = chunk;
    this.stalledMax = stalledMax;
  }

  /** Looks at records; those of one partition in the order of its log, some more than once. */
  @FunctionalInterface
  public interface Visitor {
    void visit(ConsumerRecord<byte[], byte[]> record, EventHeader header);
  }

  /**
   * The ends of {@code logs} as they are now, each read as far back as asked.
   *
   * @param check sees every record that is read, whether or not it counts
   */
  public Map<TopicPartition, LogTail> read(Map<TopicPartition, LogTail.Reach> logs, Visitor check) {
    Set<TopicPartition> unread = new HashSet<>(logs.keySet());
    Map<TopicPartition, Long> begins = begins(unread);
    Map<TopicPartition, Long> ends = ends(unread);
    Map<TopicPartition, LogTail> tails = new HashMap<>();
    for (long back = chunk; !unread.isEmpty(); back = grown(back)) {
      Map<TopicPartition, Long> froms = new HashMap<>();
      for (TopicPartition log : unread) {
        long from = Math.max(begins.getOrDefault(log, 0L), ends.getOrDefault(log, 0L) - back);
        froms.put(log, from);
        tails.put(log, new LogTail());
      }
      feed(froms, ends, tails, check);
      froms.forEach(
          (log, from) -> {
            if (from <= begins.getOrDefault(log, 0L)
                || Objects.requireNonNull(logs.get(log)).isReachedBy(tail(tails, log))) {
              unread.remove(log);
            }
          });
    }
    return tails;
  }

  private static long grown(long back) {
    long next = back * CHUNK_GROWTH;
    return back < LogTail.IN_FLIGHT_RECORDS ? Math.min(next, LogTail.IN_FLIGHT_RECORDS) : next;
  }

  /** Adds to {@code tails} what has been appended to their logs since. */
  public void readOn(Map<TopicPartition, LogTail> tails, Visitor check) {
    Map<TopicPartition, Long> froms = new HashMap<>();
    tails.forEach((log, tail) -> froms.put(log, tail.endOffset()));
    feed(froms, ends(froms.keySet()), tails, check);
  }

  private void feed(
      Map<TopicPartition, Long> froms,
      Map<TopicPartition, Long> ends,
      Map<TopicPartition, LogTail> tails,
      Visitor check) {
    scan(
        froms,
        ends,
        (record, header) -> {
          check.visit(record, header);
          tail(tails, new TopicPartition(record.topic(), record.partition())).add(record, header);
        });
    froms.keySet().forEach(log -> tail(tails, log).readTo(ends.getOrDefault(log, 0L)));
  }

  private static LogTail tail(Map<TopicPartition, LogTail> tails, TopicPartition log) {
    return Objects.requireNonNull(tails.get(log));
  }

  /** Where {@code logs} begin, by retention. */
  public Map<TopicPartition, Long> begins(Set<TopicPartition> logs) {
    // Assigned before they are asked about: Kafka's consumer warns of answers for others.
    consumer.assign(logs);
    return consumer.beginningOffsets(logs, stalledMax);
  }

  /** The offsets after the last records of {@code logs}. */
  public Map<TopicPartition, Long> ends(Set<TopicPartition> logs) {
    consumer.assign(logs);
    return consumer.endOffsets(logs, stalledMax);
  }

  /** Visits all records from {@code froms} to before {@code ends}. */
  public void scan(
      Map<TopicPartition, Long> froms, Map<TopicPartition, Long> ends, Visitor visitor) {
    Set<TopicPartition> unread = new HashSet<>(froms.keySet());
    unread.removeIf(log -> froms.getOrDefault(log, 0L) >= ends.getOrDefault(log, 0L));
    consumer.assign(unread);
    unread.forEach(log -> consumer.seek(log, froms.getOrDefault(log, 0L)));
    long progressNanos = System.nanoTime();
    while (!unread.isEmpty()) {
      ConsumerRecords<byte[], byte[]> polled = consumer.poll(POLL);
      for (ConsumerRecord<byte[], byte[]> record : polled) {
        TopicPartition log = new TopicPartition(record.topic(), record.partition());
        if (record.offset() < ends.getOrDefault(log, 0L)) {
          visitor.visit(record, Headers.read(record.headers()));
        }
      }
      if (unread.removeIf(
          log -> consumer.position(log, stalledMax) >= ends.getOrDefault(log, 0L))) {
        // Those left keep their positions.
        consumer.assign(unread);
      }
      if (!polled.isEmpty()) {
        progressNanos = System.nanoTime();
      } else if (System.nanoTime() - progressNanos > stalledMax.toNanos()) {
        throw new TimeoutException(
            "nothing of "
                + unread
                + " arrived within "
                + stalledMax.toSeconds()
                + " s, although "
                + "they have not been read to their ends");
      }
    }
  }
}
