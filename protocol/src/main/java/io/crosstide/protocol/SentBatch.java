package io.crosstide.protocol;

import io.crosstide.crdt.ByteReader;
import io.crosstide.crdt.ByteWriter;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an owner remembers of an effect batch before Redis sees it, so that a full resync can tell
 * effects from local writes (P7): the value of a record in {@code sent-effects.<region>}.
 *
 * <p>Values are {@link Content#compact() compact}, so a batch of long values is small.
 *
 * @param epoch of the owner that sent it
 * @param first number of the first effect within the epoch
 * @param preceding in an epoch's first batch, the last effect applied before the epoch began,
 *     {@link Fx#NONE} if there was none or in any other batch. What a fenced owner sent beyond it
 *     was never applied
 * @param groups as they were sent, with what Redis holds of the remote logs after each: a miss is
 *     claimed from the context before its group (P9)
 */
public record SentBatch(int epoch, long first, Fx preceding, List<EffectBatch.Group> groups) {
  private static final int FORMAT = 1;

  /**
   * What can be read without the effects.
   *
   * @param last number of the last effect
   */
  public record Head(int epoch, long first, long last, Fx preceding) {}

  // The letters of effects and contents are those of the Lua function's shapes.
  private static final char PUT = 'p';
  private static final char CHECK = 'c';
  private static final char ADD = 'a';
  private static final char PROBE = '?';
  private static final char NOOP = '-';
  private static final char ABSENT = '0';
  private static final char VALUE = '=';
  private static final char SHA1 = '#';

  public SentBatch {
    groups = List.copyOf(groups);
  }

  /** What to remember of {@code batch}. */
  public static SentBatch of(EffectBatch batch) {
    return new SentBatch(
        batch.epoch(),
        batch.first(),
        batch.first() == 1 ? batch.preceding() : Fx.NONE,
        batch.groups());
  }

  /** All effects, in order. */
  public List<Effect> effects() {
    List<Effect> effects = new ArrayList<>(size());
    for (EffectBatch.Group group : groups) {
      effects.addAll(group.effects());
    }
    return effects;
  }

  private int size() {
    int size = 0;
    for (EffectBatch.Group group : groups) {
      size += group.effects().size();
    }
    return size;
  }

  /** Number of the last effect. */
  public long last() {
    return first + size() - 1;
  }

  public byte[] encode() {
    int size = size();
    ByteWriter out = new ByteWriter(64 * size + 64);
    out.u8(FORMAT).varint(epoch).varint(first).varint(size);
    out.varint(preceding.epoch()).varint(preceding.number()).varint(groups.size());
    RedisKey key = null;
    for (EffectBatch.Group group : groups) {
      out.varint(group.effects().size()).vector(group.contextAfter());
      for (Effect effect : group.effects()) {
        key = encode(out, effect, key);
      }
    }
    return out.toByteArray();
  }

  /** Keys are written once per run of effects on the same one. */
  private static @Nullable RedisKey encode(
      ByteWriter out, Effect effect, @Nullable RedisKey before) {
    Element element = effect.element();
    if (element == null) { // a message leaves nothing behind to be told from a local write
      out.u8(NOOP);
      return before;
    }
    out.u8(letter(effect)).u8(element.kind().tag());
    boolean same = element.key().equals(before);
    out.u8(same ? 1 : 0);
    if (!same) {
      out.varint(element.key().db()).bytes(element.key().name());
    }
    out.bytes(element.name());
    if (effect instanceof Effect.Put put) {
      content(out, put.expected());
      content(out, put.desired());
      number(out, put.knows());
    } else if (effect instanceof Effect.Check check) {
      content(out, check.expected());
      number(out, check.knows());
    } else if (effect instanceof Effect.Add add) {
      out.signed(add.delta());
      number(out, add.knows());
    }
    return element.key();
  }

  private static char letter(Effect effect) {
    if (effect instanceof Effect.Put) {
      return PUT;
    } else if (effect instanceof Effect.Check) {
      return CHECK;
    } else if (effect instanceof Effect.Add) {
      return ADD;
    }
    return PROBE;
  }

  private static void content(ByteWriter out, Content content) {
    Content compact = content.compact();
    Bytes value = compact.value();
    if (compact.isAbsent()) {
      out.u8(ABSENT);
    } else if (value != null) {
      out.u8(VALUE).bytes(value);
    } else {
      out.u8(SHA1).bytes(compact.sha1());
    }
  }

  private static void number(ByteWriter out, Fx number) {
    out.varint(number.epoch()).varint(number.number());
  }

  /**
   * Reads where a batch stands.
   *
   * @throws IllegalArgumentException if {@code encoded} is no batch of a known format
   */
  public static Head decodeHead(byte[] encoded) {
    return head(new ByteReader(encoded));
  }

  private static Head head(ByteReader in) {
    int format = in.u8();
    if (format != FORMAT) {
      throw new IllegalArgumentException(
          "a sent batch of format " + format + ": this version of Crosstide reads " + FORMAT);
    }
    int epoch = (int) in.varint();
    long first = in.varint();
    long count = in.varint();
    return new Head(epoch, first, first + count - 1, readNumber(in));
  }

  /**
   * Inverse of {@link #encode}.
   *
   * @throws IllegalArgumentException if {@code encoded} is no batch of a known format
   */
  public static SentBatch decode(byte[] encoded) {
    ByteReader in = new ByteReader(encoded);
    Head head = head(in);
    List<EffectBatch.Group> groups = new ArrayList<>();
    RedisKey key = null;
    for (int left = in.count(); left > 0; left--) {
      int size = in.count();
      VersionVector contextAfter = in.vector();
      List<Effect> effects = new ArrayList<>();
      for (int i = 0; i < size; i++) {
        Effect effect = decode(in, key);
        Element element = effect.element();
        key = element == null ? key : element.key();
        effects.add(effect);
      }
      groups.add(new EffectBatch.Group(contextAfter, effects));
    }
    return new SentBatch(head.epoch(), head.first(), head.preceding(), groups);
  }

  private static Effect decode(ByteReader in, @Nullable RedisKey before) {
    char letter = (char) in.u8();
    if (letter == NOOP) {
      return new Effect.Noop();
    }
    ElementKind kind = ElementKind.ofTag((char) in.u8());
    RedisKey key = in.u8() == 0 ? new RedisKey((int) in.varint(), in.bytes()) : before;
    if (key == null) {
      throw new IllegalArgumentException("the first effect of a sent batch names no key");
    }
    Element element = new Element(key, kind, in.bytes());
    return switch (letter) {
      case PUT -> new Effect.Put(element, readContent(in), readContent(in), readNumber(in));
      case CHECK -> new Effect.Check(element, readContent(in), readNumber(in));
      case ADD -> new Effect.Add(element, in.signed(), readNumber(in));
      case PROBE -> new Effect.Probe(element);
      default -> throw unknown("effect", letter);
    };
  }

  private static Content readContent(ByteReader in) {
    char letter = (char) in.u8();
    return switch (letter) {
      case ABSENT -> Content.ABSENT;
      case VALUE -> Content.of(in.bytes());
      case SHA1 -> Content.digest(in.bytes());
      default -> throw unknown("content", letter);
    };
  }

  private static Fx readNumber(ByteReader in) {
    return new Fx((int) in.varint(), in.varint());
  }

  private static IllegalArgumentException unknown(String what, char letter) {
    return new IllegalArgumentException("'" + letter + "' is not the letter of an " + what);
  }
}
