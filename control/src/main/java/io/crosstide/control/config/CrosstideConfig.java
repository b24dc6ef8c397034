package io.crosstide.control.config;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A deployment as {@code crosstide.yaml} describes it, without mistakes: ids and names are unique,
 * links name regions that exist and join every ordered pair once.
 *
 * @param partitions of each log, the same in every region
 */
public record CrosstideConfig(
    int partitions,
    Path dataDir,
    List<Region> regions,
    List<Link> links,
    Limits limits,
    Policies policies) {
  public static final int PARTITIONS_MAX = 1024;

  /** One region's Redis, Kafka, registry, and where its processes serve HTTP. */
  public record Region(
      String name, int id, Redis redis, Kafka kafka, Registry registry, Http http) {}

  /** A Redis and how to authenticate to it. */
  public record Redis(URI uri, @Nullable String user, @Nullable Secret password, Tls tls) {
    private static final int PORT_DEFAULT = 6379;

    public int port() {
      return uri.getPort() < 0 ? PORT_DEFAULT : uri.getPort();
    }

    public boolean isEncrypted() {
      return "rediss".equals(uri.getScheme());
    }
  }

  /**
   * Whom to trust and who to be on encrypted connections; PEM files.
   *
   * @param caFile null for what Java trusts
   * @param certFile the own certificate; null, together with {@code keyFile}, for none
   */
  public record Tls(@Nullable Path caFile, @Nullable Path certFile, @Nullable Path keyFile) {
    public static final Tls DEFAULT = new Tls(null, null, null);
  }

  /**
   * A Kafka cluster.
   *
   * @param properties for every client, under Kafka's names; may hold secrets, so it is not printed
   */
  public record Kafka(String bootstrap, Map<String, String> properties) {
    public Kafka {
      properties = Map.copyOf(properties);
    }

    @Override
    public String toString() {
      return "Kafka[bootstrap=" + bootstrap + ", properties=" + properties.keySet() + "]";
    }
  }

  /** A schema registry and how to authenticate to it. */
  public record Registry(URI url, @Nullable String user, @Nullable Secret password, Tls tls) {}

  /**
   * Where a region's processes serve the HTTP API.
   *
   * @param bind address they listen on
   * @param host name under which others reach them
   * @param port of a process with several roles; the others are of processes with one
   */
  public record Http(
      String bind, String host, int port, int capturePort, int bridgePort, int streamsPort) {

    /** Every address under which one of the region's processes may answer. */
    public List<URI> addresses() {
      return List.of(port, capturePort, bridgePort, streamsPort).stream()
          .map(each -> URI.create("http://" + host + ":" + each))
          .toList();
    }
  }

  /**
   * One direction between two regions.
   *
   * @param kafka how {@code from} reaches the Kafka of {@code to}
   * @param compression {@code none}, {@code lz4}, {@code zstd} or {@code gzip}
   */
  public record Link(String from, String to, Kafka kafka, String compression) {
    public static final String COMPRESSION_DEFAULT = ConfigSettings.LINK_COMPRESSION.defaultValue();
  }

  /** Bounds that keep one bad input from harming the rest. */
  public record Limits(long eventBytesMax, Duration clockSkewMax) {
    public static final Limits DEFAULT =
        new Limits(
            ConfigSettings.EVENT_BYTES_MAX.defaultValue(),
            ConfigSettings.CLOCK_SKEW_MAX.defaultValue());
  }

  /**
   * Choices about meaning.
   *
   * @param flush {@code replicate}, {@code halt} or {@code local}
   * @param pubsub {@code replicate} or {@code local}
   * @param resync {@code fail} or {@code publish-differences}
   * @param skipMalformed whether streams passes over records that are no event
   */
  public record Policies(
      boolean floatIncrements, String flush, String pubsub, String resync, boolean skipMalformed) {
    public static final Policies DEFAULT =
        new Policies(
            ConfigSettings.FLOAT_INCREMENTS.defaultValue(),
            ConfigSettings.FLUSH.defaultValue(),
            ConfigSettings.PUBSUB.defaultValue(),
            ConfigSettings.RESYNC.defaultValue(),
            ConfigSettings.SKIP_MALFORMED.defaultValue());
  }

  public CrosstideConfig {
    regions = List.copyOf(regions);
    links = List.copyOf(links);
  }

  /**
   * @throws IllegalArgumentException naming the known ones if there is no such region
   */
  public Region region(String name) {
    return regions.stream()
        .filter(region -> region.name().equals(name))
        .findFirst()
        .orElseThrow(
            () -> {
              List<String> names = regions.stream().map(Region::name).toList();
              return new IllegalArgumentException(
                  "there is no region '" + name + "'" + DidYouMean.hint(names, name));
            });
  }

  public List<Link> linksFrom(String region) {
    return links.stream().filter(link -> link.from().equals(region)).toList();
  }

  /** The directory of one role of one region. */
  public Path dataDir(String region, String role) {
    return dataDir.resolve(region).resolve(role);
  }
}
