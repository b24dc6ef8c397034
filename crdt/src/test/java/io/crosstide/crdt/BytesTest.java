package io.crosstide.crdt;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BytesTest {
  @Test
  void equalBytesAreEqual() {
    Bytes a = Bytes.wrap(new byte[] {1, 2});
    Bytes b = Bytes.wrap(new byte[] {1, 2});
    assertThat(a).isEqualTo(b).hasSameHashCodeAs(b).isNotEqualTo(Bytes.wrap(new byte[] {1, 3}));
  }

  @Test
  void orderIsThatOfUnsignedBytesAndPrefixesComeFirst() {
    Bytes low = Bytes.wrap(new byte[] {0x7f});
    Bytes high = Bytes.wrap(new byte[] {(byte) 0x80});
    assertThat(low).isLessThan(high);
    assertThat(low).isLessThan(Bytes.wrap(new byte[] {0x7f, 0}));
    assertThat(Bytes.EMPTY).isLessThan(Bytes.wrap(new byte[] {0}));
  }

  @Test
  void everythingEmptyIsOneInstance() {
    assertThat(Bytes.wrap(new byte[0])).isSameAs(Bytes.EMPTY);
    assertThat(Bytes.utf8("").isEmpty()).isTrue();
  }

  @Test
  void wrappingDoesNotCopy() {
    byte[] array = {5};
    assertThat(Bytes.wrap(array).array()).isSameAs(array);
  }

  @Test
  void unprintableBytesAndBackslashesAreEscapedAndLongOnesShortened() {
    assertThat(Bytes.wrap(new byte[] {'a', 0, (byte) 0xff, '\\'})).hasToString("a\\x00\\xff\\x5c");
    assertThat(Bytes.utf8("x".repeat(65))).hasToString("x".repeat(64) + "…(65 bytes)");
    assertThat(Bytes.utf8("x".repeat(64))).hasToString("x".repeat(64));
  }
}
