package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Held records come back in order, per origin, without a walk over those that have gone. */
final class HeldEventsTest {
  private static final Origin ONE = Origin.of(1);
  private static final Origin TWO = Origin.of(2);

  private final CountedRows rows = new CountedRows();
  private final MapEventCodec codec = new MapEventCodec();
  private final EventLog one = new EventLog(ONE);
  private final EventLog two = new EventLog(TWO);
  private HeldEvents held = new HeldEvents(rows, codec);

  private static ChangeEvent event(EventLog log) {
    return log.write(
        RedisKey.of(0, "k"),
        new Change.StringSet(Bytes.utf8("v"), 0, false),
        VersionVector.EMPTY,
        1);
  }

  private List<Long> takeAll(Origin origin) {
    List<Long> taken = new ArrayList<>();
    for (ChangeEvent next = held.first(origin); next != null; next = held.first(origin)) {
      taken.add(next.seq());
      held.remove(next);
    }
    return taken;
  }

  @Test
  void whatFollowsOneAnotherIsReadByItsKey() {
    rows.reset();
    for (int i = 0; i < 5; i++) {
      held.add(event(one));
      held.add(event(two));
    }
    assertThat(held.first(ONE, 3)).extracting(ChangeEvent::seq).containsExactly(1L, 2L, 3L);
    assertThat(held.first(ONE, 9)).hasSize(5);
    assertThat(takeAll(ONE)).containsExactly(1L, 2L, 3L, 4L, 5L);
    assertThat(held.holds(ONE)).isFalse();
    assertThat(takeAll(TWO)).hasSize(5);
    assertThat(held.isEmpty()).isTrue();
    assertThat(rows.scans()).isZero();
  }

  /** A bridge may leave records out. */
  @Test
  void gapsAreStridden() {
    held.add(event(one));
    one.skip(3);
    held.add(event(one));
    held.add(event(one));
    one.skip(1);
    held.add(event(one));
    assertThat(held.first(ONE, 3)).extracting(ChangeEvent::seq).containsExactly(1L, 5L, 6L);
    assertThat(takeAll(ONE)).containsExactly(1L, 5L, 6L, 8L);
  }

  @Test
  void aSuccessorFindsTheFirst() {
    for (int i = 0; i < 4; i++) {
      held.add(event(one));
    }
    held.remove(held.first(ONE, 1).get(0));
    held = new HeldEvents(rows, codec);
    held.add(event(one));
    assertThat(takeAll(ONE)).containsExactly(2L, 3L, 4L, 5L);
  }
}
