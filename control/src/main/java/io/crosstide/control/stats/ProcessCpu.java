package io.crosstide.control.stats;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * CPU time of this process, divided among Crosstide's stages by the names of its threads. What no
 * thread accounts for is the JVM's own: compiling and collecting garbage.
 */
public final class ProcessCpu {

  /**
   * One stage and the threads that belong to it.
   *
   * @param threads tells from a thread's name
   */
  public record Stage(String name, Predicate<String> threads) {}

  private static final String OTHER = "other";
  private static final String JVM = "jvm";

  private final List<Stage> stages;
  private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();

  /** Highest CPU time seen of each thread, so that threads that ended still count. */
  private final Map<Long, Long> nanosByThread = new HashMap<>();

  private final Map<Long, String> stageByThread = new HashMap<>();
  private final Map<String, Long> nanosOfEnded = new HashMap<>();

  /**
   * @param stages the first that claims a thread gets it
   */
  public ProcessCpu(List<Stage> stages) {
    this.stages = List.copyOf(stages);
  }

  /** CPU time of the whole process since it started. Microseconds. */
  public long totalMicros() {
    if (ManagementFactory.getOperatingSystemMXBean()
        instanceof com.sun.management.OperatingSystemMXBean system) {
      return system.getProcessCpuTime() / 1_000;
    }
    return 0;
  }

  /**
   * CPU time by stage since the process started, in microseconds. A thread that starts and ends
   * between two calls is counted under {@code jvm}.
   */
  public synchronized Map<String, Long> microsByStage() {
    long[] ids = threads.getAllThreadIds();
    Map<Long, Long> alive = new HashMap<>();
    for (long id : ids) {
      long nanos = threads.getThreadCpuTime(id);
      if (nanos >= 0) {
        alive.put(id, nanos);
        stageByThread.computeIfAbsent(id, this::stageOf);
      }
    }
    nanosByThread.forEach(
        (id, nanos) -> {
          if (!alive.containsKey(id)) {
            nanosOfEnded.merge(stageByThread.getOrDefault(id, OTHER), nanos, Long::sum);
          }
        });
    stageByThread.keySet().retainAll(alive.keySet());
    nanosByThread.clear();
    nanosByThread.putAll(alive);

    Map<String, Long> micros = new TreeMap<>();
    nanosOfEnded.forEach((stage, nanos) -> micros.merge(stage, nanos / 1_000, Long::sum));
    alive.forEach(
        (id, nanos) ->
            micros.merge(stageByThread.getOrDefault(id, OTHER), nanos / 1_000, Long::sum));
    long counted = micros.values().stream().mapToLong(Long::longValue).sum();
    micros.put(JVM, Math.max(0, totalMicros() - counted));
    return micros;
  }

  private String stageOf(long id) {
    java.lang.management.ThreadInfo info = threads.getThreadInfo(id);
    if (info == null) {
      return OTHER;
    }
    return stages.stream()
        .filter(stage -> stage.threads().test(info.getThreadName()))
        .map(Stage::name)
        .findFirst()
        .orElse(OTHER);
  }
}
