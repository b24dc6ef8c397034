package io.crosstide.protocol.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import java.math.BigDecimal;
import org.junit.jupiter.api.Test;

class LocalFoldTest {
  private static final RedisKey KEY = RedisKey.of(0, "k");
  private static final Element STRING = Element.string(KEY);
  private static final Element DEADLINE = Element.deadline(KEY);
  private static final Bytes NAME = Bytes.utf8("n");
  private static final Element FIELD = new Element(KEY, ElementKind.HASH_FIELD, NAME);
  private static final Element MEMBER = new Element(KEY, ElementKind.SET_MEMBER, NAME);
  private static final Element SCORE = new Element(KEY, ElementKind.ZSET_MEMBER, NAME);
  private static final Content V = Content.utf8("v");

  private static Change set(long deadline, boolean keeps) {
    return new Change.StringSet(Bytes.utf8("new"), deadline, keeps);
  }

  @Test
  void aSetReplacesWhateverTheKeyHeld() {
    assertThat(LocalFold.after(V, STRING, set(0, false))).isEqualTo(Content.utf8("new"));
    assertThat(LocalFold.after(V, FIELD, set(0, false))).isEqualTo(Content.ABSENT);
    assertThat(LocalFold.after(Content.PRESENT, MEMBER, set(0, true))).isEqualTo(Content.ABSENT);
    Content deadline = Content.deadline(5);
    assertThat(LocalFold.after(deadline, DEADLINE, set(0, false))).isEqualTo(Content.ABSENT);
    assertThat(LocalFold.after(deadline, DEADLINE, set(9, false))).isEqualTo(Content.deadline(9));
    assertThat(LocalFold.after(deadline, DEADLINE, set(0, true))).isEqualTo(deadline);
  }

  @Test
  void aDeleteAndAnExpiryRemoveEverythingOfTheKey() {
    for (Change removal : new Change[] {new Change.KeyDelete(), new Change.KeyExpire(5)}) {
      for (Element element : new Element[] {STRING, FIELD, MEMBER, SCORE, DEADLINE}) {
        assertThat(LocalFold.concerns(removal, element)).isTrue();
        assertThat(LocalFold.after(V, element, removal)).isEqualTo(Content.ABSENT);
      }
    }
  }

  @Test
  void aChangeOfOneElementLeavesTheOthers() {
    Change put = new Change.HashPut(NAME, Bytes.utf8("x"));
    assertThat(LocalFold.after(V, FIELD, put)).isEqualTo(Content.utf8("x"));
    assertThat(LocalFold.after(V, MEMBER, put)).isSameAs(V);
    assertThat(LocalFold.after(V, DEADLINE, put)).isSameAs(V);
    Element other = new Element(KEY, ElementKind.HASH_FIELD, Bytes.utf8("o"));
    assertThat(LocalFold.after(V, other, put)).isSameAs(V);
  }

  @Test
  void incrementsAddToWhatIsThereAndAbsentCountsAsZero() {
    Change add = new Change.StringAdd(new BigDecimal("3"), null);
    assertThat(LocalFold.after(Content.utf8("4"), STRING, add)).isEqualTo(Content.utf8("7"));
    assertThat(LocalFold.after(Content.ABSENT, STRING, add)).isEqualTo(Content.utf8("3"));
    Change field = new Change.HashAdd(NAME, new BigDecimal("-1"), null);
    assertThat(LocalFold.after(Content.utf8("4"), FIELD, field)).isEqualTo(Content.utf8("3"));
  }

  @Test
  void theResultOfAFloatCommandIsTakenFromTheStream() {
    Change add = new Change.StringAdd(new BigDecimal("0.1"), Bytes.utf8("0.3"));
    assertThat(LocalFold.after(V, STRING, add)).isEqualTo(Content.utf8("0.3"));
    Change score = new Change.ZsetAdd(NAME, 0.1, 0.30000000000000004);
    assertThat(LocalFold.after(Content.ABSENT, SCORE, score))
        .isEqualTo(Content.score(0.30000000000000004));
  }

  @Test
  void anIncrementOfWhatIsNoNumberShowsThatBeliefIsWrong() {
    Change add = new Change.StringAdd(BigDecimal.ONE, null);
    assertThat(LocalFold.after(V, STRING, add)).isNull();
    assertThat(LocalFold.after(Content.digest(V.sha1()), STRING, add)).isNull();
  }

  @Test
  void deadlinesAreSetAndCleared() {
    Content deadline = Content.deadline(5);
    assertThat(LocalFold.after(deadline, DEADLINE, new Change.DeadlineSet(8)))
        .isEqualTo(Content.deadline(8));
    assertThat(LocalFold.after(deadline, DEADLINE, new Change.DeadlinePersist()))
        .isEqualTo(Content.ABSENT);
    assertThat(LocalFold.after(deadline, DEADLINE, new Change.DeadlineRemove()))
        .isEqualTo(Content.ABSENT);
  }

  @Test
  void removalsOfElementsRemoveThem() {
    assertThat(LocalFold.after(V, FIELD, new Change.HashRemove(NAME))).isEqualTo(Content.ABSENT);
    assertThat(LocalFold.after(V, MEMBER, new Change.SetRemove(NAME))).isEqualTo(Content.ABSENT);
    assertThat(LocalFold.after(V, SCORE, new Change.ZsetRemove(NAME))).isEqualTo(Content.ABSENT);
    assertThat(LocalFold.after(Content.ABSENT, MEMBER, new Change.SetAdd(NAME)))
        .isEqualTo(Content.PRESENT);
    assertThat(LocalFold.after(V, SCORE, new Change.ZsetPut(NAME, 2.5)))
        .isEqualTo(Content.score(2.5));
  }
}
