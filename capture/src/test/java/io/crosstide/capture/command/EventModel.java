package io.crosstide.capture.command;

import static java.util.Objects.requireNonNull;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.RedisKey;
import java.math.BigDecimal;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A Redis as a reader of events pictures it: a map, changed by each event as its Javadoc says. */
final class EventModel {
  final Map<RedisKey, Map<Bytes, String>> keys = new TreeMap<>();
  final Map<RedisKey, Character> types = new TreeMap<>();
  final Map<RedisKey, Long> deadlines = new TreeMap<>();

  /** Positions of elements that were reported to stand elsewhere than they sort. */
  final Map<RedisKey, Set<Bytes>> misplaced = new TreeMap<>();

  private final long deadlineTolerance;
  private final boolean readBack;

  /**
   * @param deadlineTolerance milliseconds; above 0 where Redis replicates relative deadlines, which
   *     a restarted capture adds to a later time than the one before it did
   * @param readBack whether contents are read back: until then others have not heard of a key that
   *     is deleted or given a deadline
   */
  EventModel(long deadlineTolerance, boolean readBack) {
    this.readBack = readBack;
    this.deadlineTolerance = deadlineTolerance;
  }

  void apply(RedisKey key, Change change) {
    if (change instanceof Change.StringSet set) {
      remove(key);
      if (!set.keepsDeadline()) {
        deadlines.remove(key);
      }
      if (set.deadlineMillis() != 0) {
        deadlines.put(key, set.deadlineMillis());
      }
      put(key, 's', Bytes.EMPTY, latin(set.value()));
    } else if (change instanceof Change.StringAdd add) {
      put(key, 's', Bytes.EMPTY, sum(key, Bytes.EMPTY, add.delta(), add.result()));
    } else if (change instanceof Change.HashPut put) {
      put(key, 'h', put.name(), latin(put.value()));
    } else if (change instanceof Change.HashAdd add) {
      put(key, 'h', add.name(), sum(key, add.name(), add.delta(), add.result()));
    } else if (change instanceof Change.HashRemove remove) {
      removeElement(key, 'h', remove.name());
    } else if (change instanceof Change.SetAdd add) {
      expect(!has(key, add.name()), key + " has " + add.name() + " already");
      put(key, 'm', add.name(), "");
    } else if (change instanceof Change.SetRemove remove) {
      removeElement(key, 'm', remove.name());
    } else if (change instanceof Change.ZsetPut put) {
      put(key, 'z', put.name(), Double.toString(put.score()));
    } else if (change instanceof Change.ZsetAdd add) {
      double before = has(key, add.name()) ? Double.parseDouble(value(key, add.name())) : 0;
      expect(before == add.from(), key + " stands at " + before + " before " + add);
      put(key, 'z', add.name(), Double.toString(add.to()));
    } else if (change instanceof Change.ZsetRemove remove) {
      removeElement(key, 'z', remove.name());
    } else if (change instanceof Change.ListPut put) {
      put(key, 'l', put.name(), latin(put.value()));
    } else if (change instanceof Change.ListRemove remove) {
      removeElement(key, 'l', remove.name());
    } else if (change instanceof Change.StreamPut put) {
      put(key, 'x', put.name(), latin(put.value()));
    } else if (change instanceof Change.StreamRemove remove) {
      expect(remove.regions().isEmpty(), key + " never held two entries with one id");
      removeElement(key, 'x', remove.name());
    } else if (change instanceof Change.KeyDelete) {
      expect(readBack || keys.containsKey(key), key + " is deleted but absent");
      remove(key);
      deadlines.remove(key);
    } else if (change instanceof Change.KeyExpire expire) {
      Long deadline = deadlines.get(key);
      expect(
          readBack
              || (deadline != null
                  && Math.abs(deadline - expire.deadlineMillis()) <= deadlineTolerance),
          key + " expires at " + expire.deadlineMillis() + " but its deadline is " + deadline);
      remove(key);
      deadlines.remove(key);
    } else if (change instanceof Change.DeadlineSet set) {
      expect(readBack || keys.containsKey(key), key + " gets a deadline but is absent");
      deadlines.put(key, set.deadlineMillis());
    } else if (change instanceof Change.DeadlinePersist) {
      boolean had = deadlines.remove(key) != null;
      expect(readBack || had, key + " is persisted but had no deadline");
    } else if (change instanceof Change.DeadlineRemove) {
      expect(!keys.containsKey(key), key + " is there but its deadline goes");
      deadlines.remove(key);
    } else {
      throw new AssertionError("unexpected " + change);
    }
  }

  /** An effect on a list, believed to have met the element meant. */
  void believe(RedisKey key, Bytes position, @Nullable String value) {
    if (value != null) {
      put(key, 'l', position, value);
    } else if (has(key, position)) {
      removeElement(key, 'l', position);
      if (!keys.containsKey(key)) {
        deadlines.remove(key);
      }
    }
  }

  /** What the reports of one batch correct. */
  void correct(List<Change.ListHolds> reports) {
    for (Change.ListHolds report : reports) {
      Bytes value = report.content().value();
      if (!report.content().isAbsent()) {
        String held = value != null ? latin(value) : "sha1 " + latin(report.content().sha1());
        put(report.key(), 'l', report.name(), held);
        Set<Bytes> of = misplaced.computeIfAbsent(report.key(), k -> new HashSet<>());
        if (report.misplaced() >= 0) {
          of.add(report.name());
        } else {
          of.remove(report.name());
        }
      }
    }
    for (Change.ListHolds report : reports) {
      if (report.content().isAbsent()) {
        believe(report.key(), report.name(), null);
      }
    }
  }

  private String sum(RedisKey key, Bytes name, BigDecimal delta, @Nullable Bytes result) {
    BigDecimal before = has(key, name) ? new BigDecimal(value(key, name)) : BigDecimal.ZERO;
    BigDecimal after = before.add(delta);
    if (result == null) {
      return after.toString();
    }
    String text = latin(result);
    expect(new BigDecimal(text).compareTo(after) == 0, before + " + " + delta + " gave " + text);
    return text;
  }

  private boolean has(RedisKey key, Bytes name) {
    Map<Bytes, String> elements = keys.get(key);
    return elements != null && elements.containsKey(name);
  }

  private String value(RedisKey key, Bytes name) {
    return requireNonNull(requireNonNull(keys.get(key)).get(name));
  }

  private void put(RedisKey key, char type, Bytes name, String value) {
    Character before = types.put(key, type);
    expect(before == null || before == type, key + " turns from " + before + " into " + type);
    keys.computeIfAbsent(key, k -> new TreeMap<>()).put(name, value);
  }

  private void removeElement(RedisKey key, char type, Bytes name) {
    expect(has(key, name) && Objects.equals(types.get(key), type), key + " does not hold " + name);
    Map<Bytes, String> elements = requireNonNull(keys.get(key));
    elements.remove(name);
    if (elements.isEmpty()) {
      remove(key);
    }
  }

  private void remove(RedisKey key) {
    keys.remove(key);
    types.remove(key);
  }

  static String latin(Bytes bytes) {
    return new String(bytes.array(), java.nio.charset.StandardCharsets.ISO_8859_1);
  }

  private static void expect(boolean truth, String complaint) {
    if (!truth) {
      throw new AssertionError(complaint);
    }
  }
}
