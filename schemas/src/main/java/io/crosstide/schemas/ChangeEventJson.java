package io.crosstide.schemas;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.MarkerState.Missed;
import io.crosstide.protocol.RedisKey;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Change events as JSON for people and audit tools; not meant to be read back.
 *
 * <p>Byte strings appear as text where they are UTF-8 without control characters other than tab and
 * line ends, else as {@code {"base64": "..."}}. Scores and increments are strings, as Redis prints
 * them, because JSON's numbers would round them. Fields that do not apply are left out.
 */
public final class ChangeEventJson {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private ChangeEventJson() {}

  /** One line of JSON. */
  public static String toJson(ChangeEvent event) {
    return toNode(event).toString();
  }

  /** The same as a tree, to be put into a larger document. */
  public static ObjectNode toNode(ChangeEvent event) {
    ChangeKind kind = ChangeKind.of(event.change());
    ObjectNode node = JSON.objectNode();
    node.put("kind", kind.name());
    node.put("origin", event.origin().toString());
    node.put("seq", event.seq());
    if (event.previousSeq() != event.seq() - 1) {
      node.put("previousSeq", event.previousSeq());
    }
    node.put("captureEpoch", event.captureEpoch());
    node.put("time", Instant.ofEpochMilli(event.stamp().physicalMillis()).toString());
    node.put("stamp", event.stamp().toString());
    RedisKey key = event.key();
    if (key != null) {
      node.put("db", key.db());
      node.set("key", bytes(key.name()));
    }
    addFields(node, kind, ChangeFields.of(event));
    node.set("context", vector(event.context()));
    addExceptions(node, event.exceptions());
    node.put("fx", event.fx().toString());
    ObjectNode position = node.putObject("position");
    position.put("replId", event.position().replId());
    position.put("replOffset", event.position().replOffset());
    position.put("index", event.position().index());
    ChangeEvent.TransactionPart part = event.transaction();
    if (part != null) {
      ObjectNode transaction = node.putObject("transaction");
      transaction.put("id", part.id());
      transaction.put("index", part.index());
      transaction.put("count", part.count());
    }
    return node;
  }

  private static void addFields(ObjectNode node, ChangeKind kind, ChangeFields fields) {
    if (isNamed(kind)) {
      node.set("name", bytes(fields.name()));
    }
    Bytes value = fields.value();
    if (kind == ChangeKind.MARKER_LOST) {
      node.put("token", fields.name().text());
      node.put("preceding", value == null ? "" : value.text());
    } else if (value != null) {
      node.set("value", bytes(value));
    }
    if (fields.deadline() == ChangeFields.NEW_KEY) {
      node.put("createsKey", true);
    } else if (fields.deadline() != 0) {
      node.put("deadlineMillis", fields.deadline());
    }
    if (fields.keepsDeadline()) {
      node.put("keepsDeadline", true);
    }
    if (fields.delta() != null) {
      node.put("delta", fields.delta().toPlainString());
    }
    putScore(node, "scoreBefore", fields.scoreBefore());
    putScore(node, "score", fields.score());
    if (kind == ChangeKind.BEAT) {
      node.set("floor", vector(fields.vector()));
    }
  }

  private static boolean isNamed(ChangeKind kind) {
    return switch (kind) {
      case HASH_PUT,
          HASH_ADD,
          HASH_REMOVE,
          SET_ADD,
          SET_REMOVE,
          ZSET_PUT,
          ZSET_ADD,
          ZSET_REMOVE,
          LIST_PUT,
          LIST_REMOVE,
          LIST_HOLDS,
          STREAM_PUT,
          STREAM_REMOVE,
          ELEMENT_LOST ->
          true;
      case STRING_SET,
          STRING_ADD,
          KEY_DELETE,
          KEY_EXPIRE,
          DEADLINE_SET,
          DEADLINE_PERSIST,
          DEADLINE_REMOVE,
          PUBLISH,
          BEAT,
          MARKER_LOST ->
          false;
    };
  }

  private static void putScore(ObjectNode node, String name, @Nullable Double score) {
    if (score != null) {
      node.put(name, Content.formatScore(score));
    }
  }

  private static void addExceptions(ObjectNode node, Map<String, Missed> exceptions) {
    if (!exceptions.isEmpty()) {
      ObjectNode all = node.putObject("exceptions");
      new TreeMap<>(exceptions)
          .forEach(
              (element, missed) -> {
                ObjectNode one = all.putObject(element);
                one.put("fx", missed.fx().toString());
                one.set("context", vector(missed.context()));
              });
    }
  }

  private static JsonNode vector(VersionVector vector) {
    ObjectNode node = JSON.objectNode();
    for (int i = 0; i < vector.size(); i++) {
      node.put(vector.originAt(i).toString(), vector.seqAt(i));
    }
    return node;
  }

  private static JsonNode bytes(Bytes bytes) {
    String text = text(bytes);
    return text != null
        ? JSON.textNode(text)
        : JSON.objectNode().put("base64", Base64.getEncoder().encodeToString(bytes.array()));
  }

  /** The bytes as text, or null if text would hide something. */
  private static @Nullable String text(Bytes bytes) {
    for (byte b : bytes.array()) {
      if (b >= 0 && b < ' ' && b != '\t' && b != '\n' && b != '\r') {
        return null;
      }
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.array())).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }
}
