package io.crosstide.capture.command;

import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowList;
import io.crosstide.capture.shadow.ShadowType;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Follows what a batch of effects did to lists. Elements of a list have no names in Redis, so the
 * Lua function looks for the one that is meant by its content and neighbours, and writes into the
 * marker which index that was, just before the commands that change it:
 *
 * <pre>
 * HSET marker l "op db index keylen key position"     no space between key and position
 *
 * i  inserted    index of the element then; its value is the first one of the first RPUSH, LPUSH
 *                or LINSERT on the key after it
 * r  removed     index of the element before
 * s  set         index of the element; its value is that of the first LSET after it
 * p  asked       nothing changes
 * </pre>
 *
 * <p>A negative index counts from the tail. If the index is not where the shadow has the element of
 * this position, another one of equal content was met, or an insertion went out of order. Among
 * equal neighbours it makes no difference which is which. Otherwise the shadow follows what really
 * happened, and the positions concerned are reported when the batch is over ({@link
 * Change.ListHolds}), as they then are: the batch's number stands for all its effects.
 */
final class ListEchoes {
  private final Shadow shadow;
  private final Set<Concerned> concerned = new LinkedHashSet<>();
  private @Nullable Told waiting;

  /** A position to be reported on. */
  private record Concerned(RedisKey key, Bytes position) {}

  private record Told(char op, RedisKey key, long index, Bytes position) {
    /**
     * @throws IllegalArgumentException not what the Lua function writes
     */
    static Told parse(byte[] payload) {
      int[] spaces = new int[4];
      int found = 0;
      for (int i = 0; i < payload.length && found < spaces.length; i++) {
        if (payload[i] == ' ') {
          spaces[found++] = i;
        }
      }
      if (found < spaces.length || spaces[0] != 1) {
        throw new IllegalArgumentException("not what an effect says of a list");
      }
      int db = (int) number(payload, spaces[0], spaces[1]);
      long index = number(payload, spaces[1], spaces[2]);
      int name = spaces[3] + 1;
      long position = name + number(payload, spaces[2], spaces[3]);
      if (position < name || position >= payload.length) {
        throw new IllegalArgumentException("a key longer than what it stands in");
      }
      return new Told(
          (char) payload[0],
          new RedisKey(db, Bytes.wrap(Arrays.copyOfRange(payload, name, (int) position))),
          index,
          Bytes.wrap(Arrays.copyOfRange(payload, (int) position, payload.length)));
    }

    private static long number(byte[] payload, int before, int end) {
      return Long.parseLong(
          new String(payload, before + 1, end - before - 1, StandardCharsets.US_ASCII));
    }
  }

  ListEchoes(Shadow shadow) {
    this.shadow = shadow;
  }

  /** A unit begins. */
  void begin() {
    waiting = null;
    concerned.clear();
  }

  /**
   * What the marker tells of the next effect on a list.
   *
   * @throws IllegalArgumentException not what the Lua function writes; nothing was done
   */
  void told(CommandContext context, byte[] payload) {
    Told told = Told.parse(payload);
    waiting = null;
    switch (told.op()) {
      case 'i', 's' -> waiting = told;
      case 'r' -> removed(context, told);
      case 'p' -> concerned.add(new Concerned(told.key(), told.position()));
      default -> throw new IllegalArgumentException("no effect on a list: " + told.op());
    }
  }

  /** A command of the batch that an effect on a list consists of. */
  void command(CommandContext context, byte[][] argv) {
    Told told = waiting;
    if (told == null || !told.key().equals(context.redisKey(argv[1]))) {
      return;
    }
    int value =
        switch (context.command()) {
          case "RPUSH", "LPUSH" -> told.op() == 'i' ? 2 : 0;
          case "LINSERT" -> told.op() == 'i' ? 4 : 0;
          case "LSET" -> told.op() == 's' ? 3 : 0;
          default -> 0;
        };
    if (value != 0) {
      waiting = null;
      Content content = Content.of(Bytes.wrap(argv[value]));
      if (told.op() == 'i') {
        inserted(context, told, content);
      } else {
        set(context, told, content);
      }
    }
  }

  /** What is to be reported of the batch, as it is now. Empty for lists not known exactly. */
  List<Change.ListHolds> reports() {
    List<Change.ListHolds> reports = new ArrayList<>(concerned.size());
    for (Concerned one : concerned) {
      ShadowKey key = key(one.key());
      if (key.exact()) {
        ShadowList.Entry entry = key.list().find(one.position());
        reports.add(
            new Change.ListHolds(
                one.key(),
                one.position(),
                entry == null ? Content.ABSENT : brief(entry.content()),
                entry == null || !entry.isMisplaced() ? -1 : key.list().indexOf(entry)));
      }
    }
    concerned.clear();
    return reports;
  }

  private static Content brief(Content content) {
    Bytes value = content.value();
    return value != null && value.length() > Content.INLINE_MAX
        ? Content.digest(content.sha1())
        : content;
  }

  private ShadowKey key(RedisKey name) {
    return shadow.key(name.db(), name.name());
  }

  private void report(Told told, Bytes position) {
    concerned.add(new Concerned(told.key(), position));
  }

  private void inserted(CommandContext context, Told told, Content content) {
    ShadowKey key = key(told.key());
    if (!key.exact()) {
      return;
    }
    long count = key.is(ShadowType.LIST) ? key.count() : 0;
    long at = told.index() < 0 ? count + 1 + told.index() : told.index();
    if (at < 0 || at > count) {
      context.mismatch(key);
      return;
    }
    ShadowList list = key.list();
    ShadowList.Entry left = at == 0 ? null : list.at(at - 1);
    ShadowList.Entry right = at == count ? null : list.at(at);
    Bytes position = told.position();
    if (ShadowList.isTooDeep(place(left), place(right), position)) {
      context.leaveUnresolved(key);
    } else if (list.find(position) != null) {
      // It was there, unseen by its owner. The second one is nobody's: reported, it is taken away.
      Bytes nobodys = ShadowList.placeBetween(place(left), place(right));
      list.insert(place(left), place(right), nobodys, content);
      report(told, nobodys);
      report(told, position);
    } else if (!insertedAmongEquals(list, left, right, position, content)
        && !insertedBesideOdd(told, left, right, content)) {
      list.insert(place(left), place(right), position, content);
      report(told, position);
    }
  }

  /** Puts it where it sorts, if only elements equal to it are between that place and this. */
  private static boolean insertedAmongEquals(
      ShadowList list,
      ShadowList.@Nullable Entry left,
      ShadowList.@Nullable Entry right,
      Bytes position,
      Content content) {
    ShadowList.Entry before = left;
    ShadowList.Entry behind = right;
    boolean toHead = before != null && position.compareTo(before.place()) < 0;
    boolean toTail = behind != null && position.compareTo(behind.place()) > 0;
    if (toHead && before != null) {
      try (ShadowList.Walk walk = list.walkFrom(before.place(), true)) {
        while (before != null && position.compareTo(before.place()) < 0) {
          if (!before.content().equals(content)) {
            return false;
          }
          behind = before;
          before = walk.next();
        }
      }
    } else if (toTail && behind != null) {
      try (ShadowList.Walk walk = list.walkFrom(behind.place(), false)) {
        while (behind != null && position.compareTo(behind.place()) > 0) {
          if (!behind.content().equals(content)) {
            return false;
          }
          before = behind;
          behind = walk.next();
        }
      }
    }
    list.insert(place(before), place(behind), position, content);
    return true;
  }

  /**
   * Puts it where it is as its position wants it, if only one element beside it is in the way: that
   * one is out of order then. Were it always the new one, the owner might move those that are in
   * order around the one that is not, for ever.
   */
  private boolean insertedBesideOdd(
      Told told,
      ShadowList.@Nullable Entry left,
      ShadowList.@Nullable Entry right,
      Content content) {
    ShadowList list = key(told.key()).list();
    Bytes position = told.position();
    if (right != null) {
      Bytes beyond = place(list.beside(right, false));
      if (isBetween(place(left), position, beyond)) {
        ShadowList.Entry in = list.insert(right.place(), beyond, position, content);
        list.remove(right);
        list.insert(in.place(), beyond, right.position(), right.content());
        report(told, right.position());
        return true;
      }
    }
    if (left != null) {
      Bytes beyond = place(list.beside(left, true));
      if (isBetween(beyond, position, place(right))) {
        ShadowList.Entry in = list.insert(beyond, left.place(), position, content);
        list.remove(left);
        list.insert(beyond, in.place(), left.position(), left.content());
        report(told, left.position());
        return true;
      }
    }
    return false;
  }

  private static boolean isBetween(@Nullable Bytes left, Bytes position, @Nullable Bytes right) {
    return (left == null || left.compareTo(position) < 0)
        && (right == null || position.compareTo(right) < 0);
  }

  private void removed(CommandContext context, Told told) {
    ShadowKey key = key(told.key());
    if (!key.exact()) {
      return;
    }
    ShadowList list = key.list();
    ShadowList.Entry met = list.at(told.index());
    if (met == null) {
      context.mismatch(key);
      return;
    }
    if (met.position().equals(told.position())) {
      list.remove(met);
      return;
    }
    ShadowList.Entry meant = list.find(told.position());
    if (meant != null && areOneRun(list, meant, met)) {
      list.remove(meant);
      return;
    }
    list.remove(met);
    if (meant != null && meant.content().equals(met.content())) {
      relabel(list, meant, met.position(), met.content()); // nobody can tell which of them has gone
    }
    report(told, met.position());
    if (meant != null) {
      report(told, meant.position());
    }
  }

  /** What stands there is taken for another one, with this content. */
  private static void relabel(
      ShadowList list, ShadowList.Entry entry, Bytes position, Content content) {
    Bytes left = place(list.beside(entry, true));
    Bytes right = place(list.beside(entry, false));
    list.remove(entry);
    list.insert(left, right, position, content);
  }

  /** Whether both and all between them are equal. */
  private static boolean areOneRun(ShadowList list, ShadowList.Entry one, ShadowList.Entry other) {
    boolean backwards = one.place().compareTo(other.place()) > 0;
    ShadowList.@Nullable Entry at = one;
    try (ShadowList.Walk walk = list.walkFrom(one.place(), backwards)) {
      while (at != null && at.content().equals(other.content())) {
        if (at.place().equals(other.place())) {
          return true;
        }
        at = walk.next();
      }
    }
    return false;
  }

  private void set(CommandContext context, Told told, Content content) {
    ShadowKey key = key(told.key());
    if (!key.exact()) {
      return;
    }
    ShadowList.Entry met = key.list().at(told.index());
    if (met == null) {
      context.mismatch(key);
      return;
    }
    ShadowList list = key.list();
    if (met.position().equals(told.position())) {
      list.set(met, content);
      return;
    }
    report(told, met.position());
    report(told, told.position());
    ShadowList.Entry meant = list.find(told.position());
    if (meant == null || !meant.content().equals(met.content()) || areBeside(list, meant, met)) {
      list.set(met, content);
      return;
    }
    // Equal elements: the one that has been set is the one meant, whose place the other has now.
    Bytes left = place(list.beside(met, true));
    Bytes right = place(list.beside(met, false));
    list.remove(met);
    relabel(list, meant, met.position(), met.content());
    list.insert(left, right, told.position(), content);
  }

  private static boolean areBeside(ShadowList list, ShadowList.Entry one, ShadowList.Entry other) {
    return isAt(list.beside(one, true), other) || isAt(list.beside(one, false), other);
  }

  private static boolean isAt(ShadowList.@Nullable Entry entry, ShadowList.Entry other) {
    return entry != null && entry.place().equals(other.place());
  }

  private static @Nullable Bytes place(ShadowList.@Nullable Entry entry) {
    return entry == null ? null : entry.place();
  }
}
