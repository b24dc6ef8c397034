package io.crosstide.streams.query;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Cell;
import io.crosstide.crdt.Dot;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.merge.KeyReport;
import io.crosstide.protocol.merge.KeyReport.ElementReport;
import io.crosstide.protocol.merge.KeyReport.TrackedReport;
import io.crosstide.protocol.merge.KeyState;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Turns a {@link KeyReport} into maps, lists, texts and numbers that any JSON writer takes, with a
 * sentence that says why the key has its value.
 */
public final class KeyExplainer {
  private static final Comparator<Cell.Write> WINNER_FIRST =
      Comparator.<Cell.Write>comparingLong(write -> write.stamp().packed())
          .reversed()
          .thenComparing(Cell.Write::dot);

  private final IntFunction<String> regionName;

  /**
   * @param regionName of a region id
   */
  public KeyExplainer(IntFunction<String> regionName) {
    this.regionName = regionName;
  }

  /** The report as data, under stable names. */
  public Map<String, Object> explain(KeyReport report) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("key", report.key().name().toString());
    out.put("db", report.key().db());
    out.put("type", type(report.kind()));
    if (report.deadlineMillis() > 0) {
      out.put("deadline_ms", report.deadlineMillis());
    }
    out.put("why", why(report));
    out.put("elements", report.elements().stream().map(this::element).toList());
    out.put("elements_more", report.elementsMore());
    out.put("deadlines", report.deadlines().stream().map(this::deadline).toList());
    out.put("expiries", report.expiries().stream().map(this::expiry).toList());
    out.put(
        "removals",
        report.removals().stream().map(removal -> removal.context().toString()).toList());
    if (report.deadlineState() != null) {
      out.put("deadline_tracked", tracked(report.deadlineState()));
    }
    return out;
  }

  private static String type(@Nullable ElementKind kind) {
    if (kind == null) {
      return "none";
    }
    return switch (kind) {
      case STRING, DEADLINE -> "string";
      case HASH_FIELD -> "hash";
      case SET_MEMBER -> "set";
      case LIST_ELEMENT -> "list";
      case STREAM -> "stream";
      case ZSET_MEMBER -> "zset";
    };
  }

  private Map<String, Object> element(ElementReport element) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("kind", element.element().kind().name().toLowerCase(Locale.ROOT));
    out.put("name", element.element().name().toString());
    out.put("visible", text(element.visible()));
    List<Object> writes = new ArrayList<>();
    element.cell().writes().stream()
        .sorted(WINNER_FIRST)
        .forEach(
            write -> {
              Map<String, Object> one = written(write.dot(), write.stamp());
              one.put("value", write.value().toString());
              writes.add(one);
            });
    out.put("writes", writes);
    List<Object> increments = new ArrayList<>();
    for (Cell.Increment increment : element.cell().increments()) {
      Map<String, Object> one = written(increment.dot(), increment.stamp());
      one.put("delta", increment.delta().toPlainString());
      increments.add(one);
    }
    for (Cell.Spilled spilled : element.cell().spilled()) {
      Map<String, Object> one =
          written(new Dot(spilled.origin(), spilled.lastSeq()), spilled.stamp());
      one.put("first_seq", spilled.firstSeq());
      one.put("count", spilled.count());
      one.put("sum", spilled.sum().toPlainString());
      increments.add(one);
    }
    for (Cell.Folded folded : element.cell().folded()) {
      Map<String, Object> one = written(new Dot(folded.origin(), folded.lastSeq()), folded.stamp());
      one.put("sum", folded.sum().toPlainString());
      increments.add(one);
    }
    out.put("increments", increments);
    if (!element.removed().isEmpty()) {
      out.put("removed_ahead", element.removed().toString());
    }
    if (element.tracked() != null) {
      out.put("tracked", tracked(element.tracked()));
    }
    return out;
  }

  private Map<String, Object> written(Dot dot, HybridTimestamp stamp) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("region", region(dot));
    out.put("dot", dot.toString());
    out.put("stamp", stamp.toString());
    out.put("time", time(stamp.physicalMillis()));
    return out;
  }

  private Map<String, Object> deadline(KeyState.DeadlineWrite write) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("region", region(write.dot()));
    out.put("dot", write.dot().toString());
    out.put("at", write.at() == KeyState.PERSIST ? "none" : time(write.at()));
    out.put("bound_to_value", write.bound());
    return out;
  }

  private Map<String, Object> expiry(KeyState.Expiry expiry) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("region", region(expiry.dot()));
    out.put("dot", expiry.dot().toString());
    out.put("deadline", time(expiry.deadlineMillis()));
    out.put("covers", expiry.covers().context().toString());
    return out;
  }

  private static Map<String, Object> tracked(TrackedReport tracked) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("known", tracked.known());
    if (tracked.known()) {
      out.put("redis_held", text(tracked.content()));
      out.put("redis_will_hold", text(tracked.believed()));
    }
    if (!tracked.exception().isNone()) {
      out.put("missed_by", tracked.exception().toString());
    }
    out.put(
        "pending",
        tracked.pending().stream()
            .map(
                sent ->
                    sent.number()
                        + " "
                        + sent.effect().getClass().getSimpleName().toLowerCase(Locale.ROOT))
            .toList());
    return out;
  }

  private static @Nullable String text(Content content) {
    if (content.isAbsent()) {
      return null;
    }
    Bytes value = content.value();
    return value == null ? "sha1:" + content.sha1Hex() : value.toString();
  }

  // --- the sentence
  // --------------------------------------------------------------------------------------------------------------

  private String why(KeyReport report) {
    List<ElementReport> visible =
        report.elements().stream().filter(element -> !element.visible().isAbsent()).toList();
    if (visible.isEmpty()) {
      return report.expiries().isEmpty()
          ? "Nothing is to be seen: every write was removed by a delete that had seen it."
          : "Nothing is to be seen: it expired in "
              + region(report.expiries().get(report.expiries().size() - 1).dot())
              + ", and no write or deadline it had not seen is left.";
    }
    if (report.kind() != ElementKind.STRING) {
      return "Each of its "
          + (visible.size() + report.elementsMore())
          + " elements is there because a write to it survives that no removal had seen.";
    }
    return whyString(visible.get(0));
  }

  private String whyString(ElementReport element) {
    List<Cell.Write> writes = element.cell().writes().stream().sorted(WINNER_FIRST).toList();
    Map<String, BigDecimal> sums = new TreeMap<>();
    for (Cell.Increment increment : element.cell().increments()) {
      sums.merge(region(increment.dot()), increment.delta(), BigDecimal::add);
    }
    for (Cell.Spilled spilled : element.cell().spilled()) {
      sums.merge(regionName.apply(spilled.origin().regionId()), spilled.sum(), BigDecimal::add);
    }
    for (Cell.Folded folded : element.cell().folded()) {
      sums.merge(regionName.apply(folded.origin().regionId()), folded.sum(), BigDecimal::add);
    }
    StringBuilder out = new StringBuilder();
    if (writes.isEmpty()) {
      out.append("The value is the sum of increments alone");
    } else {
      Cell.Write winner = writes.get(0);
      out.append("The value was written by ")
          .append(region(winner.dot()))
          .append(" at ")
          .append(time(winner.stamp().physicalMillis()));
      if (writes.size() > 1) {
        out.append(
            writes.get(1).stamp().equals(winner.stamp())
                ? ", which has the smaller region id of concurrent writes at the same instant"
                : ", the newest of " + writes.size() + " concurrent writes");
      }
    }
    if (!sums.isEmpty()) {
      out.append(writes.isEmpty() ? ": " : ", and increments it had not seen are added: ");
      List<String> parts = new ArrayList<>();
      sums.forEach((region, sum) -> parts.add(region + " " + sum.toPlainString()));
      out.append(String.join(", ", parts));
    }
    return out.append('.').toString();
  }

  private String region(Dot dot) {
    return regionName.apply(dot.origin().regionId());
  }

  private static String time(long millis) {
    return Instant.ofEpochMilli(millis).toString();
  }
}
