package io.crosstide.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class ElementTest {
  private static final RedisKey KEY = RedisKey.of(3, "key");

  private static String sha1(String text) throws Exception {
    MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
    return HexFormat.of().formatHex(sha1.digest(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** The format that the Lua function computes with {@code redis.sha1hex}. */
  @Test
  void theDigestIsTwentyHexDigitsOfTheKeysAndTwentyOfTheElementsSha1() throws Exception {
    Element field = new Element(KEY, ElementKind.HASH_FIELD, Bytes.utf8("name"));
    assertThat(field.digest())
        .hasSize(40)
        .isEqualTo(sha1("3:key").substring(0, 20) + sha1("hname").substring(0, 20));
    assertThat(Element.string(KEY).digest())
        .isEqualTo(sha1("3:key").substring(0, 20) + sha1("s").substring(0, 20));
    assertThat(Element.deadline(KEY).digest()).endsWith(sha1("d").substring(0, 20));
  }

  @Test
  void allElementsOfAKeyShareTheFirstHalf() {
    assertThat(Element.string(KEY).digest()).startsWith(Element.keyDigest(KEY));
    assertThat(Element.keyDigest(KEY)).isNotEqualTo(Element.keyDigest(RedisKey.of(0, "key")));
  }

  @Test
  void binaryNamesAreDigestedAsBytes() {
    Element low = new Element(KEY, ElementKind.SET_MEMBER, Bytes.wrap(new byte[] {(byte) 0xc3}));
    Element high = new Element(KEY, ElementKind.SET_MEMBER, Bytes.wrap(new byte[] {(byte) 0xc4}));
    assertThat(low.digest()).isNotEqualTo(high.digest());
  }

  @Test
  void kindsAreDistinctAndReadBackByTag() {
    for (ElementKind kind : ElementKind.values()) {
      assertThat(ElementKind.ofTag(kind.tag())).isEqualTo(kind);
    }
  }

  @Test
  void orderIsByKeyThenKindThenName() {
    Element string = Element.string(KEY);
    Element a = new Element(KEY, ElementKind.SET_MEMBER, Bytes.utf8("a"));
    Element b = new Element(KEY, ElementKind.SET_MEMBER, Bytes.utf8("b"));
    assertThat(string).isLessThan(a);
    assertThat(a).isLessThan(b).isLessThan(Element.string(RedisKey.of(4, "a")));
  }
}
