package io.crosstide.cli.bench;

import io.crosstide.cli.bench.Target.TargetRegion;
import io.crosstide.sandbox.Ports;
import io.crosstide.sandbox.redis.RedisBinary;
import io.crosstide.sandbox.redis.RedisConfig;
import io.crosstide.sandbox.redis.RedisProcess;
import io.lettuce.core.api.StatefulRedisConnection;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;

/** A real Redis with its data on disk, and the bench's connections to it. */
final class BenchRedis implements AutoCloseable {
  private static final Duration READY = Duration.ofSeconds(20);

  private final RedisProcess process;
  private final Clients clients = new Clients(Logins.NONE);

  BenchRedis(Path directory) {
    RedisBinary binary = RedisBinary.find(null, directory.resolve("bin"));
    process = new RedisProcess(new RedisConfig(binary, directory, Ports.free(), true));
    startAgain();
  }

  StatefulRedisConnection<byte[], byte[]> connect() {
    return clients.connect(new TargetRegion("redis", URI.create(process.uri())));
  }

  void kill9() {
    process.kill9();
  }

  void startAgain() {
    process.start();
    process.awaitReady(READY);
  }

  @Override
  public void close() {
    clients.close();
    process.close();
  }
}
