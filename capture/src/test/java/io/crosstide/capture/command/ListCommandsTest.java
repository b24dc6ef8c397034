package io.crosstide.capture.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.capture.shadow.InMemoryShadow;
import io.crosstide.capture.shadow.ShadowOptions;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.RedisKey;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class ListCommandsTest {
  private final Stream stream = new Stream();
  private final Lists lists = new Lists(stream);

  private void holds(String key, String... values) {
    assertThat(lists.inShadow(key)).containsExactly(values);
    assertThat(lists.inEvents(key)).containsExactly(values);
  }

  @Test
  void pushesAndInsertionsStandWhereRedisHasThem() {
    stream.run("RPUSH l c d").run("LPUSH l b a").run("LPUSHX l z").run("RPUSHX l e");
    holds("l", "z", "a", "b", "c", "d", "e");
    stream.run("LINSERT l BEFORE a x").run("LINSERT l after e y").run("LINSERT l AFTER b w");
    stream.run("LINSERT l BEFORE z first");
    holds("l", "first", "z", "x", "a", "b", "w", "c", "d", "e", "y");
  }

  @Test
  void whatOneCommandPushesIsOneUnitOfTheListThatItMakes() {
    List<ChangeEvent> events = stream.eventsOf("RPUSH l a b c");
    assertThat(events).hasSize(3).allMatch(ChangeEvent::createsKey);
    assertThat(events)
        .extracting(e -> Objects.requireNonNull(e.transaction()).count())
        .containsOnly(3);
    assertThat(stream.eventsOf("LPUSH l z")).noneMatch(ChangeEvent::createsKey);
  }

  @Test
  void elementsAreTakenFromTheEndsByIndexAndByValue() {
    stream.run("RPUSH l a b c d e f g b h b");
    stream.run("LPOP l").run("RPOP l 2").run("lpop l 2");
    holds("l", "d", "e", "f", "g", "b");
    stream.run("LSET l -1 d").run("LSET l 1 d").run("LREM l -1 d");
    holds("l", "d", "d", "f", "g");
    stream.run("LREM l 1 d");
    holds("l", "d", "f", "g");
    stream.run("RPUSH l f f x").run("LREM l 0 f");
    holds("l", "d", "g", "x");
    stream.run("RPUSH l 1 2 3 4").run("LTRIM l 1 -2");
    holds("l", "g", "x", "1", "2", "3");
    stream.run("LTRIM l -2 100");
    holds("l", "2", "3");
  }

  @Test
  void aReplacedElementKeepsItsPosition() {
    stream.run("RPUSH l a b c");
    Bytes position = lists.position("l", 1);
    List<ChangeEvent> events = stream.eventsOf("LSET l 1 B");
    assertThat(events)
        .extracting(ChangeEvent::change)
        .containsExactly(new Change.ListPut(position, Bytes.utf8("B")));
  }

  @Test
  void theLastElementTakesKeyAndDeadlineAlong() {
    for (String last :
        List.of("LPOP l", "RPOP l 5", "LREM l 0 a", "LTRIM l 5 9", "LMOVE l m LEFT LEFT")) {
      stream.run("RPUSH l a").run("PEXPIREAT l 5000000");
      assertThat(stream.changesOf(last)).contains("l DeadlineRemove[]");
      assertThat(stream.shadow.key(0, Bytes.utf8("l")).exists()).as(last).isFalse();
      holds("l");
    }
  }

  @Test
  void elementsMoveFromListToList() {
    stream.run("RPUSH l a b c d").run("RPUSH m x");
    stream.run("LMOVE l m LEFT RIGHT").run("RPOPLPUSH l m").run("BLMOVE l n RIGHT LEFT 0");
    holds("l", "b");
    holds("m", "d", "x", "a");
    holds("n", "c");
    stream.run("RPOPLPUSH m m").run("LMOVE m m LEFT RIGHT");
    stream.run("LMOVE m m LEFT LEFT");
    holds("m", "d", "x", "a");
  }

  @Test
  void theOnlyElementRotatedKeepsTheKeysDeadline() {
    stream.run("RPUSH l a").run("PEXPIREAT l 5000000");
    assertThat(stream.changesOf("RPOPLPUSH l l")).hasSize(2).noneMatch(c -> c.contains("Deadline"));
    holds("l", "a");
    assertThat(stream.shadow.key(0, Bytes.utf8("l")).deadlineMillis()).isEqualTo(5_000_000);
  }

  @Test
  void aCopyHasPositionsOfItsOwn() {
    stream.run("RPUSH l a b").run("PEXPIREAT l 5000000").run("RPUSH m x");
    assertThat(stream.changesOf("COPY l m REPLACE")).first().asString().isEqualTo("m KeyDelete[]");
    holds("m", "a", "b");
    holds("l", "a", "b");
    assertThat(lists.position("m", 0)).isNotEqualTo(lists.position("l", 0));
    assertThat(stream.lastEvent().change()).isEqualTo(new Change.DeadlineSet(5_000_000));
    stream.run("RENAME l o");
    holds("l");
    holds("o", "a", "b");
    stream.run("MOVE o 1");
    holds("o");
    assertThat(stream.shadow.key(1, Bytes.utf8("o")).count()).isEqualTo(2);
    assertThat(stream.interpreter.unsupported().counts()).isEmpty();
  }

  @Test
  void whereAnElementTooLongToBeKeptGoesTheListIsReadBack() {
    String longest = "x".repeat(ShadowOptions.defaults().partsBytesMax());
    stream.run("RPUSH l " + longest).run("RPOPLPUSH l m");
    holds("m", longest);
    assertThat(stream.wanted).isEmpty();
    stream.run("RPUSH l a " + longest + "y");
    assertThat(stream.changesOf("RPOPLPUSH l m", "LPUSH m b")).hasSize(1);
    holds("l", "a");
    assertThat(stream.wanted).containsExactly(Stream.key("m"));
    stream.content("m", "list", 5_000_000, "0", "b", "1", longest + "y", "2", longest);
    assertThat(stream.lastEvent().change()).isEqualTo(new Change.DeadlineSet(5_000_000));
    assertThat(lists.inEvents("m")).containsExactly("b", longest + "y", longest);
    assertThat(stream.shadow.key(0, Bytes.utf8("m")).exact()).isTrue();
    stream.run("LPOP m");
    assertThat(lists.inEvents("m")).containsExactly(longest + "y", longest);
    assertThat(stream.interpreter.unsupported().counts()).isEmpty();
  }

  @Test
  void aListOfWhichNotAllIsKeptIsReadBackUnderItsNewName() {
    stream.run("RPUSH l a " + "x".repeat(20_000));
    assertThat(stream.changesOf("COPY l m", "RENAME l n")).containsExactly("l KeyDelete[]");
    assertThat(stream.wanted).containsExactly(Stream.key("m"), Stream.key("n"));
  }

  @Test
  void listsOfExchangedDatabasesAreReadBack() {
    stream.run("RPUSH l a");
    stream.run("SWAPDB 0 1");
    assertThat(stream.wanted).containsExactly(RedisKey.of(1, "l"));
    holds("l");
  }

  @Test
  void anElementOverTheLimitIsRefusedAndTheListIsUnknown() {
    Stream limited = new Stream(new InMemoryShadow(), 1, config -> config.withLimits(100, 100));
    limited.run("RPUSH l a " + "x".repeat(100) + " b");
    assertThat(limited.events).hasSize(1);
    assertThat(limited.changesOf("RPUSH l c")).isEmpty();
    assertThat(limited.interpreter.unsupported().counts())
        .containsKeys("RPUSH over 100 bytes", "RPUSH");
    assertThat(limited.changesOf("UNLINK l", "RPUSH l d")).hasSize(2);
  }

  @Test
  void positionsAreTheSameWhenTheStreamIsReadAgain() {
    InMemoryShadow shadow = new InMemoryShadow();
    Stream first = new Stream(shadow);
    String[] commands = {
      "RPUSH l1 a b",
      "LINSERT l1 AFTER a c",
      "MULTI",
      "SADD s1 x",
      "RPUSH l1 d",
      "RPUSH t1 q",
      "LPUSH l1 e",
      "EXEC",
      "RPOPLPUSH l1 t1"
    };
    for (String command : commands) {
      first.run(command);
    }
    Stream again = new Stream(shadow.crashed(), 2);
    for (String command : commands) {
      again.run(command);
    }
    assertThat(first.events).hasSize(9);
    assertThat(again.events)
        .extracting(ChangeEvent::change)
        .isEqualTo(first.events.stream().map(ChangeEvent::change).toList());
    // Each has the number of its own event in it, whatever else the transaction holds.
    Bytes expected =
        io.crosstide.crdt.ListPosition.between(
            null, null, Stream.ORIGIN, 6, io.crosstide.crdt.ListPosition.Side.AFTER_LEFT);
    assertThat(first.events.get(5).change())
        .isEqualTo(new Change.ListPut(expected, Bytes.utf8("q")));
    assertThat(first.events.get(5).seq()).isEqualTo(6);
  }
}
