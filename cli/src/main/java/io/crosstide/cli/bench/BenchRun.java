package io.crosstide.cli.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.cli.CliException;
import io.crosstide.cli.bench.Target.TargetRegion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.HdrHistogram.Histogram;

/**
 * One measurement: warms up, measures for a while under load, then lets everything drain.
 *
 * <p>Counted per change, a change being one write confirmed by its region's Redis: CPU of all
 * Crosstide processes and all Redis servers (not of this load generator), and bytes on all links
 * divided by the number of regions that receive it.
 */
final class BenchRun {
  private static final Duration DRAIN_MAX = Duration.ofMinutes(5);

  /** Nothing applied for so long: drained. */
  private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final Target target;
  private final List<TargetRegion> sources;
  private final Logins logins;
  private final Load load;
  private final Consumer<String> progress;
  private final ObjectMapper json;

  BenchRun(
      Target target,
      List<TargetRegion> sources,
      Logins logins,
      Load load,
      ObjectMapper json,
      Consumer<String> progress) {
    this.target = target;
    this.sources = sources;
    this.logins = logins;
    this.load = load;
    this.json = json;
    this.progress = progress;
  }

  /** Everything that runs during a measurement. */
  private static final class Running implements AutoCloseable {
    final Clients clients;
    final RedisMeters redis = new RedisMeters();
    final List<Writer> writers = new ArrayList<>();
    final List<TokenClock> clocks = new ArrayList<>();
    final Map<String, WaitClock> waits = new LinkedHashMap<>();
    final Map<String, List<TokenWatch>> watches = new LinkedHashMap<>();

    Running(Logins logins) {
      clients = new Clients(logins);
    }

    long answered() {
      return writers.stream().mapToLong(Writer::answered).sum();
    }

    List<TokenWatch> allWatches() {
      return watches.values().stream().flatMap(List::stream).toList();
    }

    @Override
    public void close() {
      writers.forEach(Writer::close);
      clocks.forEach(TokenClock::close);
      waits.values().forEach(WaitClock::close);
      allWatches().forEach(TokenWatch::close);
      redis.close();
      clients.close();
    }
  }

  ObjectNode run() throws InterruptedException {
    try (Running running = new Running(logins)) {
      connect(running);
      readOnceAtRest(running);
      running.writers.forEach(Writer::start);
      running.clocks.forEach(TokenClock::start);
      running.waits.values().forEach(WaitClock::start);
      running.allWatches().forEach(TokenWatch::start);
      wait("warming up", load.warmup(), running);
      Readings before = Readings.take(target, running.redis);
      long answeredBefore = running.answered();
      running.allWatches().forEach(TokenWatch::beginRecording);
      running.waits.values().forEach(WaitClock::beginRecording);
      wait("measuring", load.duration(), running);
      long answered = running.answered() - answeredBefore;
      Readings after = Readings.take(target, running.redis);
      running.allWatches().forEach(TokenWatch::endRecording);
      running.waits.values().forEach(WaitClock::endRecording);
      checkErrors(running);
      ObjectNode drained = drain(running, before);
      ObjectNode out = json.createObjectNode();
      summarize(out, running, before, after, answered);
      out.setAll(drained);
      return out;
    }
  }

  /**
   * The first reading loads classes here and there for some 100 ms: under load, just when the
   * measurement begins, it would show in the lags.
   */
  private void readOnceAtRest(Running running) {
    Readings unused = Readings.take(target, running.redis);
  }

  private void connect(Running running) {
    for (TargetRegion region : target.regions()) {
      running.redis.add(region.name(), running.clients.connect(region));
      running.watches.put(region.name(), new ArrayList<>());
    }
    double rate = (double) load.ratePerSecond() / sources.size();
    for (TargetRegion source : sources) {
      running.writers.add(
          new Writer(
              source.name(),
              running.clients.connect(source),
              new CommandSource(load, source.name(), source.name().hashCode()),
              rate));
      TokenClock clock = new TokenClock(source.name(), running.clients.connect(source));
      running.clocks.add(clock);
      running.waits.put(
          source.name(), new WaitClock(source.name(), running.clients.connect(source)));
      for (TargetRegion other : target.regions()) {
        if (!other.equals(source)) {
          running
              .watches
              .getOrDefault(other.name(), new ArrayList<>())
              .add(
                  new TokenWatch(
                      source.name() + "-" + other.name(),
                      clock,
                      running.clients.connect(other),
                      TimeUnit.MILLISECONDS.toNanos(
                          target.delayMillis(source.name(), other.name()))));
        }
      }
    }
  }

  private void wait(String what, Duration duration, Running running) throws InterruptedException {
    long end = System.nanoTime() + duration.toNanos();
    long last = running.answered();
    long left = end - System.nanoTime();
    while (left > 0) {
      TimeUnit.NANOSECONDS.sleep(Math.min(left, 5_000_000_000L));
      long now = running.answered();
      left = end - System.nanoTime();
      progress.accept(
          what
              + ": "
              + now
              + " writes so far (+"
              + (now - last)
              + "), "
              + Math.max(0, left / 1_000_000_000)
              + " s to go");
      last = now;
    }
  }

  private static void checkErrors(Running running) {
    for (Writer writer : running.writers) {
      if (writer.errors() > 0) {
        throw new CliException(
            "Redis refused " + writer.errors() + " writes, last: " + writer.lastError());
      }
    }
  }

  private void summarize(
      ObjectNode out, Running running, Readings before, Readings after, long answered) {
    double seconds = after.secondsSince(before);
    Map<String, Long> applied = Readings.grown(after.applied(), before.applied());
    Map<String, Long> redisCpu = Readings.grown(after.redisCpuMicros(), before.redisCpuMicros());
    out.put("writes_per_s", rounded(answered / seconds));
    ObjectNode regions = out.putObject("regions");
    Histogram none = new Histogram(2);
    for (TargetRegion region : target.regions()) {
      ObjectNode one = regions.putObject(region.name());
      one.put("applied_per_s", rounded(applied.getOrDefault(region.name(), 0L) / seconds));
      Histogram lag =
          running.watches.getOrDefault(region.name(), List.of()).stream()
              .map(TokenWatch::lagMicros)
              .reduce(none.copy(), BenchRun::sum);
      one.set("lag_ms", LagJson.of(lag, json));
      WaitClock waits = running.waits.get(region.name());
      if (waits != null) {
        one.set("wait_ms", waits.json(json));
      }
      one.put(
          "redis_cpu_cores",
          rounded(redisCpu.getOrDefault(region.name(), 0L) / seconds / 10_000) / 100);
    }
    costs(out, before, after, answered, redisCpu, applied);
  }

  private void costs(
      ObjectNode out,
      Readings before,
      Readings after,
      long answered,
      Map<String, Long> redisCpu,
      Map<String, Long> applied) {
    List<String> writing = sources.stream().map(TargetRegion::name).toList();
    long writingCpu = sum(redisCpu, writing, true);
    long otherCpu = sum(redisCpu, writing, false);
    long appliedElsewhere = sum(applied, writing, false);
    long process = after.processCpuMicros() - before.processCpuMicros();
    int receivers = target.regions().size() - 1;
    out.put("redis_cpu_us_per_write", perOne(writingCpu, answered));
    out.put("redis_cpu_us_per_applied_change", perOne(otherCpu, appliedElsewhere));
    out.put("cpu_us_per_change", perOne(process + writingCpu + otherCpu, answered));
    ObjectNode stages = out.putObject("cpu_us_per_change_by_stage");
    Readings.grown(after.stageCpuMicros(), before.stageCpuMicros())
        .forEach((stage, micros) -> stages.put(stage, perOne(micros, answered)));
    stages.put("redis", perOne(writingCpu + otherCpu, answered));
    out.put(
        "wan_bytes_per_change",
        perOne(after.wanBytes() - before.wanBytes(), answered * Math.max(1, receivers)));
    out.put("seconds", rounded(after.secondsSince(before)));
    out.put("writes", answered);
  }

  /**
   * Stops writing and waits until nothing is left to apply and every token has been seen; tells how
   * long that took.
   */
  private ObjectNode drain(Running running, Readings before) throws InterruptedException {
    running.writers.forEach(Writer::close);
    running.clocks.forEach(TokenClock::close);
    running.waits.values().forEach(WaitClock::close);
    progress.accept("draining");
    long begin = System.nanoTime();
    long deadline = begin + DRAIN_MAX.toNanos();
    Map<String, Long> last = Map.of();
    long lastChange = begin;
    boolean drained = false;
    while (!drained && System.nanoTime() - deadline < 0) {
      Map<String, Long> now = Readings.take(target, running.redis).applied();
      if (!now.equals(last)) {
        last = now;
        lastChange = System.nanoTime();
      }
      drained =
          running.allWatches().stream().allMatch(TokenWatch::isComplete)
              && System.nanoTime() - lastChange > QUIET_NANOS;
      TimeUnit.MILLISECONDS.sleep(100);
    }
    ObjectNode out = json.createObjectNode();
    if (drained) {
      out.put("drained_after_s", rounded((lastChange - begin) / 1e9));
    } else {
      out.putNull("drained_after_s");
    }
    double seconds = (lastChange - before.nanos()) / 1e9;
    ObjectNode sustained = out.putObject("sustained_applied_per_s");
    Readings.grown(last, before.applied())
        .forEach((region, changes) -> sustained.put(region, rounded(changes / seconds)));
    return out;
  }

  private static long sum(Map<String, Long> values, List<String> names, boolean within) {
    return values.entrySet().stream()
        .filter(value -> names.contains(value.getKey()) == within)
        .mapToLong(Map.Entry::getValue)
        .sum();
  }

  static Histogram sum(Histogram a, Histogram b) {
    a.setAutoResize(true);
    a.add(b);
    return a;
  }

  static double perOne(long total, long count) {
    return count == 0 ? 0 : rounded((double) total / count);
  }

  static double rounded(double value) {
    return Math.round(value * 100) / 100.0;
  }
}
