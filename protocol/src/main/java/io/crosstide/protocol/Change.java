package io.crosstide.protocol;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/** What one event does to one element, or to a whole key. */
public sealed interface Change {

  /** A change of one element; it counts as a write and has a dot. */
  sealed interface OfElement extends Change {
    ElementKind kind();

    Bytes name();
  }

  /** A change of everything the key held; it counts as a write and has a dot. */
  sealed interface OfKey extends Change {}

  /** Not a write: it has no dot of its own and carries the last seq of its log. */
  sealed interface Control extends Change {}

  /**
   * {@code SET}: replaces whatever the key held, its deadline included.
   *
   * @param deadlineMillis deadline bound to this value (P6), milliseconds since 1970; 0 for none
   * @param keepsDeadline {@code KEEPTTL}: the deadline stays as it was, {@code deadlineMillis} is 0
   */
  record StringSet(Bytes value, long deadlineMillis, boolean keepsDeadline) implements OfKey {}

  /**
   * An increment of a string's number.
   *
   * @param result the value Redis then held, as text, where recomputing could differ (floats); null
   *     for integers
   */
  record StringAdd(BigDecimal delta, @Nullable Bytes result) implements OfElement {
    @Override
    public ElementKind kind() {
      return ElementKind.STRING;
    }

    @Override
    public Bytes name() {
      return Bytes.EMPTY;
    }
  }

  record HashPut(Bytes name, Bytes value) implements OfElement {
    @Override
    public ElementKind kind() {
      return ElementKind.HASH_FIELD;
    }
  }

  /** As {@link StringAdd}, for a hash field. */
  record HashAdd(Bytes name, BigDecimal delta, @Nullable Bytes result) implements OfElement {
    @Override
    public ElementKind kind() {
      return ElementKind.HASH_FIELD;
    }
  }

  record HashRemove(Bytes name) implements OfElement {
    @Override
    public ElementKind kind() {
      return ElementKind.HASH_FIELD;
    }
  }

  record SetAdd(Bytes name) implements OfElement {
    @Override
    public ElementKind kind() {
      return ElementKind.SET_MEMBER;
    }
  }

  record SetRemove(Bytes name) implements OfElement {
    @Override
    public ElementKind kind() {
      return ElementKind.SET_MEMBER;
    }
  }

  record ZsetPut(Bytes name, double score) implements OfElement {
    @Override
    public ElementKind kind() {
      return ElementKind.ZSET_MEMBER;
    }
  }

  /**
   * {@code ZINCRBY}: the score before (0 if absent) and after. Their exact difference is the
   * increment, so that a chain of increments adds up to precisely the double the origin computed.
   */
  record ZsetAdd(Bytes name, double from, double to) implements OfElement {
    @Override
    public ElementKind kind() {
      return ElementKind.ZSET_MEMBER;
    }
  }

  record ZsetRemove(Bytes name) implements OfElement {
    @Override
    public ElementKind kind() {
      return ElementKind.ZSET_MEMBER;
    }
  }

  /**
   * An element of a list, put in ({@code RPUSH}, {@code LINSERT}) or, where there is one at this
   * position, replaced ({@code LSET}).
   *
   * @param name its {@link io.crosstide.crdt.ListPosition}
   */
  record ListPut(Bytes name, Bytes value) implements OfElement {
    @Override
    public ElementKind kind() {
      return ElementKind.LIST_ELEMENT;
    }
  }

  /** A list's element at this position was popped or removed. */
  record ListRemove(Bytes name) implements OfElement {
    @Override
    public ElementKind kind() {
      return ElementKind.LIST_ELEMENT;
    }
  }

  /**
   * An entry was added to a stream, a group's position moved, or the stream is there without
   * entries.
   *
   * @param name of {@link StreamElements}, as the value
   */
  record StreamPut(Bytes name, Bytes value) implements OfElement {
    @Override
    public ElementKind kind() {
      return ElementKind.STREAM;
    }
  }

  /**
   * An entry of a stream was deleted, or a group.
   *
   * @param regions of several entries with one id, a byte for each region whose entry is deleted,
   *     or stays: which of the two, a 1 or a 0 before them says. Empty if all are deleted
   */
  record StreamRemove(Bytes name, Bytes regions) implements OfElement {
    public StreamRemove(Bytes name) {
      this(name, Bytes.EMPTY);
    }

    @Override
    public ElementKind kind() {
      return ElementKind.STREAM;
    }

    /** Whether it deletes the entry that {@code region} added. */
    public boolean deletes(int region) {
      boolean listed = false;
      for (int i = 1; i < regions.length(); i++) {
        listed |= regions.at(i) == region;
      }
      return regions.isEmpty() || listed == (regions.at(0) == 1);
    }
  }

  /** {@code DEL}, {@code UNLINK}, eviction, a flush: removes everything the key held. */
  record KeyDelete() implements OfKey {}

  /**
   * The key's deadline passed in the origin's Redis (P6): removes what it held, unless a deadline
   * it had not seen says otherwise.
   *
   * @param deadlineMillis the deadline that passed
   */
  record KeyExpire(long deadlineMillis) implements OfKey {}

  /**
   * {@code PUBLISH}: a message, which changes nothing. The event's key is the channel, in database
   * 0. It has a dot, so that it is delivered once.
   *
   * @param sharded {@code SPUBLISH}
   */
  record Publish(Bytes message, boolean sharded) implements Change {}

  /** {@code EXPIRE} and its kin. */
  record DeadlineSet(long deadlineMillis) implements OfElement {
    @Override
    public ElementKind kind() {
      return ElementKind.DEADLINE;
    }

    @Override
    public Bytes name() {
      return Bytes.EMPTY;
    }
  }

  /** {@code PERSIST}: beats concurrent deadlines. */
  record DeadlinePersist() implements OfElement {
    @Override
    public ElementKind kind() {
      return ElementKind.DEADLINE;
    }

    @Override
    public Bytes name() {
      return Bytes.EMPTY;
    }
  }

  /**
   * The key's last element was removed, and its deadline went with it. Follows the removal, in the
   * same transaction part; unlike {@link DeadlinePersist} it does not beat concurrent deadlines.
   */
  record DeadlineRemove() implements OfElement {
    @Override
    public ElementKind kind() {
      return ElementKind.DEADLINE;
    }

    @Override
    public Bytes name() {
      return Bytes.EMPTY;
    }
  }

  /**
   * Tells how far the stream is: the event's {@code fx} is what the marker showed. Published after
   * every batch that held a probe (P4), when the marker has moved, and from time to time when idle
   * (P13).
   *
   * @param floor every later event of this log has a context, exceptions included, of at least
   *     this: what stability is learnt from
   */
  record Beat(VersionVector floor) implements Control {}

  /**
   * What this Redis holds at one position of a list, as capture knows it at the event's place in
   * the stream. Redis cannot be asked: its elements have no names. Published when an effect asked
   * (P4), and when one met another element than the one it was meant for.
   *
   * @param content absent if no element of this position is there
   * @param misplaced it is there, but not where its position sorts: its index from the head; -1 if
   *     it is where it should be, or absent
   */
  record ListHolds(RedisKey key, Bytes name, Content content, long misplaced) implements Control {}

  /**
   * Redis was restarted and does not hold any more what capture had seen it hold for {@code
   * element} (P8): the owner is to ask it, and to write the merged value back.
   */
  record ElementLost(Element element) implements Control {}

  /**
   * A command in the stream removed the marker, or it was never there; the event's {@code fx},
   * {@code context} and {@code exceptions} say what it held (P3). Nothing else is lost.
   *
   * @param token what an owner that found no marker left in its place: everything written to this
   *     Redis before that is in the report. Empty if the loss was reported without being asked for
   * @param preceding as {@link MarkerState#preceding()} of the marker that is lost
   */
  record MarkerLost(String token, Fx preceding) implements Control {
    /** A loss that nobody asked for, of a marker of which no earlier epoch is known. */
    public MarkerLost() {
      this("", Fx.NONE);
    }
  }
}
