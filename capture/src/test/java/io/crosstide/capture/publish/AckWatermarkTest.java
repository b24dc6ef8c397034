package io.crosstide.capture.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class AckWatermarkTest {
  private int advances;
  private final AckWatermark watermark = new AckWatermark(() -> advances++);

  @Test
  void aUnitWithoutEventsIsDurableAtOnce() {
    watermark.end(1, 37);
    assertThat(watermark.offset()).isEqualTo(37);
    assertThat(watermark.unit()).isEqualTo(1);
    assertThat(advances).isEqualTo(1);
  }

  @Test
  void aUnitIsDurableOnlyWithAllItsEvents() {
    AckWatermark.Unit unit = watermark.add();
    assertThat(watermark.add()).isSameAs(unit);
    watermark.acknowledged(unit);
    watermark.end(1, 100);
    assertThat(watermark.offset()).isZero();
    watermark.acknowledged(unit);
    assertThat(watermark.offset()).isEqualTo(100);
  }

  @Test
  void anAcknowledgementBeforeTheUnitsEndDoesNotMoveIt() {
    AckWatermark.Unit open = watermark.add();
    watermark.acknowledged(open);
    assertThat(watermark.offset()).isZero();
    watermark.end(1, 100);
    assertThat(watermark.offset()).isEqualTo(100);
  }

  @Test
  void laterAcknowledgementsWaitForEarlierOnes() {
    AckWatermark.Unit first = watermark.add();
    watermark.end(1, 100);
    AckWatermark.Unit second = watermark.add();
    watermark.end(2, 200);
    watermark.acknowledged(second);
    assertThat(watermark.offset()).isZero();
    watermark.acknowledged(first);
    assertThat(watermark.offset()).isEqualTo(200);
  }

  @Test
  void aPingBehindAnUnacknowledgedEventIsNotDurableBeforeIt() {
    AckWatermark.Unit event = watermark.add();
    watermark.end(1, 100);
    watermark.end(2, 114);
    assertThat(watermark.offset()).isZero();
    watermark.acknowledged(event);
    assertThat(watermark.offset()).isEqualTo(114);
    assertThat(watermark.unit()).isEqualTo(2);
    assertThat(watermark.isDrained()).isTrue();
  }

  @Test
  void itCannotBeSetWhileSomethingIsInFlight() {
    AckWatermark.Unit event = watermark.add();
    assertThat(event).isNotNull();
    assertThatThrownBy(() -> watermark.startAt(0, 5)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void whateverTheOrderItIsTheLongestAcknowledgedPrefix() {
    for (long seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      AckWatermark each = new AckWatermark(() -> {});
      List<AckWatermark.Unit> unacknowledged = new ArrayList<>();
      int units = 1 + random.nextInt(30);
      int[] pending = new int[units];
      List<Integer> owners = new ArrayList<>();
      for (int unit = 0; unit < units; unit++) {
        int events = random.nextInt(4);
        for (int i = 0; i < events; i++) {
          unacknowledged.add(each.add());
          owners.add(unit);
          pending[unit]++;
        }
        each.end(unit + 1, (unit + 1) * 10L);
      }
      List<Integer> order = new ArrayList<>();
      for (int i = 0; i < unacknowledged.size(); i++) {
        order.add(i);
      }
      Collections.shuffle(order, random);
      for (int next : order) {
        each.acknowledged(unacknowledged.get(next));
        pending[owners.get(next)]--;
        long expected = 0;
        for (int unit = 0; unit < units && pending[unit] == 0; unit++) {
          expected = (unit + 1) * 10L;
        }
        assertThat(each.offset()).as("seed %d", seed).isEqualTo(expected);
      }
    }
  }
}
