package io.crosstide.streams.query;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.KeyInspector;
import io.crosstide.protocol.merge.KeyReport;
import io.crosstide.protocol.merge.PartitionMerger;
import io.crosstide.schemas.Partitions;
import io.crosstide.streams.owner.Owners;
import io.crosstide.streams.owner.PartitionOwner;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/**
 * The merged state of the partitions that this process owns, for other threads.
 *
 * <p>Every question is answered by the partition's stream thread between two events, so an answer
 * is one moment's state, never a torn one. Long answers are fetched in pieces of about {@value
 * #PIECE_BYTES} bytes: the merge pauses for some milliseconds per piece, and memory stays bounded.
 */
public final class PartitionQueries {
  /** Bytes of names and values per piece. */
  private static final long PIECE_BYTES = 256 << 10;

  private static final long TIMEOUT_MILLIS = 15_000;

  private final Owners owners;
  private final int partitions;

  public PartitionQueries(Owners owners, int partitions) {
    this.owners = owners;
    this.partitions = partitions;
  }

  /**
   * Per origin the last seq of {@code partition} merged, the region's own included.
   *
   * @throws PartitionUnavailableException if the owner is elsewhere or does not answer
   */
  public VersionVector position(int partition) throws PartitionUnavailableException {
    return ask(partition, PartitionMerger::merged);
  }

  /**
   * Whether everything received of {@code partition} is merged, acknowledged by Redis and believed
   * to be held there.
   *
   * @throws PartitionUnavailableException as {@link #position}
   */
  public boolean isSettled(int partition) throws PartitionUnavailableException {
    return ask(partition, PartitionMerger::isSettled);
  }

  /**
   * Everything known of {@code key}; empty if nothing is stored of it.
   *
   * @param elementsMax of a collection to report
   * @throws PartitionUnavailableException as {@link #position}
   */
  public Optional<KeyReport> report(RedisKey key, int elementsMax)
      throws PartitionUnavailableException {
    return ask(
        partitionOf(key),
        merger -> Optional.ofNullable(merger.inspector().report(key, elementsMax)));
  }

  /**
   * Shows what Redis should hold under {@code key}.
   *
   * @return false if nothing
   * @throws PartitionUnavailableException as {@link #position}
   */
  public boolean visit(RedisKey key, KeyInspector.Visitor visitor)
      throws PartitionUnavailableException {
    Piece piece = new Piece();
    boolean found = ask(partitionOf(key), merger -> merger.inspector().visit(key, piece));
    piece.replay(visitor);
    return found;
  }

  /**
   * Shows every key of {@code partition} that Redis should hold. Keys changed meanwhile are shown
   * as they were before or after; a key of more than one piece may be shown partly so.
   *
   * @throws PartitionUnavailableException as {@link #position}, also in the middle
   */
  public void visit(int partition, KeyInspector.Visitor visitor)
      throws PartitionUnavailableException {
    KeyInspector.Cursor at = null;
    do {
      Piece piece = new Piece();
      KeyInspector.Cursor from = at;
      at =
          ask(
                  partition,
                  merger -> Optional.ofNullable(merger.inspector().visit(from, PIECE_BYTES, piece)))
              .orElse(null);
      piece.replay(visitor);
    } while (at != null);
  }

  private int partitionOf(RedisKey key) {
    return Partitions.of(key.name().array(), partitions);
  }

  private <T> T ask(int partition, Function<PartitionMerger, T> question)
      throws PartitionUnavailableException {
    PartitionOwner owner = owners.of(partition);
    if (owner == null) {
      throw new PartitionUnavailableException(
          "Partition "
              + partition
              + " is not owned by this process now: it is starting, or another has it.");
    }
    CompletableFuture<T> answer = owner.requests().ask(question);
    try {
      return answer.get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof PartitionUnavailableException unavailable) {
        throw unavailable;
      }
      throw new IllegalStateException("the merged state could not be read", e.getCause());
    } catch (TimeoutException e) {
      answer.cancel(false);
      throw new PartitionUnavailableException(
          "The owner of partition "
              + partition
              + " has not answered for "
              + TIMEOUT_MILLIS
              + " ms: it is restoring, or busy with one long event.");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PartitionUnavailableException("Interrupted.");
    }
  }

  /** What one visit showed, to be shown again on the asking thread. */
  private static final class Piece implements KeyInspector.Visitor {
    private interface Step {
      void show(KeyInspector.Visitor visitor);
    }

    private final List<Step> steps = new ArrayList<>();

    @Override
    public void key(RedisKey key, ElementKind kind, long deadlineMillis) {
      steps.add(visitor -> visitor.key(key, kind, deadlineMillis));
    }

    @Override
    public void element(Bytes name, Content content) {
      steps.add(visitor -> visitor.element(name, content));
    }

    @Override
    public void end() {
      steps.add(KeyInspector.Visitor::end);
    }

    void replay(KeyInspector.Visitor visitor) {
      steps.forEach(step -> step.show(visitor));
    }
  }
}
