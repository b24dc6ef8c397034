package io.crosstide.capture.psync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.moilioncircle.redis.replicator.io.RedisInputStream;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class CommandReaderTest {
  private static CommandReader reader(String stream) {
    return reader(stream, 1_000);
  }

  private static CommandReader reader(String stream, int argumentBytesMax) {
    byte[] bytes = stream.getBytes(StandardCharsets.ISO_8859_1);
    return new CommandReader(
        new RedisInputStream(new ByteArrayInputStream(bytes), 16), argumentBytesMax);
  }

  private static String text(byte[][] argv) {
    StringBuilder out = new StringBuilder();
    for (byte[] argument : argv) {
      out.append('[').append(new String(argument, StandardCharsets.ISO_8859_1)).append(']');
    }
    return out.toString();
  }

  @Test
  void everyByteOfACommandCounts() throws IOException {
    String ping = "*1\r\n$4\r\nPING\r\n";
    String set = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\n\r\n\0\u00ff\r\n";
    CommandReader reader = reader(ping + set);
    assertThat(text(reader.read())).isEqualTo("[PING]");
    assertThat(reader.consumed()).isEqualTo(ping.length());
    assertThat(text(reader.read())).isEqualTo("[SET][k][\r\n\0\u00ff]");
    assertThat(reader.consumed()).isEqualTo(ping.length() + set.length());
  }

  @Test
  void keepAlivesBetweenCommandsDoNotCount() throws IOException {
    CommandReader reader = reader("\n\n*1\r\n$4\r\nPING\r\n");
    assertThat(text(reader.read())).isEqualTo("[PING]");
    assertThat(reader.consumed()).isEqualTo(14);
  }

  @Test
  void emptyArgumentsAreArguments() throws IOException {
    assertThat(text(reader("*2\r\n$3\r\nGET\r\n$0\r\n\r\n").read())).isEqualTo("[GET][]");
  }

  @Test
  void anOverlongArgumentIsCutAndStillCountedWhole() throws IOException {
    String set = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100\r\n" + "x".repeat(100) + "\r\n";
    CommandReader reader = reader(set + "*1\r\n$4\r\nPING\r\n", 20);
    assertThat(reader.read()[2]).hasSize(21);
    assertThat(reader.consumed()).isEqualTo(set.length());
    assertThat(text(reader.read())).isEqualTo("[PING]");
  }

  @Test
  void ofACommandOfManyLongArgumentsTheLastAreLeftOut() throws IOException {
    StringBuilder mset = new StringBuilder("*13\r\n$4\r\nMSET\r\n");
    for (char key = 'a'; key < 'g'; key++) {
      mset.append("$1\r\n").append(key).append("\r\n$1500\r\n");
      mset.append(String.valueOf(key).repeat(1500)).append("\r\n");
    }
    CommandReader reader = reader(mset + "*1\r\n$4\r\nPING\r\n", 2_000);
    byte[][] argv = reader.read();
    assertThat(reader.consumed()).isEqualTo(mset.length());
    // Five of them fit into four times 2,000 bytes.
    assertThat(argv[10]).hasSize(1500).containsOnly('e');
    assertThat(argv[11]).containsExactly('f');
    assertThat(argv[12]).hasSize(2_001);
    assertThat(text(reader.read())).isEqualTo("[PING]");
  }

  @Test
  void whatIsNotACommandIsAnErrorAndNotSkipped() {
    assertThatThrownBy(() -> reader("+OK\r\n").read()).hasMessageContaining("'+'");
    assertThatThrownBy(() -> reader("PING\r\n").read()).hasMessageContaining("'P'");
    assertThatThrownBy(() -> reader("*1\r\n:4\r\n").read()).hasMessageContaining("':'");
    assertThatThrownBy(() -> reader("*0\r\n").read()).hasMessageContaining("0 arguments");
    assertThatThrownBy(() -> reader("*1\r\n$-1\r\n").read()).hasMessageContaining("'-'");
    assertThatThrownBy(() -> reader("*1\r\n$\r\n").read()).hasMessageContaining("empty length");
    assertThatThrownBy(() -> reader("*1\r\n$1\r\nab\r\n").read()).hasMessageContaining("'b'");
  }

  @Test
  void theEndOfTheConnectionIsTold() {
    assertThatThrownBy(() -> reader("*1\r\n$4\r\nPI").read()).isInstanceOf(EOFException.class);
    assertThatThrownBy(() -> reader("").read()).isInstanceOf(EOFException.class);
  }
}
