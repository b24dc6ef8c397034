package io.crosstide.apply;

import io.crosstide.crdt.Bytes;
import java.util.SortedMap;
import java.util.SortedSet;

/** The value of one key as Redis holds it, read completely. */
public sealed interface RedisValue {
  /** As Redis's {@code TYPE} names it. */
  String type();

  /** Equal for equal values, however Redis encodes them; see {@link ValueDigest}. */
  Bytes digest();

  record Text(Bytes value) implements RedisValue {
    @Override
    public String type() {
      return "string";
    }

    @Override
    public Bytes digest() {
      return new ValueDigest(type()).add(Bytes.EMPTY, value).finish();
    }
  }

  record Fields(SortedMap<Bytes, Bytes> fields) implements RedisValue {
    @Override
    public String type() {
      return "hash";
    }

    @Override
    public Bytes digest() {
      ValueDigest digest = new ValueDigest(type());
      fields.forEach(digest::add);
      return digest.finish();
    }
  }

  record Members(SortedSet<Bytes> members) implements RedisValue {
    @Override
    public String type() {
      return "set";
    }

    @Override
    public Bytes digest() {
      ValueDigest digest = new ValueDigest(type());
      members.forEach(member -> digest.add(member, Bytes.EMPTY));
      return digest.finish();
    }
  }

  record Scores(SortedMap<Bytes, Double> scores) implements RedisValue {
    @Override
    public String type() {
      return "zset";
    }

    @Override
    public Bytes digest() {
      ValueDigest digest = new ValueDigest(type());
      scores.forEach((member, score) -> digest.addScore(member, score));
      return digest.finish();
    }
  }

  /**
   * A value of a type that is not replicated yet; only its type is known, so two of them are equal
   * if their types are.
   */
  record Unsupported(String type) implements RedisValue {
    @Override
    public Bytes digest() {
      return new ValueDigest(type).finish();
    }
  }
}
