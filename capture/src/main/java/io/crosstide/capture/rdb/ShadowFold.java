package io.crosstide.capture.rdb;

import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowList;
import io.crosstide.capture.shadow.ShadowStream;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/** Moves the shadow of a key as a published change says, or to contents known otherwise. */
final class ShadowFold {
  private ShadowFold() {}

  /** Does to the shadow what {@code change}, published by this capture, did to Redis. */
  static void apply(ShadowKey key, Change change) {
    if (change instanceof Change.StringSet set) {
      key.setString(set.value());
      if (!set.keepsDeadline()) {
        key.deadline(set.deadlineMillis());
      }
    } else if (change instanceof Change.StringAdd add) {
      Bytes sum = sum(key.content(), add.delta(), add.result());
      if (sum != null) {
        key.setString(sum);
      } else {
        key.markUnknown(ShadowType.STRING);
      }
    } else if (change instanceof Change.HashPut put) {
      key.putField(put.name(), put.value());
    } else if (change instanceof Change.HashAdd add) {
      Bytes sum = sum(key.field(add.name()), add.delta(), add.result());
      if (sum != null) {
        key.putField(add.name(), sum);
      } else {
        key.markUnknown(ShadowType.HASH);
      }
    } else if (change instanceof Change.SetAdd add) {
      key.addMember(add.name());
    } else if (change instanceof Change.ZsetPut put) {
      key.putScore(put.name(), put.score());
    } else if (change instanceof Change.ZsetAdd add) {
      key.putScore(add.name(), add.to());
    } else if (change instanceof Change.HashRemove
        || change instanceof Change.SetRemove
        || change instanceof Change.ZsetRemove) {
      key.remove(((Change.OfElement) change).name());
    } else if (change instanceof Change.ListPut put) {
      putIntoList(key, put.name(), Content.of(put.value()));
    } else if (change instanceof Change.ListRemove remove) {
      removeFromList(key, remove.name());
    } else if (change instanceof Change.StreamPut || change instanceof Change.StreamRemove) {
      StreamFold.apply(new ShadowStream(key), change);
    } else if (change instanceof Change.KeyDelete || change instanceof Change.KeyExpire) {
      key.delete();
    } else if (change instanceof Change.DeadlineSet deadline) {
      key.deadline(deadline.deadlineMillis());
    } else if (change instanceof Change.DeadlinePersist
        || change instanceof Change.DeadlineRemove) {
      key.deadline(0);
    } else if (!(change instanceof Change.Publish)) {
      throw new IllegalArgumentException("not a change of a key: " + change);
    }
  }

  /** What the shadow holds for an element; the empty digest-less content if it is not known. */
  static Content content(ShadowKey key, Element element) {
    return switch (element.kind()) {
      case STRING -> {
        Content known = key.is(ShadowType.STRING) ? key.content() : null;
        yield known == null ? Content.ABSENT : known;
      }
      case HASH_FIELD -> key.field(element.name());
      case SET_MEMBER -> key.hasMember(element.name()) ? Content.PRESENT : Content.ABSENT;
      case ZSET_MEMBER -> {
        double score = key.score(element.name());
        yield Double.isNaN(score) ? Content.ABSENT : Content.score(score);
      }
      case LIST_ELEMENT -> {
        ShadowList.Entry entry = key.list().find(element.name());
        yield entry == null ? Content.ABSENT : entry.content();
      }
      case STREAM -> StreamFold.content(new ShadowStream(key), element.name());
      case DEADLINE ->
          key.deadlineMillis() == 0 ? Content.ABSENT : Content.deadline(key.deadlineMillis());
    };
  }

  /** The type of a key with such elements. */
  static ShadowType typeOf(ElementKind kind) {
    return switch (kind) {
      case STRING -> ShadowType.STRING;
      case HASH_FIELD -> ShadowType.HASH;
      case SET_MEMBER -> ShadowType.SET;
      case ZSET_MEMBER -> ShadowType.ZSET;
      case LIST_ELEMENT -> ShadowType.LIST;
      case STREAM -> ShadowType.STREAM;
      case DEADLINE -> throw new IllegalArgumentException("keys of all types have deadlines");
    };
  }

  /** Makes an element hold {@code desired}; absent removes it. */
  static void put(ShadowKey key, Element element, Content desired) {
    Bytes value = desired.value();
    switch (element.kind()) {
      case STRING -> {
        if (desired.isAbsent()) {
          key.delete();
        } else {
          key.setStringContent(desired);
        }
      }
      case HASH_FIELD -> {
        if (desired.isAbsent()) {
          key.remove(element.name());
        } else {
          key.putFieldContent(element.name(), desired);
        }
      }
      case SET_MEMBER -> {
        if (desired.isAbsent()) {
          key.remove(element.name());
        } else {
          key.addMember(element.name());
        }
      }
      case ZSET_MEMBER -> {
        if (value == null) {
          key.remove(element.name());
        } else {
          key.putScore(element.name(), Content.parseScore(value.text()));
        }
      }
      case LIST_ELEMENT -> {
        if (desired.isAbsent()) {
          removeFromList(key, element.name());
        } else {
          putIntoList(key, element.name(), desired);
        }
      }
      case STREAM -> StreamFold.put(key, element.name(), desired);
      case DEADLINE -> key.deadline(value == null ? 0 : Long.parseLong(value.text()));
    }
  }

  private static void putIntoList(ShadowKey key, Bytes position, Content content) {
    if (ShadowList.isTooDeep(null, null, position)) {
      key.markUnknown(ShadowType.LIST);
    } else {
      key.list().put(position, content);
    }
  }

  private static void removeFromList(ShadowKey key, Bytes position) {
    ShadowList.Entry entry = key.list().find(position);
    if (entry != null) {
      key.list().remove(entry);
    }
  }

  private static @Nullable Bytes sum(
      @Nullable Content before, BigDecimal delta, @Nullable Bytes result) {
    if (result != null) {
      return result;
    }
    if (before == null || before.isAbsent()) {
      return Bytes.utf8(delta.toPlainString());
    }
    Bytes value = before.value();
    Long number = value == null ? null : Integers.parse(value);
    return number == null
        ? null
        : Bytes.utf8(BigDecimal.valueOf(number).add(delta).toPlainString());
  }
}
