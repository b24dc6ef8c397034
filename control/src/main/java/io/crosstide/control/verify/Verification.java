package io.crosstide.control.verify;

import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.RedisKey;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One verification: waits until everything published is applied everywhere ({@link Settlement}),
 * compares all regions completely ({@link KeyComparison}), and looks again at what differs.
 *
 * <p>A difference counts only if nothing was written while it was looked at: the logs ended at the
 * same place before and after, and everything up to there had been applied. Otherwise it is looked
 * at again, until it is gone, counts, or time is up. So writes during a verification never make
 * regions look different; at worst the result is that nothing could be told.
 */
public final class Verification {
  /** Differences that are listed; more are only counted. */
  public static final int DIFFERENCES_MAX = 100;

  /** More keys than this are not looked at again one by one: most regions differ anyway. */
  private static final int SUSPECTS_MAX = 10_000;

  private static final Duration PAUSE = Duration.ofMillis(100);

  private final List<VerifiedRegion> regions;
  private final int partitions;
  private final Clock clock;
  private final Duration timeout;
  private final Consumer<String> progress;
  private final Settlement settlement;

  /**
   * @param progress receives sentences for people
   */
  public Verification(
      List<VerifiedRegion> regions,
      int partitions,
      Clock clock,
      Duration timeout,
      Consumer<String> progress) {
    this.regions = List.copyOf(regions);
    this.partitions = partitions;
    this.clock = clock;
    this.timeout = timeout;
    this.progress = progress;
    this.settlement = new Settlement(this.regions, partitions);
  }

  /**
   * Runs until there is a result, at most about the timeout.
   *
   * @throws InterruptedException if the thread is interrupted, which ends the verification
   */
  public Verdict run() throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    String trouble = settle(deadline);
    if (trouble != null) {
      return Verdict.couldNotTell("not everything was applied within the time given: " + trouble);
    }
    try {
      return compare(deadline);
    } catch (IOException e) {
      return Verdict.couldNotTell("the comparison could not be finished: " + e.getMessage());
    }
  }

  private Verdict compare(long deadline) throws IOException, InterruptedException {
    progress.accept("comparing all keys");
    KeyComparison comparison = new KeyComparison(regions, partitions);
    Set<RedisKey> suspects = new LinkedHashSet<>();
    long[] total = new long[1];
    comparison.all(
        progress,
        key -> {
          total[0]++;
          if (suspects.size() < SUSPECTS_MAX) {
            suspects.add(key);
          }
        });
    List<Difference> proven = new ArrayList<>();
    List<RedisKey> open = new ArrayList<>(suspects);
    String trouble = null;
    while (!open.isEmpty() && System.nanoTime() - deadline < 0) {
      progress.accept("looking again at " + open.size() + " keys that differed");
      settlement.restart();
      trouble = settle(deadline);
      if (trouble != null) {
        break;
      }
      Map<String, List<VersionVector>> before = settlement.goal();
      List<Difference> still = comparison.again(open);
      boolean quiet = isQuietSince(before);
      open.clear();
      for (Difference difference : still) {
        if (quiet && !KeyComparison.mayBeExpiring(difference, clock.millis())) {
          proven.add(difference);
        } else {
          open.add(difference.key());
        }
      }
      if (!open.isEmpty()) {
        pause();
      }
    }
    return verdict(comparison.keys(), proven, open.size(), total[0], trouble);
  }

  private static Verdict verdict(
      long keys, List<Difference> proven, int open, long suspects, @Nullable String trouble) {
    if (!proven.isEmpty()) {
      long total = suspects > SUSPECTS_MAX ? suspects : proven.size();
      return new Verdict(
          Verdict.Result.DIFFERENT,
          total + " of " + keys + " keys differ",
          keys,
          proven.subList(0, Math.min(DIFFERENCES_MAX, proven.size())),
          total);
    }
    if (open > 0) {
      return new Verdict(
          Verdict.Result.COULD_NOT_TELL,
          trouble != null
              ? open + " keys differed, then " + trouble
              : open
                  + " keys differed whenever they were looked at, but they were being written:"
                  + " pause the writers or give more time",
          keys,
          List.of(),
          0);
    }
    return new Verdict(
        Verdict.Result.EQUAL, keys + " keys are the same everywhere", keys, List.of(), 0);
  }

  /** Whether no log has grown since {@code before} and capture has nothing left to publish. */
  private boolean isQuietSince(Map<String, List<VersionVector>> before)
      throws IOException, InterruptedException {
    settlement.restart();
    for (int attempt = 0; attempt < 50; attempt++) {
      if (settlement.awaited() == null) {
        return settlement.goal().equals(before);
      }
      pause();
    }
    return false;
  }

  /** Null once everything is applied; else what was still awaited when time was up. */
  private @Nullable String settle(long deadline) throws InterruptedException {
    String last = "";
    while (true) {
      String awaited;
      try {
        awaited = settlement.awaited();
      } catch (IOException e) {
        awaited = e.getMessage();
      }
      if (awaited == null) {
        return null;
      }
      if (!awaited.equals(last)) {
        progress.accept("waiting: " + awaited);
        last = awaited;
      }
      if (System.nanoTime() - deadline > 0) {
        return awaited;
      }
      pause();
    }
  }

  private static void pause() throws InterruptedException {
    TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
  }
}
