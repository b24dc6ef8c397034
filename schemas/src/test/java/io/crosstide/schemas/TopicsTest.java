package io.crosstide.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.apache.kafka.common.config.TopicConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopicsTest {

  @Test
  void namesSayWhatATopicHoldsAndForWhichRegion() {
    assertThat(Topics.changes("us-east")).isEqualTo("changes.us-east");
    assertThat(Topics.conflicts("us-east")).isEqualTo("conflicts.us-east");
    assertThat(Topics.deadLetters("us-east")).isEqualTo("dead-letters.us-east");
    assertThat(Topics.sentEffects("us-east")).isEqualTo("sent-effects.us-east");
    assertThat(Topics.SCHEMAS).isEqualTo("_schemas");
    assertThat(Topics.streamsApplicationId("us-east")).isEqualTo("crosstide.us-east");
    assertThat(Topics.bridgeGroup("us-east", "eu-west")).isEqualTo("bridge.us-east.eu-west");
    assertThat(Topics.valueSubject("changes.us-east")).isEqualTo("changes.us-east-value");
  }

  @Test
  void theRegionOfALogIsReadBackFromItsName() {
    assertThat(Topics.regionOfChanges("changes.eu-west")).isEqualTo("eu-west");
    assertThat(Topics.ALL_CHANGES.matcher("changes.eu-west").matches()).isTrue();
    assertThat(Topics.ALL_CHANGES.matcher("crosstide.us-east-changes.x-changelog").matches())
        .isFalse();
    assertThatThrownBy(() -> Topics.regionOfChanges("conflicts.eu-west"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("conflicts.eu-west");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "US", "us.east", "us_east", "-us", "a/b", "ü"})
  void regionNamesThatWouldNotMakeTopicNamesAreRefused(String region) {
    assertThatThrownBy(() -> Topics.changes(region))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'" + region + "'");
  }

  @Test
  void logsAreKeptByTimeAndNeverCompacted() {
    TopicSpec spec = Topics.changesSpec("us-east", 12, Duration.ofDays(3));
    assertThat(spec.partitions()).isEqualTo(12);
    assertThat(spec.configs())
        .containsEntry(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_DELETE)
        .containsEntry(TopicConfig.RETENTION_MS_CONFIG, "259200000")
        .containsEntry(
            TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(Limits.RECORD_BYTES_MAX));
  }

  @Test
  void schemasAreCompactedInOnePartition() {
    assertThat(Topics.schemasSpec().partitions()).isEqualTo(1);
    assertThat(Topics.schemasSpec().configs())
        .containsEntry(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT);
  }

  @Test
  void theLargestEventFitsARecordAndTheLargestRecordARequest() {
    assertThat(Limits.RECORD_BYTES_MAX).isGreaterThan(Limits.EVENT_BYTES_MAX);
    assertThat(Limits.REQUEST_BYTES_MAX).isGreaterThan(Limits.RECORD_BYTES_MAX);
  }
}
