package io.crosstide.capture.command;

import static io.crosstide.capture.command.Stream.bytes;
import static io.crosstide.capture.command.Stream.key;
import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.capture.shadow.InMemoryShadow;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Contents that cannot be derived are read back through the stream (decision 0020). */
class ReadBackTest {
  private static final String LONG = "L".repeat(100);

  private Stream stream = new Stream();

  private ShadowKey shadowKey(String name) {
    return stream.shadow.key(0, bytes(name));
  }

  /** What the content of a key, arriving, makes others do. */
  private List<String> arriving(String name, String type, long deadline, String... elements) {
    int before = stream.events.size();
    stream.content(name, type, deadline, elements);
    return stream.events.subList(before, stream.events.size()).stream().map(Stream::text).toList();
  }

  @Test
  void aStringIsPublishedWholeWhereItsContentArrives() {
    stream.run("SET k " + LONG + " PXAT 5000000");
    assertThat(stream.changesOf("APPEND k more", "INCR k", "SETRANGE k 0 x")).isEmpty();
    assertThat(stream.wanted).containsExactly(key("k"));
    assertThat(stream.changesOf("PEXPIREAT k 6000000"))
        .containsExactly("k DeadlineSet[deadlineMillis=6000000]");
    assertThat(arriving("k", "string", 5_999_999, "x" + LONG)).hasSize(1);
    assertThat(stream.lastEvent().change())
        .isEqualTo(new Change.StringSet(bytes("x" + LONG), 6_000_000, false));
    assertThat(shadowKey("k").exact()).isTrue();
    assertThat(stream.unsupported).isEmpty();
  }

  @Test
  void aStringThatWasReadBackIsKeptForFurtherChanges() {
    stream.run("SET k " + LONG).run("APPEND k y");
    stream.content("k", "string", 0, LONG + "y");
    stream.run("APPEND k z");
    assertThat(stream.lastEvent().change())
        .isEqualTo(new Change.StringSet(bytes(LONG + "yz"), 0, false));
    stream.run("SETBIT k 7 1");
    assertThat(stream.lastEvent().change())
        .isEqualTo(new Change.StringSet(bytes("M" + LONG.substring(1) + "yz"), 0, false));
    assertThat(stream.wanted).hasSize(1);
  }

  @Test
  void aLongStringIsReadBackOnceForManyChanges() {
    String value = "v".repeat(17_000);
    stream.run("SET k " + value);
    for (int i = 0; i < 100; i++) {
      assertThat(stream.changesOf("APPEND k z")).isEmpty();
    }
    assertThat(stream.wanted).containsExactly(key("k"));
    assertThat(arriving("k", "string", 0, value + "z".repeat(100))).hasSize(1);
    stream.run("APPEND k z");
    assertThat(stream.wanted).containsExactly(key("k"), key("k"));
  }

  @Test
  void collectionsReplaceWhatOthersHad() {
    stream.run("SADD h m").run("RESTORE h 0 p REPLACE");
    assertThat(stream.changesOf("SADD h n", "HSET h f v")).isEmpty();
    assertThat(arriving("h", "hash", 0, "f", "v", "g", ""))
        .containsExactly("h KeyDelete[]", "h HashPut[f, v]", "h HashPut[g, ]");
    stream.run("RESTORE h 5000000 p REPLACE ABSTTL");
    assertThat(arriving("h", "zset", 4_999_999, "a", "1.5", "b", "inf"))
        .containsExactly(
            "h KeyDelete[]",
            "h ZsetPut[a, score=1.5]",
            "h ZsetPut[b, score=Infinity]",
            "h DeadlineSet[deadlineMillis=5000000]");
    stream.run("RESTORE h 0 p REPLACE");
    assertThat(arriving("h", "set", 0, "a", "", "a", "", "b", ""))
        .containsExactly("h KeyDelete[]", "h SetAdd[a]", "h SetAdd[b]");
    assertThat(shadowKey("h").count()).isEqualTo(2);
    assertThat(stream.events.get(stream.events.size() - 1).transaction())
        .extracting(part -> part.count())
        .isEqualTo(3);
  }

  @Test
  void aKeyThatIsGoneIsDeletedElsewhere() {
    stream.run("ZADD z 1 a").run("GEOSEARCHSTORE z g FROMMEMBER x BYRADIUS 1 km");
    assertThat(arriving("z", "none", 0)).containsExactly("z KeyDelete[]");
    assertThat(shadowKey("z").exists()).isFalse();
    assertThat(stream.changesOf("ZADD z 2 b")).containsExactly("z ZsetPut[b, score=2.0]");
  }

  @Test
  void aDeadlineThatWentUnseenIsGone() {
    stream.run("SET k " + LONG + " PXAT 5000000").run("APPEND k x");
    assertThat(arriving("k", "string", 0, "v"))
        .containsExactly("k StringSet[v, deadlineMillis=0, keepsDeadline=false]");
  }

  @Test
  void whatReplacesOrDeletesAKeyEndsTheWaiting() {
    stream.run("RESTORE a 0 p").run("RESTORE b 0 p").run("RESTORE c 0 p");
    assertThat(stream.changesOf("SET a v", "DEL b", "MSET c w")).hasSize(3);
    assertThat(arriving("a", "string", 0, "other")).isEmpty();
    assertThat(arriving("b", "set", 0, "m", "")).isEmpty();
    assertThat(shadowKey("a").content()).hasToString("'v'");
    assertThat(shadowKey("b").exists()).isFalse();
  }

  @Test
  void whatIsMadeOfAnUnresolvedKeyIsUnresolved() {
    stream.run("RESTORE a 0 p");
    assertThat(stream.changesOf("COPY a b", "RENAME a c", "BITOP OR d c x"))
        .containsExactly("a KeyDelete[]");
    for (String name : List.of("b", "c", "d")) {
      assertThat(shadowKey(name).isUnresolved()).as(name).isTrue();
    }
  }

  @Test
  void fewAreUnderWayAtATime() {
    for (int i = 0; i < 9; i++) {
      stream.run("RESTORE k" + i + " 0 p");
    }
    assertThat(stream.wanted).hasSize(4);
    for (int i = 0; i < 9; i++) {
      stream.content(stream.wanted.get(i).name().text(), "string", 0, "v");
    }
    assertThat(stream.wanted).hasSize(9).doesNotHaveDuplicates();
    assertThat(stream.events).hasSize(9);
  }

  @Test
  void aNewProcessAsksAgain() {
    stream.run("RESTORE a 0 p").run("SELECT 3").run("RESTORE b 0 p").run("RENAME b c");
    stream.shadow.commitThrough(stream.lastUnit);
    Shadow shadow = ((InMemoryShadow) stream.shadow).crashed();
    stream = new Stream(shadow);
    stream.offset = 1_000;
    stream.run("PING");
    assertThat(stream.wanted).containsExactly(key("a"), RedisKey.of(3, "c"));
  }

  @Test
  void afterABreakOfTheStreamItIsAskedForAgain() {
    stream.run("RESTORE a 0 p");
    stream.interpreter.streamResumed();
    stream.run("PING");
    assertThat(stream.wanted).containsExactly(key("a"), key("a"));
  }

  @Test
  void readingTheStreamAgainGivesTheSameEvents() {
    List<String> commands =
        List.of("SET k " + LONG, "APPEND k x", "APPEND k y", "RESTORE h 0 p", "SADD h n");
    List<String> first = new ArrayList<>();
    for (int run = 0; run < 2; run++) {
      stream = new Stream();
      commands.forEach(stream::run);
      stream.content("k", "string", 0, LONG + "xy");
      stream.content("h", "set", 0, "m", "", "n", "");
      List<String> derived =
          stream.events.stream().map(event -> event.position() + Stream.text(event)).toList();
      if (run == 0) {
        first.addAll(derived);
      } else {
        assertThat(derived).isEqualTo(first);
      }
    }
    assertThat(first).hasSize(5);
  }

  @Test
  void aContentThatBreaksOffIsAskedForAgain() {
    stream.run("RESTORE a 0 p").run("MULTI");
    stream
        .run("HSET __ct:read key a type set deadline 0")
        .run("HSET __ct:read:elements m  n ")
        .run("EXEC");
    assertThat(shadowKey("a").isUnresolved()).isTrue();
    assertThat(stream.wanted).containsExactly(key("a"), key("a"));
  }

  @Test
  void whatIsTooLongIsCountedAndUnknown() {
    stream.run("RESTORE a 0 p");
    assertThat(arriving("a", "long", 0)).isEmpty();
    assertThat(shadowKey("a").type()).isEqualTo(ShadowType.STRING);
    assertThat(shadowKey("a").exact()).isFalse();
    assertThat(stream.unsupported).hasSize(1);
  }
}
