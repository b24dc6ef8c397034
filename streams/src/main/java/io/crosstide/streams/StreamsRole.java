package io.crosstide.streams;

import io.crosstide.apply.ApplyMetrics;
import io.crosstide.apply.RegionRedis;
import io.crosstide.schemas.ChangeEventCodec;
import io.crosstide.schemas.KafkaRights;
import io.crosstide.schemas.Topics;
import io.crosstide.schemas.registry.SchemaRegistry;
import io.crosstide.streams.owner.MergeMetrics;
import io.crosstide.streams.owner.OwnerSettings;
import io.crosstide.streams.owner.OwnerWire;
import io.crosstide.streams.owner.Owners;
import io.crosstide.streams.owner.RowEventCodec;
import io.crosstide.streams.query.PartitionQueries;
import io.crosstide.streams.sent.RememberingWire;
import io.crosstide.streams.sent.SentEffectsTopic;
import io.crosstide.streams.thread.WakeableClients;
import io.crosstide.streams.topics.KafkaLogEnds;
import io.crosstide.streams.topics.TopicMismatchException;
import io.crosstide.streams.topics.TopicsAdmin;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The streams role of one region: a Kafka Streams application that merges all logs and writes the
 * difference to the region's Redis. Any number of processes may run it for a region; they share the
 * partitions.
 *
 * <p>What can pass (Kafka or its transactions failing, another instance taking over) makes it start
 * again by itself after a pause. What cannot (a gap in a log, a record that is no event, topics
 * with another number of partitions) leaves it {@link StreamsState#FAILED} with positions before
 * the record. A Redis that is away does neither: {@link io.crosstide.streams.owner.PartitionOwner}.
 *
 * <p><b>Crash.</b> Started again on its state directory it goes on from the committed positions.
 * The store of a process that died is not trusted: it is restored from the changelog first.
 */
public final class StreamsRole implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StreamsRole.class);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(20);

  private static final String ASSIGNING = "Assigning partitions.";

  /** How much longer than a transaction an assignment lasts before it is remarkable. */
  private static final long HANGING_SECONDS = 30;

  /** How often sent effects that are not needed any more are deleted. */
  private static final Duration DELETE_PERIOD = Duration.ofMinutes(1);

  private static final long RESTART_MILLIS_MIN = 500;
  private static final long RESTART_MILLIS_MAX = 30_000;

  /** Having run so long, the next failure is not a repetition of the last. */
  private static final long STEADY_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final StreamsRoleConfig config;
  private final Owners owners = new Owners();
  private final MergeMetrics metrics;
  private final RegionRedis redis;
  private final KafkaLogEnds logEnds;
  private final SentEffectsTopic sentEffects;
  private final WakeableClients clients;
  private final MergeProcessor.Shared shared;
  private final PartitionQueries queries;

  /** Starts and restarts; one thread, so that neither overtakes the other. */
  private final ScheduledExecutorService supervisor;

  private volatile Status status = new Status(StreamsState.CREATED, "");
  private volatile @Nullable KafkaStreams streams;
  private volatile boolean closing;
  private int failures;
  private volatile long runningSinceNanos;

  private record Status(StreamsState state, String detail, long sinceNanos) {
    Status(StreamsState state, String detail) {
      this(state, detail, System.nanoTime());
    }
  }

  /**
   * @param registry where the schemas of events are found
   * @param meters for the metrics of {@link MergeMetrics} and {@link ApplyMetrics}
   * @param clock the wall clock, for the lag of applied events
   */
  public StreamsRole(
      StreamsRoleConfig config, SchemaRegistry registry, MeterRegistry meters, Clock clock) {
    this.config = config;
    Map<Integer, String> names = new HashMap<>();
    config.regions().forEach((name, id) -> names.put(id, name));
    metrics = new MergeMetrics(meters, config.region(), names);
    redis = new RegionRedis(config.redis(), new ApplyMetrics(meters, config.region()));
    String ownLog = Topics.changes(config.region());
    clients = new WakeableClients(ownLog);
    logEnds = new KafkaLogEnds(StreamsProperties.logEnds(config), ownLog, config.origin());
    sentEffects =
        new SentEffectsTopic(
            config.region(),
            new KafkaProducer<>(
                StreamsProperties.sentEffects(config),
                new ByteArraySerializer(),
                new ByteArraySerializer()));
    ChangeEventCodec codec = new ChangeEventCodec(registry, ownLog);
    StreamsTuning tuning = config.tuning();
    OwnerSettings settings =
        new OwnerSettings(
            config.origin(),
            new HashSet<>(config.regions().values()),
            RememberingWire.over(sentEffects, OwnerWire.to(redis), clock::millis),
            new RowEventCodec(codec),
            logEnds,
            metrics,
            clock,
            tuning.backlogEffectsMax(),
            tuning.backlogBytesMax(),
            tuning.stall().toMillis());
    shared = new MergeProcessor.Shared(settings, codec, owners, clients, config.skipMalformed());
    queries = new PartitionQueries(owners, config.partitions());
    supervisor =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "streams-" + config.region() + "-supervisor");
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Begins to start; returns at once. */
  public void start() {
    status = new Status(StreamsState.STARTING, "");
    supervisor.execute(this::startStreams);
    var unused =
        supervisor.scheduleWithFixedDelay(
            this::deleteSentEffects,
            DELETE_PERIOD.toSeconds(),
            DELETE_PERIOD.toSeconds(),
            TimeUnit.SECONDS);
  }

  public StreamsState state() {
    return status.state();
  }

  /** Why it is in its state, as a sentence; empty if there is nothing to add. */
  public String detail() {
    return detail(status);
  }

  private String detail(Status now) {
    long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - now.sinceNanos());
    boolean assigning = now.state() == StreamsState.STARTING && now.detail().equals(ASSIGNING);
    if (!assigning
        || seconds <= config.tuning().transactionTimeout().toSeconds() + HANGING_SECONDS) {
      return now.detail();
    }
    return ASSIGNING
        + " Has been for "
        + seconds
        + " s, longer than any transaction may last: if Kafka has lost the end of one, its offsets"
        + " stay undecided; \"kafka-transactions.sh find-hanging\" shows it.";
  }

  /** Everything counted, and where each partition stands. */
  public StreamsStats stats() {
    Status now = status;
    String trouble = redis.trouble();
    return new StreamsStats(
        config.region(),
        now.state(),
        now.detail().isEmpty() && trouble != null ? trouble : detail(now),
        metrics.counts(),
        owners.status());
  }

  /** Questions to the merged state of the partitions in this process. */
  public PartitionQueries queries() {
    return queries;
  }

  // --- starting, all on the supervisor's thread
  // ----------------------------------------------------------------------------------

  private synchronized void startStreams() {
    if (closing) {
      return;
    }
    try {
      if (config.createTopics()) {
        ensureTopics();
      }
      KafkaStreams started =
          new KafkaStreams(
              MergeTopology.of(config.regions().keySet(), shared),
              StreamsProperties.of(config),
              clients);
      streams = started;
      started.setStateListener((state, before) -> onState(started, state));
      started.setUncaughtExceptionHandler(
          problem -> {
            stopped(started, problem);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
          });
      started.start();
    } catch (TopicMismatchException e) {
      fail(e);
    } catch (RuntimeException e) {
      LOG.warn("{}: streams cannot start", config.region(), e);
      closeStreams(true);
      startLater(e);
    }
  }

  private void deleteSentEffects() {
    if (!sentEffects.hasReleased()) {
      return;
    }
    try (Admin admin = Admin.create(StreamsProperties.admin(config))) {
      sentEffects.deleteReleased(admin);
    } catch (RuntimeException e) {
      LOG.warn("{}: old sent effects cannot be deleted now", config.region(), e);
    }
  }

  private void ensureTopics() {
    try (Admin admin = Admin.create(StreamsProperties.admin(config))) {
      new TopicsAdmin(admin)
          .ensure(
              TopicsAdmin.ofRegion(
                  config.region(),
                  config.regions().keySet(),
                  config.partitions(),
                  config.retention()));
    }
  }

  private void onState(KafkaStreams from, KafkaStreams.State state) {
    if (from != streams || status.state() == StreamsState.FAILED) {
      return;
    }
    switch (state) {
      case RUNNING -> {
        runningSinceNanos = System.nanoTime();
        status = new Status(StreamsState.RUNNING, "");
      }
      case REBALANCING -> status = new Status(StreamsState.STARTING, ASSIGNING);
      default -> {
        // What else happens is told by whoever caused it.
      }
    }
  }

  /** Called by the thread that failed, which must not close the application itself. */
  private void stopped(KafkaStreams failed, Throwable problem) {
    MergeRefusedException refused = find(problem, MergeRefusedException.class);
    TopicMismatchException mismatch = find(problem, TopicMismatchException.class);
    OutOfMemoryError noMemory = find(problem, OutOfMemoryError.class);
    if (refused != null || mismatch != null) {
      fail(refused != null ? refused : mismatch);
    } else if (noMemory != null) {
      // Stores whose closing failed for want of memory stay locked: only a new process can go on.
      fail(new IllegalStateException(sentence(noMemory), noMemory));
    } else {
      LOG.warn("{}: streams stopped", config.region(), problem);
      status = new Status(StreamsState.WAITING, "Stopped: " + message(problem));
    }
    boolean again = refused == null && mismatch == null && noMemory == null;
    submit(() -> afterStop(failed, problem, again));
  }

  private synchronized void afterStop(KafkaStreams failed, Throwable problem, boolean again) {
    if (streams != failed) {
      return; // several threads may fail at once
    }
    closeStreams(true);
    if (again && !closing) {
      startLater(problem);
    }
  }

  private void startLater(Throwable problem) {
    if (runningSinceNanos != 0 && System.nanoTime() - runningSinceNanos > STEADY_NANOS) {
      failures = 0;
    }
    runningSinceNanos = 0;
    long pause = Math.min(RESTART_MILLIS_MAX, RESTART_MILLIS_MIN << Math.min(failures, 16));
    failures++;
    status =
        new Status(
            StreamsState.WAITING, "Starting again in " + pause + " ms after: " + message(problem));
    var unused = supervisor.schedule(this::startStreams, pause, TimeUnit.MILLISECONDS);
  }

  private void fail(@Nullable Throwable problem) {
    String why = problem == null ? "" : message(problem);
    LOG.error("{}: streams stopped for good: {}", config.region(), why);
    status = new Status(StreamsState.FAILED, why);
  }

  private void submit(Runnable task) {
    try {
      supervisor.execute(task);
    } catch (RejectedExecutionException closed) {
      LOG.debug("{}: closing, nothing is started again", config.region());
    }
  }

  private static String sentence(OutOfMemoryError problem) {
    return "The heap of "
        + (Runtime.getRuntime().maxMemory() >> 20)
        + " MB is too small ("
        + problem.getMessage()
        + "): raise -Xmx, or lower limits.event-bytes-max; then start it again.";
  }

  private static <T extends Throwable> @Nullable T find(Throwable problem, Class<T> type) {
    for (@Nullable Throwable t = problem; t != null; t = t.getCause()) {
      if (type.isInstance(t)) {
        return type.cast(t);
      }
    }
    return null;
  }

  private static String message(Throwable problem) {
    String missing = KafkaRights.missing(problem);
    String message = missing == null ? problem.getMessage() : missing;
    return message == null ? problem.getClass().getSimpleName() : message;
  }

  // --- stopping
  // ------------------------------------------------------------------------------------------------------------------

  private void closeStreams(boolean leaveGroup) {
    KafkaStreams open = streams;
    streams = null;
    if (open != null) {
      boolean closed =
          open.close(
              CloseOptions.timeout(CLOSE_TIMEOUT)
                  .withGroupMembershipOperation(
                      leaveGroup
                          ? CloseOptions.GroupMembershipOperation.LEAVE_GROUP
                          : CloseOptions.GroupMembershipOperation.REMAIN_IN_GROUP));
      if (!closed) {
        LOG.warn(
            "{}: streams did not stop within {} s; its partitions move once its session ends",
            config.region(),
            CLOSE_TIMEOUT.toSeconds());
      }
    }
  }

  /** Commits, leaves the group and stops. */
  @Override
  public void close() {
    close(true);
  }

  /**
   * Commits and stops; returns when nothing runs any more.
   *
   * @param leaveGroup have the partitions move to other instances at once; without it they wait for
   *     this one until its session times out
   */
  public void close(boolean leaveGroup) {
    supervisor.shutdownNow(); // first, for a start under way may wait for Kafka
    synchronized (this) {
      if (closing) {
        return;
      }
      closing = true;
      closeStreams(leaveGroup);
      if (status.state() != StreamsState.FAILED) {
        status = new Status(StreamsState.CLOSED, "");
      }
    }
    redis.close();
    sentEffects.close();
    logEnds.close();
  }
}
