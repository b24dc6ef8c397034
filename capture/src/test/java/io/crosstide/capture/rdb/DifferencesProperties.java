package io.crosstide.capture.rdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.capture.shadow.ElementCursor;
import io.crosstide.capture.shadow.InMemoryShadow;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowCursor;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.ListPosition;
import io.crosstide.crdt.ListPosition.Side;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Whatever the shadow knew and the snapshot shows, the differences lead from one to the other. */
final class DifferencesProperties {
  private static final long NOW = 1_000;

  private final List<String> emitted = new ArrayList<>();
  private long writes;

  private void walk(Shadow known, Shadow actual) {
    new Differences(
            known,
            actual,
            NOW,
            new Differences.Receiver() {
              @Override
              public boolean change(RedisKey key, Change change) {
                emitted.add(key + " " + change);
                return true;
              }

              @Override
              public void tooLong(Element element) {
                emitted.add(element + " too long");
              }

              @Override
              public Bytes position(RedisKey key, @Nullable Bytes left, @Nullable Bytes right) {
                return ListPosition.between(left, right, Origin.of(1), ++writes, Side.AFTER_LEFT);
              }

              @Override
              public void done() {}
            })
        .walk();
  }

  private static void fill(Shadow shadow, Random random) {
    int keys = random.nextInt(12);
    for (int i = 0; i < keys; i++) {
      ShadowKey key = shadow.key(random.nextInt(3), Bytes.utf8("k" + random.nextInt(6)));
      key.delete();
      int elements = 1 + random.nextInt(4);
      switch (random.nextInt(7)) {
        case 0 -> key.setString(Bytes.utf8("" + random.nextInt(5)));
        case 1 -> key.setString(Bytes.utf8("text" + random.nextInt(3)));
        case 2 -> {
          for (int e = 0; e < elements; e++) {
            key.putField(
                Bytes.utf8("f" + random.nextInt(5)), Bytes.utf8("" + (random.nextInt(9) - 4)));
          }
        }
        case 3 -> {
          for (int e = 0; e < elements; e++) {
            key.addMember(Bytes.utf8("m" + random.nextInt(5)));
          }
        }
        case 4 -> {
          for (int e = 0; e < elements; e++) {
            key.putScore(Bytes.utf8("m" + random.nextInt(5)), random.nextInt(9) / 2.0);
          }
        }
        case 5 -> {
          for (int e = 0; e < elements; e++) {
            key.list().append(Content.utf8("v" + random.nextInt(3)));
          }
        }
        default -> key.markOpaque();
      }
      if (random.nextInt(3) == 0) {
        key.deadline(500 + random.nextInt(1_000));
      }
    }
  }

  private static Map<String, String> dump(Shadow shadow) {
    Map<String, String> all = new TreeMap<>();
    try (ShadowCursor keys = shadow.keys()) {
      for (ShadowKey key = keys.next(); key != null; key = keys.next()) {
        StringBuilder text = new StringBuilder();
        text.append(key.type()).append(' ').append(key.deadlineMillis());
        text.append(' ').append(key.content());
        try (ElementCursor elements = key.elements()) {
          while (elements.next()) {
            // A snapshot does not say which positions a list's elements have.
            Object name = key.is(ShadowType.LIST) ? "" : elements.name();
            text.append(' ').append(name).append('=');
            text.append(key.is(ShadowType.ZSET) ? "" + elements.score() : elements.content());
          }
        }
        all.put(key.redisKey().toString(), text.toString());
      }
    }
    return all;
  }

  @Test
  void whatIsKnownByDigestOnlyIsTooLongWhereItDiffers() {
    InMemoryShadow known = new InMemoryShadow();
    InMemoryShadow actual = new InMemoryShadow();
    Content one = Content.digest(Content.utf8("one").sha1());
    Content other = Content.digest(Content.utf8("other").sha1());
    known.key(0, Bytes.utf8("equal")).setStringContent(one);
    actual.key(0, Bytes.utf8("equal")).setStringContent(one);
    known.key(0, Bytes.utf8("string")).setStringContent(one);
    actual.key(0, Bytes.utf8("string")).setStringContent(other);
    known.key(0, Bytes.utf8("hash")).putFieldContent(Bytes.utf8("equal"), one);
    actual.key(0, Bytes.utf8("hash")).putFieldContent(Bytes.utf8("equal"), one);
    actual.key(0, Bytes.utf8("hash")).putFieldContent(Bytes.utf8("new"), other);
    actual.key(0, Bytes.utf8("hash")).putField(Bytes.utf8("short"), Bytes.utf8("1"));
    walk(known, actual);
    assertThat(emitted).hasSize(3);
    assertThat(emitted.get(0)).contains("hash").endsWith("too long");
    assertThat(emitted.get(1)).contains("hash").contains("HashPut").contains("short");
    assertThat(emitted.get(2)).contains("string").endsWith("too long");
    assertThat(known.key(0, Bytes.utf8("equal")).exact()).isTrue();
    assertThat(known.key(0, Bytes.utf8("hash")).exact()).isFalse();
    assertThat(known.key(0, Bytes.utf8("string")).exact()).isFalse();
  }

  @Test
  void theShadowBecomesEqualToTheSnapshot() {
    for (long seed = 0; seed < 2_000; seed++) {
      Random random = new Random(seed);
      InMemoryShadow known = new InMemoryShadow();
      InMemoryShadow actual = new InMemoryShadow();
      fill(known, random);
      fill(actual, random);
      walk(known, actual);
      assertThat(dump(known)).as("seed %d: %s", seed, emitted).isEqualTo(dump(actual));
      emitted.clear();
      walk(known, actual);
      assertThat(emitted).as("seed %d, second walk", seed).isEmpty();
    }
  }

  @Test
  void anEqualSnapshotGivesNoChanges() {
    for (long seed = 0; seed < 200; seed++) {
      InMemoryShadow known = new InMemoryShadow();
      InMemoryShadow actual = new InMemoryShadow();
      fill(known, new Random(seed));
      fill(actual, new Random(seed));
      walk(known, actual);
      assertThat(emitted).as("seed %d", seed).isEmpty();
    }
  }

  @Test
  void integersThatDifferAreIncrements() {
    InMemoryShadow known = new InMemoryShadow();
    InMemoryShadow actual = new InMemoryShadow();
    known.key(0, Bytes.utf8("n")).setString(Bytes.utf8("5"));
    actual.key(0, Bytes.utf8("n")).setString(Bytes.utf8("12"));
    walk(known, actual);
    assertThat(emitted).containsExactly("n StringAdd[delta=7, result=null]");
  }

  @Test
  void whatIsNotKnownForSureIsPublishedWhole() {
    InMemoryShadow known = new InMemoryShadow();
    InMemoryShadow actual = new InMemoryShadow();
    ShadowKey unsure = known.key(0, Bytes.utf8("h"));
    unsure.putField(Bytes.utf8("f"), Bytes.utf8("v"));
    unsure.markUnknown(ShadowType.HASH);
    actual.key(0, Bytes.utf8("h")).putField(Bytes.utf8("f"), Bytes.utf8("v"));
    walk(known, actual);
    assertThat(emitted).containsExactly("h KeyDelete[]", "h HashPut[name=f, value=v]");
    assertThat(known.key(0, Bytes.utf8("h")).exact()).isTrue();
  }

  @Test
  void whatAwaitedItsContentIsPublishedWholeAndAwaitsItNoMore() {
    InMemoryShadow known = new InMemoryShadow();
    InMemoryShadow actual = new InMemoryShadow();
    for (String name : List.of("gone", "hash", "list", "string")) {
      known.key(0, Bytes.utf8(name)).markUnresolved();
    }
    known.key(0, Bytes.utf8("string")).deadline(NOW + 7);
    actual.key(0, Bytes.utf8("hash")).putField(Bytes.utf8("f"), Bytes.utf8("v"));
    actual.key(0, Bytes.utf8("list")).markOpaque();
    actual.key(0, Bytes.utf8("string")).setString(Bytes.utf8("v"));
    walk(known, actual);
    assertThat(emitted)
        .containsExactly(
            "gone KeyDelete[]",
            "hash KeyDelete[]",
            "hash HashPut[name=f, value=v]",
            "list KeyDelete[]",
            "string StringSet[value=v, deadlineMillis=0, keepsDeadline=false]");
    assertThat(known.unresolvedAfter(null)).isNull();
  }

  @Test
  void aMissingKeyWhoseDeadlinePassedHasExpired() {
    InMemoryShadow known = new InMemoryShadow();
    for (long deadline : new long[] {NOW, NOW + 1}) {
      ShadowKey key = known.key(0, Bytes.utf8("d" + deadline));
      key.setString(Bytes.utf8("v"));
      key.deadline(deadline);
    }
    walk(known, new InMemoryShadow());
    assertThat(emitted)
        .containsExactly("d1000 KeyExpire[deadlineMillis=1000]", "d1001 KeyDelete[]");
  }
}
