package io.crosstide.capture.rdb;

import io.crosstide.capture.command.EventSink;
import io.crosstide.capture.command.InterpreterConfig;
import io.crosstide.capture.command.StreamInterpreter;
import io.crosstide.capture.shadow.InMemoryShadow;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.capture.shadow.ShadowList;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridLogicalClock;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.ListPosition;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.EffectWire;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.SentBatch;
import io.crosstide.protocol.merge.EventLog;
import io.crosstide.protocol.merge.MemoryRedis;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One partition of a region with random clients and owners, and a capture that sees nothing of its
 * Redis but snapshots: part of what clients write reaches the log and not the shadow, part reaches
 * neither. All that capture publishes is remembered.
 */
final class ResyncWorld {
  static final Origin LOCAL = Origin.of(1);
  static final Origin REMOTE = Origin.of(2);
  private static final long NOW = 5_000_000;
  private static final List<ElementKind> TYPES =
      List.of(
          ElementKind.STRING,
          ElementKind.HASH_FIELD,
          ElementKind.SET_MEMBER,
          ElementKind.ZSET_MEMBER,
          ElementKind.LIST_ELEMENT);

  /** Of lists' elements, as another region has made them. */
  private static final List<Bytes> POSITIONS = positions();

  private static List<Bytes> positions() {
    List<Bytes> positions = new ArrayList<>();
    Bytes last = null;
    for (int write = 1; write <= 3; write++) {
      last = ListPosition.between(last, null, REMOTE, write, ListPosition.Side.AFTER_LEFT);
      positions.add(last);
    }
    return positions;
  }

  /**
   * Clients and owners add to these and do nothing else with them, so that no effect on one misses.
   */
  private static final List<Element> COUNTERS =
      List.of(
          Element.string(RedisKey.of(0, "n")),
          new Element(RedisKey.of(0, "m"), ElementKind.HASH_FIELD, Bytes.utf8("e")));

  /** The process of capture dies. */
  static final class Crash extends RuntimeException {}

  final Random random;
  final MemoryRedis redis = new MemoryRedis(new EventLog(LOCAL));
  final List<SentBatch> remembered = new ArrayList<>();

  /** The region's own log: what capture published, at whatever time. */
  final List<ChangeEvent> log = new ArrayList<>();

  /**
   * Elements that clients wrote since the last whole resync, unknown to the log: the key's deadline
   * always; all that it held and its string if they wrote the whole key.
   */
  final Set<Element> unseen = new HashSet<>();

  /** Elements of events published by resyncs since then; of a deleted key its deadline. */
  final Set<Element> published = new HashSet<>();

  /** Keys that went, or were overwritten, with clients' writes unknown to the log since then. */
  final Set<RedisKey> gone = new HashSet<>();

  /** Keys published as deleted by resyncs since then. */
  final Set<RedisKey> publishedAsDeleted = new HashSet<>();

  /** What clients added to counters since then, unknown to the log. */
  final Map<Element, BigDecimal> added = new TreeMap<>();

  /** What resyncs have published since then as added to counters. */
  final Map<Element, BigDecimal> publishedAsAdded = new TreeMap<>();

  InMemoryShadow shadow = new InMemoryShadow();
  private int epoch = 1;
  private long next = 1;
  private Fx preceding = Fx.NONE;
  private long seen;

  ResyncWorld(long seed) {
    random = new Random(seed);
    redis.connect(new Deaf());
    redis.marker(new MarkerState(1, new Fx(1, 0), VersionVector.EMPTY, Map.of()));
    for (Element counter : COUNTERS) {
      write(counter.key(), increment(counter, 1), true);
    }
  }

  /** A resync has lived to its end: all is known, and owners hear which elements lists have. */
  void allIsKnown() {
    Map<Element, Content> contents = redis.contents();
    for (int k = 0; k < 10; k++) {
      RedisKey key = RedisKey.of(0, "k" + k);
      if (type(key) == ElementKind.LIST_ELEMENT) {
        contents
            .keySet()
            .removeIf(e -> e.key().equals(key) && e.kind() == ElementKind.LIST_ELEMENT);
        try (ShadowList.Walk walk = shadow.key(0, key.name()).list().walk(false)) {
          for (ShadowList.Entry e = walk.next(); e != null; e = walk.next()) {
            contents.put(new Element(key, ElementKind.LIST_ELEMENT, e.position()), e.content());
          }
        }
      }
    }
    unseen.clear();
    published.clear();
    gone.clear();
    publishedAsDeleted.clear();
    added.clear();
    publishedAsAdded.clear();
  }

  // ---- clients ----

  /** A client's write; {@code captured}: it is in the log. */
  void write(boolean captured) {
    RedisKey key = RedisKey.of(0, "k" + random.nextInt(10));
    Change change = change(key);
    if (change != null) {
      write(key, change, captured);
    }
  }

  /** A client adds to a counter. */
  void count(boolean captured) {
    Element counter = COUNTERS.get(random.nextInt(COUNTERS.size()));
    int delta = 1 + random.nextInt(3);
    if (!captured) {
      added.merge(counter, BigDecimal.valueOf(delta), BigDecimal::add);
    }
    write(counter.key(), increment(counter, delta), captured);
  }

  private static Change increment(Element counter, long delta) {
    return counter.kind() == ElementKind.STRING
        ? new Change.StringAdd(BigDecimal.valueOf(delta), null)
        : new Change.HashAdd(counter.name(), BigDecimal.valueOf(delta), null);
  }

  private void write(RedisKey key, Change change, boolean captured) {
    if (!captured) {
      touch(key, change);
    }
    ChangeEvent event = redis.client(key, change, NOW);
    if (!captured && (type(key) == null || change instanceof Change.StringSet)) {
      gone.add(key);
    }
    if (captured) {
      log.add(
          new ChangeEvent(
              LOCAL,
              log.size() + 1L,
              log.size(),
              1,
              event.stamp(),
              event.context(),
              event.exceptions(),
              event.fx(),
              key,
              change,
              event.position(),
              null));
    }
  }

  private void touch(RedisKey key, Change change) {
    // Whatever is removed may be the last there is, so that the key goes, and its deadline.
    unseen.add(Element.deadline(key));
    if (change instanceof Change.OfElement of) {
      unseen.add(new Element(key, of.kind(), of.name()));
    } else {
      unseen.add(Element.string(key));
      redis.contents().keySet().stream().filter(e -> e.key().equals(key)).forEach(unseen::add);
    }
  }

  private @Nullable Change change(RedisKey key) {
    ElementKind type = type(key);
    if (type == null) {
      type = TYPES.get(random.nextInt(TYPES.size()));
    } else if (random.nextInt(12) == 0) {
      return new Change.KeyDelete();
    } else if (random.nextInt(8) == 0) {
      return new Change.DeadlineSet(NOW + 1 + random.nextInt(5));
    } else if (random.nextInt(20) == 0) {
      return new Change.StringSet(value(), 0, false);
    }
    Bytes name = name(type);
    Content now =
        redis.content(new Element(key, type, type == ElementKind.STRING ? Bytes.EMPTY : name));
    BigDecimal delta = BigDecimal.valueOf(1 + random.nextInt(3));
    boolean add = random.nextBoolean() && isInteger(now);
    boolean remove = !now.isAbsent() && random.nextInt(3) == 0;
    return switch (type) {
      case STRING ->
          add
              ? new Change.StringAdd(delta, null)
              : new Change.StringSet(value(), 0, random.nextBoolean());
      case HASH_FIELD ->
          remove
              ? new Change.HashRemove(name)
              : add ? new Change.HashAdd(name, delta, null) : new Change.HashPut(name, value());
      case SET_MEMBER -> remove ? new Change.SetRemove(name) : new Change.SetAdd(name);
      case ZSET_MEMBER ->
          remove ? new Change.ZsetRemove(name) : new Change.ZsetPut(name, random.nextInt(5));
      case LIST_ELEMENT -> remove ? new Change.ListRemove(name) : new Change.ListPut(name, value());
      case STREAM, DEADLINE -> null;
    };
  }

  private Bytes name(ElementKind kind) {
    int number = random.nextInt(3);
    return kind == ElementKind.LIST_ELEMENT ? POSITIONS.get(number) : Bytes.utf8("e" + number);
  }

  private Bytes value() {
    return random.nextInt(3) == 0
        ? Bytes.utf8("text" + random.nextInt(2))
        : Bytes.utf8("" + random.nextInt(4));
  }

  private static boolean isInteger(Content content) {
    Bytes value = content.value();
    return content.isAbsent() || (value != null && Integers.parse(value) != null);
  }

  private @Nullable ElementKind type(RedisKey key) {
    for (Element element : redis.contents().keySet()) {
      if (element.key().equals(key) && element.kind() != ElementKind.DEADLINE) {
        return element.kind();
      }
    }
    return null;
  }

  // ---- owners ----

  /** A batch is remembered, and perhaps sent. */
  void batch(boolean reachesRedis) {
    List<EffectBatch.Group> groups = new ArrayList<>();
    long claimed = seen;
    for (int g = 1 + random.nextInt(3); g > 0; g--) {
      List<Effect> effects = new ArrayList<>();
      for (int e = 1 + random.nextInt(3); e > 0; e--) {
        effects.add(effect());
      }
      claimed += random.nextInt(2);
      groups.add(new EffectBatch.Group(VersionVector.of(REMOTE, claimed), effects));
    }
    EffectBatch batch = new EffectBatch(0, epoch, next, preceding, HybridTimestamp.ZERO, groups);
    remembered.add(SentBatch.of(batch));
    if (reachesRedis) {
      Set<RedisKey> before = keys();
      redis.send(batch);
      before.removeAll(keys());
      // Effects that remove what clients have left of a key.
      before.stream().filter(key -> unseen.contains(Element.deadline(key))).forEach(gone::add);
      next = batch.last() + 1;
      seen = claimed;
    }
  }

  private Set<RedisKey> keys() {
    Set<RedisKey> keys = new HashSet<>();
    redis.contents().keySet().forEach(element -> keys.add(element.key()));
    return keys;
  }

  private Effect effect() {
    if (random.nextInt(8) == 0) {
      Element counter = COUNTERS.get(random.nextInt(COUNTERS.size()));
      return new Effect.Add(counter, 1 + random.nextInt(3), Fx.NONE);
    }
    RedisKey key = RedisKey.of(0, "k" + random.nextInt(10));
    ElementKind type = type(key);
    ElementKind kind =
        random.nextInt(6) == 0 && type != null
            ? ElementKind.DEADLINE
            : type == null || random.nextInt(12) == 0
                ? TYPES.get(random.nextInt(TYPES.size()))
                : type;
    boolean named = kind != ElementKind.STRING && kind != ElementKind.DEADLINE;
    Element element = new Element(key, kind, named ? name(kind) : Bytes.EMPTY);
    Content now = redis.content(element);
    Content expected = random.nextInt(5) == 0 ? content(kind) : now;
    MarkerState.Missed missed = marker().exceptions().get(element.digest());
    Fx knows = missed != null && random.nextInt(3) > 0 ? missed.fx() : Fx.NONE;
    return switch (random.nextInt(10)) {
      case 0 -> new Effect.Noop();
      case 1 -> new Effect.Probe(element);
      case 2 -> new Effect.Check(element, expected, knows);
      case 3, 4 ->
          kind == ElementKind.SET_MEMBER
                  || kind == ElementKind.LIST_ELEMENT
                  || kind == ElementKind.DEADLINE
              ? new Effect.Put(element, expected, content(kind), knows)
              : new Effect.Add(element, 1 + random.nextInt(3), knows);
      default -> new Effect.Put(element, expected, content(kind), knows);
    };
  }

  private Content content(ElementKind kind) {
    if (random.nextInt(4) == 0) {
      return Content.ABSENT;
    }
    return switch (kind) {
      case STRING, HASH_FIELD, LIST_ELEMENT, STREAM -> Content.of(value());
      case SET_MEMBER -> Content.PRESENT;
      case ZSET_MEMBER -> Content.score(random.nextInt(5));
      case DEADLINE -> Content.deadline(NOW + 1 + random.nextInt(5));
    };
  }

  /** A new owner; the one before may still remember a batch that Redis then refuses. */
  void takeOver() {
    int old = epoch;
    preceding = marker().lastEffect();
    epoch = old + 1 + random.nextInt(2);
    redis.takeOver(0, epoch, Fx.NONE, "owner " + epoch);
    if (random.nextBoolean()) {
      List<EffectBatch.Group> late =
          List.of(new EffectBatch.Group(VersionVector.of(REMOTE, seen), List.of(effect())));
      remembered.add(SentBatch.of(new EffectBatch(0, old, next, late)));
    }
    next = 1;
  }

  private MarkerState marker() {
    return Objects.requireNonNull(redis.marker(), "nobody takes the marker away");
  }

  /** What Redis answers does not matter here. */
  private static final class Deaf implements EffectWire.Listener {
    @Override
    public void onConnected() {}

    @Override
    public void onDisconnected() {}

    @Override
    public void onReply(EffectBatch batch, BatchReply reply) {}

    @Override
    public void onRefused(EffectBatch batch, String error) {}

    @Override
    public void onMarker(int partition, @Nullable MarkerState marker) {}

    @Override
    public void onMarkerRefused(int partition, String error) {}
  }

  // ---- capture ----

  private SentEffects sentEffects() {
    return (partition, after, through) -> {
      SentChain chain = new SentChain();
      for (int i = 0; i < remembered.size(); i++) {
        chain.add(head(remembered.get(i)), i);
      }
      List<SentChain.Segment> segments = chain.between(after, through);
      return () -> new Reader(new SentChain.Picker(segments));
    };
  }

  private static SentBatch.Head head(SentBatch batch) {
    return SentBatch.decodeHead(batch.encode());
  }

  private final class Reader implements SentEffects.Batches {
    private final SentChain.Picker picker;
    private int at;

    Reader(SentChain.Picker picker) {
      this.picker = picker;
    }

    @Override
    public SentEffects.@Nullable Sent next() {
      while (!picker.done()) {
        SentBatch batch = remembered.get(at++);
        if (picker.takes(head(batch))) {
          return new SentEffects.Sent(SentBatch.decode(batch.encode()), NOW);
        }
      }
      return null;
    }

    @Override
    public void close() {}
  }

  private Snapshot snapshot() {
    Snapshot snapshot = new Snapshot(InMemoryShadow.staging());
    redis
        .contents()
        .forEach(
            (element, content) -> {
              if (element.kind() != ElementKind.DEADLINE) {
                ShadowFold.put(key(snapshot.content(), element), element, content);
              }
            });
    redis
        .contents()
        .forEach(
            (element, content) -> {
              if (element.kind() == ElementKind.DEADLINE) {
                ShadowFold.put(key(snapshot.content(), element), element, content);
              }
            });
    snapshot.markers().put(0, marker());
    return snapshot;
  }

  private static ShadowKey key(Shadow shadow, Element element) {
    return shadow.key(element.key().db(), element.key().name());
  }

  /**
   * Capture starts and takes a snapshot.
   *
   * @param dies after so many events or units; negative: never
   * @return whether it lived to the end
   */
  boolean resync(int dies) {
    Sink sink = new Sink(dies);
    StreamInterpreter interpreter =
        new StreamInterpreter(
            InterpreterConfig.of(LOCAL, 1, 1, key -> 0, () -> NOW),
            shadow,
            new HybridLogicalClock(() -> NOW, 60_000),
            sink);
    interpreter.sequencer().logEnd(0, log.size(), -1, -1);
    try {
      new Resync(
              interpreter,
              shadow,
              1,
              (partition, seq, receiver) ->
                  List.copyOf(log.subList(Math.toIntExact(seq), log.size())).forEach(receiver),
              new long[] {log.size()},
              sentEffects(),
              ResyncPolicy.FAIL,
              1_000,
              1 + random.nextInt(8))
          .run(snapshot(), "a".repeat(40), 100, true, 0, NOW);
      shadow.commitThrough(sink.unit);
      return true;
    } catch (Crash crash) {
      if (sink.unit > 0) {
        shadow.commitThrough(1 + random.nextInt(sink.unit));
      }
      shadow = shadow.crashed();
      return false;
    }
  }

  /** Kafka, which holds whatever was published. */
  private final class Sink implements EventSink {
    private int left;
    private int unit;

    Sink(int dies) {
      left = dies;
    }

    private void step() {
      if (left-- == 0) {
        throw new Crash();
      }
    }

    @Override
    public void event(int partition, ChangeEvent event) {
      log.add(event);
      Element element = event.element();
      RedisKey key = Objects.requireNonNull(event.key());
      if (event.change() instanceof Change.KeyDelete) {
        publishedAsDeleted.add(key);
      } else if (element != null && COUNTERS.contains(element)) {
        publishedAsAdded.merge(element, delta(event.change()), BigDecimal::add);
      }
      if (element != null && element.kind() == ElementKind.LIST_ELEMENT) {
        // Which of its elements differ cannot be told from its values.
        element = Element.deadline(key);
      }
      if (element == null) {
        boolean writes = event.change() instanceof Change.StringSet;
        element = writes ? Element.string(key) : Element.deadline(key);
      }
      published.add(element);
      step();
    }

    @Override
    public void markerSeen(int partition, Fx fx, boolean heldProbe) {}

    @Override
    public void unitEnd(long sealed, long endOffset) {
      unit = Math.toIntExact(sealed);
      step();
    }
  }

  private static BigDecimal delta(Change change) {
    return change instanceof Change.StringAdd add ? add.delta() : ((Change.HashAdd) change).delta();
  }

  /** What Redis holds, of lists only the order. */
  Map<Element, Content> held() {
    Map<Element, Content> held = new TreeMap<>();
    redis
        .contents()
        .forEach(
            (element, content) ->
                held.put(
                    element.kind() == ElementKind.LIST_ELEMENT
                        ? next(held, element.key())
                        : element,
                    content));
    return held;
  }

  private static Element next(Map<Element, Content> held, RedisKey list) {
    int index = 0;
    while (held.containsKey(atIndex(list, index))) {
      index++;
    }
    return atIndex(list, index);
  }

  private static Element atIndex(RedisKey list, int index) {
    return new Element(list, ElementKind.LIST_ELEMENT, Bytes.utf8("" + index));
  }

  /** What the shadow holds, in the form of {@link #held}. */
  Map<Element, Content> known() {
    Map<Element, Content> known = new TreeMap<>();
    for (Element element : allElements()) {
      Content content = ShadowFold.content(key(shadow, element), element);
      if (!content.isAbsent()) {
        known.put(element, content);
      }
    }
    for (int k = 0; k < 10; k++) {
      RedisKey key = RedisKey.of(0, "k" + k);
      try (ShadowList.Walk walk = shadow.key(0, key.name()).list().walk(false)) {
        for (ShadowList.Entry e = walk.next(); e != null; e = walk.next()) {
          known.put(next(known, key), e.content());
        }
      }
    }
    return known;
  }

  private static List<Element> allElements() {
    List<Element> all = new ArrayList<>(COUNTERS);
    for (int k = 0; k < 10; k++) {
      RedisKey key = RedisKey.of(0, "k" + k);
      all.add(Element.string(key));
      all.add(Element.deadline(key));
      for (int e = 0; e < 3; e++) {
        Bytes name = Bytes.utf8("e" + e);
        all.add(new Element(key, ElementKind.HASH_FIELD, name));
        all.add(new Element(key, ElementKind.SET_MEMBER, name));
        all.add(new Element(key, ElementKind.ZSET_MEMBER, name));
      }
    }
    return all;
  }
}
