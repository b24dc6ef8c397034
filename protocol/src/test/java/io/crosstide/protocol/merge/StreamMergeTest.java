package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.ByteWriter;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.StreamElements;
import io.crosstide.protocol.StreamId;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How streams merge, in every order in which two logs can arrive. */
class StreamMergeTest {
  private static final RedisKey KEY = RedisKey.of(0, "x");
  private static final VersionVector NOTHING = VersionVector.EMPTY;
  private static final StreamId ID = new StreamId(100, 1);

  private final EventLog us = new EventLog(1);
  private final EventLog eu = new EventLog(2);
  private final List<ChangeEvent> ofUs = new ArrayList<>();
  private final List<ChangeEvent> ofEu = new ArrayList<>();

  private static Element element(Bytes name) {
    return new Element(KEY, ElementKind.STREAM, name);
  }

  private static Element entry(StreamId id) {
    return element(StreamElements.entry(id));
  }

  private static Element group(String name) {
    return element(StreamElements.group(Bytes.utf8(name)));
  }

  private static Bytes value(String text) {
    return StreamElements.entryValue(List.of(Bytes.utf8("text"), Bytes.utf8(text)));
  }

  private static Change add(StreamId id, String text) {
    return new Change.StreamPut(StreamElements.entry(id), value(text));
  }

  private static Change remove(StreamId id, int... regions) {
    ByteWriter out = new ByteWriter();
    for (int region : regions) {
      out.u8(region);
    }
    return new Change.StreamRemove(StreamElements.entry(id), Bytes.wrap(out.toByteArray()));
  }

  private static Change acknowledged(String name, long millis) {
    return new Change.StreamPut(
        StreamElements.group(Bytes.utf8(name)),
        StreamElements.groupValue(new StreamId(millis, 0), false));
  }

  private void us(Change change, VersionVector seen, long at) {
    ofUs.add(us.write(KEY, change, seen, at));
  }

  private void eu(Change change, VersionVector seen, long at) {
    ofEu.add(eu.write(KEY, change, seen, at));
  }

  private VersionVector both() {
    return VersionVector.EMPTY.with(us.origin(), us.lastSeq()).with(eu.origin(), eu.lastSeq());
  }

  private void wanted(Element element, Content expected) {
    for (int interleaving = 0; interleaving < 1 << (ofUs.size() + ofEu.size()); interleaving++) {
      MergeSite site = new MergeSite();
      int a = 0;
      int b = 0;
      for (int i = 0; a < ofUs.size() || b < ofEu.size(); i++) {
        boolean takeUs = b == ofEu.size() || (a < ofUs.size() && (interleaving >> i & 1) == 0);
        site.receive(takeUs ? ofUs.get(a++) : ofEu.get(b++));
      }
      assertThat(site.wanted(element)).as("interleaving %x", interleaving).isEqualTo(expected);
    }
  }

  private static Content two(String first, String second, int region) {
    byte[] displaced = value(second).array().clone();
    displaced[0] = (byte) region;
    return Content.of(
        Bytes.wrap(new ByteWriter().raw(value(first).array()).raw(displaced).toByteArray()));
  }

  @Test
  void entriesAddedBesideEachOtherAreAllThere() { // STREAM-1
    us(add(ID, "hello"), NOTHING, 1);
    eu(add(new StreamId(100, 2), "goodbye"), NOTHING, 2);
    wanted(entry(ID), Content.of(value("hello")));
    wanted(entry(new StreamId(100, 2)), Content.of(value("goodbye")));
  }

  @Test
  void aDeleteRemovesTheEntriesItHadSeen() { // STREAM-2
    us(add(ID, "hello"), NOTHING, 1);
    VersionVector seen = both();
    us(new Change.KeyDelete(), seen, 3);
    eu(add(new StreamId(101, 0), "goodbye"), seen, 2);
    wanted(entry(ID), Content.ABSENT);
    wanted(entry(new StreamId(101, 0)), Content.of(value("goodbye")));
  }

  @Test
  void ofTwoEntriesWithOneIdBothAreThereWhicheverIsNewer() { // STREAM-3
    eu(add(ID, "of eu"), NOTHING, 9);
    us(add(ID, "of us"), NOTHING, 1);
    wanted(entry(ID), two("of us", "of eu", 2));
  }

  @Test
  void equalEntriesWithOneIdAreTwo() {
    us(add(ID, "same"), NOTHING, 1);
    eu(add(ID, "same"), NOTHING, 1);
    wanted(entry(ID), two("same", "same", 2));
  }

  @Test
  void eachOfTwoEntriesWithOneIdIsDeletedByItself() {
    us(add(ID, "of us"), NOTHING, 1);
    eu(add(ID, "of eu"), NOTHING, 2);
    us(remove(ID, 0, 2), both(), 3); // all but that of region 2
    wanted(entry(ID), Content.of(value("of eu")));
    eu(remove(ID, 1, 2), both().with(us.origin(), 1), 4); // that of region 2, beside it
    wanted(entry(ID), Content.ABSENT);
  }

  @Test
  void aRemovalDoesNotTakeAnEntryWithTheSameIdThatItHadNotSeen() {
    us(add(ID, "of us"), NOTHING, 1);
    us(remove(ID), NOTHING, 2);
    eu(add(ID, "of eu"), NOTHING, 1);
    wanted(entry(ID), Content.of(value("of eu")));
  }

  @Test
  void groupsCreatedBesideEachOtherBothExistAndADeleteTakesThoseItHadSeen() { // GROUP-1, GROUP-2
    us(acknowledged("group1", 0), NOTHING, 1);
    VersionVector seen = both();
    us(new Change.KeyDelete(), seen, 3);
    eu(acknowledged("group2", 0), seen, 2);
    wanted(group("group1"), Content.ABSENT);
    wanted(group("group2"), Content.of(StreamElements.groupValue(new StreamId(0, 0), false)));
  }

  @Test
  void ofConcurrentPositionsOfAGroupTheFurthestCounts() { // GROUP-5
    us(acknowledged("g", 0), NOTHING, 1);
    VersionVector seen = both();
    us(acknowledged("g", 130), seen, 2);
    eu(acknowledged("g", 120), seen, 9);
    wanted(group("g"), Content.of(StreamElements.groupValue(new StreamId(130, 0), false)));
  }

  @Test
  void aStreamWithoutEntriesIsThereUntilItIsDeleted() {
    Element stream = element(StreamElements.STREAM);
    us(add(ID, "a"), NOTHING, 1);
    us(new Change.StreamPut(StreamElements.STREAM, Bytes.EMPTY), NOTHING, 2);
    us(remove(ID), NOTHING, 3);
    wanted(stream, Content.PRESENT);
    wanted(entry(ID), Content.ABSENT);
    eu(new Change.KeyDelete(), both(), 4);
    wanted(stream, Content.ABSENT);
  }

  @Test
  void whenNothingIsLeftTheStreamItselfIsToGoAlthoughNoEventNamedIt() {
    MergeSite site = new MergeSite();
    site.receive(us.write(KEY, add(ID, "a"), NOTHING, 1));
    site.receive(eu.write(KEY, remove(ID), both(), 2));
    assertThat(site.lastTouches)
        .extracting(MergeSite.Touch::element)
        .containsExactly(entry(ID), element(StreamElements.STREAM));
  }

  @Test
  void whatIsLeftOfSeveralEntriesAfterOneIsDeletedOnlyAProbeCanTell() {
    Content before = two("of us", "of eu", 2);
    assertThat(LocalFold.after(before, entry(ID), remove(ID, 1, 2))).isNull();
    assertThat(LocalFold.after(before, entry(ID), remove(ID))).isEqualTo(Content.ABSENT);
    assertThat(LocalFold.after(Content.ABSENT, entry(ID), add(ID, "a")))
        .isEqualTo(Content.of(value("a")));
  }

  @Test
  void effectsOnGroupsPassWhateverIsBelieved() {
    Content position = Content.of(StreamElements.groupValue(ID, false));
    EffectSemantics.ElementState after =
        EffectSemantics.apply(
            new EffectSemantics.ElementState(Content.PRESENT, Fx.NONE),
            new Effect.Put(group("g"), Content.ABSENT, position, Fx.NONE),
            new Fx(1, 1));
    assertThat(after.content()).isEqualTo(position);
    assertThat(after.exception()).isEqualTo(Fx.NONE);
  }
}
