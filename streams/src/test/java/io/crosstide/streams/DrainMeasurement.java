package io.crosstide.streams;

import io.crosstide.apply.ApplyConfig;
import io.crosstide.apply.ApplyMetrics;
import io.crosstide.apply.RedisEndpoint;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.sandbox.kafka.EmbeddedBroker;
import io.crosstide.sandbox.redis.RedisProcess;
import io.crosstide.schemas.registry.InMemorySchemaRegistry;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Measures the streams hop alone: how fast one region drains a backlog of another region's SETs of
 * 200 bytes, and which threads the time goes to. Broker and role are in this JVM, Redis beside it.
 *
 * <p>Run: {@code java -cp <test class path> io.crosstide.streams.DrainMeasurement [events] [keys]
 * [rounds] [partitions]}. The first rounds warm up; take the last.
 */
final class DrainMeasurement {
  private static final int VALUE_BYTES = 200;

  private final int events;
  private final int keys;
  private final int partitions;
  private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
  private final InMemorySchemaRegistry registry = new InMemorySchemaRegistry();
  private final Map<String, Integer> regions = Map.of("a", 1, "b", 2);
  private final Random random = new Random(1);
  private SimpleMeterRegistry meters = new SimpleMeterRegistry();

  private DrainMeasurement(int events, int keys, int partitions) {
    this.events = events;
    this.keys = keys;
    this.partitions = partitions;
  }

  public static void main(String[] args) throws Exception {
    int events = args.length > 0 ? Integer.parseInt(args[0]) : 200_000;
    int keys = args.length > 1 ? Integer.parseInt(args[1]) : 200_000;
    int rounds = args.length > 2 ? Integer.parseInt(args[2]) : 4;
    int partitions = args.length > 3 ? Integer.parseInt(args[3]) : 4;
    new DrainMeasurement(events, keys, partitions).run(rounds);
  }

  private void run(int rounds) throws Exception {
    Path directory = Files.createTempDirectory("drain");
    try (EmbeddedBroker broker = EmbeddedBroker.startOnFreePorts(1, directory.resolve("kafka"));
        RedisProcess redis = RedisProcess.startOnFreePort(directory.resolve("redis"));
        LogWriter local = new LogWriter("a", 1, broker.bootstrapLan(), partitions, registry);
        LogWriter remote = new LogWriter("b", 2, broker.bootstrapLan(), partitions, registry)) {
      RedisClient client = RedisClient.create(redis.uri());
      RedisCommands<String, String> commands = client.connect().sync();
      StreamsRole role = role(broker, redis, directory);
      role.start();
      until(() -> role.state() == StreamsState.RUNNING);
      role.close();
      MarkerWatcher capture = new MarkerWatcher(redis.uri(), local, partitions).lostAtFirst();
      capture.start();
      for (int round = 1; round <= rounds; round++) {
        round(round, broker, redis, directory, remote, commands);
      }
      capture.close();
      client.shutdown();
    }
  }

  private StreamsRole role(EmbeddedBroker broker, RedisProcess redis, Path directory) {
    return new StreamsRole(
        StreamsRoleConfig.of(
            "a",
            regions,
            broker.bootstrapLan(),
            ApplyConfig.of("a", RedisEndpoint.of("127.0.0.1", redis.port())),
            partitions,
            directory.resolve("state")),
        registry,
        meters,
        Clock.systemUTC());
  }

  private void round(
      int round,
      EmbeddedBroker broker,
      RedisProcess redis,
      Path directory,
      LogWriter remote,
      RedisCommands<String, String> commands)
      throws Exception {
    byte[] value = new byte[VALUE_BYTES];
    for (int i = 0; i < events; i++) {
      random.nextBytes(value);
      remote.write(
          "key-" + random.nextInt(keys), new Change.StringSet(Bytes.wrap(value.clone()), 0, false));
    }
    remote.flush();
    meters = new SimpleMeterRegistry();
    StreamsRole role = role(broker, redis, directory);
    role.start();
    until(() -> role.stats().counts().events() > 100);
    Map<String, Long> cpuBefore = cpu();
    double redisBefore = redisCpu(commands);
    long begin = System.nanoTime();
    Sampler sampler = new Sampler();
    sampler.start();
    until(() -> role.stats().counts().events() >= events);
    double mergedSeconds = (System.nanoTime() - begin) / 1e9;
    until(() -> role.stats().backlog() == 0 && role.stats().held() == 0);
    double seconds = (System.nanoTime() - begin) / 1e9;
    sampler.finish();
    double redisAfter = redisCpu(commands);
    Map<String, Long> cpu = cpu();
    cpuBefore.forEach((name, nanos) -> cpu.merge(name, -nanos, Long::sum));
    System.out.printf(
        "%nround %d: %d events in %.2f s = %.0f/s (merged after %.2f s); per event in us:"
            + " redis %.1f",
        round,
        events,
        seconds,
        events / seconds,
        mergedSeconds,
        (redisAfter - redisBefore) * 1e6 / events);
    cpu.entrySet().stream()
        .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
        .limit(9)
        .forEach(
            entry ->
                System.out.printf(", %s %.1f", entry.getKey(), entry.getValue() / 1e3 / events));
    System.out.println();
    StreamsStats stats = role.stats();
    System.out.println(stats.counts());
    System.out.printf(
        "effects per batch %.1f%n",
        stats.counts().effects()
            / meters.get(ApplyMetrics.BATCHES).tag("outcome", "applied").counter().count());
    sampler.print();
    until(() -> role.stats().isSettled(partitions));
    role.close();
  }

  private interface Condition {
    boolean holds();
  }

  private static void until(Condition condition) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(180);
    while (!condition.holds()) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException("waited for 180 s in vain");
      }
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }

  private static double redisCpu(RedisCommands<String, String> commands) {
    Matcher matcher =
        Pattern.compile("used_cpu_(user|sys):([0-9.]+)").matcher(commands.info("cpu"));
    double seconds = 0;
    while (matcher.find()) {
      seconds += Double.parseDouble(matcher.group(2));
    }
    return seconds;
  }

  /** CPU nanoseconds by thread name, numbers and ids left out. */
  private Map<String, Long> cpu() {
    Map<String, Long> byName = new HashMap<>();
    for (long id : threads.getAllThreadIds()) {
      ThreadInfo info = threads.getThreadInfo(id);
      long nanos = threads.getThreadCpuTime(id);
      if (info != null && nanos > 0) {
        String name =
            info.getThreadName()
                .replaceAll("[0-9a-f]{8}-[0-9a-f-]{27}", "")
                .replaceAll("[0-9]+", "");
        byName.merge(name, nanos, Long::sum);
      }
    }
    return byName;
  }

  /** Looks where the stream thread is, a few hundred times a second. */
  private static final class Sampler extends Thread {
    private final Map<String, Integer> places = new TreeMap<>();
    private volatile boolean done;
    private int samples;

    @Override
    public void run() {
      while (!done) {
        for (Map.Entry<Thread, StackTraceElement[]> thread :
            Thread.getAllStackTraces().entrySet()) {
          if (thread.getKey().getName().endsWith("StreamThread-1")) {
            samples++;
            note(thread.getValue());
          }
        }
        try {
          TimeUnit.MILLISECONDS.sleep(4);
        } catch (InterruptedException e) {
          return;
        }
      }
    }

    private void note(StackTraceElement[] stack) {
      if (stack.length == 0) {
        return;
      }
      Arrays.stream(stack)
          .map(frame -> frame.getClassName().replaceAll(".*\\.", "") + "." + frame.getMethodName())
          .distinct()
          .forEach(place -> places.merge(place, 1, Integer::sum));
      places.merge(
          "SELF " + stack[0].getClassName() + "." + stack[0].getMethodName(), 1, Integer::sum);
    }

    void finish() throws InterruptedException {
      done = true;
      join();
    }

    void print() {
      places.entrySet().stream()
          .sorted(Map.Entry.<String, Integer>comparingByValue().reversed())
          .filter(entry -> entry.getValue() * 50 > samples)
          .forEach(
              entry ->
                  System.out.printf(
                      "  %4.1f%% %s%n", 100.0 * entry.getValue() / samples, entry.getKey()));
    }
  }
}
