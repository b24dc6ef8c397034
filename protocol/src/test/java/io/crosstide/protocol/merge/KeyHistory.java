package io.crosstide.protocol.merge;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState.Missed;
import io.crosstide.protocol.RedisKey;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A random history of one key: three regions write its elements and the key as a whole, each seeing
 * the others' logs in their own order but at its own pace, and now and then publish a floor that no
 * later context or exception falls below. Some contexts are lower than what their region had
 * received, and whole-key changes have exceptions (P9).
 */
final class KeyHistory {
  static final int REGIONS = 3;
  static final RedisKey KEY = RedisKey.of(0, "k");
  static final Element STRING = Element.string(KEY);
  static final Element DEADLINE = Element.deadline(KEY);
  private static final List<Bytes> NAMES = List.of(Bytes.utf8("a"), Bytes.utf8("b"));

  /** Everything but the deadline. */
  static final List<Element> ELEMENTS =
      List.of(
          STRING,
          of(ElementKind.HASH_FIELD, 0),
          of(ElementKind.HASH_FIELD, 1),
          of(ElementKind.SET_MEMBER, 0),
          of(ElementKind.SET_MEMBER, 1),
          of(ElementKind.ZSET_MEMBER, 0));

  private static final List<Bytes> VALUES =
      List.of(Bytes.utf8("5"), Bytes.utf8("text"), Bytes.EMPTY);

  /** Per region its log: writes, and beats with a floor. */
  final List<List<ChangeEvent>> logs = new ArrayList<>();

  private final List<EventLog> writers = new ArrayList<>();

  /** Per region how far it has read each log, while the history is made. */
  private final int[][] read = new int[REGIONS][REGIONS];

  private final VersionVector[] received = new VersionVector[REGIONS];
  private final VersionVector[] floors = new VersionVector[REGIONS];
  private final long[] clocks = new long[REGIONS];
  private final Random random;

  /** Kinds that the history is about: few of them make few changes of type. */
  private final int kinds;

  /**
   * Mostly about increments of one element amid expiries, and about what becomes stable between an
   * expiry and all regions' having seen it: such cases are too rare among all others.
   */
  private final boolean expiringCounter;

  KeyHistory(long seed) {
    random = new Random(seed);
    expiringCounter = seed % 4 == 3;
    kinds = expiringCounter ? 1 + random.nextInt(2) : 1 + random.nextInt(3);
    for (int region = 0; region < REGIONS; region++) {
      logs.add(new ArrayList<>());
      writers.add(new EventLog(region + 1));
      received[region] = VersionVector.EMPTY;
      floors[region] = VersionVector.EMPTY;
    }
    for (int steps = 5 + random.nextInt(40); steps > 0; steps--) {
      step(random.nextInt(REGIONS));
    }
  }

  private static Element of(ElementKind kind, int name) {
    return new Element(KEY, kind, NAMES.get(name));
  }

  private static Origin origin(int region) {
    return Origin.of(region + 1);
  }

  VersionVector everything() {
    VersionVector all = VersionVector.EMPTY;
    for (EventLog writer : writers) {
      all = all.with(writer.origin(), writer.lastSeq());
    }
    return all;
  }

  private void step(int region) {
    int choice = random.nextInt(12);
    if (expiringCounter && choice == 0) {
      expireAmidIncrements(region);
    } else if (choice < 7) {
      write(region);
    } else if (choice < 11) {
      int from = random.nextInt(REGIONS);
      for (int records = 1 + random.nextInt(6); records > 0; records--) {
        readOne(region, from);
      }
    } else {
      beat(
          region,
          random.nextBoolean()
              ? received[region]
              : between(floors[region], received[region], region));
    }
  }

  /**
   * An expiry sees one increment and not the next, which becomes stable before the expiry does: one
   * region has not read of it.
   */
  private void expireAmidIncrements(int region) {
    int adds = (region + 1) % REGIONS;
    write(adds, increment());
    readAll(region, adds);
    write(region, new Change.KeyExpire(10L * (1 + random.nextInt(4))));
    write(adds, increment());
    readAll(region, adds);
    readAll((region + 2) % REGIONS, adds);
    for (int each = 0; each < REGIONS; each++) {
      beat(each, received[each]);
    }
  }

  private void beat(int region, VersionVector floor) {
    floors[region] = floor;
    logs.get(region)
        .add(
            writers
                .get(region)
                .control(
                    new Change.Beat(floors[region]),
                    others(region, received[region]),
                    Map.of(),
                    Fx.NONE));
  }

  private void write(int region) {
    write(region, change());
  }

  private void write(int region, Change change) {
    // Stamps of different regions are often equal, those of one region never.
    clocks[region] += 1 + random.nextInt(2);
    Map<String, Missed> exceptions = new HashMap<>();
    VersionVector context = others(region, received[region]);
    if (change instanceof Change.OfKey) {
      for (Element element : ELEMENTS) {
        if (random.nextInt(12) == 0) {
          VersionVector low = others(region, between(floors[region], received[region], region));
          exceptions.put(element.digest(), new Missed(Fx.NONE, low));
          if (element.equals(STRING)) {
            exceptions.put(DEADLINE.digest(), new Missed(Fx.NONE, low));
          }
        }
      }
    } else if (random.nextInt(4) == 0) {
      context = others(region, between(floors[region], received[region], region));
    }
    EventLog writer = writers.get(region);
    ChangeEvent event =
        writer.write(KEY, change, context, exceptions, Fx.NONE, clocks[region], null);
    if (ChangeEvent.mayCreateKey(change) && random.nextInt(6) == 0) {
      event = event.creatingKey();
    }
    logs.get(region).add(event);
    received[region] = received[region].with(writer.origin(), event.seq());
  }

  private Change change() {
    Bytes name = NAMES.get(random.nextInt(NAMES.size()));
    Bytes value = VALUES.get(random.nextInt(VALUES.size()));
    BigDecimal delta = BigDecimal.valueOf(random.nextInt(5) - 2);
    long deadline = 10L * random.nextInt(4);
    if (expiringCounter && random.nextInt(8) > 0) {
      return increment();
    }
    int choice = random.nextInt(18);
    return switch (choice) {
      case 0 -> new Change.KeyDelete();
      case 1 -> new Change.KeyExpire(10 + deadline);
      case 2 -> new Change.DeadlineSet(10 + deadline);
      case 3 -> new Change.DeadlinePersist();
      case 4 -> new Change.DeadlineRemove();
      default ->
          switch (choice % kinds) {
            case 0 ->
                choice < 10
                    ? new Change.StringSet(value, deadline, deadline == 0 && random.nextBoolean())
                    : new Change.StringAdd(delta, null);
            case 1 ->
                choice < 9
                    ? new Change.HashPut(name, value)
                    : choice < 14
                        ? new Change.HashAdd(name, delta, null)
                        : new Change.HashRemove(name);
            default -> setOrZset(choice, name);
          };
    };
  }

  private Change increment() {
    BigDecimal delta = BigDecimal.valueOf(1 + random.nextInt(3));
    return kinds == 1
        ? new Change.StringAdd(delta, null)
        : new Change.HashAdd(NAMES.get(0), delta, null);
  }

  private Change setOrZset(int choice, Bytes name) {
    if (choice < 12) {
      return random.nextInt(3) == 0 ? new Change.SetRemove(name) : new Change.SetAdd(name);
    }
    Bytes only = NAMES.get(0);
    return switch (random.nextInt(3)) {
      case 0 -> new Change.ZsetPut(only, random.nextInt(4));
      case 1 -> new Change.ZsetAdd(only, 1, random.nextInt(4));
      default -> new Change.ZsetRemove(only);
    };
  }

  private static VersionVector others(int region, VersionVector vector) {
    return vector.with(origin(region), 0);
  }

  /** A vector from {@code low} to {@code high}; the own log is always held completely. */
  private VersionVector between(VersionVector low, VersionVector high, int region) {
    VersionVector result = high;
    for (Origin origin : high.origins()) {
      long least = low.get(origin);
      long span = high.get(origin) - least;
      if (!origin.equals(origin(region)) && span > 0) {
        result = result.with(origin, least + random.nextInt((int) span + 1));
      }
    }
    return result;
  }

  private void readAll(int region, int from) {
    while (read[region][from] < logs.get(from).size()) {
      readOne(region, from);
    }
  }

  private void readOne(int region, int from) {
    if (from != region && read[region][from] < logs.get(from).size()) {
      ChangeEvent event = logs.get(from).get(read[region][from]++);
      received[region] = received[region].with(event.origin(), event.seq());
    }
  }
}
