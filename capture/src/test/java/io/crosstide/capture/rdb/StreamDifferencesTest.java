package io.crosstide.capture.rdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.capture.shadow.InMemoryShadow;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowStream;
import io.crosstide.capture.shadow.ShadowStream.Group;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.StreamElements;
import io.crosstide.protocol.StreamId;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class StreamDifferencesTest {
  private static final Bytes G = Bytes.utf8("g");

  private final Shadow shadow = new InMemoryShadow();
  private final Shadow snapshot = new InMemoryShadow();
  private final ShadowKey knownKey = shadow.key(0, Bytes.utf8("x"));
  private final ShadowKey actualKey = snapshot.key(0, Bytes.utf8("x"));
  private final ShadowStream known = new ShadowStream(knownKey);
  private final ShadowStream actual = new ShadowStream(actualKey);
  private final List<Change> changes = new ArrayList<>();

  private static StreamId id(long millis) {
    return new StreamId(millis, 0);
  }

  private static Bytes value(String text) {
    return StreamElements.entryValue(List.of(Bytes.utf8("f"), Bytes.utf8(text)));
  }

  private static Change put(long millis, String text) {
    return new Change.StreamPut(StreamElements.entry(id(millis)), value(text));
  }

  private static Change position(long millis) {
    return new Change.StreamPut(
        StreamElements.group(G), StreamElements.groupValue(id(millis), false));
  }

  private void compare() {
    boolean[] tooLong = {false};
    new StreamDifferences(knownKey, actualKey, changes::add).walk(() -> tooLong[0] = true);
    assertThat(tooLong[0]).isFalse();
    assertThat(known.last()).isEqualTo(actual.last());
    assertThat(known.entries()).isEqualTo(actual.entries());
    List<Change> once = List.copyOf(changes);
    new StreamDifferences(knownKey, actualKey, changes::add).walk(() -> {});
    assertThat(changes).as("the second time there is nothing").isEqualTo(once);
  }

  @Test
  void entriesThatCameAndWentArePublished() {
    for (int i = 1; i <= 3; i++) {
      known.add(id(i), value("v" + i));
    }
    actual.add(id(2), value("v2"));
    actual.add(id(3), value("other"));
    actual.add(id(4), value("v4"));
    actual.last(id(9));
    compare();
    assertThat(changes)
        .containsExactly(
            new Change.StreamRemove(StreamElements.entry(id(1))), put(3, "other"), put(4, "v4"));
  }

  @Test
  void severalEntriesWithOneIdAreFollowedOnly() {
    known.add(id(1), value("mine"));
    actual.add(id(1), value("theirs"));
    actual.add(id(1).displaced(2), value("mine"));
    compare();
    assertThat(changes).isEmpty();
    assertThat(known.shown(id(1))).hasSize(2);
  }

  @Test
  void aNewStreamWithoutEntriesIsPublishedAsSuch() {
    actual.create();
    compare();
    assertThat(changes).containsExactly(new Change.StreamPut(StreamElements.STREAM, Bytes.EMPTY));
  }

  @Test
  void aGroupIsPublishedAsFarAsItHasAcknowledged() {
    for (int i = 1; i <= 3; i++) {
      known.add(id(i), value("v"));
      actual.add(id(i), value("v"));
    }
    actual.group(G, new Group(id(3), id(3)));
    actual.pend(G, id(2), Bytes.utf8("c"));
    compare();
    assertThat(changes).containsExactly(position(1));
    assertThat(known.consumer(G, id(2))).isEqualTo(Bytes.utf8("c"));

    changes.clear();
    actual.settle(G, id(2));
    compare();
    assertThat(changes).containsExactly(position(3));
    assertThat(Objects.requireNonNull(known.group(G)).acknowledged()).isEqualTo(id(3));
    assertThat(known.consumer(G, id(2))).isNull();

    changes.clear();
    actual.removeGroup(G);
    compare();
    assertThat(changes).containsExactly(new Change.StreamRemove(StreamElements.group(G)));
  }
}
