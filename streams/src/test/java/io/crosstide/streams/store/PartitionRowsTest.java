package io.crosstide.streams.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.protocol.merge.RowStore;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PartitionRowsTest {
  private final MapStore store = new MapStore();
  private final PartitionRows rows = new PartitionRows(store, new HotRows());

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private List<String> scan(String prefix, @Nullable String after) {
    List<String> keys = new ArrayList<>();
    rows.scan(
        bytes(prefix),
        after == null ? null : bytes(after),
        (key, value) -> keys.add(new String(key, StandardCharsets.ISO_8859_1)));
    return keys;
  }

  @Test
  void whatMustBeWrittenBeforeACommitIsAskedForThen() {
    rows.beforeCommit(() -> rows.put(bytes("M"), bytes("positions")));
    rows.put(bytes("Ka"), bytes("1"));
    rows.flushCache();
    assertThat(store.written).containsExactly("+Ka", "+M");
  }

  @Test
  void aRowWrittenAgainAndAgainIsWrittenOncePerCommit() {
    for (int i = 0; i < 1_000; i++) {
      rows.put(bytes("Ka"), bytes("" + i));
      rows.put(bytes("Kb"), bytes("" + i));
      rows.delete(bytes("Kb"));
    }
    rows.flushCache();
    assertThat(store.written).containsExactly("+Ka", "-Kb");
    assertThat(store.rows.get(Bytes.wrap(bytes("Ka")))).isEqualTo(bytes("999"));
  }

  @Test
  void whatWaitsToBeWrittenIsBounded() {
    for (int i = 0; i < 1_000; i++) {
      rows.put(bytes("K" + i), bytes("1"));
    }
    assertThat(store.written).hasSizeBetween(700, 1_000);
    assertThat(store.batches).isLessThan(10);
    store.written.clear();
    rows.put(bytes("Kbig"), new byte[2 << 20]);
    assertThat(store.written).contains("+Kbig");
  }

  @Test
  void rowsAreScannedBackwardsFromBeforeOneOfThem() {
    for (String key : List.of("Da", "Ea", "Eb", "Ec", "Ed", "Fa")) {
      rows.put(bytes(key), bytes("1"));
    }
    rows.delete(bytes("Eb"));
    List<String> keys = new ArrayList<>();
    RowStore.Visitor visitor =
        (key, value) -> keys.add(new String(key, StandardCharsets.ISO_8859_1)) && keys.size() < 3;
    rows.scanBack(bytes("E"), bytes("Ed"), visitor);
    assertThat(keys).containsExactly("Ec", "Ea");
    keys.clear();
    rows.scanBack(bytes("E"), bytes("Ee"), visitor);
    assertThat(keys).containsExactly("Ed", "Ec", "Ea");
    keys.clear();
    rows.scanBack(bytes("E"), bytes("Ea"), visitor);
    assertThat(keys).isEmpty();
  }

  @Test
  void aDeletedRowIsGoneBeforeItsDeletionIsWritten() {
    store.rows.put(Bytes.wrap(bytes("Ha")), bytes("1"));
    rows.delete(bytes("Ha"));
    assertThat(rows.get(bytes("Ha"))).isNull();
    assertThat(scan("H", null)).isEmpty();
  }

  @Test
  void aRowReadOrWrittenBeforeIsNotReadFromTheStoreAgain() {
    rows.put(bytes("Ka"), bytes("1"));
    rows.flushCache();
    store.rows.put(Bytes.wrap(bytes("Eb")), bytes("2"));
    rows.get(bytes("Eb"));
    store.rows.clear();
    assertThat(rows.get(bytes("Ka"))).isEqualTo(bytes("1"));
    assertThat(rows.get(bytes("Eb"))).isEqualTo(bytes("2"));
  }

  @Test
  void aRolledBackTransactionLeavesNoRowBehind() {
    rows.put(bytes("Ka"), bytes("1"));
    rows.flushCache();
    rows.put(bytes("Kb"), bytes("1"));
    store.rows.clear();
    rows.clearCache();
    assertThat(rows.get(bytes("Ka"))).isNull();
    assertThat(rows.get(bytes("Kb"))).isNull();
    rows.flushCache();
    assertThat(store.written).containsExactly("+Ka");
  }

  @Test
  void aScanStaysWithinItsPrefixAndGoesOnAfterTheGivenKey() {
    for (String key : List.of("Ea1", "Ea2", "Ea\u00ff", "Eb", "F")) {
      rows.put(bytes(key), bytes("v"));
    }
    assertThat(scan("Ea", null)).containsExactly("Ea1", "Ea2", "Ea\u00ff");
    assertThat(scan("Ea", "Ea1")).containsExactly("Ea2", "Ea\u00ff");
    assertThat(scan("E", "Ea\u00ff")).containsExactly("Eb");
    assertThat(scan("Ea\u00ff", null)).containsExactly("Ea\u00ff");
  }

  @Test
  void rowsConsumedInOrderAreNotWalkedOverAgain() {
    String prefix = "H00000001";
    for (int i = 0; i < 100; i++) {
      rows.put(bytes(prefix + (char) i), bytes("v"));
    }
    for (int i = 0; i < 100; i++) {
      byte[] first = bytes(prefix + (char) i);
      rows.scan(
          bytes(prefix),
          null,
          (key, value) -> {
            assertThat(key).isEqualTo(first);
            return false;
          });
      rows.delete(first);
    }
    // Each scan began at the row that the one before had found.
    assertThat(store.ranges.get(99)).isEqualTo(Bytes.wrap(bytes(prefix + (char) 98)));
    rows.put(bytes(prefix + (char) 5), bytes("again"));
    assertThat(scan(prefix, null)).containsExactly(prefix + (char) 5);
  }

  @Test
  void anyMixOfCallsReadsAsAMapWould() {
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      MapStore backing = new MapStore();
      PartitionRows mixed = new PartitionRows(backing, new HotRows());
      TreeMap<byte[], byte[]> model = new TreeMap<>(Arrays::compareUnsigned);
      for (int step = 0; step < 200; step++) {
        byte[] key = randomKey(random);
        switch (random.nextInt(5)) {
          case 0, 1 -> {
            byte[] value = new byte[random.nextInt(700)];
            mixed.put(key, value);
            model.put(key, value);
          }
          case 2 -> {
            mixed.delete(key);
            model.remove(key);
          }
          case 3 -> assertThat(mixed.get(key)).as("seed %s", seed).isEqualTo(model.get(key));
          default -> {
            if (random.nextInt(4) == 0) {
              mixed.flushCache();
            }
            byte[] prefix = Arrays.copyOf(key, random.nextBoolean() ? 1 : 9);
            int limit = 1 + random.nextInt(5);
            List<Bytes> found = new ArrayList<>();
            mixed.scan(
                prefix,
                null,
                (rowKey, value) -> {
                  found.add(Bytes.wrap(rowKey));
                  return found.size() < limit;
                });
            List<Bytes> expected =
                model.keySet().stream()
                    .filter(
                        k ->
                            k.length >= prefix.length
                                && Arrays.equals(k, 0, prefix.length, prefix, 0, prefix.length))
                    .limit(limit)
                    .map(Bytes::wrap)
                    .toList();
            assertThat(found).as("seed %s", seed).isEqualTo(expected);
          }
        }
      }
      mixed.flushCache();
      assertThat(backing.rows.keySet())
          .as("seed %s", seed)
          .isEqualTo(new java.util.TreeSet<>(model.keySet().stream().map(Bytes::wrap).toList()));
    }
  }

  private static byte[] randomKey(Random random) {
    return bytes(
        "KETHGS".charAt(random.nextInt(6)) + "0000000" + random.nextInt(2) + random.nextInt(4));
  }
}
