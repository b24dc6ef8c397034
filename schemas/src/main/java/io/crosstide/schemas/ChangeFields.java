package io.crosstide.schemas;

import io.crosstide.crdt.ByteReader;
import io.crosstide.crdt.ByteWriter;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.RedisKey;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * The schema's generic fields from {@code name} on, between a {@link Change} and its bytes. Each
 * kind uses some of them; the others stay at their defaults and are ignored.
 */
record ChangeFields(
    Bytes name,
    @Nullable Bytes value,
    long deadline,
    boolean keepsDeadline,
    @Nullable BigDecimal delta,
    @Nullable Double score,
    @Nullable Double scoreBefore,
    VersionVector vector) {

  /** The deadline field of an element's write that made its key. */
  static final long NEW_KEY = -1;

  private static final ChangeFields NONE = named(Bytes.EMPTY, null);

  private static ChangeFields named(Bytes name, @Nullable Bytes value) {
    return new ChangeFields(name, value, 0, false, null, null, null, VersionVector.EMPTY);
  }

  private static ChangeFields deadline(long millis) {
    return new ChangeFields(
        Bytes.EMPTY, null, millis, false, null, null, null, VersionVector.EMPTY);
  }

  private static ChangeFields added(Bytes name, BigDecimal delta, @Nullable Bytes result) {
    return new ChangeFields(name, result, 0, false, delta, null, null, VersionVector.EMPTY);
  }

  private static ChangeFields scored(Bytes name, @Nullable Double before, double score) {
    return new ChangeFields(name, null, 0, false, null, score, before, VersionVector.EMPTY);
  }

  static ChangeFields of(ChangeEvent event) {
    ChangeFields fields = of(ChangeKind.of(event.change()), event.change());
    return event.createsKey() ? fields.ofNewKey() : fields;
  }

  private ChangeFields ofNewKey() {
    return new ChangeFields(name, value, NEW_KEY, keepsDeadline, delta, score, scoreBefore, vector);
  }

  private static ChangeFields of(ChangeKind kind, Change change) {
    return switch (kind) {
      case STRING_SET -> {
        Change.StringSet set = (Change.StringSet) change;
        yield new ChangeFields(
            Bytes.EMPTY,
            set.value(),
            set.deadlineMillis(),
            set.keepsDeadline(),
            null,
            null,
            null,
            VersionVector.EMPTY);
      }
      case STRING_ADD -> {
        Change.StringAdd add = (Change.StringAdd) change;
        yield added(Bytes.EMPTY, add.delta(), add.result());
      }
      case HASH_PUT -> {
        Change.HashPut put = (Change.HashPut) change;
        yield named(put.name(), put.value());
      }
      case HASH_ADD -> {
        Change.HashAdd add = (Change.HashAdd) change;
        yield added(add.name(), add.delta(), add.result());
      }
      case LIST_PUT -> {
        Change.ListPut put = (Change.ListPut) change;
        yield named(put.name(), put.value());
      }
      case STREAM_PUT -> {
        Change.StreamPut put = (Change.StreamPut) change;
        yield named(put.name(), put.value());
      }
      case STREAM_REMOVE -> {
        Change.StreamRemove remove = (Change.StreamRemove) change;
        yield named(remove.name(), remove.regions().isEmpty() ? null : remove.regions());
      }
      case ELEMENT_LOST -> elementLost(((Change.ElementLost) change).element());
      case LIST_HOLDS -> listHolds((Change.ListHolds) change);
      case PUBLISH -> {
        Change.Publish message = (Change.Publish) change;
        yield new ChangeFields(
            Bytes.EMPTY,
            message.message(),
            0,
            message.sharded(),
            null,
            null,
            null,
            VersionVector.EMPTY);
      }
      case HASH_REMOVE, SET_ADD, SET_REMOVE, ZSET_REMOVE, LIST_REMOVE ->
          named(((Change.OfElement) change).name(), null);
      case ZSET_PUT -> {
        Change.ZsetPut put = (Change.ZsetPut) change;
        yield scored(put.name(), null, put.score());
      }
      case ZSET_ADD -> {
        Change.ZsetAdd add = (Change.ZsetAdd) change;
        yield scored(add.name(), add.from(), add.to());
      }
      case KEY_EXPIRE -> deadline(((Change.KeyExpire) change).deadlineMillis());
      case DEADLINE_SET -> deadline(((Change.DeadlineSet) change).deadlineMillis());
      case KEY_DELETE, DEADLINE_PERSIST, DEADLINE_REMOVE -> NONE;
      case MARKER_LOST -> {
        Change.MarkerLost lost = (Change.MarkerLost) change;
        Fx preceding = lost.preceding();
        yield named(
            Bytes.utf8(lost.token()), preceding.isNone() ? null : Bytes.utf8(preceding.toString()));
      }
      case BEAT ->
          new ChangeFields(
              Bytes.EMPTY, null, 0, false, null, null, null, ((Change.Beat) change).floor());
    };
  }

  Change toChange(ChangeKind kind) {
    return switch (kind) {
      case STRING_SET -> new Change.StringSet(need("value", kind, value), deadline, keepsDeadline);
      case STRING_ADD -> new Change.StringAdd(need("delta", kind, delta), value);
      case HASH_PUT -> new Change.HashPut(name, need("value", kind, value));
      case HASH_ADD -> new Change.HashAdd(name, need("delta", kind, delta), value);
      case HASH_REMOVE -> new Change.HashRemove(name);
      case SET_ADD -> new Change.SetAdd(name);
      case SET_REMOVE -> new Change.SetRemove(name);
      case ZSET_PUT -> new Change.ZsetPut(name, need("score", kind, score));
      case ZSET_ADD ->
          new Change.ZsetAdd(
              name, need("scoreBefore", kind, scoreBefore), need("score", kind, score));
      case ZSET_REMOVE -> new Change.ZsetRemove(name);
      case LIST_PUT -> new Change.ListPut(name, need("value", kind, value));
      case LIST_REMOVE -> new Change.ListRemove(name);
      case STREAM_PUT -> new Change.StreamPut(name, need("value", kind, value));
      case STREAM_REMOVE -> new Change.StreamRemove(name, value == null ? Bytes.EMPTY : value);
      case ELEMENT_LOST -> toElementLost(kind);
      case LIST_HOLDS -> toListHolds(kind);
      case KEY_DELETE -> new Change.KeyDelete();
      case KEY_EXPIRE -> new Change.KeyExpire(deadline);
      case DEADLINE_SET -> new Change.DeadlineSet(deadline);
      case DEADLINE_PERSIST -> new Change.DeadlinePersist();
      case DEADLINE_REMOVE -> new Change.DeadlineRemove();
      case PUBLISH -> new Change.Publish(need("value", kind, value), keepsDeadline);
      case BEAT -> new Change.Beat(vector);
      case MARKER_LOST -> new Change.MarkerLost(name.text(), fx("value", value));
    };
  }

  /** A control event has no key and no database of its own: both go before the position. */
  private static ChangeFields listHolds(Change.ListHolds holds) {
    Content content = holds.content();
    Bytes value = content.isAbsent() ? null : content.value();
    ByteWriter name =
        new ByteWriter(32)
            .varint(holds.key().db())
            .bytes(holds.key().name())
            .signed(holds.misplaced())
            .raw(holds.name().array());
    return new ChangeFields(
        Bytes.wrap(name.toByteArray()),
        content.isAbsent() ? null : value != null ? value : content.sha1(),
        0,
        content.isDigestOnly(),
        null,
        null,
        null,
        VersionVector.EMPTY);
  }

  private static ChangeFields elementLost(Element element) {
    ByteWriter name =
        new ByteWriter(32)
            .varint(element.key().db())
            .bytes(element.key().name())
            .u8(element.kind().tag())
            .raw(element.name().array());
    return named(Bytes.wrap(name.toByteArray()), null);
  }

  private Change.ElementLost toElementLost(ChangeKind kind) {
    try {
      ByteReader in = new ByteReader(name.array());
      RedisKey key = new RedisKey(Math.toIntExact(in.varint()), in.bytes());
      ElementKind elementKind = ElementKind.ofTag((char) in.u8());
      return new Change.ElementLost(new Element(key, elementKind, in.rest()));
    } catch (RuntimeException e) {
      throw new MalformedEventException(
          "name", MalformedEventException.NO_OFFSET, "not the name of an element: " + kind, e);
    }
  }

  private Change.ListHolds toListHolds(ChangeKind kind) {
    try {
      ByteReader in = new ByteReader(name.array());
      int db = Math.toIntExact(in.varint());
      RedisKey key = new RedisKey(db, in.bytes());
      long misplaced = in.signed();
      Content content =
          value == null
              ? Content.ABSENT
              : keepsDeadline ? Content.digest(value) : Content.of(value);
      return new Change.ListHolds(key, in.rest(), content, misplaced);
    } catch (RuntimeException e) {
      throw new MalformedEventException(
          "name", MalformedEventException.NO_OFFSET, "not the place of an element: " + kind, e);
    }
  }

  private static Fx fx(String field, @Nullable Bytes text) {
    if (text == null) {
      return Fx.NONE;
    }
    try {
      return Fx.parse(text.text());
    } catch (IllegalArgumentException e) {
      throw new MalformedEventException(
          field,
          MalformedEventException.NO_OFFSET,
          "'" + text.text() + "' is not an effect number",
          e);
    }
  }

  private static <T> T need(String field, ChangeKind kind, @Nullable T value) {
    if (value == null) {
      throw new MalformedEventException(
          field, MalformedEventException.NO_OFFSET, "a " + kind + " without it");
    }
    return value;
  }
}
