package io.crosstide.streams.query;

import io.crosstide.protocol.merge.PartitionMerger;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;

/**
 * Questions put to one partition's owner by other threads, answered between two events on the
 * owner's thread: each answer is one moment's state.
 */
public final class OwnerRequests {
  private final Queue<Request<?>> queue = new ConcurrentLinkedQueue<>();
  private final Runnable wakeUp;
  private volatile boolean closed;

  /**
   * @param wakeUp called after a question was put
   */
  public OwnerRequests(Runnable wakeUp) {
    this.wakeUp = wakeUp;
  }

  private record Request<T>(Function<PartitionMerger, T> question, CompletableFuture<T> answer) {
    void run(PartitionMerger merger) {
      try {
        answer.complete(question.apply(merger));
      } catch (RuntimeException e) {
        // The asker's failure, not the owner's.
        answer.completeExceptionally(e);
      }
    }

    void fail() {
      answer.completeExceptionally(
          new PartitionUnavailableException("The partition is being given up by this process."));
    }
  }

  /** Puts {@code question}; its work must be short, for the owner does nothing else meanwhile. */
  public <T> CompletableFuture<T> ask(Function<PartitionMerger, T> question) {
    Request<T> request = new Request<>(question, new CompletableFuture<>());
    queue.add(request);
    if (closed) {
      failAll();
    } else {
      wakeUp.run();
    }
    return request.answer();
  }

  /** Whether questions wait; for any thread. */
  public boolean isWaiting() {
    return !queue.isEmpty();
  }

  /** Answers what waits. For the owner's thread. */
  public void answer(PartitionMerger merger) {
    for (Request<?> next = queue.poll(); next != null; next = queue.poll()) {
      next.run(merger);
    }
  }

  /** The owner gives up: everything that waits, and all that is asked later, fails. */
  public void close() {
    closed = true;
    failAll();
  }

  private void failAll() {
    for (Request<?> next = queue.poll(); next != null; next = queue.poll()) {
      next.fail();
    }
  }
}
