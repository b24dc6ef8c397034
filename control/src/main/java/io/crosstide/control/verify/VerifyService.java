package io.crosstide.control.verify;

import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs verifications one at a time in the background and keeps the last results. */
public final class VerifyService implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(VerifyService.class);

  /** Results kept for those who ask late. */
  private static final int KEPT = 16;

  private final RegionsOpener opener;
  private final int partitions;
  private final Clock clock;
  private final ExecutorService executor =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread thread = new Thread(task, "verify");
            thread.setDaemon(true);
            return thread;
          });
  private final Map<Long, Run> runs = new LinkedHashMap<>();
  private long lastId;

  /** Opens connections to all regions for one verification, which closes them. */
  @FunctionalInterface
  public interface RegionsOpener {
    List<VerifiedRegion> open();
  }

  public VerifyService(RegionsOpener opener, int partitions, Clock clock) {
    this.opener = opener;
    this.partitions = partitions;
    this.clock = clock;
  }

  /** One verification, running or finished. */
  public static final class Run {
    private final long id;
    private volatile String progress = "starting";
    private volatile @Nullable Verdict verdict;
    private volatile @Nullable Future<?> task;

    private Run(long id) {
      this.id = id;
    }

    public long id() {
      return id;
    }

    /** What it is doing, a sentence. */
    public String progress() {
      return progress;
    }

    /** Null while it runs. */
    public @Nullable Verdict verdict() {
      return verdict;
    }
  }

  /** Starts a verification; empty if one is running. */
  public synchronized Optional<Run> start(Duration timeout) {
    if (runs.values().stream().anyMatch(run -> run.verdict() == null)) {
      return Optional.empty();
    }
    Run run = new Run(++lastId);
    runs.put(run.id, run);
    runs.keySet().removeIf(id -> id <= lastId - KEPT);
    run.task = executor.submit(() -> execute(run, timeout));
    return Optional.of(run);
  }

  public synchronized Optional<Run> find(long id) {
    return Optional.ofNullable(runs.get(id));
  }

  /** Stops a running verification; its result is then that it could not tell. */
  public void cancel(Run run) {
    Future<?> task = run.task;
    if (task != null && run.verdict() == null) {
      task.cancel(true);
      if (run.verdict() == null) {
        run.verdict = Verdict.couldNotTell("the verification was cancelled");
      }
    }
  }

  private void execute(Run run, Duration timeout) {
    List<VerifiedRegion> regions = List.of();
    try {
      regions = opener.open();
      run.verdict =
          new Verification(regions, partitions, clock, timeout, text -> run.progress = text).run();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      run.verdict = Verdict.couldNotTell("the verification was cancelled");
    } catch (RuntimeException e) {
      log.error("verification {} failed", run.id, e);
      run.verdict = Verdict.couldNotTell("the verification failed: " + e);
    } finally {
      regions.forEach(VerifiedRegion::close);
    }
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}
