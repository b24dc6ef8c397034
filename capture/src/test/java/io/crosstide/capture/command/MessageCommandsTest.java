package io.crosstide.capture.command;

import static io.crosstide.capture.command.Stream.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.capture.shadow.InMemoryShadow;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.RedisKey;
import org.junit.jupiter.api.Test;

class MessageCommandsTest {
  private final Stream stream = new Stream();

  @Test
  void aMessageIsAnEventOfItsChannelInNoDatabase() {
    stream.run("SELECT 3").run("PUBLISH news1 hello").run("spublish news1 shard");
    assertThat(stream.events).extracting(ChangeEvent::key).containsOnly(RedisKey.of(0, "news1"));
    assertThat(stream.events)
        .extracting(ChangeEvent::change)
        .containsExactly(
            new Change.Publish(bytes("hello"), false), new Change.Publish(bytes("shard"), true));
    assertThat(stream.events).extracting(ChangeEvent::seq).containsExactly(1L, 2L);
    assertThat(stream.shadow.key(0, bytes("news1")).exists()).isFalse();
    assertThat(stream.interpreter.unsupported().counts()).isEmpty();
  }

  @Test
  void whatAnEffectBatchPublishesIsNoEvent() {
    stream
        .run("MULTI")
        .run("PUBLISH c mine")
        .run("HSET __ct:{0} e 1 f 1:1 c 2=1 k 0")
        .run("PUBLISH c other")
        .run("EXEC");
    assertThat(stream.events)
        .extracting(ChangeEvent::change)
        .containsExactly(new Change.Publish(bytes("mine"), false));
  }

  @Test
  void messagesMayStayInTheirRegion() {
    Stream local = new Stream(new InMemoryShadow(), 1, config -> config.withMessages(false));
    assertThat(local.changesOf("PUBLISH c m")).isEmpty();
    assertThat(local.interpreter.unsupported().local()).containsOnlyKeys("PUBLISH");
  }

  @Test
  void aMessageThatIsTooLongIsCounted() {
    Stream small = new Stream(new InMemoryShadow(), 1, config -> config.withLimits(10, 100_000));
    small.run("SET c v");
    assertThat(small.changesOf("PUBLISH c 1234567890")).isEmpty();
    assertThat(small.unsupported).containsExactly("PUBLISH over 10 bytes");
    assertThat(small.shadow.key(0, bytes("c")).exact()).isTrue();
  }
}
