package io.crosstide.apply.lua;

import io.crosstide.crdt.ByteWriter;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.ListPlace;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Turns an {@link EffectBatch} into the keys and arguments of {@link LuaScript#EFFECT_BATCH}, whose
 * head describes the form. Equal batches give equal bytes, so a batch can be sent again byte for
 * byte (P1).
 *
 * <p>The form is flat and each effect's shape is one argument of eight bytes, because in Redis an
 * argument costs about 0.3 µs before Lua has even looked at it.
 */
public final class BatchEncoder {
  private static final byte[] ONE = ascii("1");
  private static final byte[] ZERO = ascii("0");

  /** Its shape has three bytes for a key's place. */
  private static final int KEYS_MAX = (1 << 24) - 2;

  private static final byte GUARD_ABSENT = '0';
  private static final byte GUARD_VALUE = '=';
  private static final byte GUARD_SHA1 = '#';
  private static final byte NEW_GROUP = 1;
  private static final byte KNOWS = 2;

  private final EffectBatch batch;
  private final Map<RedisKey, Integer> places = new HashMap<>();
  private final List<byte[]> keys = new ArrayList<>();
  private final List<byte[]> arguments = new ArrayList<>();

  private BatchEncoder(EffectBatch batch) {
    this.batch = batch;
  }

  /**
   * @throws IllegalArgumentException if an effect cannot be carried out on its kind of element, or
   *     is to write a value of which only the digest is known: a mistake of the planner
   */
  public static ScriptCall encode(EffectBatch batch) {
    return new BatchEncoder(batch).encode();
  }

  private ScriptCall encode() {
    List<EffectBatch.Group> groups = batch.groups();
    arguments.add(ascii(batch.epoch()));
    arguments.add(ascii(batch.first()));
    arguments.add(ascii(batch.last()));
    arguments.add(ascii(groups.get(groups.size() - 1).contextAfter().encode()));
    arguments.add(ascii(contextsBefore(groups)));
    arguments.add(batch.hasProbe() ? ONE : ZERO);
    arguments.add(ascii(batch.stamp().packed()));
    placeKeys();
    for (EffectBatch.Group group : groups) {
      boolean newGroup = true;
      for (Effect effect : group.effects()) {
        encode(effect, newGroup);
        newGroup = false;
      }
    }
    return new ScriptCall(keys, arguments);
  }

  /** One entry per group that has effects; a group without them only moves the next one's. */
  private static String contextsBefore(List<EffectBatch.Group> groups) {
    StringBuilder contexts = new StringBuilder(24 * groups.size());
    EffectBatch.@Nullable Group before = null;
    String separator = "";
    for (EffectBatch.Group group : groups) {
      if (!group.effects().isEmpty()) {
        contexts.append(separator);
        separator = ";";
        if (before == null) {
          contexts.append('*');
        } else {
          before.contextAfter().encode(contexts);
        }
      }
      before = group;
    }
    return contexts.toString();
  }

  private void placeKeys() {
    keys.add(ascii(MarkerState.key(batch.partition())));
    Map<Integer, List<RedisKey>> byDatabase = new TreeMap<>();
    for (EffectBatch.Group group : batch.groups()) {
      for (Effect effect : group.effects()) {
        Element element = effect.element();
        if (element != null && places.putIfAbsent(element.key(), 0) == null) {
          byDatabase
              .computeIfAbsent(element.key().db(), db -> new ArrayList<>())
              .add(element.key());
        }
      }
    }
    if (places.size() > KEYS_MAX) {
      throw new IllegalArgumentException(
          "a batch of " + places.size() + " keys is too large: at most " + KEYS_MAX);
    }
    arguments.add(ascii(byDatabase.size()));
    byDatabase.forEach(
        (db, inDatabase) -> {
          arguments.add(ascii(db));
          arguments.add(ascii(inDatabase.size()));
          for (RedisKey key : inDatabase) {
            keys.add(key.name().array());
            places.put(key, keys.size());
          }
        });
  }

  private void encode(Effect effect, boolean newGroup) {
    byte flags = newGroup ? NEW_GROUP : 0;
    if (effect instanceof Effect.Put put) {
      Element element = put.element();
      shape('p', element, guardOf(element, put.expected()), put.desired(), flags, put.knows());
      guard(element, put.expected());
      desired(element, put.desired());
      knows(put.knows());
      place(element, put.place());
    } else if (effect instanceof Effect.Check check) {
      Element element = check.element();
      shape('c', element, guardOf(element, check.expected()), Content.ABSENT, flags, check.knows());
      guard(element, check.expected());
      knows(check.knows());
      place(element, check.place());
    } else if (effect instanceof Effect.Add add) {
      ElementKind kind = add.element().kind();
      if (kind == ElementKind.SET_MEMBER
          || kind == ElementKind.LIST_ELEMENT
          || kind == ElementKind.STREAM
          || kind == ElementKind.DEADLINE) {
        throw new IllegalArgumentException("nothing can be added to " + add.element());
      }
      shape('a', add.element(), GUARD_ABSENT, Content.PRESENT, flags, add.knows());
      arguments.add(ascii(add.delta()));
      knows(add.knows());
    } else if (effect instanceof Effect.Probe probe) {
      shape('?', probe.element(), GUARD_ABSENT, Content.ABSENT, flags, Fx.NONE);
    } else if (effect instanceof Effect.Publish publish) {
      byte channels = (byte) (publish.sharded() ? 's' : '-');
      arguments.add(new byte[] {'!', channels, GUARD_ABSENT, GUARD_ABSENT, flags, 0, 0, 0});
      arguments.add(publish.channel().array());
      arguments.add(publish.message().array());
    } else {
      arguments.add(new byte[] {'-', '-', GUARD_ABSENT, GUARD_ABSENT, flags, 0, 0, 0});
    }
  }

  private void shape(char op, Element element, byte guard, Content desired, byte flags, Fx knows) {
    int place = place(element.key());
    arguments.add(
        new byte[] {
          (byte) op,
          (byte) element.kind().tag(),
          guard,
          desired.isAbsent() ? GUARD_ABSENT : GUARD_VALUE,
          (byte) (knows.isNone() ? flags : flags | KNOWS),
          (byte) (place >> 16),
          (byte) (place >> 8),
          (byte) place
        });
    ElementKind kind = element.kind();
    if (kind != ElementKind.STRING && kind != ElementKind.DEADLINE) {
      arguments.add(element.name().array());
    }
  }

  private int place(RedisKey key) {
    Integer place = places.get(key);
    if (place == null) {
      throw new IllegalStateException("the key " + key + " has no place");
    }
    return place;
  }

  private static byte guardOf(Element element, Content expected) {
    if (expected.isAbsent()) {
      return GUARD_ABSENT;
    }
    return switch (element.kind()) {
      case SET_MEMBER -> {
        requireMember(element, expected);
        yield GUARD_VALUE;
      }
      case ZSET_MEMBER, DEADLINE -> GUARD_VALUE;
      case STRING, HASH_FIELD, LIST_ELEMENT, STREAM -> {
        Bytes value = expected.value();
        yield value != null && value.length() <= Content.INLINE_MAX ? GUARD_VALUE : GUARD_SHA1;
      }
    };
  }

  private void guard(Element element, Content expected) {
    if (expected.isAbsent() || element.kind() == ElementKind.SET_MEMBER) {
      return;
    }
    arguments.add(
        guardOf(element, expected) == GUARD_SHA1
            ? ascii(expected.sha1Hex())
            : valueOf(element, expected));
  }

  private void desired(Element element, Content desired) {
    if (desired.isAbsent()) {
      return;
    }
    if (element.kind() == ElementKind.SET_MEMBER) {
      requireMember(element, desired);
      return;
    }
    arguments.add(valueOf(element, desired));
  }

  private void knows(Fx knows) {
    if (!knows.isNone()) {
      arguments.add(ascii(knows.toString()));
    }
  }

  /** Of an element of a list, where to find it. */
  private void place(Element element, @Nullable ListPlace place) {
    if (element.kind() != ElementKind.LIST_ELEMENT) {
      return;
    }
    if (place == null) {
      arguments.add(new byte[0]); // an element that is to be absent, and stay so
      return;
    }
    String hint = place.hint() == ListPlace.NO_HINT ? "" : Integer.toString(place.hint());
    ByteWriter out = new ByteWriter(96);
    out.raw(
        ascii(
            place.effort()
                + (place.leansRight() ? ">" : "<")
                + place.before().size()
                + place.after().size()
                + hint
                + " "));
    place.before().forEach(neighbour -> neighbour(out, neighbour));
    place.after().forEach(neighbour -> neighbour(out, neighbour));
    arguments.add(out.toByteArray());
  }

  private static void neighbour(ByteWriter out, Content content) {
    Bytes value = content.value();
    byte[] form =
        value == null || value.length() > ListPlace.NEIGHBOUR_BYTES_MAX
            ? ascii(content.sha1Hex())
            : value.array();
    out.u8(form.length).raw(form);
  }

  private static byte[] valueOf(Element element, Content content) {
    @Nullable Bytes value = content.value();
    if (value == null) {
      throw new IllegalArgumentException(
          "of the value for "
              + element
              + " only the SHA-1 "
              + content.sha1Hex()
              + " is known: plan the effect with the value itself");
    }
    boolean representable =
        switch (element.kind()) {
          case ZSET_MEMBER -> !Double.isNaN(Content.parseScore(value.text()));
          case DEADLINE -> Long.parseLong(value.text()) >= 0;
          default -> true;
        };
    if (!representable) {
      throw new IllegalArgumentException(element + " cannot hold '" + value + "'");
    }
    return value.array();
  }

  private static void requireMember(Element element, Content content) {
    if (!content.equals(Content.PRESENT)) {
      throw new IllegalArgumentException(
          "the set member " + element + " is there or not; it cannot hold " + content);
    }
  }

  private static byte[] ascii(long number) {
    return ascii(Long.toString(number));
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
