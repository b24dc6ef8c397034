package io.crosstide.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import java.math.BigDecimal;
import org.junit.jupiter.api.Test;

class ChangeEventJsonTest {

  @Test
  void anEventReadsAsAPersonWouldSayIt() throws JsonProcessingException {
    assertThat(json(new Change.HashPut(Bytes.utf8("name"), Bytes.utf8("Ada"))))
        .isEqualTo(
            new ObjectMapper()
                .readTree(
                    """
                    {"kind":"HASH_PUT","origin":"1.0.0","seq":300,"captureEpoch":5,
                     "time":"2026-09-21T14:13:20Z","stamp":"1790000000000+1",
                     "db":2,"key":"user:7","name":"name","value":"Ada",
                     "context":{"2.0.0":70000,"3.1.2":9},"fx":"3:91",
                     "position":{"replId":"8371445ee67e06c9eb0ed5c40f9ea2a9fbb7ff82",
                                 "replOffset":123456,"index":1},
                     "transaction":{"id":123456,"index":1,"count":3}}"""));
  }

  @Test
  void bytesThatAreNotTextAreBase64() {
    JsonNode node = json(new Change.HashPut(Bytes.wrap(new byte[] {0, 1}), Bytes.utf8("ü\n")));
    assertThat(node.path("name").path("base64").asText()).isEqualTo("AAE=");
    assertThat(node.path("value").asText()).isEqualTo("ü\n");
    Bytes notUtf8 = Bytes.wrap(new byte[] {(byte) 0xff});
    assertThat(json(new Change.SetAdd(notUtf8)).path("name").path("base64").asText())
        .isEqualTo("/w==");
  }

  @Test
  void numbersAreExact() {
    JsonNode add = json(new Change.StringAdd(new BigDecimal("0.1000"), Bytes.utf8("7.1")));
    assertThat(add.path("delta").asText()).isEqualTo("0.1000");
    assertThat(add.path("value").asText()).isEqualTo("7.1");
    JsonNode scored = json(new Change.ZsetAdd(Bytes.utf8("m"), 0.1, Double.POSITIVE_INFINITY));
    assertThat(scored.path("scoreBefore").asText()).isEqualTo("0.1");
    assertThat(scored.path("score").asText()).isEqualTo("inf");
  }

  @Test
  void deletesShowTheirExceptionsAndBeatsTheirFloor() {
    JsonNode delete = json(new Change.KeyDelete());
    assertThat(delete.path("exceptions")).hasSize(1);
    assertThat(delete.path("exceptions").elements().next().path("fx").asText()).isEqualTo("3:90");
    JsonNode beat = json(new Change.Beat(VersionVector.of(Origin.of(2), 8)));
    assertThat(beat.path("floor").path("2.0.0").asInt()).isEqualTo(8);
    assertThat(beat.has("key")).isFalse();
    assertThat(beat.path("previousSeq").asInt()).isEqualTo(300);
  }

  @Test
  void everyKindHasAForm() {
    RandomEvents events = new RandomEvents(11);
    for (ChangeKind kind : ChangeKind.values()) {
      assertThat(ChangeEventJson.toJson(events.next(kind))).contains("\"" + kind.name() + "\"");
    }
  }

  private static JsonNode json(Change change) {
    try {
      return new ObjectMapper().readTree(ChangeEventJson.toJson(Events.of(change)));
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }
}
