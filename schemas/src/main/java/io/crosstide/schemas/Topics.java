package io.crosstide.schemas;

import java.time.Duration;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Names and settings of every topic, group and application Crosstide uses in Kafka. Names are equal
 * in all regions: a region's own log and its copies elsewhere are called the same.
 *
 * <pre>
 * changes.&lt;region&gt;       the region's log: one record per change, in every region's Kafka
 * conflicts.&lt;region&gt;     conflicts found while merging in this region
 * dead-letters.&lt;region&gt;  records this region could not read, with the reason in their headers
 * sent-effects.&lt;region&gt;  effects sent to this region's Redis and not yet seen in its log (P7)
 * _schemas               the schema registry's own
 * </pre>
 */
public final class Topics {
  public static final String CHANGES_PREFIX = "changes.";
  public static final String CONFLICTS_PREFIX = "conflicts.";
  public static final String DEAD_LETTERS_PREFIX = "dead-letters.";
  public static final String SENT_EFFECTS_PREFIX = "sent-effects.";
  public static final String SCHEMAS = "_schemas";

  /** Matches the logs of all regions: what streams subscribes to. */
  public static final Pattern ALL_CHANGES = Pattern.compile("changes\\.[a-z0-9][a-z0-9-]{0,62}");

  /** How long logs are kept unless configured: the longest outage healed without a snapshot. */
  public static final Duration RETENTION_DEFAULT = Duration.ofDays(7);

  /** How long conflicts and dead letters are kept unless configured. */
  public static final Duration REVIEW_RETENTION_DEFAULT = Duration.ofDays(30);

  /** Deleted records free their disk a segment at a time. */
  private static final int SENT_EFFECTS_SEGMENT_BYTES = 128 << 20;

  private static final Pattern REGION = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");
  private static final String UNLIMITED = "-1";

  private Topics() {}

  /** The region's log. */
  public static String changes(String region) {
    return CHANGES_PREFIX + checked(region);
  }

  public static String conflicts(String region) {
    return CONFLICTS_PREFIX + checked(region);
  }

  public static String deadLetters(String region) {
    return DEAD_LETTERS_PREFIX + checked(region);
  }

  public static String sentEffects(String region) {
    return SENT_EFFECTS_PREFIX + checked(region);
  }

  /** The region whose log {@code changesTopic} is. */
  public static String regionOfChanges(String changesTopic) {
    if (!ALL_CHANGES.matcher(changesTopic).matches()) {
      throw new IllegalArgumentException(
          "'" + changesTopic + "' is not the name of a log: expected changes.<region>");
    }
    return changesTopic.substring(CHANGES_PREFIX.length());
  }

  /**
   * The Kafka Streams application of a region; also its consumer group and the prefix of its
   * changelogs.
   */
  public static String streamsApplicationId(String region) {
    return "crosstide." + checked(region);
  }

  /** The consumer group in which a bridge commits how far {@code target} has acknowledged. */
  public static String bridgeGroup(String source, String target) {
    return "bridge." + checked(source) + "." + checked(target);
  }

  /** The registry's subject for the values of a topic. */
  public static String valueSubject(String topic) {
    return topic + "-value";
  }

  /**
   * A region's log. Time-bound, never compacted: every change counts, increments above all. A
   * receiver that was away for longer than {@code retention} is re-seeded from a snapshot.
   */
  public static TopicSpec changesSpec(String region, int partitions, Duration retention) {
    return new TopicSpec(
        changes(region),
        partitions,
        Map.of(
            "cleanup.policy",
            "delete",
            "retention.ms",
            Long.toString(retention.toMillis()),
            "retention.bytes",
            UNLIMITED,
            "max.message.bytes",
            Integer.toString(Limits.RECORD_BYTES_MAX),
            "message.timestamp.type",
            "CreateTime",
            "compression.type",
            "producer"));
  }

  /** One record per conflict, keyed by Redis key; partitioned like the logs. */
  public static TopicSpec conflictsSpec(String region, int partitions) {
    return new TopicSpec(conflicts(region), partitions, review());
  }

  /** One partition: rare, and read as one list. */
  public static TopicSpec deadLettersSpec(String region) {
    return new TopicSpec(deadLetters(region), 1, review());
  }

  /**
   * What the owners of a region's partitions have sent to its Redis. Nothing goes by time: owners
   * delete what capture has passed.
   */
  public static TopicSpec sentEffectsSpec(String region, int partitions) {
    return new TopicSpec(
        sentEffects(region),
        partitions,
        Map.of(
            "cleanup.policy",
            "delete",
            "retention.ms",
            UNLIMITED,
            "retention.bytes",
            UNLIMITED,
            "segment.bytes",
            Integer.toString(SENT_EFFECTS_SEGMENT_BYTES),
            "max.message.bytes",
            Integer.toString(Limits.RECORD_BYTES_MAX)));
  }

  /** One partition: its order is the order of schema ids. */
  public static TopicSpec schemasSpec() {
    return new TopicSpec(SCHEMAS, 1, Map.of("cleanup.policy", "compact"));
  }

  private static Map<String, String> review() {
    return Map.of(
        "cleanup.policy",
        "delete",
        "retention.ms",
        Long.toString(REVIEW_RETENTION_DEFAULT.toMillis()),
        "max.message.bytes",
        Integer.toString(Limits.RECORD_BYTES_MAX),
        "compression.type",
        "producer");
  }

  private static String checked(String region) {
    if (!REGION.matcher(region).matches()) {
      throw new IllegalArgumentException(
          "'"
              + region
              + "' cannot name a region: use 1 to 63 lower-case letters, digits and hyphens,"
              + " not beginning with a hyphen");
    }
    return region;
  }
}
