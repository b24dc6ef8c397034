package io.crosstide.protocol.merge;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HyperLogLogsTest {
  // What Redis 7.0 makes of PFADD h x, PFADD h y and PFADD h x y.
  static final Bytes X = bytes("48594c4c0100000000000000000000807ff58408");
  static final Bytes Y = bytes("48594c4c0100000000000000000000807a538845aa");
  private static final Bytes BOTH = bytes("48594c4c0100000000000000000000807a538845a08408");

  private static Bytes bytes(String hex) {
    return Bytes.wrap(HexFormat.of().parseHex(hex));
  }

  private static byte[] registers(Bytes value) {
    return requireNonNull(HyperLogLogs.registers(value.array()), "a HyperLogLog");
  }

  private static Bytes union(Bytes... values) {
    return requireNonNull(HyperLogLogs.union(List.of(values)), "HyperLogLogs");
  }

  @Test
  void aUnionHasTheHigherOfEachRegister() {
    assertThat(registers(union(X, Y))).isEqualTo(registers(BOTH));
    assertThat(union(X, Y)).isEqualTo(union(Y, X)).isEqualTo(union(BOTH, X));
    assertThat(registers(X)).isNotEqualTo(registers(BOTH));
  }

  @Test
  void theDenseFormIsReadAsItIsWritten() {
    Random random = new Random(3);
    byte[] value = union(X).array().clone();
    for (int i = 16; i < value.length; i++) {
      value[i] = (byte) random.nextInt(256);
    }
    byte[] read = registers(Bytes.wrap(value));
    assertThat(read).hasSize(16_384);
    assertThat(union(Bytes.wrap(value)).array()).isEqualTo(value);
    // Redis packs registers from the lowest bits up.
    assertThat(read[0]).isEqualTo((byte) (value[16] & 0x3f));
    assertThat(read[1]).isEqualTo((byte) ((value[16] & 0xff) >> 6 | (value[17] & 0x0f) << 2));
  }

  @Test
  void whatRedisWouldNotReadIsNone() {
    byte[] dense = union(X).array();
    assertThat(HyperLogLogs.registers(Arrays.copyOf(dense, dense.length - 1))).isNull();
    assertThat(HyperLogLogs.registers(Arrays.copyOf(X.array(), X.length() - 1))).isNull();
    assertThat(HyperLogLogs.registers(Arrays.copyOf(X.array(), 16))).isNull();
    assertThat(HyperLogLogs.registers("HYLL".getBytes(java.nio.charset.StandardCharsets.US_ASCII)))
        .isNull();
    byte[] otherEncoding = X.array().clone();
    otherEncoding[4] = 2;
    assertThat(HyperLogLogs.registers(otherEncoding)).isNull();
    byte[] tooMany = Arrays.copyOf(X.array(), X.length() + 1);
    assertThat(HyperLogLogs.registers(tooMany)).isNull();
    assertThat(HyperLogLogs.union(List.of(X, Bytes.utf8("text")))).isNull();
  }
}
