package io.crosstide.cli.bench;

import io.crosstide.cli.CliException;
import io.crosstide.control.redis.RedisInfo;
import io.lettuce.core.RedisException;
import io.lettuce.core.api.StatefulRedisConnection;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads the CPU time of several Redis servers from their {@code INFO}. */
final class RedisMeters implements AutoCloseable {
  private final Map<String, StatefulRedisConnection<byte[], byte[]>> connections =
      new LinkedHashMap<>();

  void add(String name, StatefulRedisConnection<byte[], byte[]> connection) {
    connections.put(name, connection);
  }

  Map<String, Long> cpuMicros() {
    Map<String, Long> cpu = new LinkedHashMap<>();
    connections.forEach(
        (name, connection) -> {
          try {
            cpu.put(name, RedisInfo.parse(connection.sync().info("cpu")).cpuMicros());
          } catch (RedisException e) {
            throw new CliException("Redis of " + name + " does not answer: " + e.getMessage(), e);
          }
        });
    return cpu;
  }

  @Override
  public void close() {
    connections.values().forEach(StatefulRedisConnection::close);
  }
}
