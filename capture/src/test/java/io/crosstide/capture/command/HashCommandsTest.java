package io.crosstide.capture.command;

import static io.crosstide.capture.command.Stream.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import java.math.BigDecimal;
import org.junit.jupiter.api.Test;

class HashCommandsTest {
  private final Stream stream = new Stream();

  private void yields(String command, Change... changes) {
    int before = stream.events.size();
    stream.run(command);
    assertThat(stream.events.subList(before, stream.events.size()))
        .as(command)
        .extracting(event -> event.change())
        .containsExactly(changes);
  }

  @Test
  void everyFieldPutIsAnEventEvenIfItChangesNothing() {
    yields(
        "HSET h a 1 b 2",
        new Change.HashPut(bytes("a"), bytes("1")),
        new Change.HashPut(bytes("b"), bytes("2")));
    yields("HMSET h a 1", new Change.HashPut(bytes("a"), bytes("1")));
    yields("HSETNX h c 3", new Change.HashPut(bytes("c"), bytes("3")));
    assertThat(stream.shadow.key(0, bytes("h")).count()).isEqualTo(3);
  }

  @Test
  void integerIncrementsCarryTheirDelta() {
    yields("HINCRBY h n 5", new Change.HashAdd(bytes("n"), BigDecimal.valueOf(5), null));
    yields("HINCRBY h n -7", new Change.HashAdd(bytes("n"), BigDecimal.valueOf(-7), null));
    assertThat(stream.shadow.key(0, bytes("h")).field(bytes("n"))).isEqualTo(Content.utf8("-2"));
  }

  @Test
  void floatIncrementIsRecognisedWhereOneSideIsNotAnInteger() {
    stream.run("HSET h f 1.5");
    yields("HSET h f 4", new Change.HashAdd(bytes("f"), new BigDecimal("2.5"), bytes("4")));
    yields("HSET h f 5", new Change.HashPut(bytes("f"), bytes("5")));
    yields("HSET h f 5.25", new Change.HashAdd(bytes("f"), new BigDecimal("0.25"), bytes("5.25")));
    yields("HSET h g 5.25", new Change.HashPut(bytes("g"), bytes("5.25")));
    yields("hset h f 5.75", new Change.HashPut(bytes("f"), bytes("5.75")));
    yields(
        "HSET h f 6.25 g 1",
        new Change.HashPut(bytes("f"), bytes("6.25")),
        new Change.HashPut(bytes("g"), bytes("1")));
  }

  @Test
  void onlyFieldsThatWereThereAreRemoved() {
    stream.run("HSET h a 1 b 2 c 3");
    yields("HDEL h a x b", new Change.HashRemove(bytes("a")), new Change.HashRemove(bytes("b")));
    yields("HDEL h x");
    yields("HDEL absent x");
  }

  @Test
  void theLastFieldTakesTheDeadlineWithIt() {
    stream.run("HSET h a 1 b 2").run("PEXPIREAT h 5000000");
    yields("HDEL h a", new Change.HashRemove(bytes("a")));
    yields("HDEL h b", new Change.HashRemove(bytes("b")), new Change.DeadlineRemove());
    assertThat(stream.lastEvent().transaction()).isNotNull();
    assertThat(stream.shadow.key(0, bytes("h")).exists()).isFalse();
  }

  @Test
  void aKeyMadeAgainHasNoDeadline() {
    stream.run("HSET h a 1").run("PEXPIREAT h 5000000").run("HDEL h a").run("HSET h a 1");
    assertThat(stream.shadow.key(0, bytes("h")).deadlineMillis()).isZero();
  }
}
