package io.crosstide.capture.command;

import static io.crosstide.capture.command.Stream.bytes;
import static io.crosstide.capture.command.Stream.key;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.capture.shadow.InMemoryShadow;
import org.junit.jupiter.api.Test;

class StringPartsTest {
  private final Stream stream = new Stream();

  private String after(String command) {
    assertThat(stream.changesOf(command)).as(command).hasSize(1);
    return EventModel.latin(
        requireNonNull(requireNonNull(stream.shadow.key(0, bytes("k")).content()).value()));
  }

  @Test
  void theWholeValueIsPublishedWithItsDeadline() {
    stream.run("SET k v PXAT 5000000");
    assertThat(stream.changesOf("APPEND k w", "SETRANGE k 1 xyz"))
        .containsExactly(
            "k StringSet[vw, deadlineMillis=5000000, keepsDeadline=false]",
            "k StringSet[vxyz, deadlineMillis=5000000, keepsDeadline=false]");
  }

  @Test
  void anAbsentKeyCountsAsEmpty() {
    assertThat(after("SETRANGE k 2 ab")).isEqualTo("\0\0ab");
    stream.run("DEL k");
    assertThat(after("APPEND k ab")).isEqualTo("ab");
    assertThat(after("SETBIT k 6 1")).isEqualTo("cb");
    assertThat(after("SETBIT k 23 1")).isEqualTo("cb\1");
    assertThat(after("SETBIT k 7 0")).isEqualTo("bb\1");
  }

  @Test
  void fieldsOfBitsWrapSaturateOrFail() {
    stream.run("SET k aaa");
    assertThat(after("BITFIELD k SET u8 0 98 GET u8 8")).isEqualTo("baa");
    assertThat(after("BITFIELD k INCRBY u8 #1 257")).isEqualTo("bba");
    assertThat(after("BITFIELD k OVERFLOW SAT SET i8 8 400")).isEqualTo("b\u007fa");
    assertThat(after("BITFIELD k OVERFLOW FAIL SET i8 8 400 SET u8 8 99")).isEqualTo("bca");
    assertThat(stream.changesOf("BITFIELD k GET u8 0")).isEmpty();
  }

  @Test
  void combinedBitsReplaceTheTarget() {
    stream.run("SET a ab").run("SET b a").run("SET k x PXAT 5000000").run("SADD s m");
    assertThat(after("BITOP AND k a b")).isEqualTo("a\0");
    assertThat(stream.shadow.key(0, bytes("k")).deadlineMillis()).isZero();
    assertThat(after("BITOP OR k a b none")).isEqualTo("ab");
    assertThat(after("BITOP XOR k k b")).isEqualTo("\0b");
    assertThat(stream.changesOf("BITOP NOT k none")).containsExactly("k KeyDelete[]");
    assertThat(stream.changesOf("BITOP NOT k none")).isEmpty();
  }

  @Test
  void aResultThatIsTooLongIsRefusedWithoutBeingMade() {
    Stream small = new Stream(new InMemoryShadow(), 1, config -> config.withLimits(1_000, 100_000));
    small.run("SET k v");
    assertThat(small.changesOf("SETRANGE k 536870000 x", "SETBIT k 4294967295 1", "APPEND k x"))
        .isEmpty();
    assertThat(small.unsupported)
        .containsExactly("SETRANGE over 1000 bytes", "SETBIT over 1000 bytes");
    assertThat(small.wanted).containsExactly(key("k"));
  }
}
