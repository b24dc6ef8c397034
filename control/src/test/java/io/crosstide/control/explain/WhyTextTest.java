package io.crosstide.control.explain;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.control.role.KeyExplanation;
import io.crosstide.control.role.KeyExplanation.ElementExplanation;
import io.crosstide.control.role.KeyExplanation.Write;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Dot;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.ElementKind;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WhyTextTest {
  private final WhyText why = new WhyText(id -> id == 1 ? "us-east" : "eu-west");

  @Test
  void newestOfConcurrentWritesWins() {
    assertThat(why.of(key(string("new", write(2, 2_000, "new"), write(1, 1_000, "old")))))
        .isEqualTo(
            "The value was written by eu-west at 1970-01-01T00:00:02Z; of concurrent writes the"
                + " newest stamp wins, over us-east's 'old' of 1970-01-01T00:00:01Z.");
  }

  @Test
  void equalStampsAreDecidedByTheSmallerId() {
    assertThat(why.of(key(string("a", write(1, 1_000, "a"), write(2, 1_000, "b")))))
        .contains("of concurrent writes with equal stamps the smaller region id wins");
  }

  @Test
  void incrementsAreAddedToTheWriteOrStandAlone() {
    assertThat(
            why.of(
                key(
                    element(
                        ElementKind.STRING,
                        "",
                        Content.utf8("13"),
                        List.of(write(1, 1_000, "10")),
                        Map.of("us-east", "4", "eu-west", "-1")))))
        .endsWith("no other write is concurrent with it; added to it: eu-west -1, us-east +4.");
    assertThat(
            why.of(
                key(
                    element(
                        ElementKind.STRING,
                        "",
                        Content.utf8("4"),
                        List.of(),
                        Map.of("us-east", "4")))))
        .isEqualTo("The value is the sum of increments alone: us-east +4.");
  }

  @Test
  void membersAreThereBecauseNoRemovalHasSeenTheirAdding() {
    assertThat(
            why.of(
                key(
                    element(
                        ElementKind.SET_MEMBER,
                        "m",
                        Content.PRESENT,
                        List.of(write(1, 1_000, ""), write(2, 2_000, "")),
                        Map.of()))))
        .isEqualTo(
            "Member 'm' is there because us-east added it at 1970-01-01T00:00:01Z (and 1 concurrent"
                + " additions), and no removal has seen that.");
  }

  @Test
  void deadlinesSayWhoSetThem() {
    ElementExplanation deadline =
        element(
            ElementKind.DEADLINE,
            "",
            Content.deadline(5_000),
            List.of(write(2, 0, "5000"), write(1, 0, "4000")),
            Map.of());

    assertThat(why.of(key(string("v", write(1, 1_000, "v")), deadline)))
        .endsWith(
            "It expires at 1970-01-01T00:00:05Z, as set by eu-west: the longest of concurrent"
                + " deadlines holds.");
  }

  @Test
  void keyOfWhichNothingIsVisibleSaysSo() {
    assertThat(why.of(key()))
        .isEqualTo(
            "Nothing is visible: every write to it was removed by a delete or expiry that had seen"
                + " it.");
  }

  private static KeyExplanation key(ElementExplanation... elements) {
    return new KeyExplanation("string", 0, List.of(elements), 0);
  }

  private static ElementExplanation string(String visible, Write... writes) {
    return element(ElementKind.STRING, "", Content.utf8(visible), List.of(writes), Map.of());
  }

  private static ElementExplanation element(
      ElementKind kind,
      String name,
      Content visible,
      List<Write> writes,
      Map<String, String> increments) {
    return new ElementExplanation(kind, Bytes.utf8(name), visible, writes, increments, "");
  }

  private static Write write(int region, long millis, String value) {
    return new Write(
        new Dot(Origin.of(region), 1), HybridTimestamp.of(millis, 0), Content.utf8(value));
  }
}
