package io.crosstide.capture.shadow;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.ListPosition;
import io.crosstide.crdt.ListPosition.Side;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.Content;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Drives one list of a shadow and a naive list side by side with seeded work, some elements at
 * places where their positions do not belong, with commits and crashes in between.
 */
final class ListModel {
  private final long seed;
  private final Random random;
  private final List<Held> now = new ArrayList<>();
  private List<Held> committed = new ArrayList<>();
  private long writes;

  private record Held(Bytes position, Content content) {}

  ListModel(long seed) {
    this.seed = seed;
    this.random = new Random(seed);
  }

  void run(Supplier<Shadow> create, UnaryOperator<Shadow> afterCrash, int steps) {
    Shadow shadow = create.get();
    for (int i = 0; i < steps; i++) {
      work(shadow);
      int dice = random.nextInt(40);
      if (dice < 4) {
        shadow.commitThrough(shadow.seal(new Checkpoint("id", i, 0, 0, HybridTimestamp.of(1, 1))));
        committed = new ArrayList<>(now);
      } else if (dice == 4) {
        shadow = afterCrash.apply(shadow);
        now.clear();
        now.addAll(committed);
      } else if (dice < 8) {
        check(list(shadow));
      }
    }
    check(list(shadow));
    shadow.close();
  }

  private static ShadowKey key(Shadow shadow) {
    return shadow.key(0, Bytes.utf8("l"));
  }

  private static ShadowList list(Shadow shadow) {
    return key(shadow).list();
  }

  private void work(Shadow shadow) {
    int dice = random.nextInt(12);
    if (dice == 11 && random.nextInt(20) == 0) {
      key(shadow).delete();
      now.clear();
    } else if (now.isEmpty() || dice < 5) {
      insert(shadow);
    } else if (dice < 6) {
      int at = random.nextInt(now.size());
      Content content = content();
      list(shadow).set(entry(shadow, at), content);
      now.set(at, new Held(now.get(at).position(), content));
    } else if (dice < 7) {
      int at = random.nextInt(now.size());
      Content content = content();
      list(shadow).put(now.get(at).position(), content);
      now.set(at, new Held(now.get(at).position(), content));
    } else if (random.nextInt(3) != 0 || now.size() > 30) {
      int at =
          switch (random.nextInt(3)) {
            case 0 -> 0;
            case 1 -> now.size() - 1;
            default -> random.nextInt(now.size());
          };
      list(shadow).remove(entry(shadow, at));
      now.remove(at);
    }
  }

  private ShadowList.Entry entry(Shadow shadow, int at) {
    int index = random.nextBoolean() ? at : at - now.size();
    return Objects.requireNonNull(list(shadow).at(index), () -> "seed " + seed + " at " + index);
  }

  private void insert(Shadow shadow) {
    int at =
        switch (random.nextInt(3)) {
          case 0 -> 0;
          case 1 -> now.size();
          default -> random.nextInt(now.size() + 1);
        };
    Bytes left = at == 0 ? null : entry(shadow, at - 1).place();
    Bytes right = at == now.size() ? null : entry(shadow, at).place();
    Bytes position = random.nextInt(4) == 0 ? elsewhere(shadow) : between(left, right);
    Content content = content();
    ShadowList.Entry made = list(shadow).insert(left, right, position, content);
    assertThat(made.position()).isEqualTo(position);
    now.add(at, new Held(position, content));
  }

  private Bytes elsewhere(Shadow shadow) {
    int at = random.nextInt(now.size() + 1);
    return between(
        at == 0 ? null : entry(shadow, at - 1).place(),
        at == now.size() ? null : entry(shadow, at).place());
  }

  private Bytes between(@Nullable Bytes left, @Nullable Bytes right) {
    Side side = random.nextBoolean() ? Side.AFTER_LEFT : Side.BEFORE_RIGHT;
    return ListPosition.between(left, right, Origin.of(1 + random.nextInt(2)), ++writes, side);
  }

  private Content content() {
    return Content.utf8(random.nextInt(8) == 0 ? "L".repeat(20_000) : "v" + random.nextInt(4));
  }

  private void check(ShadowList list) {
    for (boolean backwards : new boolean[] {false, true}) {
      List<Held> found = new ArrayList<>();
      Bytes last = null;
      try (ShadowList.Walk walk = list.walk(backwards)) {
        for (ShadowList.Entry e = walk.next(); e != null; e = walk.next()) {
          found.add(backwards ? 0 : found.size(), new Held(e.position(), e.content()));
          last = e.place();
        }
      }
      assertThat(found).as("seed %d, backwards %s", seed, backwards).isEqualTo(now);
      if (last != null) {
        ShadowList.Entry end = backwards ? list.first() : list.last();
        assertThat(Objects.requireNonNull(end).place()).isEqualTo(last);
      }
    }
    for (int i = 0; i < now.size(); i++) {
      ShadowList.Entry found = Objects.requireNonNull(list.find(now.get(i).position()));
      assertThat(found.content()).isEqualTo(now.get(i).content());
      assertThat(list.indexOf(found)).as("seed %d", seed).isEqualTo(i);
      try (ShadowList.Walk on = list.walkFrom(found.place(), false);
          ShadowList.Walk back = list.walkFrom(found.place(), true)) {
        assertThat(positionOf(on.next())).isEqualTo(i + 1 < now.size() ? at(i + 1) : null);
        assertThat(positionOf(back.next())).isEqualTo(i > 0 ? at(i - 1) : null);
      }
    }
    assertThat(list.at(now.size())).isNull();
    assertThat(list.at(-now.size() - 1)).isNull();
    assertThat(list.find(between(null, null))).isNull();
  }

  private Bytes at(int index) {
    return now.get(index).position();
  }

  private static @Nullable Bytes positionOf(ShadowList.@Nullable Entry entry) {
    return entry == null ? null : entry.position();
  }
}
