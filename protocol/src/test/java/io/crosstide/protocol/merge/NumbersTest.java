package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.ElementKind;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class NumbersTest {
  private static @Nullable Long strict(String text) {
    return Numbers.strictInteger(ElementKind.STRING, Content.utf8(text));
  }

  /** What the double nearest to {@code score} is, digit by digit. */
  private static BigDecimal exact(double score) {
    return new BigDecimal(score);
  }

  @Test
  void strictIntegersAreThoseThatIncrAccepts() {
    assertThat(strict("0")).isZero();
    assertThat(strict("-1")).isEqualTo(-1);
    assertThat(strict("9223372036854775807")).isEqualTo(Long.MAX_VALUE);
    assertThat(strict("-9223372036854775808")).isEqualTo(Long.MIN_VALUE);
    for (String refused :
        new String[] {"+1", "01", "-0", "1.0", " 1", "1 ", "1e3", "", "9223372036854775808", "x"}) {
      assertThat(strict(refused)).as("'%s'", refused).isNull();
    }
  }

  @Test
  void absentCountsAsZeroAndADigestAsNoNumber() {
    assertThat(Numbers.strictInteger(ElementKind.STRING, Content.ABSENT)).isZero();
    Content digest = Content.digest(Content.utf8("1").sha1());
    assertThat(Numbers.strictInteger(ElementKind.STRING, digest)).isNull();
  }

  @Test
  void scoresAreIntegersOnlyWhereDoublesHoldThemExactly() { // P22
    ElementKind zset = ElementKind.ZSET_MEMBER;
    assertThat(Numbers.strictInteger(zset, Content.utf8("9007199254740991"))).isNotNull();
    assertThat(Numbers.strictInteger(zset, Content.utf8("9007199254740992"))).isNull();
    assertThat(Numbers.strictInteger(zset, Content.utf8("-9007199254740992"))).isNull();
  }

  @Test
  void plainDecimalsHaveNeitherExponentNorTrailingZeros() {
    assertThat(Numbers.plain(new BigDecimal("1E+3"))).isEqualTo("1000");
    assertThat(Numbers.plain(new BigDecimal("1.500"))).isEqualTo("1.5");
    assertThat(Numbers.plain(new BigDecimal("2.00"))).isEqualTo("2");
    assertThat(Numbers.plain(new BigDecimal("100.0"))).isEqualTo("100");
    assertThat(Numbers.plain(new BigDecimal("0.00"))).isEqualTo("0");
    assertThat(Numbers.plain(new BigDecimal("-0.10"))).isEqualTo("-0.1");
  }

  @Test
  void textsThatWouldPrintAsThousandsOfDigitsAreNoNumbers() {
    assertThat(Numbers.parseDecimal("1e399")).isNotNull();
    assertThat(Numbers.parseDecimal("1e2147483647")).isNull();
    assertThat(Numbers.parseDecimal("1e-2147483647")).isNull();
    assertThat(Numbers.parseDecimal("1e99999999999")).isNull();
    assertThat(Numbers.parseDecimal("9".repeat(257))).isNull();
    for (String refused : new String[] {"", "-", ".", "e", "1e", "--1", "0x10", "NaN", "1f"}) {
      assertThat(Numbers.parseDecimal(refused)).as("'%s'", refused).isNull();
    }
  }

  @Test
  void infiniteScoresCannotBeAddedTo() {
    assertThat(Numbers.parse(ElementKind.ZSET_MEMBER, Bytes.utf8("inf"))).isNull();
    assertThat(Numbers.parse(ElementKind.ZSET_MEMBER, Bytes.utf8("-inf"))).isNull();
    assertThat(Numbers.parse(ElementKind.ZSET_MEMBER, Bytes.utf8("0.1"))).isEqualTo(exact(0.1));
  }

  @Test
  void scoresAreRoundedOnceAtTheEnd() {
    BigDecimal sum = exact(0.1).add(exact(0.2));
    assertThat(Numbers.format(ElementKind.ZSET_MEMBER, sum))
        .isEqualTo(Bytes.utf8("0.30000000000000004"));
    assertThat(Numbers.format(ElementKind.STRING, new BigDecimal("0.3")))
        .isEqualTo(Bytes.utf8("0.3"));
  }
}
