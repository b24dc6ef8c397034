package io.crosstide.capture.shadow;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** Drives a shadow and a naive map side by side with seeded work, seals, commits and crashes. */
final class ShadowModel {
  private final long seed;
  private final Random random;
  private Map<RedisKey, Map<String, String>> now = new TreeMap<>();
  private Map<RedisKey, Map<String, String>> committed = new TreeMap<>();
  private final Deque<Sealed> sealed = new ArrayDeque<>();
  private long offset;

  private record Sealed(long unit, Map<RedisKey, Map<String, String>> state) {}

  ShadowModel(long seed) {
    this.seed = seed;
    this.random = new Random(seed);
  }

  Shadow run(Supplier<Shadow> create, UnaryOperator<Shadow> afterCrash, int steps) {
    Shadow shadow = create.get();
    shadow.commitThrough(shadow.seal(checkpoint()));
    for (int i = 0; i < steps; i++) {
      work(shadow);
      int dice = random.nextInt(100);
      if (dice < 40) {
        sealed.add(new Sealed(shadow.seal(checkpoint()), copy(now)));
      } else if (dice < 50 && !sealed.isEmpty()) {
        commit(shadow);
      } else if (dice == 50) {
        shadow = afterCrash.apply(shadow);
        now = copy(committed);
        sealed.clear();
      } else if (dice == 51) {
        check(shadow);
      }
    }
    check(shadow);
    return shadow;
  }

  private Checkpoint checkpoint() {
    return new Checkpoint("id", ++offset, 0, 0, HybridTimestamp.ZERO);
  }

  private void commit(Shadow shadow) {
    List<Sealed> all = new ArrayList<>(sealed);
    Sealed through = all.get(random.nextInt(all.size()));
    shadow.commitThrough(through.unit());
    committed = through.state();
    while (!sealed.isEmpty() && sealed.getFirst().unit() <= through.unit()) {
      sealed.removeFirst();
    }
  }

  private static Map<RedisKey, Map<String, String>> copy(Map<RedisKey, Map<String, String>> of) {
    Map<RedisKey, Map<String, String>> copy = new TreeMap<>();
    of.forEach((key, elements) -> copy.put(key, new TreeMap<>(elements)));
    return copy;
  }

  /** Names say their type, so that keys never change it: h*, m*, z* collections, s* strings. */
  private void work(Shadow shadow) {
    int db = random.nextInt(2);
    char type = "hmzs".charAt(random.nextInt(4));
    RedisKey key = RedisKey.of(db, type + "" + random.nextInt(4));
    ShadowKey handle = shadow.key(db, key.name());
    String element = "e" + random.nextInt(6);
    int dice = random.nextInt(40);
    if (dice == 0) {
      shadow.clear(db);
      now.keySet().removeIf(k -> k.db() == db);
    } else if (dice == 1) {
      handle.delete();
      now.remove(key);
    } else if (dice == 2) {
      RedisKey to = RedisKey.of(db, type + "" + random.nextInt(4));
      if (!to.equals(key)) {
        shadow.rename(db, key.name(), to.name());
        Map<String, String> moved = now.remove(key);
        now.remove(to);
        if (moved != null) {
          now.put(to, moved);
        }
      }
    } else if (dice == 3) {
      RedisKey to = RedisKey.of(1 - db, type + "" + random.nextInt(4));
      shadow.copy(db, key.name(), 1 - db, to.name());
      Map<String, String> elements = now.get(key);
      now.remove(to);
      if (elements != null) {
        now.put(to, new TreeMap<>(elements));
      }
    } else if (dice == 4) {
      shadow.swap(0, 1);
      Map<RedisKey, Map<String, String>> swapped = new TreeMap<>();
      now.forEach((k, elements) -> swapped.put(new RedisKey(1 - k.db(), k.name()), elements));
      now = swapped;
    } else if (dice < 15) {
      handle.remove(Bytes.utf8(element));
      Map<String, String> elements = now.get(key);
      if (elements != null && type != 's') {
        elements.remove(element);
        if (elements.isEmpty()) {
          now.remove(key);
        }
      }
    } else {
      put(handle, key, type, element);
    }
  }

  private void put(ShadowKey handle, RedisKey key, char type, String element) {
    String value = Integer.toString(random.nextInt(50));
    Map<String, String> elements = now.computeIfAbsent(key, k -> new TreeMap<>());
    switch (type) {
      case 'h' -> {
        handle.putField(Bytes.utf8(element), Bytes.utf8(value));
        elements.put(element, value);
      }
      case 'm' -> {
        handle.addMember(Bytes.utf8(element));
        elements.put(element, "");
      }
      case 'z' -> {
        handle.putScore(Bytes.utf8(element), Integer.parseInt(value));
        elements.put(element, value);
      }
      default -> {
        handle.setString(Bytes.utf8(value));
        elements.put("", value);
      }
    }
  }

  private void check(Shadow shadow) {
    Map<RedisKey, Map<String, String>> found = new TreeMap<>();
    try (ShadowCursor keys = shadow.keys()) {
      for (ShadowKey key = keys.next(); key != null; key = keys.next()) {
        Map<String, String> elements = new TreeMap<>();
        Content content = key.content();
        if (content != null) {
          elements.put("", Objects.requireNonNull(content.value()).text());
        }
        try (ElementCursor cursor = key.elements()) {
          while (cursor.next()) {
            elements.put(
                cursor.name().text(),
                key.is(ShadowType.ZSET)
                    ? Content.formatScore(cursor.score())
                    : Objects.requireNonNull(cursor.content().value()).text());
          }
        }
        if (key.is(ShadowType.ZSET)) {
          assertThat(ShadowContract.drain(key.byScore(false)))
              .as("seed %d: %s by score", seed, key)
              .containsExactlyInAnyOrderElementsOf(elements.keySet());
        }
        assertThat(key.count())
            .as("seed %d: %s", seed, key)
            .isEqualTo(content != null ? 0 : elements.size());
        found.put(key.redisKey(), elements);
      }
    }
    assertThat(found).as("seed %d", seed).isEqualTo(now);
    assertThat(shadow.mismatches()).isZero();
  }
}
