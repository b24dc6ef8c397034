package io.crosstide.control.redis;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What {@code INFO} says, by field. */
public final class RedisInfo {
  private final Map<String, String> fields;

  private RedisInfo(Map<String, String> fields) {
    this.fields = fields;
  }

  /**
   * Asks for one section, {@code default} for the usual ones.
   *
   * @throws RedisUnavailableException if Redis cannot be asked
   */
  public static RedisInfo of(RegionRedis redis, String section) throws RedisUnavailableException {
    return parse(redis.await(redis.commands(0).info(section)));
  }

  /** Parses the text of an {@code INFO} reply. */
  public static RedisInfo parse(String text) {
    Map<String, String> fields = new LinkedHashMap<>();
    text.lines()
        .filter(line -> !line.startsWith("#"))
        .forEach(
            line -> {
              int colon = line.indexOf(':');
              if (colon > 0) {
                fields.put(line.substring(0, colon), line.substring(colon + 1));
              }
            });
    return new RedisInfo(fields);
  }

  public Optional<String> text(String field) {
    return Optional.ofNullable(fields.get(field));
  }

  /** A number; 0 if the field is absent. */
  public long number(String field) {
    String text = fields.get(field);
    return text == null ? 0 : Long.parseLong(text);
  }

  /** A number with a fraction; 0 if the field is absent. */
  public double decimal(String field) {
    String text = fields.get(field);
    return text == null ? 0 : Double.parseDouble(text);
  }

  /** Main thread and children, user and system, since Redis started. Microseconds. */
  public long cpuMicros() {
    double seconds =
        decimal("used_cpu_sys")
            + decimal("used_cpu_user")
            + decimal("used_cpu_sys_children")
            + decimal("used_cpu_user_children");
    return Math.round(seconds * 1e6);
  }

  /** Databases that hold keys, from the section {@code keyspace}. */
  public List<Integer> databases() {
    List<Integer> databases = new ArrayList<>();
    for (String field : fields.keySet()) {
      if (field.matches("db[0-9]+")) {
        databases.add(Integer.parseInt(field.substring(2)));
      }
    }
    return databases;
  }

  /** How many keys {@code db} holds, from the section {@code keyspace}. */
  public long keys(int db) {
    String stats = fields.getOrDefault("db" + db, "keys=0");
    String keys = stats.split(",", 2)[0];
    return Long.parseLong(keys.substring(keys.indexOf('=') + 1));
  }

  /** Whether it is of Redis 7.0 or later (or Valkey, which counts on from 7.2). */
  public boolean isVersion7() {
    String version = fields.getOrDefault("redis_version", "0");
    return Integer.parseInt(version.split("\\.", 2)[0]) >= 7;
  }
}
