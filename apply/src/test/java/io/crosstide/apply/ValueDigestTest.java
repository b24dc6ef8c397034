package io.crosstide.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import org.junit.jupiter.api.Test;

class ValueDigestTest {
  private static final Bytes A = Bytes.utf8("a");
  private static final Bytes B = Bytes.utf8("b");
  private static final Bytes AB = Bytes.utf8("ab");

  private static Bytes hash(Bytes... namesAndValues) {
    ValueDigest digest = new ValueDigest("hash");
    for (int i = 0; i < namesAndValues.length; i += 2) {
      digest.add(namesAndValues[i], namesAndValues[i + 1]);
    }
    return digest.finish();
  }

  @Test
  void orderDoesNotMatterAndEverythingElseDoes() {
    assertThat(hash(A, B, B, A)).isEqualTo(hash(B, A, A, B));
    assertThat(hash(A, B)).isNotEqualTo(hash(B, A));
    assertThat(hash(A, B)).isNotEqualTo(hash(AB, Bytes.EMPTY));
    assertThat(hash(A, B, A, B)).isNotEqualTo(hash(A, B));
    assertThat(hash()).isNotEqualTo(new ValueDigest("set").finish());
  }

  @Test
  void aValueMayComeInPieces() {
    ValueDigest pieces = new ValueDigest("string");
    pieces.begin(new byte[0]);
    pieces.update(A.array());
    pieces.update(B.array());
    assertThat(pieces.end().finish()).isEqualTo(new RedisValue.Text(AB).digest());
  }

  @Test
  void aScoreIsDigestedByItsValueAndNotByItsText() {
    assertThat(new ValueDigest("zset").addScore(A, 1.0).finish())
        .isEqualTo(new ValueDigest("zset").addScore(A, Double.parseDouble("1e0")).finish());
  }
}
