package io.crosstide.capture.rdb;

import io.crosstide.capture.shadow.ElementCursor;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowStream;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.StreamElements;
import io.crosstide.protocol.StreamId;
import org.jspecify.annotations.Nullable;

/**
 * What differs in a Redis that came back older or empty (P8), read the other way round: what a
 * client would have had to do to bring the shadow to the snapshot is what the restart did. Nothing
 * of it is published as a change; the owner is told each element concerned, asks Redis for it and
 * writes the merged value back.
 *
 * <p>A Redis that came back without anything of Crosstide's had nothing to come back with, so that
 * what it holds was written since: what it has beyond the shadow is published. Of one that came
 * back older this cannot be told from what had been removed in the meantime, and is not.
 */
final class Losses {
  /** Receives what is found, each before the shadow follows it. */
  interface Receiver {
    void lost(Element element);

    void written(RedisKey key, Change change);
  }

  private final Shadow shadow;
  private final boolean cameBackEmpty;
  private final Receiver receiver;

  /** The key last seen to be one that the shadow did not hold. */
  private @Nullable RedisKey written;

  private long lost;

  Losses(Shadow shadow, boolean cameBackEmpty, Receiver receiver) {
    this.shadow = shadow;
    this.cameBackEmpty = cameBackEmpty;
    this.receiver = receiver;
  }

  /** How many elements were told. */
  long lost() {
    return lost;
  }

  /** A step from the shadow to the snapshot; the shadow has not followed it yet. */
  void difference(RedisKey key, Change change) {
    ShadowKey known = shadow.key(key.db(), key.name());
    if (!known.exists()) {
      written = key;
    } else if (!key.equals(written)) {
      written = null;
    }
    if (cameBackEmpty && isAddition(known, change)) {
      receiver.written(key, change);
      return;
    }
    if (change instanceof Change.OfElement of) {
      tell(new Element(key, of.kind(), of.name()));
      return;
    }
    tellAll(known);
    if (change instanceof Change.StringSet) {
      tell(Element.string(key));
      tell(Element.deadline(key));
    }
  }

  private boolean isAddition(ShadowKey known, Change change) {
    if (known.redisKey().equals(written)) {
      return true;
    }
    return change instanceof Change.OfElement of
        && of.kind() != ElementKind.DEADLINE
        && of.kind() != ElementKind.STRING
        && known.is(ShadowFold.typeOf(of.kind()))
        && ShadowFold.content(known, new Element(known.redisKey(), of.kind(), of.name()))
            .equals(Content.ABSENT);
  }

  private void tellAll(ShadowKey known) {
    RedisKey key = known.redisKey();
    if (!known.exists() || known.is(ShadowType.OPAQUE)) {
      return;
    }
    if (known.is(ShadowType.STRING) || known.is(ShadowType.UNRESOLVED)) {
      tell(Element.string(key));
    } else if (known.is(ShadowType.STREAM)) {
      tellStream(key, new ShadowStream(known));
    } else {
      ElementKind kind = kindOf(known.type());
      try (ElementCursor elements = known.elements()) {
        while (elements.next()) {
          tell(new Element(key, kind, elements.name()));
        }
      }
    }
    if (known.deadlineMillis() != 0) {
      tell(Element.deadline(key));
    }
  }

  private void tellStream(RedisKey key, ShadowStream known) {
    tell(new Element(key, ElementKind.STREAM, StreamElements.STREAM));
    try (ElementCursor entries = known.walk()) {
      while (entries.next()) {
        StreamId given = StreamElements.idOf(entries.name()).given();
        tell(new Element(key, ElementKind.STREAM, StreamElements.entry(given)));
      }
    }
    for (Bytes group : known.groups()) {
      tell(new Element(key, ElementKind.STREAM, StreamElements.group(group)));
    }
  }

  private void tell(Element element) {
    lost++;
    receiver.lost(element);
  }

  private static ElementKind kindOf(ShadowType type) {
    for (ElementKind kind : ElementKind.values()) {
      if (kind != ElementKind.DEADLINE && ShadowFold.typeOf(kind) == type) {
        return kind;
      }
    }
    throw new IllegalArgumentException("a key of type " + type + " has no elements");
  }
}
