package io.crosstide.streams.thread;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.KafkaClientSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Kafka Streams' clients, of which the main consumers can be woken: each stream thread has a {@link
 * ThreadWaker}, found with {@link #ofCurrentThread()} on that thread after its first poll.
 *
 * <p>It also stands between Streams and the main consumer to bound by bytes what Streams buffers,
 * see {@link HandedOver}.
 *
 * <p>Kafka Streams itself never sees a {@link WakeupException}: poll answers with no records, any
 * other call that a late wake-up hits is made again.
 */
public final class WakeableClients implements KafkaClientSupplier {
  /** How long a fetch may take that finds records waiting. */
  private static final Duration GATHER = Duration.ofMillis(3);

  private final String ownLog;

  private final Map<Thread, ThreadWaker> wakers = new ConcurrentHashMap<>();

  private final Function<Map<String, Object>, Consumer<byte[], byte[]>> consumers;
  private final Supplier<ThreadWaker> newWaker;

  /**
   * @param ownLog the topic whose changes nobody waits for
   */
  public WakeableClients(String ownLog) {
    this(ownLog, WakeableClients::plain, ThreadWaker::new);
  }

  WakeableClients(
      String ownLog,
      Function<Map<String, Object>, Consumer<byte[], byte[]>> consumers,
      Supplier<ThreadWaker> newWaker) {
    this.ownLog = ownLog;
    this.consumers = consumers;
    this.newWaker = newWaker;
  }

  /** The calling thread's waker; one that wakes nobody if the thread does not poll. */
  public ThreadWaker ofCurrentThread() {
    return wakers.computeIfAbsent(Thread.currentThread(), thread -> newWaker.get());
  }

  @Override
  public Admin getAdmin(Map<String, Object> config) {
    return Admin.create(config);
  }

  @Override
  public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
    return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
  }

  @Override
  public Consumer<byte[], byte[]> getConsumer(Map<String, Object> config) {
    return proxy(new Wakeable(consumers.apply(config)));
  }

  @Override
  public Consumer<byte[], byte[]> getRestoreConsumer(Map<String, Object> config) {
    return plain(config);
  }

  @Override
  public Consumer<byte[], byte[]> getGlobalConsumer(Map<String, Object> config) {
    return plain(config);
  }

  private static Consumer<byte[], byte[]> plain(Map<String, Object> config) {
    return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  @SuppressWarnings("unchecked")
  private static Consumer<byte[], byte[]> proxy(InvocationHandler handler) {
    return (Consumer<byte[], byte[]>)
        Proxy.newProxyInstance(
            WakeableClients.class.getClassLoader(), new Class<?>[] {Consumer.class}, handler);
  }

  private final class Wakeable implements InvocationHandler {
    private final Consumer<byte[], byte[]> consumer;

    /** Paused by {@link #pollNothing}, which it is in. */
    private final Set<TopicPartition> heldBack = new HashSet<>();

    Wakeable(Consumer<byte[], byte[]> consumer) {
      this.consumer = consumer;
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments)
        throws Throwable {
      if (method.getName().equals("poll") && arguments != null && arguments.length == 1) {
        return poll((Duration) arguments[0]);
      }
      switch (method.getName()) {
        case "close" -> wakers.remove(Thread.currentThread());
        case "seek", "seekToBeginning", "seekToEnd" -> ofCurrentThread().handedOver().forget();
        case "pause" -> {
          if (arguments != null) {
            heldBack.removeAll((Collection<?>) arguments[0]);
          }
        }
        default -> {
          // Nothing to learn from it.
        }
      }
      while (true) {
        try {
          return method.invoke(consumer, arguments);
        } catch (InvocationTargetException e) {
          if (!(e.getCause() instanceof WakeupException)) {
            throw e.getCause() == null ? e : e.getCause();
          }
        }
      }
    }

    private ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
      ThreadWaker waker = ofCurrentThread();
      if (waker.handedOver().isFull()) {
        return pollNothing(waker);
      }
      Duration allowed = waker.enterPoll(consumer, timeout);
      ConsumerRecords<byte[], byte[]> all = ConsumerRecords.empty();
      try {
        ConsumerRecords<byte[], byte[]> records = polled(allowed);
        waker.handedOver().read(records);
        if (waker.hasRested() && !records.isEmpty() && waker.handedOver().hasRoom()) {
          // They are of a fetch that was answered with the first record that came; what came while
          // the thread rested is in the next one.
          ConsumerRecords<byte[], byte[]> since = polled(GATHER);
          waker.handedOver().read(since);
          records = join(records, since);
        }
        all = records;
        return records;
      } finally {
        waker.leavePoll(all.count(), bringsOthersChanges(all));
      }
    }

    /** Beats, which have no key, are no changes. */
    private boolean bringsOthersChanges(ConsumerRecords<byte[], byte[]> records) {
      for (TopicPartition tp : records.partitions()) {
        if (!tp.topic().equals(ownLog)) {
          for (ConsumerRecord<byte[], byte[]> record : records.records(tp)) {
            if (record.key() != null) {
              return true;
            }
          }
        }
      }
      return false;
    }

    private ConsumerRecords<byte[], byte[]> polled(Duration timeout) {
      try {
        return consumer.poll(timeout);
      } catch (WakeupException woken) {
        return ConsumerRecords.empty();
      }
    }

    /** Takes part in its group, as any poll does, and reads nothing. */
    private ConsumerRecords<byte[], byte[]> pollNothing(ThreadWaker waker) {
      Set<TopicPartition> flowing = new HashSet<>(consumer.assignment());
      flowing.removeAll(consumer.paused());
      consumer.pause(flowing);
      heldBack.addAll(flowing);
      waker.enterPoll(consumer, Duration.ZERO);
      try {
        return consumer.poll(Duration.ZERO);
      } catch (WakeupException woken) {
        return ConsumerRecords.empty();
      } finally {
        waker.leavePoll(0, false);
        // Streams may have given up partitions, or paused them itself, while it polled.
        heldBack.retainAll(consumer.assignment());
        consumer.resume(heldBack);
        heldBack.clear();
      }
    }
  }

  /** What two polls in a row have brought, as if it were one. */
  static ConsumerRecords<byte[], byte[]> join(
      ConsumerRecords<byte[], byte[]> first, ConsumerRecords<byte[], byte[]> second) {
    if (second.isEmpty() && second.nextOffsets().isEmpty()) {
      return first;
    }
    Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> all = new HashMap<>();
    for (ConsumerRecords<byte[], byte[]> polled : List.of(first, second)) {
      for (TopicPartition tp : polled.partitions()) {
        all.computeIfAbsent(tp, one -> new ArrayList<>()).addAll(polled.records(tp));
      }
    }
    Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>(first.nextOffsets());
    next.putAll(second.nextOffsets());
    return new ConsumerRecords<>(all, next);
  }
}
