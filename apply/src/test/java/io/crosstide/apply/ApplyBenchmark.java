package io.crosstide.apply;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.EffectWire;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * Measures effects per second and Redis CPU per effect, by kind of effect, through the real wire
 * with two batches in flight: {@code main [version] [effects per batch] [seconds]}. Not a test.
 */
final class ApplyBenchmark implements EffectWire.Listener {
  private static final int PARTITION = 0;
  private static final int IN_FLIGHT = 2;
  private static final int KEYS = 20_000;
  private static final String VALUE_HEAD = "x".repeat(190);

  /**
   * What the effects of one measurement are: the effect on key {@code i} in round {@code round}.
   */
  private interface Kind {
    Effect effect(int i, long round);
  }

  private final Semaphore wakeUps = new Semaphore(0);
  private final LettuceEffectWire wire;
  private boolean connected;
  private @Nullable MarkerState marker;
  private int inFlight;
  private long misses;

  private ApplyBenchmark(RegionRedis region) {
    wire = region.openWire(wakeUps::release);
  }

  public static void main(String[] arguments) throws IOException, InterruptedException {
    TestRedis.Version version =
        arguments.length > 0
            ? TestRedis.Version.valueOf(arguments[0])
            : TestRedis.Version.INSTALLED;
    int batch = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 128;
    int seconds = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 3;
    Path directory = Files.createTempDirectory("apply-benchmark");
    try (TestRedis redis = TestRedis.start(version, directory);
        RegionRedis region =
            new RegionRedis(
                ApplyConfig.of("bench", redis.endpoint()),
                new ApplyMetrics(new SimpleMeterRegistry(), "bench"))) {
      ApplyBenchmark benchmark = new ApplyBenchmark(region);
      benchmark.awaitThat(() -> benchmark.connected);
      redis.leaveToken(PARTITION, "token");
      benchmark.wire.install(PARTITION, MarkerState.initial(1), "token");
      benchmark.awaitThat(() -> benchmark.marker != null);
      long next = 1;
      next =
          benchmark.measure(
              "warm-up", redis, next, batch, seconds, (i, round) -> setBySha1("w", i, round));
      next =
          benchmark.measure("noop", redis, next, batch, seconds, (i, round) -> new Effect.Noop());
      next =
          benchmark.measure(
              "SET sha1", redis, next, batch, seconds, (i, round) -> setBySha1("s", i, round));
      next =
          benchmark.measure("SET equality", redis, next, batch, seconds, ApplyBenchmark::setShort);
      next =
          benchmark.measure(
              "INCRBY",
              redis,
              next,
              batch,
              seconds,
              (i, round) -> new Effect.Add(Element.string(key("n", i)), 1, Fx.NONE));
      next = benchmark.measure("HSET sha1", redis, next, batch, seconds, ApplyBenchmark::hset);
      next = benchmark.measure("SADD/SREM", redis, next, batch, seconds, ApplyBenchmark::member);
      next = benchmark.measure("ZADD", redis, next, batch, seconds, ApplyBenchmark::zadd);
      next = benchmark.measure("mix", redis, next, batch, seconds, ApplyBenchmark::mix);
      next =
          benchmark.measure(
              "mix, 4 databases",
              redis,
              next,
              batch,
              seconds,
              (i, round) ->
                  new Effect.Add(
                      Element.string(new RedisKey(i % 4, Bytes.utf8("d" + i))), 1, Fx.NONE));
      next =
          benchmark.measure(
              "SET 200 bytes, unknown key", redis, next, batch, seconds, ApplyBenchmark::fresh);
      // One exception in the marker: every effect has to be looked up.
      redis.commands().set(TestRedis.bytes("exception"), TestRedis.bytes("local"));
      next =
          benchmark.measure(
              "(one miss)",
              redis,
              next,
              1,
              0,
              (i, round) ->
                  new Effect.Check(
                      Element.string(RedisKey.of(0, "exception")), Content.ABSENT, Fx.NONE));
      benchmark.measure(
          "INCRBY beside an exception",
          redis,
          next,
          batch,
          seconds,
          (i, round) -> new Effect.Add(Element.string(key("n", i)), 1, Fx.NONE));
    }
  }

  private static RedisKey key(String prefix, int i) {
    return RedisKey.of(0, prefix + i);
  }

  private static Content value(int i, long round) {
    return round < 0 ? Content.ABSENT : Content.utf8(VALUE_HEAD + i + ":" + round);
  }

  private static Effect setBySha1(String prefix, int i, long round) {
    return new Effect.Put(
        Element.string(key(prefix, i)), value(i, round - 1).compact(), value(i, round), Fx.NONE);
  }

  private static Effect fresh(int i, long round) {
    return new Effect.Put(
        Element.string(key("u" + round + ":", i)), Content.ABSENT, value(i, round), Fx.NONE);
  }

  private static Effect setShort(int i, long round) {
    return new Effect.Put(
        Element.string(key("e", i)),
        round == 0 ? Content.ABSENT : Content.utf8("value " + (round - 1)),
        Content.utf8("value " + round),
        Fx.NONE);
  }

  private static Effect hset(int i, long round) {
    return new Effect.Put(
        new Element(key("h", i / 10), ElementKind.HASH_FIELD, Bytes.utf8("f" + i % 10)),
        value(i, round - 1).compact(),
        value(i, round),
        Fx.NONE);
  }

  private static Effect member(int i, long round) {
    boolean there = round % 2 == 1;
    return new Effect.Put(
        new Element(key("m", i / 10), ElementKind.SET_MEMBER, Bytes.utf8("member" + i)),
        there ? Content.PRESENT : Content.ABSENT,
        there ? Content.ABSENT : Content.PRESENT,
        Fx.NONE);
  }

  private static Effect zadd(int i, long round) {
    return new Effect.Put(
        new Element(key("z", i / 10), ElementKind.ZSET_MEMBER, Bytes.utf8("member" + i)),
        round == 0 ? Content.ABSENT : Content.score(i + 0.5 * (round - 1)),
        Content.score(i + 0.5 * round),
        Fx.NONE);
  }

  private static Effect mix(int i, long round) {
    return switch (i % 5) {
      case 0 ->
          new Effect.Put(
              Element.string(key("xs", i)),
              value(i, round - 1).compact(),
              value(i, round),
              Fx.NONE);
      case 1 -> new Effect.Add(Element.string(key("xn", i)), 1, Fx.NONE);
      case 2 ->
          new Effect.Put(
              new Element(key("xh", i / 50), ElementKind.HASH_FIELD, Bytes.utf8("f" + i)),
              value(i, round - 1).compact(),
              value(i, round),
              Fx.NONE);
      case 3 ->
          new Effect.Put(
              new Element(key("xm", i / 50), ElementKind.SET_MEMBER, Bytes.utf8("m" + i)),
              round % 2 == 1 ? Content.PRESENT : Content.ABSENT,
              round % 2 == 1 ? Content.ABSENT : Content.PRESENT,
              Fx.NONE);
      default ->
          new Effect.Put(
              new Element(key("xz", i / 50), ElementKind.ZSET_MEMBER, Bytes.utf8("m" + i)),
              round == 0 ? Content.ABSENT : Content.score(i + 0.5 * (round - 1)),
              Content.score(i + 0.5 * round),
              Fx.NONE);
    };
  }

  /** Runs for {@code seconds}, or a single batch if 0; returns the next number. */
  private long measure(
      String name, TestRedis redis, long first, int batchSize, int seconds, Kind kind) {
    double cpuBefore = redis.cpuSeconds();
    long started = System.nanoTime();
    long ending = started + seconds * 1_000_000_000L;
    long next = first;
    long effects = 0;
    misses = 0;
    do {
      List<EffectBatch.Group> groups = new ArrayList<>(batchSize);
      for (int i = 0; i < batchSize; i++) {
        Effect effect = kind.effect((int) (effects % KEYS), effects / KEYS);
        groups.add(
            new EffectBatch.Group(
                VersionVector.of(Origin.of(2), next + i).with(Origin.of(3), next),
                List.of(effect)));
        effects++;
      }
      EffectBatch batch = new EffectBatch(PARTITION, 1, next, groups);
      next = batch.last() + 1;
      awaitThat(() -> inFlight < IN_FLIGHT);
      inFlight++;
      wire.send(batch);
    } while (System.nanoTime() < ending);
    awaitThat(() -> inFlight == 0);
    double elapsed = (System.nanoTime() - started) / 1e9;
    double cpu = redis.cpuSeconds() - cpuBefore;
    System.out.printf(
        Locale.ROOT,
        "%-28s %9.0f effects/s  %5.2f us Redis CPU per effect  %d misses%n",
        name,
        effects / elapsed,
        cpu * 1e6 / effects,
        misses);
    return next;
  }

  private interface Condition {
    boolean holds();
  }

  private void awaitThat(Condition condition) {
    wire.drain(this);
    while (!condition.holds()) {
      wakeUps.acquireUninterruptibly();
      wire.drain(this);
    }
  }

  @Override
  public void onConnected() {
    connected = true;
  }

  @Override
  public void onDisconnected() {
    throw new IllegalStateException("lost the connection");
  }

  @Override
  public void onReply(EffectBatch batch, BatchReply reply) {
    inFlight--;
    misses += reply.misses().size();
    if (reply.outcome() != BatchReply.Outcome.APPLIED) {
      throw new IllegalStateException("not applied: " + reply);
    }
  }

  @Override
  public void onRefused(EffectBatch batch, String error) {
    throw new IllegalStateException(error);
  }

  @Override
  public void onMarker(int partition, @Nullable MarkerState held) {
    marker = held;
  }

  @Override
  public void onMarkerRefused(int partition, String error) {
    throw new IllegalStateException(error);
  }
}
