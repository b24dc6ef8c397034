package io.crosstide.control.verify;

import io.crosstide.control.redis.KeyImage;
import io.crosstide.control.stats.Peers;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.RedisKey;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * Images of a merged state that another process holds. One line per key: database, name in URL-safe
 * Base64, image; a last line {@code end} tells a whole answer from a broken one.
 */
public final class RemoteMergedImages implements MergedImages {
  public static final String END = "end";

  private final String region;
  private final Peers peers;

  public RemoteMergedImages(String region, Peers peers) {
    this.region = region;
    this.peers = peers;
  }

  /** The line that transfers one image. */
  public static String line(RedisKey key, KeyImage image) {
    return key.db() + " " + base64(key) + " " + image.encode();
  }

  /** A key's name as it stands in lines and addresses. */
  public static String base64(RedisKey key) {
    // A dash keeps the empty name visible between two spaces.
    return "-" + Base64.getUrlEncoder().withoutPadding().encodeToString(key.name().array());
  }

  /**
   * Inverse of {@link #base64(RedisKey)}.
   *
   * @throws IllegalArgumentException if it is not of that form
   */
  public static Bytes fromBase64(String text) {
    if (!text.startsWith("-")) {
      throw new IllegalArgumentException("'" + text + "' does not begin with '-'");
    }
    return Bytes.wrap(Base64.getUrlDecoder().decode(text.substring(1)));
  }

  @Override
  public VersionVector position(int partition) throws IOException {
    try (BufferedReader lines = open(partition + "/position")) {
      String line = lines.readLine();
      if (line == null) {
        throw new IOException("the position of " + region + " arrived empty");
      }
      return VersionVector.decode(line);
    }
  }

  @Override
  public void images(int partition, Consumer consumer) throws IOException {
    try (BufferedReader lines = open(partition + "/images")) {
      String line = lines.readLine();
      while (line != null && !line.equals(END)) {
        String[] parts = line.split(" ", 3);
        consumer.accept(
            new RedisKey(Integer.parseInt(parts[0]), fromBase64(parts[1])),
            KeyImage.parse(parts[2]));
        line = lines.readLine();
      }
      if (line == null) {
        throw new IOException("the merged state of " + region + " arrived incompletely");
      }
    }
  }

  @Override
  public KeyImage image(RedisKey key) throws IOException {
    try (BufferedReader lines = open("image?db=" + key.db() + "&name=" + base64(key))) {
      String line = lines.readLine();
      if (line == null) {
        throw new IOException("the image of a key of " + region + " arrived empty");
      }
      return KeyImage.parse(line);
    }
  }

  private BufferedReader open(String path) throws IOException {
    return new BufferedReader(
        new InputStreamReader(
            peers.stream(
                "/api/v1/process/merged/" + region + "/" + path, "the merged state of " + region),
            StandardCharsets.UTF_8));
  }
}
