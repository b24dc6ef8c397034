package io.crosstide.capture.command;

import io.crosstide.capture.shadow.Shadow;
import io.crosstide.protocol.RedisKey;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The unresolved keys of a shadow, and of how many of them the content is under way. The shadow
 * names them all, so that neither a crash nor their number matters: few are asked for at a time,
 * and many changes of a key before its turn cost one reading.
 */
final class AwaitedContents {
  private static final int UNDER_WAY_MAX = 4;

  private final Shadow shadow;
  private final EventSink sink;
  private final Set<RedisKey> underWay = new HashSet<>();

  /** The last key asked for: the search goes on behind it. */
  private @Nullable RedisKey place;

  /** There may be unresolved keys that are not under way. */
  private boolean mayBeMore = true;

  AwaitedContents(Shadow shadow, EventSink sink) {
    this.shadow = shadow;
    this.sink = sink;
  }

  /** Whether there may be unresolved keys. */
  boolean any() {
    return mayBeMore || !underWay.isEmpty();
  }

  /** Keys have become unresolved. */
  void look() {
    mayBeMore = true;
  }

  /** The content of {@code key} has come, or says that there is none. */
  void arrived(RedisKey key) {
    underWay.remove(key);
    mayBeMore = true;
  }

  /** Nothing is under way any more. */
  void forget() {
    if (!underWay.isEmpty()) {
      underWay.clear();
      sink.contentsForgotten();
    }
    mayBeMore = true;
  }

  /** Asks for as many contents as may be under way. */
  void ask() {
    while (mayBeMore && underWay.size() < UNDER_WAY_MAX) {
      RedisKey next = next();
      if (next == null) {
        mayBeMore = false;
      } else {
        underWay.add(next);
        place = next;
        sink.contentWanted(next);
      }
    }
  }

  private @Nullable RedisKey next() {
    RedisKey found = firstNotUnderWay(place);
    return found == null && place != null ? firstNotUnderWay(null) : found;
  }

  private @Nullable RedisKey firstNotUnderWay(@Nullable RedisKey after) {
    RedisKey found = shadow.unresolvedAfter(after);
    while (found != null && underWay.contains(found)) {
      found = shadow.unresolvedAfter(found);
    }
    return found;
  }
}
