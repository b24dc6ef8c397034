package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Cell;
import io.crosstide.crdt.Dot;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.IncrementLog;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.ElementKind;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KeyStateTest {
  private static final Origin US = Origin.of(1);
  private static final Origin EU = Origin.of(2);

  private static KeyState full() {
    KeyState state = new KeyState();
    state.string =
        Cell.EMPTY.write(
            new Dot(US, 1),
            HybridTimestamp.of(5, 0),
            Bytes.utf8("v"),
            VersionVector.EMPTY,
            IncrementLog.NONE);
    state.addVisible(ElementKind.STRING, 1);
    state.addVisible(ElementKind.ZSET_MEMBER, 3);
    state.rows = 4;
    state.deadlineRemoved = VersionVector.of(EU, 2);
    state.addRemoval(
        new KeyState.Removal(
            VersionVector.of(EU, 9),
            Map.of("digest", VersionVector.of(EU, 4), "d", VersionVector.EMPTY)));
    return state;
  }

  @Test
  void everyPartReadsBackAsItWas() {
    KeyState state = full();
    KeyState back = KeyState.decode(state.encode());
    assertThat(back.encode()).isEqualTo(state.encode());
    assertThat(back.string()).isEqualTo(state.string());
    assertThat(back.visibleCount(ElementKind.ZSET_MEMBER)).isEqualTo(3);
    assertThat(back.rows).isEqualTo(4);
    assertThat(back.deadlineRemoved).isEqualTo(state.deadlineRemoved);
    assertThat(back.removals).isEqualTo(state.removals);
  }

  @Test
  void anEmptyStateIsBlankAndAnyPartMakesItNot() {
    assertThat(new KeyState().isBlank()).isTrue();
    assertThat(KeyState.decode(new KeyState().encode()).isBlank()).isTrue();
    KeyState waits = new KeyState();
    waits.deadlineRemoved = VersionVector.of(EU, 2);
    assertThat(waits.isBlank()).isFalse();
    waits.prune(VersionVector.of(EU, 2));
    assertThat(waits.isBlank()).isTrue();
    KeyState rows = new KeyState();
    rows.rows = 1;
    assertThat(rows.isBlank()).isFalse();
  }

  @Test
  void aRemovalIsForgottenOnceAllItCoversHasBeenReceived() {
    KeyState state = full();
    state.prune(VersionVector.of(EU, 8));
    assertThat(state.removals).hasSize(1);
    state.prune(VersionVector.of(EU, 9));
    assertThat(state.removals).isEmpty();
  }

  @Test
  void theOnlyVisibleKindIsToldAndSeveralAreNot() {
    KeyState state = new KeyState();
    assertThat(state.hasVisible()).isFalse();
    assertThat(state.onlyVisibleKind()).isNull();
    state.addVisible(ElementKind.SET_MEMBER, 2);
    assertThat(state.onlyVisibleKind()).isEqualTo(ElementKind.SET_MEMBER);
    state.addVisible(ElementKind.STRING, 1);
    assertThat(state.hasVisible()).isTrue();
    assertThat(state.onlyVisibleKind()).isNull();
    state.addVisible(ElementKind.SET_MEMBER, -2);
    assertThat(state.onlyVisibleKind()).isEqualTo(ElementKind.STRING);
  }
}
