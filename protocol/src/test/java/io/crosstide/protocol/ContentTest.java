package io.crosstide.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.crosstide.crdt.Bytes;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ContentTest {
  @Test
  void absentEqualsOnlyAbsent() {
    assertThat(Content.ABSENT).isNotEqualTo(Content.PRESENT).isEqualTo(Content.ABSENT);
    assertThat(Content.PRESENT).isEqualTo(Content.utf8(""));
    assertThatIllegalStateException().isThrownBy(Content.ABSENT::sha1);
  }

  @Test
  void aValueEqualsItsDigest() {
    Content value = Content.utf8("some value");
    Content digest = Content.digest(value.sha1());
    assertThat(digest).isEqualTo(value).hasSameHashCodeAs(value);
    assertThat(value).isEqualTo(digest).isNotEqualTo(Content.utf8("other"));
    assertThat(digest).isNotEqualTo(Content.utf8("other"));
    assertThat(digest.isDigestOnly()).isTrue();
    assertThat(digest.value()).isNull();
  }

  @Test
  void onlyLongValuesAreReducedToTheirDigest() {
    Content shorter = Content.utf8("v".repeat(Content.INLINE_MAX));
    Content longer = Content.utf8("v".repeat(Content.INLINE_MAX + 1));
    assertThat(shorter.compact()).isSameAs(shorter);
    assertThat(longer.compact().isDigestOnly()).isTrue();
    assertThat(longer.compact()).isEqualTo(longer);
    assertThat(longer.compact().compact()).isEqualTo(longer);
    assertThat(Content.ABSENT.compact()).isSameAs(Content.ABSENT);
  }

  @Test
  void theDigestIsSha1AsRedisComputesIt() {
    assertThat(Content.utf8("abc").sha1Hex()).isEqualTo("a9993e364706816aba3e25717850c26c9cd0d89d");
    assertThatIllegalArgumentException().isThrownBy(() -> Content.digest(Bytes.utf8("short")));
  }

  @Test
  void scoresAreTextsThatReadBackToTheSameDouble() {
    double[] scores = {
      0,
      1,
      -3,
      1.5,
      0.1,
      1e14,
      1e15,
      1e17,
      9007199254740991d,
      1e300,
      4.9e-324,
      Double.MAX_VALUE,
      Double.POSITIVE_INFINITY,
      Double.NEGATIVE_INFINITY
    };
    for (double score : scores) {
      assertThat(Content.parseScore(Content.formatScore(score))).isEqualTo(score);
    }
    Random random = new Random(7);
    for (int i = 0; i < 100_000; i++) {
      double score = Double.longBitsToDouble(random.nextLong());
      if (!Double.isNaN(score)) {
        assertThat(Content.parseScore(Content.formatScore(score))).isEqualTo(score);
      }
    }
  }

  @Test
  void wholeScoresHaveNoPointAndInfinitiesAreRedisOwn() {
    assertThat(Content.formatScore(3)).isEqualTo("3");
    assertThat(Content.formatScore(-0.0)).isEqualTo("0");
    assertThat(Content.formatScore(Double.POSITIVE_INFINITY)).isEqualTo("inf");
    assertThat(Content.formatScore(Double.NEGATIVE_INFINITY)).isEqualTo("-inf");
    assertThat(Content.parseScore("+inf")).isEqualTo(Double.POSITIVE_INFINITY);
  }
}
