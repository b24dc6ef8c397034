package io.crosstide.control.config;

import io.crosstide.control.config.CrosstideConfig.Http;
import io.crosstide.control.config.CrosstideConfig.Kafka;
import io.crosstide.control.config.CrosstideConfig.Limits;
import io.crosstide.control.config.CrosstideConfig.Link;
import io.crosstide.control.config.CrosstideConfig.Policies;
import io.crosstide.control.config.CrosstideConfig.Redis;
import io.crosstide.control.config.CrosstideConfig.Region;
import io.crosstide.control.config.CrosstideConfig.Registry;
import io.crosstide.control.config.CrosstideConfig.Tls;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Turns a YAML tree into a {@link CrosstideConfig}. What is wrong by itself is reported while
 * reading; what is wrong only in relation to the rest (ids, names, links), by the checks after it,
 * which look at everything that could be read.
 */
final class ConfigReader {
  private final References references;
  private final Problems problems;

  /** Also of regions that have mistakes, so that one mistake is not reported as several. */
  private final List<String> regionNames = new ArrayList<>();

  ConfigReader(References references, Problems problems) {
    this.references = references;
    this.problems = problems;
  }

  /** Null if something is missing or wrong, which has then been reported. */
  @Nullable CrosstideConfig read(YamlNode root) {
    GroupReader file = new GroupReader(ConfigSettings.ROOT, root, "", references, problems);
    Integer partitions = file.get(ConfigSettings.PARTITIONS);
    var dataDir = file.get(ConfigSettings.DATA_DIR);
    List<Region> regions = regions(file);
    List<Link> links = file.has(ConfigSettings.LINKS) ? links(file, regions) : fullMesh(regions);
    Limits limits = limits(file.child(ConfigSettings.LIMITS));
    Policies policies = policies(file.child(ConfigSettings.POLICIES));
    if (partitions == null || dataDir == null || limits == null || policies == null) {
      return null;
    }
    return new CrosstideConfig(partitions, dataDir, regions, links, limits, policies);
  }

  private List<Region> regions(GroupReader file) {
    List<Region> regions = new ArrayList<>();
    Map<String, Place> placeByName = new LinkedHashMap<>();
    Map<Integer, Place> placeById = new LinkedHashMap<>();
    Map<String, Place> placeByRedis = new LinkedHashMap<>();
    for (GroupReader group : file.children(ConfigSettings.REGIONS)) {
      String name = group.get(ConfigSettings.REGION_NAME);
      Integer id = group.get(ConfigSettings.REGION_ID);
      GroupReader redisGroup = group.child(ConfigSettings.REDIS);
      Redis redis = redis(redisGroup);
      Kafka kafka = kafka(group.child(ConfigSettings.KAFKA));
      Registry registry = registry(group.child(ConfigSettings.REGISTRY));
      Http http = http(group.child(ConfigSettings.HTTP));
      if (name != null && !regionNames.contains(name)) {
        regionNames.add(name);
      }
      unique(placeByName, name, group.placeOf(ConfigSettings.REGION_NAME), "region name");
      unique(placeById, id, group.placeOf(ConfigSettings.REGION_ID), "region id");
      if (redis != null) {
        unique(
            placeByRedis,
            redis.uri().getHost() + ":" + redis.port(),
            redisGroup.placeOf(ConfigSettings.REDIS_URI),
            "Redis");
      }
      if (name != null
          && id != null
          && redis != null
          && kafka != null
          && registry != null
          && http != null) {
        regions.add(new Region(name, id, redis, kafka, registry, http));
      }
    }
    return regions;
  }

  private <K> void unique(Map<K, Place> seen, @Nullable K value, Place place, String what) {
    if (value == null) {
      return;
    }
    Place first = seen.putIfAbsent(value, place);
    if (first != null) {
      problems.error(
          place,
          what
              + " "
              + value
              + " is taken already by the region in line "
              + first.line()
              + ": every region needs its own");
    }
  }

  private @Nullable Redis redis(GroupReader group) {
    URI uri = group.get(ConfigSettings.REDIS_URI);
    String user = group.get(ConfigSettings.REDIS_USER);
    Secret password = group.get(ConfigSettings.REDIS_PASSWORD);
    if (uri == null) {
      return null;
    }
    Place place = group.placeOf(ConfigSettings.REDIS_URI);
    if (uri.getUserInfo() != null) {
      problems.error(place, "'uri' carries a user or password: move them to 'user' and 'password'");
    }
    String path = uri.getPath();
    if (path != null && !path.isEmpty() && !path.equals("/")) {
      problems.error(
          place,
          "'uri' names the database " + path + ": all databases are replicated, leave it out");
    }
    if (user != null && password == null && !group.hasSetting(ConfigSettings.REDIS_PASSWORD)) {
      problems.error(
          group.placeOf(ConfigSettings.REDIS_USER), "'user' needs a 'password' beside it");
    }
    Tls tls = tls(group, "rediss".equals(uri.getScheme()), "rediss://");
    return new Redis(uri, user, password, tls);
  }

  private Tls tls(GroupReader group, boolean encrypted, String encryptedPrefix) {
    Path caFile = file(group, ConfigSettings.TLS_CA);
    Path certFile = file(group, ConfigSettings.TLS_CERT);
    Path keyFile = file(group, ConfigSettings.TLS_KEY);
    if (group.hasSetting(ConfigSettings.TLS_CERT) != group.hasSetting(ConfigSettings.TLS_KEY)) {
      problems.error(group.place(), "'cert-file' and 'key-file' go together: give both or neither");
    }
    if (!encrypted && (caFile != null || certFile != null || keyFile != null)) {
      problems.error(
          group.place(),
          "certificates are given but the address is not encrypted: begin it with "
              + encryptedPrefix);
    }
    return new Tls(caFile, certFile, keyFile);
  }

  private @Nullable Path file(GroupReader group, Setting<Path> setting) {
    Path file = group.get(setting);
    if (file == null) {
      return null;
    }
    Path resolved = references.directory().resolve(file);
    if (!Files.isReadable(resolved) || Files.isDirectory(resolved)) {
      problems.error(
          group.placeOf(setting), "'" + setting.name() + "': " + resolved + " cannot be read");
    }
    return resolved;
  }

  private static @Nullable Kafka kafka(GroupReader group) {
    String bootstrap = group.get(ConfigSettings.KAFKA_BOOTSTRAP);
    Map<String, String> properties = group.freeMap(ConfigSettings.KAFKA_PROPERTIES);
    return bootstrap == null ? null : new Kafka(bootstrap, properties);
  }

  private @Nullable Registry registry(GroupReader group) {
    URI url = group.get(ConfigSettings.REGISTRY_URL);
    String user = group.get(ConfigSettings.REGISTRY_USER);
    Secret password = group.get(ConfigSettings.REGISTRY_PASSWORD);
    if (url == null) {
      return null;
    }
    if (url.getUserInfo() != null) {
      problems.error(
          group.placeOf(ConfigSettings.REGISTRY_URL),
          "'url' carries a user or password: move them to 'user' and 'password'");
    }
    if ((user == null) != (password == null)
        && group.hasSetting(ConfigSettings.REGISTRY_USER)
            != group.hasSetting(ConfigSettings.REGISTRY_PASSWORD)) {
      problems.error(group.place(), "'user' and 'password' go together: give both or neither");
    }
    Tls tls = tls(group, "https".equals(url.getScheme()), "https://");
    return new Registry(url, user, password, tls);
  }

  private @Nullable Http http(GroupReader group) {
    String bind = group.get(ConfigSettings.HTTP_BIND);
    String host = group.get(ConfigSettings.HTTP_HOST);
    Integer port = group.get(ConfigSettings.HTTP_PORT);
    Integer capture = group.get(ConfigSettings.HTTP_CAPTURE_PORT);
    Integer bridge = group.get(ConfigSettings.HTTP_BRIDGE_PORT);
    Integer streams = group.get(ConfigSettings.HTTP_STREAMS_PORT);
    if (bind == null
        || host == null
        || port == null
        || capture == null
        || bridge == null
        || streams == null) {
      return null;
    }
    if (Set.copyOf(List.of(port, capture, bridge, streams)).size() < 4) {
      problems.error(
          group.place(),
          "the HTTP ports "
              + List.of(port, capture, bridge, streams)
              + " (port, capture-port, bridge-port, streams-port) must differ");
    }
    return new Http(bind, host, port, capture, bridge, streams);
  }

  private List<Link> links(GroupReader file, List<Region> regions) {
    List<Link> links = new ArrayList<>();
    Map<String, Place> seen = new LinkedHashMap<>();
    Place last = file.place();
    for (GroupReader group : file.children(ConfigSettings.LINKS)) {
      last = group.place();
      String from = group.get(ConfigSettings.LINK_FROM);
      String to = group.get(ConfigSettings.LINK_TO);
      String bootstrap = group.get(ConfigSettings.LINK_BOOTSTRAP);
      String compression = group.get(ConfigSettings.LINK_COMPRESSION);
      Map<String, String> properties = group.freeMap(ConfigSettings.LINK_PROPERTIES);
      boolean known = isRegion(from, group.placeOf(ConfigSettings.LINK_FROM));
      known &= isRegion(to, group.placeOf(ConfigSettings.LINK_TO));
      if (!known || from == null || to == null) {
        continue;
      }
      if (from.equals(to)) {
        problems.error(group.place(), "a link from " + from + " to itself carries nothing");
        continue;
      }
      Place first = seen.putIfAbsent(from + " to " + to, group.place());
      if (first != null) {
        problems.error(
            group.place(),
            "the link from " + from + " to " + to + " stands in line " + first.line() + " already");
        continue;
      }
      regions.stream()
          .filter(region -> region.name().equals(to))
          .findFirst()
          .ifPresent(
              destination ->
                  links.add(
                      link(from, destination, bootstrap, properties, String.valueOf(compression))));
    }
    for (String from : regionNames) {
      for (String to : regionNames) {
        if (!from.equals(to) && !seen.containsKey(from + " to " + to)) {
          problems.error(
              last,
              "there is no link from "
                  + from
                  + " to "
                  + to
                  + ": "
                  + to
                  + " would never see "
                  + from
                  + "'s writes; add it, or leave 'links' out for a full mesh");
        }
      }
    }
    return links;
  }

  private static Link link(
      String from,
      Region to,
      @Nullable String bootstrap,
      Map<String, String> properties,
      String compression) {
    Kafka own = to.kafka();
    Kafka reached =
        new Kafka(
            bootstrap == null ? own.bootstrap() : bootstrap,
            properties.isEmpty() ? own.properties() : properties);
    return new Link(from, to.name(), reached, compression);
  }

  private boolean isRegion(@Nullable String name, Place place) {
    if (name == null) {
      return false;
    }
    if (!regionNames.contains(name)) {
      problems.error(
          place, "there is no region '" + name + "'" + DidYouMean.hint(regionNames, name));
      return false;
    }
    return true;
  }

  private static List<Link> fullMesh(List<Region> regions) {
    List<Link> links = new ArrayList<>();
    for (Region from : regions) {
      for (Region to : regions) {
        if (!from.name().equals(to.name())) {
          links.add(new Link(from.name(), to.name(), to.kafka(), Link.COMPRESSION_DEFAULT));
        }
      }
    }
    return links;
  }

  private static @Nullable Limits limits(GroupReader group) {
    Long eventBytes = group.get(ConfigSettings.EVENT_BYTES_MAX);
    var skew = group.get(ConfigSettings.CLOCK_SKEW_MAX);
    return eventBytes == null || skew == null ? null : new Limits(eventBytes, skew);
  }

  private static @Nullable Policies policies(GroupReader group) {
    Boolean floats = group.get(ConfigSettings.FLOAT_INCREMENTS);
    String flush = group.get(ConfigSettings.FLUSH);
    String pubsub = group.get(ConfigSettings.PUBSUB);
    String resync = group.get(ConfigSettings.RESYNC);
    Boolean skip = group.get(ConfigSettings.SKIP_MALFORMED);
    return floats == null || flush == null || pubsub == null || resync == null || skip == null
        ? null
        : new Policies(floats, flush, pubsub, resync, skip);
  }
}
