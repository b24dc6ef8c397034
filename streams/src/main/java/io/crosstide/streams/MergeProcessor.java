package io.crosstide.streams;

import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.merge.MergeStoppedException;
import io.crosstide.schemas.ChangeEventCodec;
import io.crosstide.schemas.MalformedEventException;
import io.crosstide.schemas.UnknownKindException;
import io.crosstide.streams.owner.OwnerSettings;
import io.crosstide.streams.owner.Owners;
import io.crosstide.streams.owner.PartitionOwner;
import io.crosstide.streams.store.PartitionRows;
import io.crosstide.streams.thread.ThreadWaker;
import io.crosstide.streams.thread.WakeableClients;
import java.time.Duration;
import org.apache.kafka.streams.errors.TaskMigratedException;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One task of the topology: makes the owner of its partition and feeds it.
 *
 * <p><b>Crash.</b> Rows and input positions commit in one Kafka transaction; effects are not part
 * of it. A successor starts from the committed rows and takes over as {@link
 * io.crosstide.protocol.merge.PartitionMerger} describes.
 *
 * <p><b>Stopping.</b> A gap in a log, or a record that is no event, stops the whole application
 * before the record: no later data pass it. Another owner of the partition (P12) makes this one
 * give up all tasks of its thread without committing, and rejoin.
 */
final class MergeProcessor implements Processor<byte[], byte[], Void, Void> {
  private static final Logger LOG = LoggerFactory.getLogger(MergeProcessor.class);

  /** Also how soon the thread looks again when an answer came just after it had looked. */
  private static final Duration TIMER = Duration.ofMillis(1);

  /** What all tasks of a role share. */
  record Shared(
      OwnerSettings owners,
      ChangeEventCodec codec,
      Owners registry,
      WakeableClients clients,
      boolean skipMalformed) {}

  private final Shared shared;
  private @Nullable ProcessorContext<Void, Void> context;
  private @Nullable PartitionOwner owner;
  private ThreadWaker waker = new ThreadWaker();

  MergeProcessor(Shared shared) {
    this.shared = shared;
  }

  @Override
  public void init(ProcessorContext<Void, Void> taskContext) {
    context = taskContext;
    PartitionRows rows = taskContext.getStateStore(MergeTopology.ROWS);
    int partition = taskContext.taskId().partition();
    waker = shared.clients().ofCurrentThread();
    PartitionOwner created = new PartitionOwner(partition, shared.owners(), rows, waker);
    owner = created;
    rows.beforeCommit(created::persist);
    taskContext.schedule(
        TIMER, PunctuationType.WALL_CLOCK_TIME, now -> run(() -> created.onTimer(now)));
    shared.registry().add(created);
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    waker.processing(record.key(), record.value());
    ChangeEvent event = decode(record);
    PartitionOwner current = owner;
    if (event != null && current != null) {
      run(() -> current.onEvent(event));
    }
  }

  private void run(Runnable step) {
    try {
      step.run();
    } catch (MergeStoppedException e) {
      if (e.reason() == MergeStoppedException.Reason.GAP) {
        throw new MergeRefusedException(String.valueOf(e.getMessage()), e);
      }
      PartitionOwner current = owner;
      if (current != null && !shared.registry().noteFenced(current.partition())) {
        throw new MergeRefusedException(
            "Partition "
                + current.partition()
                + " is taken over by another owner again and again: is a second deployment, or one"
                + " with another name for this region, connected to the same Redis? "
                + e.getMessage(),
            e);
      }
      LOG.warn("Giving up this thread's partitions and joining again: {}", e.getMessage());
      throw new TaskMigratedException(String.valueOf(e.getMessage()), e);
    }
  }

  private @Nullable ChangeEvent decode(Record<byte[], byte[]> record) {
    try {
      return shared.codec().decode(record.key(), record.value(), record.headers());
    } catch (UnknownKindException e) {
      if (e.mayBeIgnored()) {
        return null;
      }
      return malformed(e);
    } catch (MalformedEventException e) {
      return malformed(e);
    }
  }

  private @Nullable ChangeEvent malformed(MalformedEventException problem) {
    ProcessorContext<Void, Void> current = context;
    RecordMetadata place = current == null ? null : current.recordMetadata().orElse(null);
    String where =
        place == null
            ? "a record"
            : "the record at offset "
                + place.offset()
                + " of "
                + place.topic()
                + "-"
                + place.partition();
    if (shared.skipMalformed()) {
      shared.owners().metrics().countMalformed();
      LOG.error("Skipping {}: {}", where, problem.getMessage());
      return null;
    }
    throw new MergeRefusedException(
        "Stopped before "
            + where
            + ": "
            + problem.getMessage()
            + ". Nothing after it is merged. Upgrade this process if a newer one wrote it, or let it"
            + " pass with policies.skip-malformed if its loss is acceptable.",
        problem);
  }

  /** Called when the task is given up, and before {@link #init} when it is revived. */
  @Override
  public void close() {
    PartitionOwner current = owner;
    owner = null;
    if (current != null) {
      shared.registry().remove(current);
      current.close();
    }
  }
}
