package io.crosstide.protocol.merge;

import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.ChangeEvent.TransactionPart;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.EffectWire;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.EffectSemantics.ElementState;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A Redis with one partition's marker, behind a wire of its own: does what the Lua function does
 * with a batch (P2, P3, P9), and what capture does with a client's command. Batches are executed
 * when they are sent; what is answered waits until {@link #deliver}, so that a test can lose it.
 *
 * <p>Keeps what Redis keeps: a key whose last element goes loses its deadline, and refuses elements
 * of another type. Nothing expires by itself. Not thread-safe.
 */
public final class MemoryRedis implements EffectWire {
  /** A batch as it came, and what was answered; null if it was dropped or refused. */
  public record Exchange(EffectBatch batch, @Nullable BatchReply reply) {}

  private final EventLog log;
  private final Map<Element, Content> contents = new TreeMap<>();
  private final List<Exchange> exchanges = new ArrayList<>();
  private final List<MarkerState> installs = new ArrayList<>();
  private final List<String> heard = new ArrayList<>();
  private final Deque<Runnable> answers = new ArrayDeque<>();
  private EffectWire.@Nullable Listener listener;
  private @Nullable MarkerState marker;
  private @Nullable String token;

  /** What capture knows of the marker: kept when the marker is taken away (P3). */
  private MarkerState tracker = MarkerState.initial(0);

  private @Nullable String refusal;
  private boolean connected;

  public MemoryRedis(EventLog log) {
    this.log = log;
  }

  // --- what the test looks at --------------------------------------------------------------------

  public Content content(Element element) {
    return contents.getOrDefault(element, Content.ABSENT);
  }

  /** Everything the Redis holds, deadlines included. */
  public Map<Element, Content> contents() {
    return contents;
  }

  public @Nullable MarkerState marker() {
    return marker;
  }

  /** Every batch sent, resent ones included, in order. */
  public List<Exchange> exchanges() {
    return exchanges;
  }

  /** The effects of all batches sent, in order. */
  public List<Effect> effects() {
    List<Effect> effects = new ArrayList<>();
    for (Exchange exchange : exchanges) {
      exchange.batch().groups().forEach(group -> effects.addAll(group.effects()));
    }
    return effects;
  }

  /** Every message delivered, as "channel message". */
  public List<String> heard() {
    return heard;
  }

  /** Markers that were to be written where there was none. */
  public List<MarkerState> installs() {
    return installs;
  }

  // --- faults ------------------------------------------------------------------------------------

  /** Opens the connection: {@code owner} is told. */
  public void connect(EffectWire.Listener owner) {
    listener = owner;
    connected = true;
    answers.clear();
    owner.onConnected();
  }

  /** Cuts the connection: what has not been delivered is lost. */
  public void disconnect() {
    EffectWire.Listener owner = listener;
    connected = false;
    answers.clear();
    if (owner != null) {
      owner.onDisconnected();
    }
  }

  /** From now on every batch is refused with {@code error}; null ends that. */
  public void refuseWith(@Nullable String error) {
    refusal = error;
  }

  /** Delivers all answers that wait, and those to what is sent meanwhile. */
  public void deliver() {
    while (deliverOne()) {}
  }

  /** Delivers the next answer; false if none waits. */
  public boolean deliverOne() {
    Runnable answer = answers.pollFirst();
    if (answer == null) {
      return false;
    }
    answer.run();
    return true;
  }

  /** A client takes the marker away; capture reports what it held (P3). */
  public ChangeEvent loseMarker() {
    marker = null;
    token = null;
    return markerLost();
  }

  /**
   * Redis was killed and comes back empty; the connection is gone. Capture knows of effects up to
   * {@code known}, which it had seen in the stream.
   */
  public void loseEverything(MarkerState known) {
    disconnect();
    contents.clear();
    marker = null;
    token = null;
    tracker = known;
  }

  /** A client's {@code SWAPDB} puts an old marker in the place of the present one. */
  public ChangeEvent bringBack(MarkerState old) {
    marker = old;
    return markerLost();
  }

  /** Whether capture has met a token that an owner left. */
  public boolean hasToken() {
    return token != null;
  }

  /** What capture reports when it meets the token that an owner left where it found no marker. */
  public ChangeEvent tokenReport() {
    if (token == null) {
      throw new IllegalStateException("no owner has asked for the marker");
    }
    return log.control(
        new Change.MarkerLost(token, tracker.preceding()),
        tracker.context(),
        tracker.exceptions(),
        tracker.fx());
  }

  /** What capture reports at its first start, or after a command that removed the marker. */
  public ChangeEvent markerLost() {
    return log.control(
        new Change.MarkerLost(), tracker.context(), tracker.exceptions(), tracker.fx());
  }

  /** Puts a marker there by force, as another owner or {@code SWAPDB} would. */
  public void marker(MarkerState there) {
    marker = there;
    tracker = there;
  }

  // --- clients and capture -----------------------------------------------------------------------

  /** A client's command as capture publishes it: what it had seen is what the marker says. */
  public ChangeEvent client(RedisKey key, Change change, long millis) {
    return client(key, change, millis, null);
  }

  public ChangeEvent client(
      RedisKey key, Change change, long millis, @Nullable TransactionPart part) {
    VersionVector context = tracker.context();
    Map<String, MarkerState.Missed> exceptions = new TreeMap<>();
    if (change instanceof Change.OfElement of) {
      MarkerState.Missed missed =
          tracker.exceptions().get(new Element(key, of.kind(), of.name()).digest());
      context = missed == null ? context : missed.context();
    } else {
      String keyDigest = Element.keyDigest(key);
      tracker
          .exceptions()
          .forEach(
              (digest, missed) -> {
                if (digest.startsWith(keyDigest)) {
                  exceptions.put(digest, missed);
                }
              });
    }
    Set<Element> touched = new TreeSet<>();
    for (Element element : contents.keySet()) {
      if (element.key().equals(key)) {
        touched.add(element);
      }
    }
    if (change instanceof Change.OfElement of) {
      touched.add(new Element(key, of.kind(), of.name()));
    } else if (change instanceof Change.StringSet) {
      touched.add(Element.string(key));
      touched.add(Element.deadline(key));
    }
    for (Element element : touched) {
      Content after = LocalFold.after(content(element), element, change);
      if (after == null) {
        throw new IllegalStateException(change + " is an error in Redis on " + content(element));
      }
      put(element, after);
    }
    dropDeadlineOfVanished(key);
    return log.write(key, change, context, exceptions, tracker.fx(), millis, part);
  }

  /** A beat: tells how far the stream is. */
  public ChangeEvent beat() {
    VersionVector floor = tracker.context();
    for (MarkerState.Missed missed : tracker.exceptions().values()) {
      floor = floor.meet(missed.context());
    }
    return log.control(
        new Change.Beat(floor), tracker.context(), tracker.exceptions(), tracker.fx());
  }

  // --- the wire ----------------------------------------------------------------------------------

  @Override
  public void send(EffectBatch batch) {
    if (!connected) {
      return;
    }
    String error = refusal;
    if (error != null) {
      exchanges.add(new Exchange(batch, null));
      answer(owner -> owner.onRefused(batch, error));
      return;
    }
    BatchReply reply = execute(batch);
    exchanges.add(new Exchange(batch, reply));
    answer(owner -> owner.onReply(batch, reply));
  }

  @Override
  public void takeOver(int partition, int epoch, Fx least, String newToken) {
    if (!connected) {
      return;
    }
    MarkerState before = marker == null || marker.fx().compareTo(least) < 0 ? null : marker;
    if (before == null) {
      token = newToken;
    } else if (before.epoch() < epoch) {
      marker(before.raisedTo(epoch));
    }
    answer(owner -> owner.onMarker(partition, before));
  }

  @Override
  public void install(int partition, MarkerState installed, String itsToken) {
    if (!connected) {
      return;
    }
    MarkerState there = marker;
    if (itsToken.equals(token)) {
      token = null;
      installs.add(installed);
      marker(installed);
    } else if (there == null || there.fx().compareTo(installed.fx()) < 0) {
      answer(owner -> owner.onMarker(partition, null));
      return;
    } else if (there.epoch() < installed.epoch()) {
      marker(there.raisedTo(installed.epoch()));
    }
    MarkerState after = marker;
    answer(owner -> owner.onMarker(partition, after));
  }

  private interface Answer {
    void to(EffectWire.Listener owner);
  }

  private void answer(Answer answer) {
    EffectWire.Listener owner = listener;
    if (owner != null) {
      answers.addLast(() -> answer.to(owner));
    }
  }

  // --- the Lua function --------------------------------------------------------------------------

  private BatchReply execute(EffectBatch batch) {
    MarkerState there = marker;
    if (there == null) {
      return BatchReply.of(BatchReply.Outcome.NO_MARKER);
    }
    if (there.epoch() != batch.epoch()) {
      return BatchReply.of(BatchReply.Outcome.OLD_EPOCH);
    }
    Fx last = new Fx(batch.epoch(), batch.last());
    if (last.atMost(there.fx())) {
      return BatchReply.of(BatchReply.Outcome.ALREADY_APPLIED);
    }
    long stands = there.fx().epoch() == batch.epoch() ? there.fx().number() : 0;
    if (stands != batch.first() - 1) {
      return BatchReply.of(BatchReply.Outcome.GAP);
    }
    Map<String, MarkerState.Missed> exceptions = new TreeMap<>(there.exceptions());
    List<BatchReply.Miss> misses = new ArrayList<>();
    List<BatchReply.ProbeAnswer> probes = new ArrayList<>();
    VersionVector context = there.context();
    EffectSemantics.EarlierInBatch earlier = new EffectSemantics.EarlierInBatch();
    long number = batch.first();
    for (EffectBatch.Group group : batch.groups()) {
      for (Effect effect : group.effects()) {
        run(effect, new Fx(batch.epoch(), number), context, exceptions, earlier, misses, probes);
        number++;
      }
      context = group.contextAfter();
    }
    marker(there.moved(last, context, exceptions));
    return new BatchReply(BatchReply.Outcome.APPLIED, misses, probes);
  }

  private void run(
      Effect effect,
      Fx number,
      VersionVector contextBefore,
      Map<String, MarkerState.Missed> exceptions,
      EffectSemantics.EarlierInBatch earlier,
      List<BatchReply.Miss> misses,
      List<BatchReply.ProbeAnswer> probes) {
    Element element = effect.element();
    if (effect instanceof Effect.Publish publish) {
      heard.add(publish.channel() + " " + publish.message());
    }
    if (element == null) {
      return;
    }
    String digest = element.digest();
    MarkerState.Missed missed = exceptions.get(digest);
    Fx exception = missed == null ? Fx.NONE : missed.fx();
    if (effect instanceof Effect.Probe) {
      probes.add(new BatchReply.ProbeAnswer(number.number(), content(element), exception));
      return;
    }
    ElementState before = new ElementState(content(element), exception);
    ElementState after = EffectSemantics.apply(before, effect, number);
    boolean didMiss =
        after.exception().equals(number) || refuses(element, effect) || earlier.rulesOut(effect);
    earlier.note(effect, didMiss);
    if (didMiss) {
      misses.add(new BatchReply.Miss(number.number(), "guard"));
      exceptions.put(
          digest,
          new MarkerState.Missed(number, missed == null ? contextBefore : missed.context()));
      return;
    }
    exceptions.remove(digest);
    if (effect instanceof Effect.Put put) {
      put(element, put.desired());
    } else if (effect instanceof Effect.Add) {
      put(element, after.content());
    }
    dropDeadlineOfVanished(element.key());
  }

  /** WRONGTYPE, or a deadline for a key that is not there. */
  private boolean refuses(Element element, Effect effect) {
    boolean writes =
        effect instanceof Effect.Add
            || (effect instanceof Effect.Put put && !put.desired().isAbsent());
    if (!writes) {
      return false;
    }
    ElementKind type = type(element.key());
    return element.kind() == ElementKind.DEADLINE
        ? type == null
        : type != null && type != element.kind();
  }

  private @Nullable ElementKind type(RedisKey key) {
    for (Element element : contents.keySet()) {
      if (element.key().equals(key) && element.kind() != ElementKind.DEADLINE) {
        return element.kind();
      }
    }
    return null;
  }

  private void put(Element element, Content content) {
    if (content.isAbsent()) {
      contents.remove(element);
    } else {
      contents.put(element, content);
    }
  }

  private void dropDeadlineOfVanished(RedisKey key) {
    if (type(key) == null) {
      contents.remove(Element.deadline(key));
    }
  }
}
