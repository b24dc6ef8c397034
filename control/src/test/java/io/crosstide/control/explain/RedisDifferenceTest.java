package io.crosstide.control.explain;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RedisDifferenceTest {
  private static final String STRING_X =
      "{type: 'string', elements: [{kind: 'string', name: '', visible: 'x'},"
          + " {kind: 'deadline', name: '', visible: '99'}], elements_more: 0}";
  private static final String SET_A =
      "{type: 'set', elements: [{kind: 'set_member', name: 'a', visible: ''},"
          + " {kind: 'set_member', name: 'gone', visible: null}], elements_more: 0}";

  private static Optional<String> difference(String redis, String merged) {
    return RedisDifference.of(json(redis), json(merged));
  }

  private static JsonNode json(String relaxed) {
    try {
      return new ObjectMapper()
          .readTree(relaxed.replace('\'', '"').replaceAll("([a-z_]+):", "\"$1\":"));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(relaxed, e);
    }
  }

  @Test
  void equalViewsDoNotDiffer() {
    assertThat(difference("{type: 'string', size: 1, value: 'x'}", STRING_X)).isEmpty();
    assertThat(difference("{type: 'set', size: 1, members: ['a']}", SET_A)).isEmpty();
    assertThat(difference("{type: 'none'}", "null")).isEmpty();
  }

  @Test
  void anotherValueOrMemberDiffers() {
    assertThat(difference("{type: 'string', size: 2, value: 'xy'}", STRING_X))
        .hasValueSatisfying(why -> assertThat(why).contains("something else"));
    assertThat(difference("{type: 'set', size: 2, members: ['a', 'gone']}", SET_A)).isPresent();
  }

  @Test
  void anotherTypeIsNamed() {
    assertThat(difference("{type: 'list'}", "null"))
        .hasValue("Redis holds a list, which is not replicated.");
    assertThat(difference("{type: 'none'}", SET_A))
        .hasValueSatisfying(
            why -> assertThat(why).startsWith("Redis holds nothing, the merged state a set."));
  }

  @Test
  void whatIsNotShownWholeIsNotCompared() {
    assertThat(difference("{type: 'string', size: 5000, value: 'xy'}", STRING_X)).isEmpty();
    assertThat(difference("{type: 'set', size: 70, members: ['b']}", SET_A)).isEmpty();
    assertThat(difference("{error: 'cannot be asked'}", SET_A)).isEmpty();
  }
}
