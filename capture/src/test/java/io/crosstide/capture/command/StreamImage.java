package io.crosstide.capture.command;

import static io.crosstide.capture.command.RandomCommands.argv;

import io.crosstide.capture.shadow.ElementCursor;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowStream;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.StreamElements;
import io.crosstide.protocol.StreamId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A stream as text by element: of entries the digest, of groups the position and what is pending,
 * of the stream the last id. Pending entries that are deleted are left out: 6.2 and 7.0 differ.
 */
final class StreamImage {
  private StreamImage() {}

  static Map<Bytes, String> of(Resp redis, byte[] key) {
    Map<Bytes, String> image = new TreeMap<>();
    for (Object entry : list(redis.call(argv("XRANGE")[0], key, argv("-")[0], argv("+")[0]))) {
      List<?> parts = list(entry);
      List<Bytes> fields = new ArrayList<>();
      for (Object field : list(parts.get(1))) {
        fields.add(Bytes.wrap((byte[]) field));
      }
      image.put(
          StreamElements.entry(id(parts.get(0))),
          Content.of(StreamElements.entryValue(fields)).sha1Hex());
    }
    for (Object flat : list(redis.call(argv("XINFO")[0], argv("GROUPS")[0], key))) {
      Map<String, Object> group = map(list(flat));
      byte[] name = (byte[]) Objects.requireNonNull(group.get("name"));
      StringBuilder text = new StringBuilder().append(id(group.get("last-delivered-id")));
      List<?> pending =
          list(
              redis.call(
                  argv("XPENDING")[0], key, name, argv("-")[0], argv("+")[0], argv("100000")[0]));
      for (Object one : pending) {
        StreamId id = id(list(one).get(0));
        if (image.containsKey(StreamElements.entry(id))) {
          text.append(' ').append(id).append('=').append(latin(list(one).get(1)));
        }
      }
      image.put(StreamElements.group(Bytes.wrap(name)), text.toString());
    }
    Object info = redis.call(argv("XINFO")[0], argv("STREAM")[0], key);
    image.put(StreamElements.STREAM, "" + id(map(list(info)).get("last-generated-id")));
    return image;
  }

  static Map<Bytes, String> of(ShadowKey key) {
    ShadowStream stream = new ShadowStream(key);
    Map<Bytes, String> image = new TreeMap<>();
    try (ElementCursor entries = stream.walk()) {
      while (entries.next()) {
        image.put(entries.name(), entries.content().sha1Hex());
      }
    }
    if (stream.entries() != image.size()) {
      image.put(Bytes.utf8("e"), stream.entries() + " entries");
    }
    for (Bytes name : stream.groups()) {
      StringBuilder text =
          new StringBuilder().append(Objects.requireNonNull(stream.group(name)).delivered());
      stream.eachPending(
          name,
          (id, consumer) -> {
            if (stream.has(id)) {
              text.append(' ').append(id).append('=').append(EventModel.latin(consumer));
            }
          });
      image.put(StreamElements.group(name), text.toString());
    }
    image.put(StreamElements.STREAM, "" + stream.last());
    return image;
  }

  /** What others are told: {@code image} without what stays here. */
  static Map<Bytes, String> shared(Map<Bytes, String> image) {
    Map<Bytes, String> shared = new TreeMap<>();
    image.forEach(
        (name, text) -> {
          if (!name.equals(StreamElements.STREAM)) {
            shared.put(name, StreamElements.isGroup(name) ? "" : text);
          }
        });
    return shared;
  }

  /** What a model holds, in the form of {@link #shared}. */
  static Map<Bytes, String> ofModel(Map<Bytes, String> elements) {
    Map<Bytes, String> image = new TreeMap<>();
    elements.forEach(
        (name, value) ->
            image.put(
                name,
                Content.of(Bytes.wrap(value.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1)))
                    .sha1Hex()));
    return shared(image);
  }

  private static Map<String, Object> map(List<?> flat) {
    Map<String, Object> map = new TreeMap<>();
    for (int i = 0; i + 1 < flat.size(); i += 2) {
      Object value = flat.get(i + 1);
      if (value != null) {
        map.put(latin(flat.get(i)), value);
      }
    }
    return map;
  }

  private static StreamId id(@Nullable Object text) {
    return Objects.requireNonNull(StreamId.parse(latin(text), 0));
  }

  private static String latin(@Nullable Object bytes) {
    return EventModel.latin(Bytes.wrap((byte[]) Objects.requireNonNull(bytes)));
  }

  private static List<?> list(@Nullable Object reply) {
    return (List<?>) Objects.requireNonNull(reply);
  }
}
