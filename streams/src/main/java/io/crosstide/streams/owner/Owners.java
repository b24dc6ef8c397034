package io.crosstide.streams.owner;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The partitions this process owns at the moment. For any thread. */
public final class Owners {
  /** So many owners fenced within {@link #FENCED_WINDOW_NANOS} are no coincidence. */
  private static final int FENCED_MAX = 5;

  private static final long FENCED_WINDOW_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final Map<Integer, PartitionOwner> owners = new ConcurrentSkipListMap<>();
  private final Map<Integer, Deque<Long>> fenced = new ConcurrentHashMap<>();

  public void add(PartitionOwner owner) {
    owners.put(owner.partition(), owner);
  }

  public void remove(PartitionOwner owner) {
    owners.remove(owner.partition(), owner);
  }

  /** The partition's owner, or null if it is not in this process now. */
  public @Nullable PartitionOwner of(int partition) {
    return owners.get(partition);
  }

  /** By partition. */
  public List<PartitionStatus> status() {
    return owners.values().stream().map(PartitionOwner::status).toList();
  }

  /**
   * Notes that another owner has taken the partition over.
   *
   * @return false if that happens again and again: somebody else takes the same Redis for theirs
   */
  public boolean noteFenced(int partition) {
    Deque<Long> times = fenced.computeIfAbsent(partition, p -> new ArrayDeque<>());
    synchronized (times) {
      long now = System.nanoTime();
      times.addLast(now);
      while (now - times.getFirst() > FENCED_WINDOW_NANOS) {
        times.removeFirst();
      }
      return times.size() < FENCED_MAX;
    }
  }
}
