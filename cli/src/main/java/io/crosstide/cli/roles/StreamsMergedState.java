package io.crosstide.cli.roles;

import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.control.role.KeyExplanation;
import io.crosstide.control.role.KeyExplanation.ElementExplanation;
import io.crosstide.control.role.KeyExplanation.Write;
import io.crosstide.control.role.MergedState;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Cell;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.KeyInspector;
import io.crosstide.protocol.merge.KeyReport;
import io.crosstide.protocol.merge.KeyReport.ElementReport;
import io.crosstide.protocol.merge.KeyReport.TrackedReport;
import io.crosstide.protocol.merge.KeyState;
import io.crosstide.streams.query.PartitionQueries;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The merged state of a streams role in this process, as the control plane sees it. */
final class StreamsMergedState implements MergedState {
  private final PartitionQueries queries;
  private final Map<Integer, String> regionNames = new HashMap<>();

  StreamsMergedState(PartitionQueries queries, CrosstideConfig config) {
    this.queries = queries;
    config.regions().forEach(region -> regionNames.put(region.id(), region.name()));
  }

  @Override
  public VersionVector position(int partition) throws IOException {
    return queries.position(partition);
  }

  @Override
  public void visit(int partition, Visitor visitor) throws IOException {
    queries.visit(partition, adapted(visitor));
  }

  @Override
  public boolean visit(RedisKey key, Visitor visitor) throws IOException {
    return queries.visit(key, adapted(visitor));
  }

  private static KeyInspector.Visitor adapted(Visitor visitor) {
    return new KeyInspector.Visitor() {
      @Override
      public void key(RedisKey key, ElementKind kind, long deadlineMillis) {
        visitor.key(key, type(kind), deadlineMillis);
      }

      @Override
      public void element(Bytes name, Content content) {
        visitor.element(name, content);
      }

      @Override
      public void end() {
        visitor.end();
      }
    };
  }

  @Override
  public Optional<KeyExplanation> explain(RedisKey key, int elementsMax) throws IOException {
    return queries.report(key, elementsMax).map(this::explanation);
  }

  private KeyExplanation explanation(KeyReport report) {
    List<ElementExplanation> elements = new ArrayList<>();
    report.elements().forEach(element -> elements.add(element(element)));
    if (!report.deadlines().isEmpty() || report.deadlineState() != null) {
      elements.add(deadline(report));
    }
    return new KeyExplanation(
        type(report.kind()), report.deadlineMillis(), elements, report.elementsMore());
  }

  private ElementExplanation element(ElementReport report) {
    Cell cell = report.cell();
    List<Write> writes = new ArrayList<>();
    Cell.Write winner = cell.winner();
    for (Cell.Write write : cell.writes()) {
      writes.add(
          write.equals(winner) ? 0 : writes.size(),
          new Write(write.dot(), write.stamp(), Content.of(write.value())));
    }
    return new ElementExplanation(
        report.element().kind(),
        report.element().name(),
        report.visible(),
        writes,
        increments(cell),
        note(report.tracked()));
  }

  private Map<String, String> increments(Cell cell) {
    Map<String, BigDecimal> sums = new HashMap<>();
    cell.folded()
        .forEach(
            folded -> sums.merge(name(folded.origin().regionId()), folded.sum(), BigDecimal::add));
    cell.spilled()
        .forEach(
            spilled ->
                sums.merge(name(spilled.origin().regionId()), spilled.sum(), BigDecimal::add));
    cell.increments()
        .forEach(
            increment ->
                sums.merge(
                    name(increment.dot().origin().regionId()), increment.delta(), BigDecimal::add));
    Map<String, String> texts = new HashMap<>();
    sums.forEach((region, sum) -> texts.put(region, sum.toPlainString()));
    return texts;
  }

  private static ElementExplanation deadline(KeyReport report) {
    long visible = report.deadlineMillis();
    List<Write> writes = new ArrayList<>();
    for (KeyState.DeadlineWrite write : report.deadlines()) {
      boolean persists = write.at() == KeyState.PERSIST;
      boolean wins = persists ? visible == 0 : write.at() == visible;
      // A deadline has no stamp of its own: the longest wins, not the newest.
      writes.add(
          wins ? 0 : writes.size(),
          new Write(
              write.dot(),
              HybridTimestamp.ZERO,
              persists ? Content.ABSENT : Content.deadline(write.at())));
    }
    return new ElementExplanation(
        ElementKind.DEADLINE,
        Bytes.EMPTY,
        visible == 0 ? Content.ABSENT : Content.deadline(visible),
        writes,
        Map.of(),
        note(report.deadlineState()));
  }

  private static String note(@Nullable TrackedReport tracked) {
    if (tracked == null) {
      return "";
    }
    if (!tracked.known()) {
      return "Redis is being asked what it holds";
    }
    if (!tracked.exception().isNone()) {
      return "the last effect met a local write; what Redis holds then is awaited";
    }
    return tracked.pending().size() + " effects are on their way to Redis";
  }

  private static String type(@Nullable ElementKind kind) {
    return kind == null
        ? "none"
        : switch (kind) {
          case STRING -> "string";
          case HASH_FIELD -> "hash";
          case SET_MEMBER -> "set";
          case LIST_ELEMENT -> "list";
          case STREAM -> "stream";
          case ZSET_MEMBER -> "zset";
          case DEADLINE -> "none";
        };
  }

  private String name(int regionId) {
    return regionNames.getOrDefault(regionId, "region " + regionId);
  }
}
