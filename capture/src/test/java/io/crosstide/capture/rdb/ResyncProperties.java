package io.crosstide.capture.rdb;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/**
 * P7 over random histories: elements that clients did not write are not published, increments by
 * the amounts that clients added, and keys as deleted only if clients emptied them, however many
 * effects were unseen, which owners sent them and where capture died; afterwards the shadow is what
 * Redis holds.
 */
final class ResyncProperties {
  private static final int SEEDS = 600;
  private static final int ROUNDS = 4;

  @Test
  void onlyWhatClientsWroteIsPublished() {
    for (long seed = 0; seed < SEEDS; seed++) {
      run(seed);
    }
  }

  private static void run(long seed) {
    ResyncWorld world = new ResyncWorld(seed);
    for (int round = 0; round < ROUNDS; round++) {
      String place = "seed " + seed + ", round " + round;
      // What the log shows beyond the shadow comes first: capture dies with it on the way.
      history(world, true);
      history(world, false);
      boolean done = false;
      while (!done) {
        boolean dies = world.random.nextInt(3) > 0;
        done = world.resync(dies ? world.random.nextInt(12) : -1);
        if (!done && world.random.nextBoolean()) {
          history(world, false);
        }
      }
      assertThat(world.unseen).as(place).containsAll(world.published);
      assertThat(world.known()).as(place).isEqualTo(world.held());
      assertThat(world.gone).as(place).containsAll(world.publishedAsDeleted);
      assertThat(world.publishedAsAdded).as(place).isEqualTo(world.added);
      world.allIsKnown();
    }
  }

  private static void history(ResyncWorld world, boolean captured) {
    for (int step = world.random.nextInt(12); step > 0; step--) {
      switch (world.random.nextInt(captured ? 6 : 8)) {
        case 0, 1 -> world.write(captured);
        case 2 -> world.count(captured);
        case 3 -> {
          if (world.random.nextInt(3) == 0) {
            world.takeOver();
          }
        }
        default -> world.batch(true);
      }
    }
  }
}
