package io.crosstide.control.explain;

import io.crosstide.control.redis.Shown;
import io.crosstide.control.role.KeyExplanation;
import io.crosstide.control.role.KeyExplanation.ElementExplanation;
import io.crosstide.control.role.KeyExplanation.Write;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.StreamElements;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntFunction;
import java.util.stream.Collectors;

/** Says in sentences why a key has the value it has. */
final class WhyText {
  /** Elements of a collection that get a sentence of their own. */
  private static final int ELEMENTS_MAX = 5;

  private final IntFunction<String> regionName;

  /**
   * @param regionName of a region id
   */
  WhyText(IntFunction<String> regionName) {
    this.regionName = regionName;
  }

  String of(KeyExplanation key) {
    List<String> sentences = new ArrayList<>();
    List<ElementExplanation> elements =
        key.elements().stream().filter(e -> e.kind() != ElementKind.DEADLINE).toList();
    List<ElementExplanation> visible =
        elements.stream().filter(e -> !e.visible().isAbsent()).toList();
    if (visible.isEmpty()) {
      sentences.add(
          "Nothing is visible: every write to it was removed by a delete or expiry that had seen"
              + " it.");
    }
    visible.stream().limit(ELEMENTS_MAX).map(this::sentence).forEach(sentences::add);
    long more = Math.max(0, visible.size() - ELEMENTS_MAX) + key.elementsMore();
    if (more > 0) {
      sentences.add(more + " more elements are explained in the list.");
    }
    key.elements().stream()
        .filter(e -> e.kind() == ElementKind.DEADLINE)
        .findFirst()
        .ifPresent(deadline -> sentences.add(deadlineSentence(deadline)));
    return String.join(" ", sentences);
  }

  /** For a key of which nothing is known. */
  static String unknown() {
    return "No region has written this key, or everything written to it has been removed and"
        + " forgotten.";
  }

  private static String streamElement(Bytes name) {
    if (StreamElements.isEntry(name)) {
      return "Entry " + StreamElements.idOf(name);
    }
    return StreamElements.isGroup(name)
        ? "The position of group '" + Shown.text(StreamElements.groupOf(name).array()) + "'"
        : "The stream itself";
  }

  private String sentence(ElementExplanation element) {
    String what =
        switch (element.kind()) {
          case STRING, DEADLINE -> "The value";
          case HASH_FIELD -> "Field '" + Shown.text(element.name().array()) + "'";
          case SET_MEMBER -> "Member '" + Shown.text(element.name().array()) + "'";
          case LIST_ELEMENT -> "The list's element";
          case STREAM -> streamElement(element.name());
          case ZSET_MEMBER -> "The score of '" + Shown.text(element.name().array()) + "'";
        };
    StringBuilder out = new StringBuilder(what);
    if (element.writes().isEmpty()) {
      out.append(" is the sum of increments alone");
    } else {
      out.append(winner(element));
    }
    String increments = increments(element.increments());
    if (!increments.isEmpty()) {
      out.append(element.writes().isEmpty() ? ": " : "; added to it: ").append(increments);
    }
    return out.append('.').toString();
  }

  private String winner(ElementExplanation element) {
    Write winner = element.writes().get(0);
    String by = writer(winner) + " at " + time(winner);
    if (element.kind() == ElementKind.SET_MEMBER) {
      int others = element.writes().size() - 1;
      return " is there because "
          + writer(winner)
          + " added it at "
          + time(winner)
          + (others == 0 ? "" : " (and " + others + " concurrent additions)")
          + ", and no removal has seen that";
    }
    if (element.writes().size() == 1) {
      return " was written by " + by + "; no other write is concurrent with it";
    }
    String losers =
        element.writes().stream()
            .skip(1)
            .map(
                loser ->
                    writer(loser) + "'s '" + Shown.text(loser.content()) + "' of " + time(loser))
            .collect(Collectors.joining(", "));
    boolean tie = element.writes().get(1).stamp().equals(winner.stamp());
    return " was written by "
        + by
        + (tie
            ? "; of concurrent writes with equal stamps the smaller region id wins"
            : "; of concurrent writes the newest stamp wins")
        + ", over "
        + losers;
  }

  private String deadlineSentence(ElementExplanation deadline) {
    if (deadline.visible().isAbsent()) {
      return deadline.writes().isEmpty()
          ? "It has no deadline."
          : "It has no deadline: " + writer(deadline.writes().get(0)) + " removed it.";
    }
    String set =
        deadline.writes().isEmpty() ? "" : ", as set by " + writer(deadline.writes().get(0));
    return "It expires at "
        + Instant.ofEpochMilli(Long.parseLong(Shown.text(deadline.visible())))
        + set
        + (deadline.writes().size() > 1 ? ": the longest of concurrent deadlines holds." : ".");
  }

  private static String increments(Map<String, String> increments) {
    return new TreeMap<>(increments)
        .entrySet().stream()
            .map(sum -> sum.getKey() + " " + signed(sum.getValue()))
            .collect(Collectors.joining(", "));
  }

  private static String signed(String number) {
    return number.startsWith("-") ? number : "+" + number;
  }

  private String writer(Write write) {
    return regionName.apply(write.dot().origin().regionId());
  }

  private static String time(Write write) {
    return Instant.ofEpochMilli(write.stamp().physicalMillis()).toString();
  }
}
