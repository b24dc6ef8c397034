package io.crosstide.control.verify;

import io.crosstide.control.redis.KeyImage;
import io.crosstide.control.redis.KeyImageReader;
import io.crosstide.control.redis.RedisInfo;
import io.crosstide.protocol.RedisKey;
import io.crosstide.schemas.Partitions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Compares all keys of all regions' Redis and merged states by their images. The key space is
 * divided by slot into as many passes as keep the images of one pass small; every pass scans
 * everything and keeps only its share, so that memory does not grow with the number of keys.
 */
final class KeyComparison {
  /** Images kept at a time, about 200 bytes each per region. */
  private static final long KEYS_PER_PASS = 400_000;

  /** Keys whose deadline is nearer than this may be gone in one place and not yet in the other. */
  private static final long EXPIRY_MARGIN_MILLIS = 2_000;

  private final List<VerifiedRegion> regions;
  private final int partitions;
  private final List<KeyImageReader> readers = new ArrayList<>();
  private final long toleranceMillis;
  private long keys;

  /**
   * @throws IOException if a Redis cannot be asked
   */
  KeyComparison(List<VerifiedRegion> regions, int partitions) throws IOException {
    this.regions = regions;
    this.partitions = partitions;
    long tolerance = 0;
    for (VerifiedRegion region : regions) {
      KeyImageReader reader = new KeyImageReader(region.redis());
      readers.add(reader);
      tolerance = Math.max(tolerance, reader.deadlineToleranceMillis());
    }
    this.toleranceMillis = tolerance;
  }

  /** How many keys {@link #all} has compared. */
  long keys() {
    return keys;
  }

  /**
   * Compares everything and shows the keys that differ. Keys about to expire are taken for
   * different, so that they are looked at again.
   *
   * @param progress told now and then how many keys have been read
   * @throws IOException if something cannot be asked
   */
  void all(Consumer<String> progress, Consumer<RedisKey> differing) throws IOException {
    keys = 0;
    long largest = 0;
    List<List<Integer>> databases = new ArrayList<>();
    for (VerifiedRegion region : regions) {
      RedisInfo keyspace = RedisInfo.of(region.redis(), "keyspace");
      databases.add(keyspace.databases());
      largest = Math.max(largest, keyspace.databases().stream().mapToLong(keyspace::keys).sum());
    }
    int passes = (int) Math.max(1, (largest + KEYS_PER_PASS - 1) / KEYS_PER_PASS);
    for (int pass = 0; pass < passes; pass++) {
      int mine = pass;
      IntPredicate share = slot -> slot % passes == mine;
      onePass(
          databases,
          share,
          passes == 1 ? "" : " (pass " + (pass + 1) + "/" + passes + ")",
          progress,
          differing);
    }
  }

  private void onePass(
      List<List<Integer>> databases,
      IntPredicate share,
      String passName,
      Consumer<String> progress,
      Consumer<RedisKey> differing)
      throws IOException {
    Map<RedisKey, @Nullable KeyImage[]> images = new LinkedHashMap<>();
    int places = 2 * regions.size();
    for (int i = 0; i < regions.size(); i++) {
      int place = i;
      KeyImageReader reader = readers.get(i);
      for (int db : databases.get(i)) {
        reader.scan(
            db,
            found -> {
              List<byte[]> wanted =
                  found.stream().filter(key -> share.test(Partitions.slot(key))).toList();
              reader
                  .images(db, wanted)
                  .forEach((key, image) -> put(images, places, key, place, image));
              progress.accept(
                  "read " + images.size() + " keys of " + regions.get(place).name() + passName);
            });
      }
      MergedImages merged = regions.get(i).merged();
      if (merged != null) {
        int mergedPlace = regions.size() + i;
        for (int partition = 0; partition < partitions; partition++) {
          merged.images(
              partition,
              (key, image) -> {
                if (share.test(Partitions.slot(key.name().array()))) {
                  put(images, places, key, mergedPlace, image);
                }
              });
        }
      }
    }
    keys += images.size();
    for (Map.Entry<RedisKey, @Nullable KeyImage[]> entry : images.entrySet()) {
      if (difference(entry.getKey(), entry.getValue()) != null) {
        differing.accept(entry.getKey());
      }
    }
  }

  private static void put(
      Map<RedisKey, @Nullable KeyImage[]> images,
      int places,
      RedisKey key,
      int place,
      KeyImage image) {
    images.computeIfAbsent(key, any -> new KeyImage[places])[place] = image;
  }

  /**
   * Looks at single keys again, in every Redis and merged state.
   *
   * @throws IOException if something cannot be asked
   */
  List<Difference> again(Collection<RedisKey> again) throws IOException {
    List<Difference> differences = new ArrayList<>();
    int places = 2 * regions.size();
    Map<RedisKey, @Nullable KeyImage[]> images = new TreeMap<>();
    for (RedisKey key : new TreeSet<>(again)) {
      images.put(key, new KeyImage[places]);
    }
    for (int i = 0; i < regions.size(); i++) {
      Map<Integer, List<byte[]>> byDb = new TreeMap<>();
      images
          .keySet()
          .forEach(
              key ->
                  byDb.computeIfAbsent(key.db(), any -> new ArrayList<>()).add(key.name().array()));
      for (Map.Entry<Integer, List<byte[]>> db : byDb.entrySet()) {
        for (Map.Entry<RedisKey, KeyImage> image :
            readers.get(i).images(db.getKey(), db.getValue()).entrySet()) {
          put(images, places, image.getKey(), i, image.getValue());
        }
      }
      MergedImages merged = regions.get(i).merged();
      if (merged != null) {
        int mergedPlace = regions.size() + i;
        for (RedisKey key : images.keySet()) {
          put(images, places, key, mergedPlace, merged.image(key));
        }
      }
    }
    for (Map.Entry<RedisKey, @Nullable KeyImage[]> entry : images.entrySet()) {
      Difference difference = difference(entry.getKey(), entry.getValue());
      if (difference != null) {
        differences.add(difference);
      }
    }
    return differences;
  }

  private @Nullable Difference difference(RedisKey key, @Nullable KeyImage[] images) {
    Map<String, KeyImage> byPlace = new LinkedHashMap<>();
    KeyImage first = orAbsent(images[0]);
    String what = null;
    for (int i = 0; i < images.length; i++) {
      boolean ofRedis = i < regions.size();
      VerifiedRegion region = regions.get(ofRedis ? i : i - regions.size());
      if (!ofRedis && region.merged() == null) {
        continue;
      }
      KeyImage image = orAbsent(images[i]);
      byPlace.put((ofRedis ? "redis " : "merged ") + region.name(), image);
      if (what == null && !first.matches(image, toleranceMillis)) {
        what = first.differenceTo(image);
      }
    }
    return what == null ? null : new Difference(key, what, byPlace);
  }

  /** Whether a difference may be a key that is expiring right now. */
  static boolean mayBeExpiring(Difference difference, long nowMillis) {
    return difference.images().values().stream()
        .anyMatch(
            image ->
                image.deadlineMillis() > 0
                    && image.deadlineMillis() < nowMillis + EXPIRY_MARGIN_MILLIS
                    && image.deadlineMillis() > nowMillis - EXPIRY_MARGIN_MILLIS);
  }

  private static KeyImage orAbsent(@Nullable KeyImage image) {
    return image == null ? KeyImage.ABSENT : image;
  }
}
