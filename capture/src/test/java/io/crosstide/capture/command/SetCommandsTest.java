package io.crosstide.capture.command;

import static io.crosstide.capture.command.Stream.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.protocol.ChangeEvent;
import org.junit.jupiter.api.Test;

class SetCommandsTest {
  private final Stream stream = new Stream();

  @Test
  void onlyMembersThatAreNewAreAdded() {
    assertThat(stream.changesOf("SADD s a b a")).containsExactly("s SetAdd[a]", "s SetAdd[b]");
    assertThat(stream.changesOf("SADD s b c")).containsExactly("s SetAdd[c]");
  }

  @Test
  void theCommandThatMakesAKeySaysSo() {
    assertThat(stream.eventsOf("SADD s a b")).allMatch(ChangeEvent::createsKey);
    assertThat(stream.eventsOf("SADD s c")).noneMatch(ChangeEvent::createsKey);
    assertThat(stream.eventsOf("SREM s a b c")).noneMatch(ChangeEvent::createsKey);
    assertThat(stream.eventsOf("SADD s a")).allMatch(ChangeEvent::createsKey);
    assertThat(stream.eventsOf("HINCRBY h f 1")).allMatch(ChangeEvent::createsKey);
    assertThat(stream.eventsOf("INCR n")).allMatch(ChangeEvent::createsKey);
    assertThat(stream.eventsOf("INCR n")).noneMatch(ChangeEvent::createsKey);
  }

  @Test
  void onlyMembersThatWereThereAreRemoved() {
    stream.run("SADD s a b");
    assertThat(stream.changesOf("SREM s b x")).containsExactly("s SetRemove[b]");
    assertThat(stream.changesOf("SREM s a")).containsExactly("s SetRemove[a]");
    assertThat(stream.shadow.key(0, bytes("s")).exists()).isFalse();
  }

  @Test
  void moveIsARemovalAndAnAddition() {
    stream.run("SADD s a").run("PEXPIREAT s 5000000").run("SADD t b");
    assertThat(stream.changesOf("SMOVE s t a"))
        .containsExactly("s SetRemove[a]", "s DeadlineRemove[]", "t SetAdd[a]");
    stream.run("SADD s b");
    assertThat(stream.changesOf("SMOVE s t b")).containsExactly("s SetRemove[b]");
  }
}
