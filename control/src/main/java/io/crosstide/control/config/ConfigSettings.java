package io.crosstide.control.config;

import io.crosstide.schemas.Limits;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Every setting {@code crosstide.yaml} knows. {@code docs/reference/config.md} is written from this
 * class and a test compares the two.
 */
final class ConfigSettings {
  /** A change of this size, with its context and headers, still fits Kafka's largest record. */
  private static final long EVENT_BYTES_LIMIT = Limits.EVENT_BYTES_MAX - (1L << 20);

  static final Setting<Integer> PARTITIONS =
      Setting.withDefault(
          "partitions",
          ValueType.number(1, CrosstideConfig.PARTITIONS_MAX),
          "8",
          "Into how many partitions each log is divided; the same in every region.",
          "The number bounds how many streams instances can share a region's work. It cannot be"
              + " changed once logs exist: keys would move to other partitions.");
  static final Setting<Path> DATA_DIR =
      Setting.withDefault(
          "data-dir",
          ValueType.PATH,
          "/var/lib/crosstide",
          "Where each role keeps its own directory, `<data-dir>/<region>/<role>`.",
          "A lost directory is rebuilt from the logs, which takes time; a temporary file system"
              + " makes that happen at every boot.");

  static final Setting<String> REGION_NAME =
      Setting.required(
          "name",
          ValueType.NAME,
          "The region's name, part of its topics' names.",
          "Renaming a region makes it a new one.");
  static final Setting<Integer> REGION_ID =
      Setting.required(
          "id",
          ValueType.number(1, 127),
          "The region's number; of two writes with equal stamps the smaller number wins.",
          "An id given to another region makes the others take its writes for old ones.");

  static final Setting<URI> REDIS_URI =
      Setting.required(
          "uri",
          ValueType.uri("redis", "rediss"),
          "The region's Redis, `redis://host:port`, or `rediss://` for TLS.",
          "");
  static final Setting<String> REDIS_USER =
      Setting.optional(
          "user",
          ValueType.TEXT,
          "ACL user; [security.md](security.md) has the rights it needs.",
          "");
  static final Setting<Secret> REDIS_PASSWORD =
      Setting.optional("password", ValueType.SECRET, "The user's password.", "");

  static final Setting<Path> TLS_CA =
      Setting.optional(
          "ca-file",
          ValueType.PATH,
          "Certificates in PEM form to trust instead of those that Java trusts.",
          "");
  static final Setting<Path> TLS_CERT =
      Setting.optional(
          "cert-file",
          ValueType.PATH,
          "The own certificate in PEM form, for servers that ask for one; with `key-file`.",
          "");
  static final Setting<Path> TLS_KEY =
      Setting.optional(
          "key-file",
          ValueType.PATH,
          "The certificate's private key: PEM, PKCS#8, not encrypted.",
          "Whoever can read the file can log in as Crosstide.");

  static final Setting<String> KAFKA_BOOTSTRAP =
      Setting.required(
          "bootstrap", ValueType.BOOTSTRAP, "Brokers of the region's own Kafka cluster.", "");

  static final Setting<URI> REGISTRY_URL =
      Setting.required(
          "url",
          ValueType.uri("http", "https"),
          "The region's schema registry (Confluent's REST API).",
          "Schema ids travel with events: all regions need one registry, or copies with equal ids."
              + " Otherwise streams stops before the first event it cannot read.");
  static final Setting<String> REGISTRY_USER =
      Setting.optional("user", ValueType.TEXT, "User for basic authentication.", "");
  static final Setting<Secret> REGISTRY_PASSWORD =
      Setting.optional("password", ValueType.SECRET, "The user's password.", "");

  static final Setting<String> HTTP_BIND =
      Setting.withDefault(
          "bind",
          ValueType.TEXT,
          "127.0.0.1",
          "Address the HTTP API listens on.",
          "The API has no passwords: whoever reaches it can read every key's state. Bind it to a"
              + " private address only.");
  static final Setting<String> HTTP_HOST =
      Setting.withDefault(
          "host",
          ValueType.TEXT,
          "127.0.0.1",
          "Under which name the other processes reach it.",
          "If they cannot, `stats`, `explain` and `verify` answer for fewer regions, and say so.");
  static final Setting<Integer> HTTP_PORT =
      Setting.withDefault(
          "port",
          ValueType.number(1, 65535),
          "8180",
          "Port of a process that runs several roles.",
          "");
  static final Setting<Integer> HTTP_CAPTURE_PORT =
      Setting.withDefault(
          "capture-port",
          ValueType.number(1, 65535),
          "8181",
          "Port of a process that runs only capture.",
          "");
  static final Setting<Integer> HTTP_BRIDGE_PORT =
      Setting.withDefault(
          "bridge-port",
          ValueType.number(1, 65535),
          "8182",
          "Port of a process that runs only bridges.",
          "");
  static final Setting<Integer> HTTP_STREAMS_PORT =
      Setting.withDefault(
          "streams-port",
          ValueType.number(1, 65535),
          "8183",
          "Port of a process that runs only streams.",
          "");

  static final Setting<String> LINK_FROM =
      Setting.required(
          "from", ValueType.NAME, "The region whose log is copied; its bridge runs there.", "");
  static final Setting<String> LINK_TO =
      Setting.required("to", ValueType.NAME, "The region whose Kafka receives it.", "");
  static final Setting<String> LINK_BOOTSTRAP =
      Setting.optional(
          "bootstrap",
          ValueType.BOOTSTRAP,
          "How `from` reaches the brokers of `to`, where that differs from their own address.",
          "");
  static final Setting<String> LINK_COMPRESSION =
      Setting.withDefault(
          "compression",
          ValueType.oneOf("none", "lz4", "zstd", "gzip"),
          "zstd",
          "How batches are compressed on the way.",
          "`none` costs about three times the bytes for JSON values; `gzip` the most CPU.");

  static final Setting<Long> EVENT_BYTES_MAX =
      Setting.withDefault(
          "event-bytes-max",
          ValueType.sizeUpTo(EVENT_BYTES_LIMIT),
          "63MiB",
          "The largest change that is replicated, about its value's size.",
          "Larger values stay in their region, counted and logged. Brokers must accept this size"
              + " (`message.max.bytes`).");
  static final Setting<Duration> CLOCK_SKEW_MAX =
      Setting.withDefault(
          "clock-skew-max",
          ValueType.DURATION,
          "60s",
          "How far ahead of the own clock a received stamp is believed.",
          "Too low: writes of a region with a fast clock win longer than they should. Too high: one"
              + " wrong clock drags the others' stamps along.");

  static final Setting<Boolean> FLOAT_INCREMENTS =
      Setting.withDefault(
          "float-increments",
          ValueType.SWITCH,
          "true",
          "Whether INCRBYFLOAT and HINCRBYFLOAT travel as increments that add up.",
          "Redis shows them as SET and HSET. With `true`, a client's own HSET that replaces one"
              + " decimal fraction by another counts as an increment too.");
  static final Setting<String> FLUSH =
      Setting.withDefault(
          "flush",
          ValueType.oneOf("replicate", "halt", "local"),
          "replicate",
          "What a client's FLUSHDB or FLUSHALL means for other regions.",
          "`replicate`: they delete what this region was seen to hold. `halt`: capture stops before"
              + " it and says how to go on. `local`: only this region's Redis is emptied, and keys"
              + " come back to it as they are next written elsewhere.");
  static final Setting<String> PUBSUB =
      Setting.withDefault(
          "pubsub",
          ValueType.oneOf("replicate", "local"),
          "replicate",
          "Whether PUBLISH and SPUBLISH are heard in other regions.",
          "`replicate`: each message is delivered once in every region, after the time it takes to"
              + " get there, and stands in the logs. `local`: only where it was sent.");
  static final Setting<String> RESYNC =
      Setting.withDefault(
          "resync",
          ValueType.oneOf("fail", "publish-differences"),
          "fail",
          "What capture does after a full resync when it cannot tell its own region's writes from"
              + " effects of others.",
          "`fail` stops and says so; `publish-differences` goes on and may publish another"
              + " region's write once more as the own region's.");

  static final Setting<Boolean> SKIP_MALFORMED =
      Setting.withDefault(
          "skip-malformed",
          ValueType.SWITCH,
          "false",
          "Whether streams passes over records in the logs that are no event, counting and logging"
              + " each, rather than stopping before them.",
          "What such a record said is lost in this region. A record that was one of a region's"
              + " events and was damaged leaves a gap in its numbers: the partition then stops at"
              + " the gap all the same.");

  static final Section REDIS =
      group(
          "redis",
          true,
          "The region's Redis.",
          List.of(REDIS_URI, REDIS_USER, REDIS_PASSWORD, TLS_CA, TLS_CERT, TLS_KEY),
          List.of());
  static final Section KAFKA_PROPERTIES =
      new Section(
          "properties",
          Section.Shape.FREE,
          false,
          "Settings of the Kafka clients, under Kafka's own names.",
          List.of(),
          List.of());
  static final Section KAFKA =
      group(
          "kafka",
          true,
          "The region's own Kafka cluster.",
          List.of(KAFKA_BOOTSTRAP),
          List.of(KAFKA_PROPERTIES));
  static final Section REGISTRY =
      group(
          "registry",
          true,
          "The region's schema registry.",
          List.of(REGISTRY_URL, REGISTRY_USER, REGISTRY_PASSWORD, TLS_CA, TLS_CERT, TLS_KEY),
          List.of());
  static final Section HTTP =
      group(
          "http",
          false,
          "Where the region's processes serve the HTTP API.",
          List.of(
              HTTP_BIND,
              HTTP_HOST,
              HTTP_PORT,
              HTTP_CAPTURE_PORT,
              HTTP_BRIDGE_PORT,
              HTTP_STREAMS_PORT),
          List.of());
  static final Section REGIONS =
      new Section(
          "regions",
          Section.Shape.LIST,
          true,
          "The regions; at least one.",
          List.of(REGION_NAME, REGION_ID),
          List.of(REDIS, KAFKA, REGISTRY, HTTP));
  static final Section LINK_PROPERTIES =
      new Section(
          "properties",
          Section.Shape.FREE,
          false,
          "Settings of the sending Kafka producer; `to`'s own where absent.",
          List.of(),
          List.of());
  static final Section LINKS =
      new Section(
          "links",
          Section.Shape.LIST,
          false,
          "How the regions' logs travel. Without it every region sends its log to every other; if"
              + " given, it must name every ordered pair.",
          List.of(LINK_FROM, LINK_TO, LINK_BOOTSTRAP, LINK_COMPRESSION),
          List.of(LINK_PROPERTIES));
  static final Section LIMITS =
      group(
          "limits",
          false,
          "Bounds that keep one bad input from harming the rest.",
          List.of(EVENT_BYTES_MAX, CLOCK_SKEW_MAX),
          List.of());
  static final Section POLICIES =
      group(
          "policies",
          false,
          "Choices about meaning; the same in every region.",
          List.of(FLOAT_INCREMENTS, FLUSH, PUBSUB, RESYNC, SKIP_MALFORMED),
          List.of());
  static final Section ROOT =
      group(
          "",
          true,
          "The whole file.",
          List.of(PARTITIONS, DATA_DIR),
          List.of(REGIONS, LINKS, LIMITS, POLICIES));

  private ConfigSettings() {}

  private static Section group(
      String name,
      boolean required,
      String doc,
      List<Setting<?>> settings,
      List<Section> sections) {
    return new Section(name, Section.Shape.GROUP, required, doc, settings, sections);
  }
}
