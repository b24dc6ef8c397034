package io.crosstide.protocol.merge;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/** What a local client's command did to one element in Redis. */
final class LocalFold {
  private LocalFold() {}

  /** Whether {@code change} concerns {@code element} of its key at all. */
  static boolean concerns(Change change, Element element) {
    if (change instanceof Change.OfElement of) {
      return of.kind() == element.kind() && of.name().equals(element.name());
    }
    if (change instanceof Change.StringSet set && set.keepsDeadline()) {
      return element.kind() != ElementKind.DEADLINE;
    }
    return change instanceof Change.OfKey;
  }

  /**
   * The element's content after {@code change}, or null if {@code before} cannot be what Redis
   * held: then only a probe can tell. Long values are whole: what is kept is to be compacted.
   */
  static @Nullable Content after(Content before, Element element, Change change) {
    if (!concerns(change, element)) {
      return before;
    }
    if (change instanceof Change.StringSet set) {
      return switch (element.kind()) {
        case STRING -> Content.of(set.value());
        case DEADLINE ->
            set.deadlineMillis() > 0 ? Content.deadline(set.deadlineMillis()) : Content.ABSENT;
        default -> Content.ABSENT;
      };
    } else if (change instanceof Change.StringAdd add) {
      return added(before, element.kind(), add.delta(), add.result());
    } else if (change instanceof Change.HashAdd add) {
      return added(before, element.kind(), add.delta(), add.result());
    } else if (change instanceof Change.ZsetAdd add) {
      return Content.score(add.to());
    } else if (change instanceof Change.HashPut put) {
      return Content.of(put.value());
    } else if (change instanceof Change.ListPut put) {
      return Content.of(put.value());
    } else if (change instanceof Change.StreamPut put) {
      return Content.of(put.value());
    } else if (change instanceof Change.StreamRemove remove && !remove.regions().isEmpty()) {
      return null; // what is left of several entries with one id
    } else if (change instanceof Change.SetAdd) {
      return Content.PRESENT;
    } else if (change instanceof Change.ZsetPut put) {
      return Content.score(put.score());
    } else if (change instanceof Change.DeadlineSet set) {
      return Content.deadline(set.deadlineMillis());
    }
    return Content.ABSENT; // removals of the element, the deadline, or the whole key
  }

  /** Whether what {@code change} leaves depends on what was there. */
  static boolean isSum(Change change) {
    return (change instanceof Change.StringAdd string && string.result() == null)
        || (change instanceof Change.HashAdd hash && hash.result() == null);
  }

  private static @Nullable Content added(
      Content before, ElementKind kind, BigDecimal delta, @Nullable Bytes result) {
    if (result != null) {
      return Content.of(result);
    }
    if (before.isAbsent()) {
      return Content.of(Numbers.format(kind, delta));
    }
    Bytes value = before.value();
    BigDecimal base = value == null ? null : Numbers.parse(kind, value);
    return base == null ? null : Content.of(Numbers.format(kind, base.add(delta)));
  }
}
