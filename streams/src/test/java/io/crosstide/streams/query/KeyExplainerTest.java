package io.crosstide.streams.query;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Cell;
import io.crosstide.crdt.Dot;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.IncrementLog;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.SpillRule;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.KeyReport;
import io.crosstide.protocol.merge.KeyReport.ElementReport;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A counter's increments, wherever they lie. */
class KeyExplainerTest {
  private static final RedisKey KEY = RedisKey.of(0, "hits");

  /** Takes chunks and is never asked for one. */
  private static final IncrementLog LOG =
      new IncrementLog() {
        @Override
        public void scan(Origin origin, long fromSeq, ChunkVisitor visitor) {
          throw new AssertionError("explaining reads no increments");
        }

        @Override
        public void put(Origin origin, List<Cell.Increment> chunk) {}

        @Override
        public void drop(Origin origin, long fromSeq, long belowSeq) {}
      };

  private static Cell add(Cell cell, int region, long seq) {
    return cell.increment(
            new Dot(Origin.of(region), seq), HybridTimestamp.of(1000 + seq, 0), BigDecimal.TEN)
        .stored(cell, new SpillRule(1, 1), LOG);
  }

  @Test
  void incrementsInRowsOfTheirOwnAreCountedAndTheLastOfThemIsNamed() {
    Cell cell = Cell.EMPTY;
    for (int seq = 1; seq <= 5; seq++) {
      cell = add(cell, 2, seq);
    }
    cell = add(cell, 1, 9).fold(VersionVector.of(Origin.of(1), 9), LOG);
    KeyReport report =
        new KeyReport(
            KEY,
            ElementKind.STRING,
            0,
            List.of(new ElementReport(Element.string(KEY), Content.utf8("60"), cell, null)),
            0,
            List.of(),
            List.of(),
            List.of(),
            null);
    Map<String, Object> explained = new KeyExplainer(id -> "region " + id).explain(report);
    assertThat(explained.get("why"))
        .isEqualTo("The value is the sum of increments alone: region 1 10, region 2 50.");
    assertThat(String.valueOf(explained.get("elements")))
        .contains("dot=2.0.0:5", "delta=10")
        .contains("dot=2.0.0:4, stamp=1004+0", "first_seq=1, count=4, sum=40")
        .contains("dot=1.0.0:9, stamp=1009+0", "sum=10");
  }
}
