package io.crosstide.capture.rdb;

import io.crosstide.capture.rdb.SentEffects.Sent;
import io.crosstide.capture.shadow.ElementCursor;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowStream;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.StreamElements;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Tells which keys had expired when a batch that nobody watched came to Redis: Redis removes them
 * before it looks at the first guard (P5).
 *
 * <p>A deadline that an effect gave, near when it was sent, says nothing: one that has passed by
 * the time the effect runs is put off (P5), to a moment that only Redis knows.
 *
 * <p>A deadline may have been moved by a client meanwhile, unseen too. The snapshot gives the
 * evidence: a key that still holds something it held before, which the batch did not write, or a
 * string that has a deadline, has lived on.
 */
final class LapsedKeys {
  /** Keys known to have lived on; a long list is forgotten, and costs looking again. */
  private static final int LIVED_ON_MAX = 100_000;

  /** A deadline less than so far ahead when it was sent may have been put off. Milliseconds. */
  private static final long NEAR_MAX = 10_000;

  /** If effects gave more keys than this a near deadline, no key is taken for expired. */
  private static final int PUT_OFF_MAX = 100_000;

  /** So many values of a list are looked at. */
  private static final int LIST_VALUES_MAX = 10_000;

  private final Shadow shadow;
  private final Shadow snapshot;
  private final Set<RedisKey> livedOn = new HashSet<>();
  private final Set<RedisKey> putOff = new HashSet<>();

  LapsedKeys(Shadow shadow, Shadow snapshot) {
    this.shadow = shadow;
    this.snapshot = snapshot;
  }

  /** The batch has been folded into the shadow. */
  void folded(Sent sent) {
    for (Effect effect : sent.batch().effects()) {
      if (effect instanceof Effect.Put put && put.element().kind() == ElementKind.DEADLINE) {
        Bytes deadline = put.desired().value();
        boolean isNear =
            deadline != null && Long.parseLong(deadline.text()) <= sent.millis() + NEAR_MAX;
        if (isNear && putOff.size() <= PUT_OFF_MAX) {
          putOff.add(put.element().key());
        }
      }
    }
  }

  /** The keys of the batch that Redis found expired, by the clock of who sent it. */
  List<RedisKey> before(Sent sent) {
    Set<RedisKey> keys = new LinkedHashSet<>();
    for (Effect effect : sent.batch().effects()) {
      Element element = effect.element();
      if (element != null) {
        keys.add(element.key());
      }
    }
    List<RedisKey> expired = new ArrayList<>();
    if (putOff.size() > PUT_OFF_MAX) {
      return expired;
    }
    for (RedisKey key : keys) {
      long deadline = shadow.key(key.db(), key.name()).deadlineMillis();
      if (deadline != 0
          && deadline <= sent.millis()
          && !putOff.contains(key)
          && !hasLivedOn(key, sent)) {
        expired.add(key);
      }
    }
    return expired;
  }

  private boolean hasLivedOn(RedisKey key, Sent sent) {
    if (livedOn.contains(key)) {
      return true;
    }
    ShadowKey known = shadow.key(key.db(), key.name());
    ShadowKey actual = snapshot.key(key.db(), key.name());
    boolean lives =
        actual.exists()
            && actual.is(known.type())
            && switch (known.type()) {
              case STRING ->
                  actual.deadlineMillis() != 0
                      || ShadowFold.content(known, Element.string(key))
                          .equals(ShadowFold.content(actual, Element.string(key)));
              case HASH, SET, ZSET, LIST, STREAM -> sharesElement(known, actual, sent);
              case OPAQUE, UNRESOLVED -> true;
            };
    if (lives) {
      if (livedOn.size() >= LIVED_ON_MAX) {
        livedOn.clear();
      }
      livedOn.add(key);
    }
    return lives;
  }

  private static boolean sharesElement(ShadowKey known, ShadowKey actual, Sent sent) {
    Set<Bytes> written = new HashSet<>();
    for (Effect effect : sent.batch().effects()) {
      Element element = effect.element();
      if (element != null && element.key().equals(known.redisKey())) {
        written.add(element.name());
      }
    }
    ShadowType type = known.type();
    Set<Bytes> values = type == ShadowType.LIST ? digests(actual) : Set.of();
    try (ElementCursor elements = known.elements()) {
      while (elements.next()) {
        Bytes name = elements.name();
        boolean same =
            switch (type) {
              case HASH -> elements.content().equals(actual.field(name));
              case SET -> actual.hasMember(name);
              case ZSET -> elements.score() == actual.score(name);
              case LIST -> values.contains(elements.content().sha1());
              case STREAM ->
                  StreamElements.isEntry(name)
                      && elements
                          .content()
                          .equals(new ShadowStream(actual).entry(StreamElements.idOf(name)));
              case STRING, OPAQUE, UNRESOLVED -> false;
            };
        if (same && !written.contains(name)) {
          return true;
        }
      }
    }
    return false;
  }

  /** SHA-1 of the list's first values: a snapshot does not say which elements they are. */
  private static Set<Bytes> digests(ShadowKey list) {
    Set<Bytes> digests = new HashSet<>();
    try (ElementCursor elements = list.elements()) {
      while (digests.size() < LIST_VALUES_MAX && elements.next()) {
        digests.add(elements.content().sha1());
      }
    }
    return digests;
  }
}
