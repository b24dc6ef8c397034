package io.crosstide.protocol.merge;

import io.crosstide.crdt.HybridTimestamp;
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
import io.crosstide.protocol.ListPlace;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.EffectSemantics.ElementState;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The owner of one partition in one region: merges the logs of all regions into rows and sends
 * Redis the effects that make it hold the merged value (DESIGN section 5). Not thread-safe: one
 * thread feeds records, replies and time.
 *
 * <p><b>Invariants.</b> A: a dot's effects reach a Redis at most once (batch numbers) and, once
 * everything is delivered, exactly once in value. B: the context sent with a group claims only
 * events whose effects are in that Redis; what missed is excepted (P9). C: every effect is guarded
 * by what the owner believes. D': the rows, the positions and the set of tracked elements are
 * committed together; an element whose effects are not known to be in Redis is tracked, so that a
 * new owner asks (P11). E follows.
 *
 * <p><b>Take-over (P4).</b> CONNECTING: the epoch is raised and the marker read. REPLAYING: records
 * are merged, nothing is sent, until every log has passed the fence. PROBING: every element touched
 * or tracked is asked for; the answers are used together, once the local log has shown the probes'
 * place. RUNNING: the steady state. Whenever probes are awaited, remote records are held.
 *
 * <p><b>Crash.</b> Between any two steps: the successor starts from the committed rows and
 * positions and takes over as above.
 */
public final class PartitionMerger implements EffectWire.Listener {

  /** Where the owner stands. */
  public enum Phase {
    CONNECTING,
    REPLAYING,
    PROBING,
    RUNNING
  }

  /**
   * After so many probes in a row without a local write or a passed effect, Redis evidently cannot
   * hold the value (P26).
   */
  private static final int PROBES_UNTIL_GIVEN_UP = 4;

  private final MergerConfig config;
  private final RowStore rows;
  private final MergerListener listener;
  private final KeyMerger keys;
  private final KeyView view;
  private final Belief belief;
  private final BatchSender sender;
  private final OpenGroup group;
  private final Probes probes;
  private final ListPlaces places;
  private final ListNews listNews;
  private final MarkerCalls markerCalls;
  private final HeldEvents held;
  private final Messages messages;
  private final LostElements lost;
  private final Garbage garbage;
  private final PartitionMeta meta;
  private final Belief.Watcher watcher =
      new Belief.Watcher() {
        @Override
        public void wrong(Tracked tracked) {
          ask(tracked);
        }

        @Override
        public void unsettled(Tracked tracked) {
          reconcile(tracked, null, false, false, null);
        }
      };

  private Phase phase = Phase.CONNECTING;
  private VersionVector fence = VersionVector.EMPTY;
  private VersionVector stable = VersionVector.EMPTY;
  private boolean metaMoved;
  private int epoch;
  private long nowMillis;

  /** Less than a full batch is sent only by {@link #send}. */
  private boolean gathers;

  /** Effects that Redis had acknowledged are gone: see {@link #mustBeginAgain}. */
  private boolean mustBeginAgain;

  /**
   * All that precedes this effect in the stream has been processed. Beats say so; an event's own
   * effect number does not, as the differences of a full resync all carry the last one.
   */
  private Fx passed = Fx.NONE;

  public PartitionMerger(
      MergerConfig config,
      RowStore rows,
      EffectWire wire,
      EventCodec codec,
      MergerListener listener) {
    this.config = config;
    this.rows = rows;
    this.listener = listener;
    CellRows cells = new CellRows(rows, config.spill());
    keys = new KeyMerger(rows, cells, listener::conflict);
    view = keys.view();
    belief = new Belief(rows);
    sender = new BatchSender(config.partition(), wire, config);
    group = new OpenGroup(sender);
    probes = new Probes(group, listener);
    places = new ListPlaces(rows, belief, keys, config.local());
    listNews = new ListNews(belief, view);
    markerCalls = new MarkerCalls(config.partition(), wire, config.refusalPauseMillisMax());
    held = new HeldEvents(rows, codec);
    messages = new Messages(rows, codec);
    lost = new LostElements(rows);
    byte[] row = rows.get(RowKeys.META);
    meta = row == null ? new PartitionMeta() : PartitionMeta.decode(row);
    garbage = new Garbage(rows, cells);
    epoch = meta.epoch + 1;
    stable = computeStable();
  }

  /**
   * How far a log has been received in order.
   *
   * @param seq of the last event, 0 for none
   * @param captureEpoch the highest seen so far
   */
  public record Received(long seq, int captureEpoch) {}

  /** How far the rows say {@code origin}'s log has been received, before there is a merger. */
  public static Received received(RowStore rows, Origin origin) {
    byte[] row = rows.get(RowKeys.META);
    PartitionMeta meta = row == null ? new PartitionMeta() : PartitionMeta.decode(row);
    return new Received(meta.received.get(origin), (int) meta.captureEpochs.get(origin));
  }

  /**
   * Begins to take the partition over. Events may be fed at once.
   *
   * @param localLogEnd the last seq in the local log now; 0 if it is empty
   * @param epochFloor the epoch will be at least this. Pass a number that rises from owner to
   *     owner, such as seconds: an owner that dies before its first commit leaves no other trace of
   *     its epoch once a client has removed the marker as well
   * @param nonce another one for each owner: tells its questions to capture from those of owners
   *     before it
   */
  public void start(long localLogEnd, int epochFloor, long nonce) {
    markerCalls.start(nonce);
    epoch = Math.max(epoch, epochFloor);
    fence = VersionVector.of(config.local(), localLogEnd);
    belief.restore();
    // The wire says onConnected, now or later.
  }

  /**
   * From now on less than a full batch waits for {@link #send}: for a caller that has several
   * records or answers at hand at a time. Each batch costs Redis, the network and capture a fixed
   * amount.
   */
  public void gather() {
    gathers = true;
  }

  /** Sends what has been gathered, as far as batches may be in flight. Writes no rows. */
  public void send() {
    if (group.owesClaim() && sender.isIdle() && phase == Phase.RUNNING) {
      group.append(new Effect.Noop());
      closeGroup();
    }
    sender.pump(nowMillis, meta.highestStamp, false);
  }

  /** An answer of Redis is needed before anything goes on, or before what waits can be sent. */
  public boolean awaitsAnswers() {
    return phase != Phase.RUNNING
        || !probes.isEmpty()
        || markerCalls.isAwaited()
        || sender.isBlocked();
  }

  /**
   * Redis has lost effects that it had acknowledged (P8): what this owner believes of it is void.
   * Persist, and let a new one over the same rows take the partition over.
   */
  public boolean mustBeginAgain() {
    return mustBeginAgain;
  }

  /** Elements that Redis has lost and that have not been asked for yet. */
  public long lostElements() {
    return lost.size();
  }

  public Phase phase() {
    return phase;
  }

  public int epoch() {
    return epoch;
  }

  /** Per origin the last seq merged. */
  public VersionVector merged() {
    return meta.merged;
  }

  /** Per origin the last seq received in order. */
  public VersionVector received() {
    return meta.received;
  }

  /** What every region has seen. */
  public VersionVector stable() {
    return stable;
  }

  /** The highest number of an effect that the local log has shown: capture has passed it. */
  public Fx shown() {
    return meta.localFx;
  }

  /** The highest stamp read, for the local clock to follow (P28). */
  public HybridTimestamp highestStamp() {
    return meta.highestStamp;
  }

  /** Effects planned and not acknowledged by Redis: feed no more records while this is high. */
  public int backlog() {
    return sender.backlog() + group.size();
  }

  /** Everything received is merged, sent and acknowledged, and Redis is believed to hold it. */
  public boolean isSettled() {
    return phase == Phase.RUNNING
        && probes.isEmpty()
        && !markerCalls.isMissing()
        && sender.isIdle()
        && held.isEmpty()
        && messages.isEmpty()
        && lost.isEmpty()
        && !group.owesClaim()
        && belief.size() == 0;
  }

  /** Where sending stands, for people. */
  public String senderState() {
    return sender.state().name();
  }

  /** The number of the last effect planned in this epoch. */
  public long lastNumber() {
    return sender.lastNumber();
  }

  /** Elements whose content in Redis may differ from the merged value. */
  public int tracked() {
    return belief.size();
  }

  /**
   * Writes the positions, and which elements are tracked, into the rows: call before each commit.
   */
  public void persist() {
    belief.persist();
    if (metaMoved) {
      rows.put(RowKeys.META, meta.encode());
      metaMoved = false;
    }
  }

  // --- records
  // -----------------------------------------------------------------------------------------------------------------------

  /**
   * Takes the next record of one log.
   *
   * @throws MergeStoppedException if records before it are missing: nothing has been changed
   */
  public void onEvent(ChangeEvent event) {
    Origin origin = event.origin();
    if (event.captureEpoch() < meta.captureEpochs.get(origin)) {
      listener.fenced(event);
      return;
    }
    boolean local = origin.equals(config.local());
    if (!event.isControl()
        && event.seq() > meta.received.get(origin)
        && event.previousSeq() > meta.received.get(origin)) {
      throw new MergeStoppedException(
          MergeStoppedException.Reason.GAP,
          "the log of origin "
              + origin
              + " in partition "
              + config.partition()
              + " jumps from seq "
              + meta.received.get(origin)
              + " to "
              + event.seq()
              + " (after "
              + event.previousSeq()
              + "): records were lost, probably to the topic's retention. Re-seed this region's"
              + " state, then start again.");
    }
    metaMoved = true;
    meta.captureEpochs = meta.captureEpochs.with(origin, event.captureEpoch());
    if (event.stamp().compareTo(meta.highestStamp) > 0) {
      meta.highestStamp = event.stamp();
    }
    if (event.isControl()) {
      onControl(event, local);
    } else if (event.seq() <= meta.received.get(origin)) {
      listener.duplicate(event);
    } else {
      meta.received = meta.received.with(origin, event.seq());
      if (local) {
        processLocal(event);
      } else if (mustHold(event)) {
        held.add(event);
        drainHeld();
      } else {
        processRemote(List.of(event));
      }
    }
    progress();
  }

  private void onControl(ChangeEvent event, boolean local) {
    if (event.change() instanceof Change.Beat beat) {
      if (!held.holds(event.origin()) && event.seq() <= meta.merged.get(event.origin())) {
        VersionVector floor = beat.floor().with(event.origin(), event.seq());
        meta.floors.put(event.origin().regionId(), floor);
        stable = computeStable();
      }
    }
    if (local) {
      boolean isRepeated =
          event.fx().compareTo(meta.localFx) < 0 || event.seq() < meta.received.get(event.origin());
      shown(event.fx());
      if (event.change() instanceof Change.Beat) {
        passed = Fx.max(passed, event.fx());
      }
      if (phase == Phase.CONNECTING || phase == Phase.REPLAYING) {
        fence = fence.join(event.context()); // this much has been in Redis
      }
      if (event.change() instanceof Change.ListHolds holds && !isRepeated) {
        boolean willAsk = phase == Phase.CONNECTING || phase == Phase.REPLAYING;
        Tracked tracked = listNews.hear(event, holds, willAsk);
        if (tracked != null) {
          reconcile(tracked, null, false, false, null);
          closeGroup();
        }
      }
      if (event.change() instanceof Change.ElementLost of) {
        lost.add(of.element());
      }
      if (event.change() instanceof Change.MarkerLost report) {
        if (markerCalls.isAnswer(report.token())) {
          MarkerState lost =
              new MarkerState(
                  0, event.fx(), report.preceding(), event.context(), event.exceptions());
          markerCalls.answeredBy(lost);
          sender.pause();
          install(lost);
        } else if (markerCalls.isConnected()) {
          if (report.token().isEmpty()) {
            sender.pause();
          }
          if (markerCalls.isMissing()) {
            // Most likely it tells of the loss that was found, or of an owner before this one. But
            // if the token was taken away as well, or a late question of that owner's has replaced
            // it, nobody will report it.
            markerCalls.askAgainLater(nowMillis);
          } else if (report.token().isEmpty()) {
            // An older marker in its place is none: an owner may have raised it already.
            boolean isOlder =
                phase == Phase.CONNECTING || !group.claimed().dominates(event.context());
            markerCalls.takeOver(epoch, isOlder ? new Fx(epoch, Long.MAX_VALUE) : meta.localFx);
          }
        }
      }
    }
  }

  /**
   * Writes the marker again, as capture's answer to this owner's question says that it was: since
   * the question no effect can have reached this Redis.
   */
  private void install(MarkerState report) {
    if (phase != Phase.CONNECTING && report.fx().compareTo(sender.acknowledged()) < 0) {
      mustBeginAgain = true;
      return;
    }
    if (phase == Phase.CONNECTING) {
      epoch = Math.max(epoch, report.fx().epoch() + 1);
    } else if (report.fx().epoch() > epoch) {
      throw fenced(report.fx().epoch());
    }
    // The owner the marker was lost under goes on with its numbers, a new one with its own.
    Fx fx = Fx.max(report.fx(), new Fx(epoch, 0));
    Fx preceding = phase == Phase.CONNECTING ? report.lastEffect() : sender.preceding();
    markerCalls.install(
        new MarkerState(epoch, fx, preceding, report.context(), report.exceptions()));
  }

  private VersionVector computeStable() {
    VersionVector common = null;
    for (int member : config.members()) {
      VersionVector floor = meta.floors.getOrDefault(member, VersionVector.EMPTY);
      common = common == null ? floor : common.meet(floor);
    }
    return common == null ? VersionVector.EMPTY : common;
  }

  private boolean mayProcess(ChangeEvent event) {
    return switch (phase) {
      case CONNECTING, PROBING -> false;
      case REPLAYING -> event.seq() <= fence.get(event.origin());
      case RUNNING -> probes.isEmpty();
    };
  }

  private boolean mustHold(ChangeEvent event) {
    ChangeEvent.TransactionPart part = event.transaction();
    return held.holds(event.origin()) || !mayProcess(event) || (part != null && part.count() > 1);
  }

  /** Processes held records as far as the phase allows and their transactions are complete. */
  private void drainHeld() {
    int budget = config.drainPerCall();
    for (Origin origin : held.origins()) {
      while (budget > 0) {
        ChangeEvent first = held.first(origin);
        if (first == null || !mayProcess(first)) {
          break;
        }
        ChangeEvent.TransactionPart part = first.transaction();
        int needed = part == null ? 1 : part.count() - part.index();
        if (held.lastSeq(origin) < first.seq() + needed - 1) {
          break;
        }
        List<ChangeEvent> unit = needed == 1 ? List.of(first) : held.first(origin, needed);
        unit.forEach(held::remove);
        budget -= unit.size();
        processRemote(unit);
      }
    }
  }

  private void processRemote(List<ChangeEvent> unit) {
    metaMoved = true;
    for (ChangeEvent event : unit) {
      long before = sender.lastNumber();
      meta.merged = meta.merged.with(event.origin(), event.seq());
      metaMoved = true; // held records are merged without one being received
      if (event.change() instanceof Change.Publish) {
        messages.take(event);
      } else if (phase == Phase.RUNNING) {
        mergeRemote(event);
      } else {
        mergeOnly(event);
      }
      listener.merged(event, (int) (sender.lastNumber() - before));
    }
    closeGroup();
  }

  private void mergeRemote(ChangeEvent event) {
    RedisKey key = Objects.requireNonNull(event.key());
    boolean contended = belief.hasPending(key);
    places.passBegins(false);
    keys.merge(
        event,
        meta.merged,
        stable,
        (element, before, after, addressed) -> {
          Tracked tracked = belief.get(element);
          if (tracked == null) {
            if (before.equals(after) && !addressed) {
              return;
            }
            tracked = new Tracked(element, before.compact(), after.compact());
          }
          tracked.wanted = after.compact();
          reconcile(tracked, event, true, addressed, after);
          group.split();
        });
    places.passEnds();
    if (contended) {
      checkDeadline(key);
    }
  }

  private void processLocal(ChangeEvent event) {
    shown(event.fx());
    meta.merged = meta.merged.with(event.origin(), event.seq());
    if (event.change() instanceof Change.Publish) {
      return; // who listens here has heard it
    }
    if (phase == Phase.CONNECTING || phase == Phase.REPLAYING) {
      mergeOnly(event);
      return;
    }
    RedisKey key = Objects.requireNonNull(event.key());
    boolean contended = belief.hasPending(key);
    Collection<Tracked> ofKey = belief.ofKey(key);
    Set<Tracked> folded = ofKey.isEmpty() ? Set.of() : new HashSet<>();
    for (Tracked tracked : ofKey) {
      if (LocalFold.concerns(event.change(), tracked.element)) {
        folded.add(tracked);
        foldLocal(tracked, event);
      }
    }
    places.passBegins(event.change() instanceof Change.OfKey);
    keys.merge(
        event,
        meta.merged,
        stable,
        (element, before, after, addressed) -> {
          Tracked tracked = belief.get(element);
          if (tracked == null) {
            Content content = LocalFold.after(before, element, event.change());
            if (content != null && content.equals(after) && !mayVanish(element, after)) {
              return;
            }
            tracked =
                new Tracked(
                    element, content == null ? Content.ABSENT : content.compact(), after.compact());
            belief.track(tracked);
            if (content == null) {
              ask(tracked);
              return;
            }
          }
          if (!folded.isEmpty()) {
            folded.remove(tracked);
          }
          tracked.wanted = after.compact();
          reconcile(tracked, event, false, mayVanish(element, after), after);
          group.split();
        });
    places.passEnds();
    for (Tracked tracked : folded) {
      reconcile(tracked, event, false, false, null);
    }
    if (contended) {
      checkDeadline(key);
    }
    closeGroup();
  }

  /**
   * A key may vanish for a moment under effects and local writes that cross, and its deadline with
   * it: only a check behind them can tell.
   */
  private void checkDeadline(RedisKey key) {
    Element element = Element.deadline(key);
    if (group.isLast(element)) {
      return;
    }
    Content wanted = view.wanted(element);
    Tracked tracked = belief.get(element);
    if (wanted.isAbsent() && tracked == null) {
      return;
    }
    if (tracked == null) {
      tracked = new Tracked(element, wanted, wanted);
    }
    tracked.wanted = wanted;
    tracked.probesInRow = 0;
    reconcile(tracked, null, false, true, wanted);
  }

  /**
   * A deadline just set may go with its key, which effects under way may empty for a moment when
   * its type changes: only a check behind them can tell.
   */
  private boolean mayVanish(Element element, Content content) {
    return element.kind() == ElementKind.DEADLINE
        && !content.isAbsent()
        && belief.hasPending(element.key());
  }

  private void foldLocal(Tracked tracked, ChangeEvent event) {
    tracked.probesInRow = 0;
    if (!tracked.known) {
      Fx probe = tracked.probe;
      if (probe != null && probe.atMost(event.fx())) {
        tracked.since.add(
            new Tracked.LocalChange(event.fx(), event.change(), probe.atMost(passed)));
      }
      return;
    }
    Content after = LocalFold.after(tracked.state.content(), tracked.element, event.change());
    if (after == null) {
      ask(tracked);
    } else {
      tracked.state = new ElementState(after.compact(), tracked.state.exception());
    }
  }

  /**
   * Before the fence is passed: Redis may or may not hold this event already, so that every element
   * it touches is to be probed.
   */
  private void mergeOnly(ChangeEvent event) {
    keys.merge(
        event,
        meta.merged,
        stable,
        (element, before, after, addressed) -> {
          Tracked tracked = belief.get(element);
          if (tracked == null) {
            tracked = new Tracked(element, Content.ABSENT, after.compact());
            belief.track(tracked);
          }
          tracked.known = false;
          tracked.wanted = after.compact();
        });
  }

  /** The local log has shown {@code fx}. */
  private void shown(Fx fx) {
    if (meta.localFx.compareTo(fx) < 0) {
      meta.localFx = fx;
    }
    belief.advance(meta.localFx, watcher);
  }

  // --- effects
  // -----------------------------------------------------------------------------------------------------------------------

  /**
   * Plans what brings {@code tracked} from what Redis is believed to hold to the merged value.
   *
   * @param whole the merged value if it is at hand; the rows still show the one before while an
   *     event is being merged. Null: it is in the rows
   */
  private void reconcile(
      Tracked tracked,
      @Nullable ChangeEvent event,
      boolean remote,
      boolean addressed,
      @Nullable Content whole) {
    if (!tracked.known) {
      belief.track(tracked);
      return; // the probe's answer is planned with instead
    }
    ElementState believed = tracked.believed();
    boolean isAsWanted = believed.content().equals(tracked.wanted);
    if (isAsWanted && tracked.misplaced >= 0) {
      move(tracked, believed, whole);
      return;
    }
    if (isAsWanted) {
      if (!believed.exception().isNone() || addressed) {
        belief.track(tracked);
        emit(tracked, new Effect.Check(tracked.element, believed.content(), believed.exception()));
      } else if (!tracked.isSettled()) {
        belief.track(tracked);
      } else {
        belief.untrackIfSettled(tracked);
      }
      return;
    }
    belief.track(tracked);
    if (isGivenUp(tracked)) {
      return;
    }
    emit(tracked, EffectChoice.of(tracked, believed, whole(tracked, whole), event, remote));
  }

  /** The merged value itself, where {@link Tracked#wanted} may be its digest. */
  private Content whole(Tracked tracked, @Nullable Content whole) {
    return !tracked.wanted.isDigestOnly()
        ? tracked.wanted
        : whole != null ? whole : view.wanted(tracked.element);
  }

  /** Takes a list's element from where it does not belong to where it does. */
  private void move(Tracked tracked, ElementState believed, @Nullable Content whole) {
    if (tracked.wanted.isAbsent() || isGivenUp(tracked)) {
      tracked.misplaced = -1;
      belief.untrackIfSettled(tracked);
      return;
    }
    Element element = tracked.element;
    belief.track(tracked);
    Content wanted = whole(tracked, whole);
    emit(
        tracked, new Effect.Put(element, believed.content(), Content.ABSENT, believed.exception()));
    Effect.Put back = new Effect.Put(element, Content.ABSENT, wanted, Fx.NONE);
    emit(tracked, places.moved(tracked, back, sender.lastNumber()));
  }

  private Fx emit(Tracked tracked, Effect effect) {
    if (effect instanceof Effect.Put put && put.element().kind() == ElementKind.DEADLINE) {
      guardByString(put.element().key());
    }
    boolean inList = tracked.element.kind() == ElementKind.LIST_ELEMENT;
    Fx number = group.append(inList ? places.placed(tracked, effect) : effect);
    if (effect instanceof Effect.Put put) {
      if (put.expected().isAbsent() || put.desired().isAbsent()) {
        tracked.misplaced = -1; // it is taken away from there, or put where it belongs
      }
      belief.sent(
          tracked,
          number,
          new Effect.Put(put.element(), put.expected(), put.desired().compact(), put.knows()));
    } else if (!(effect instanceof Effect.Probe)) {
      belief.sent(tracked, number, effect);
    }
    return number;
  }

  /**
   * Sees to it that an effect on the string of {@code key}, if it is one, precedes its deadline's
   * in the batch: if the string is not as believed, the deadline is not set either.
   */
  private void guardByString(RedisKey key) {
    Element string = Element.string(key);
    if (group.endsWith(string)) {
      return;
    }
    Tracked tracked = belief.get(string);
    if (tracked == null) {
      Content content = view.wanted(string).compact();
      tracked = new Tracked(string, content, content);
    }
    if (tracked.known && !tracked.believed().content().isAbsent()) {
      ElementState believed = tracked.believed();
      belief.track(tracked);
      emit(tracked, new Effect.Check(string, believed.content(), believed.exception()));
    }
  }

  /**
   * Closes what is planned into one group that claims everything merged, unless probes are awaited.
   */
  private void closeGroup() {
    if (phase == Phase.RUNNING && probes.isEmpty()) {
      messages.appendTo(group);
      group.claim(meta.merged, config.local());
    }
    group.close();
  }

  // --- probes
  // ------------------------------------------------------------------------------------------------------------------------

  /** Asks Redis for the element; until the answer is used, nothing is planned for it. */
  private void ask(Tracked tracked) {
    if (!tracked.known && tracked.probe != null) {
      return;
    }
    belief.track(tracked);
    tracked.forget();
    if (phase == Phase.CONNECTING || phase == Phase.REPLAYING) {
      return;
    }
    probes.send(tracked);
  }

  /** Uses the answers, all together, once each is in and the local log has shown its place (P4). */
  private void resolve() {
    if (phase != Phase.PROBING && (phase != Phase.RUNNING || probes.isEmpty())) {
      return;
    }
    probes.askUnheardAgain(passed, view::wanted);
    if (!probes.areAnswered(passed)) {
      return;
    }
    List<Tracked> answered = probes.take();
    for (Tracked tracked : answered) {
      use(tracked);
    }
    boolean takesOver = phase == Phase.PROBING;
    if (takesOver && !probes.isEmpty()) {
      closeGroup(); // some had to be asked again
      return;
    }
    phase = Phase.RUNNING;
    // What follows claims what was merged before the probes: whatever has been written locally
    // since they passed must make it miss, on elements that need no change as well.
    for (Tracked tracked : takesOver ? belief.all() : answered) {
      if (tracked.known) {
        tracked.wanted = view.wanted(tracked.element).compact();
        reconcile(tracked, null, false, takesOver, null);
        group.split();
      }
    }
    closeGroup();
  }

  /** Redis will not hold it; a list has been searched with all efforts. */
  private static boolean isGivenUp(Tracked tracked) {
    boolean searched =
        tracked.element.kind() != ElementKind.LIST_ELEMENT
            || tracked.missesInRow > ListPlace.EFFORT_MAX;
    return searched && tracked.probesInRow >= PROBES_UNTIL_GIVEN_UP;
  }

  private void use(Tracked tracked) {
    if (!Probes.use(tracked)) {
      ask(tracked);
      return;
    }
    boolean wasGivenUp = isGivenUp(tracked);
    tracked.probesInRow++;
    if (isGivenUp(tracked) && !wasGivenUp) {
      listener.unrepresentable(tracked.element, "guards fail although Redis was asked");
    }
  }

  // --- take-over
  // ---------------------------------------------------------------------------------------------------------------------

  private void takenOver(MarkerState marker) {
    meta.epoch = epoch;
    metaMoved = true;
    sender.begin(epoch, marker.epoch() < epoch ? marker.lastEffect() : marker.preceding());
    group.begin(marker.context());
    messages.begin(marker.context());
    fence = fence.join(marker.context());
    phase = Phase.REPLAYING;
  }

  private void probeIfReplayed() {
    if (phase != Phase.REPLAYING || !meta.merged.dominates(fence)) {
      return;
    }
    phase = Phase.PROBING;
    for (Tracked tracked : belief.all()) {
      tracked.forget();
      probes.send(tracked);
      if (group.size() >= config.batchEffectsMax()) {
        closeGroup();
      }
    }
    closeGroup();
  }

  private void takeOver() {
    markerCalls.takeOver(epoch, meta.localFx);
  }

  @Override
  public void onConnected() {
    markerCalls.connected();
    if (sender.state() != BatchSender.State.STOPPED && phase != Phase.CONNECTING) {
      sender.stop();
    }
    takeOver();
  }

  @Override
  public void onDisconnected() {
    markerCalls.disconnected();
    sender.stop();
  }

  @Override
  public void onMarker(int partition, @Nullable MarkerState marker) {
    if (!markerCalls.isLastAnswer()) {
      return;
    }
    if (marker == null) {
      sender.pause(); // until capture reports the token
      if (markerCalls.lost() != null) {
        takeOver(); // it was taken away before the marker could be written
      }
      return;
    }
    markerCalls.found();
    if (phase == Phase.CONNECTING && marker.epoch() >= epoch) {
      epoch = marker.epoch() + 1;
      takeOver();
      return;
    }
    if (marker.epoch() > epoch) {
      throw fenced(marker.epoch());
    }
    if (phase == Phase.CONNECTING) {
      takenOver(marker);
      drainHeld();
    } else if (marker.fx().compareTo(sender.acknowledged()) < 0) {
      mustBeginAgain = true;
    } else {
      sender.resume();
      probes.sendUnansweredAgain();
      closeGroup();
    }
    progress();
  }

  @Override
  public void onMarkerRefused(int partition, String error) {
    listener.refused(error);
    if (!markerCalls.isLastAnswer()) {
      return;
    }
    markerCalls.retryLater(nowMillis);
  }

  private MergeStoppedException fenced(int other) {
    return new MergeStoppedException(
        MergeStoppedException.Reason.FENCED,
        "partition "
            + config.partition()
            + " has another owner: the marker's epoch is "
            + other
            + ", this owner's "
            + epoch
            + ". It stops; the other goes on.");
  }

  @Override
  public void onReply(EffectBatch batch, BatchReply reply) {
    if (batch.epoch() != epoch || sender.state() == BatchSender.State.STOPPED) {
      return;
    }
    switch (reply.outcome()) {
      case APPLIED -> applied(batch, reply);
      case ALREADY_APPLIED -> {
        sender.acknowledged(batch);
        outcomesUnknown(batch);
      }
      case NO_MARKER -> {
        sender.refused(nowMillis);
        sender.pause();
        if (!markerCalls.isMissing()) {
          takeOver();
        }
      }
      case OLD_EPOCH -> {
        sender.refused(nowMillis);
        sender.pause();
        takeOver();
      }
      case GAP -> {
        // Sent after what was acknowledged, in order: the marker can only be behind if it was lost.
        if (batch.first() == sender.acknowledged().number() + 1) {
          mustBeginAgain = true;
        }
        sender.refused(nowMillis);
      }
    }
    closeGroup();
    progress();
  }

  private void applied(EffectBatch batch, BatchReply reply) {
    sender.acknowledged(batch);
    Set<Long> misses = reply.misses().isEmpty() ? Set.of() : new HashSet<>();
    for (BatchReply.Miss miss : reply.misses()) {
      misses.add(miss.number());
    }
    long number = batch.first();
    for (EffectBatch.Group group : batch.groups()) {
      for (Effect effect : group.effects()) {
        note(effect, number, misses, reply);
        number++;
      }
    }
    messages.acknowledged(new Fx(epoch, batch.last()));
    belief.answered(epoch, batch.first(), batch.last(), misses, watcher);
    for (BatchReply.ProbeAnswer answer : reply.answers()) {
      probes.answered(new Fx(epoch, answer.number()), answer);
    }
  }

  private void note(Effect effect, long number, Set<Long> misses, BatchReply reply) {
    Element element = effect.element();
    if (effect instanceof Effect.Publish && misses.contains(number)) {
      listener.refused("PUBLISH: " + reason(number, reply));
    }
    if (element == null || effect instanceof Effect.Probe) {
      return;
    }
    if (misses.isEmpty() || !misses.contains(number)) {
      retryDeadline(belief.passed(element));
      return;
    }
    Tracked tracked = belief.get(element);
    listener.miss(element, reason(number, reply));
    if (tracked != null) {
      tracked.missesInRow++;
    }
  }

  private static String reason(long number, BatchReply reply) {
    return reply.misses().stream()
        .filter(miss -> miss.number() == number)
        .findFirst()
        .map(BatchReply.Miss::reason)
        .orElse("");
  }

  /** A deadline cannot be set on a key that is not there; now that the key has changed, it may. */
  private void retryDeadline(@Nullable Tracked deadline) {
    if (deadline != null && deadline.known && deadline.probesInRow >= PROBES_UNTIL_GIVEN_UP) {
      deadline.probesInRow = 0;
      ask(deadline);
    }
  }

  /**
   * The answer was lost with a connection: whether its effects passed is not known, so that their
   * elements are probed.
   */
  private void outcomesUnknown(EffectBatch batch) {
    messages.acknowledged(new Fx(epoch, batch.last()));
    belief.answered(epoch, batch.first(), batch.last(), Set.of(), NOT_WATCHED);
    for (EffectBatch.Group group : batch.groups()) {
      for (Effect effect : group.effects()) {
        Element element = effect.element();
        if (element != null && !(effect instanceof Effect.Probe)) {
          Tracked tracked = belief.get(element);
          if (tracked == null) {
            tracked = new Tracked(element, Content.ABSENT, Content.ABSENT);
          }
          ask(tracked);
        }
      }
    }
  }

  private static final Belief.Watcher NOT_WATCHED =
      new Belief.Watcher() {
        @Override
        public void wrong(Tracked tracked) {}

        @Override
        public void unsettled(Tracked tracked) {}
      };

  @Override
  public void onRefused(EffectBatch batch, String error) {
    if (batch.epoch() != epoch || sender.state() == BatchSender.State.STOPPED) {
      return;
    }
    listener.refused(error);
    sender.refused(nowMillis);
  }

  // --- time
  // --------------------------------------------------------------------------------------------------------------------------

  /**
   * Goes on with whatever waits for time: repeats refused calls, drains held records, collects
   * garbage.
   */
  public void tick(long now) {
    nowMillis = now;
    if (markerCalls.isRetryDue(now)) {
      MarkerState lost = markerCalls.lost();
      if (lost != null) {
        install(lost);
      } else {
        takeOver();
      }
    }
    if (markerCalls.isQuestionDue(now)) {
      takeOver();
    }
    garbage.collect(now, meta.merged, stable);
    progress();
  }

  /** Asks for a part of what Redis has lost; the next when that is written back. */
  private void askForLost() {
    if (lost.isEmpty() || phase != Phase.RUNNING || !probes.isEmpty()) {
      return;
    }
    for (Element element : lost.take(config.drainPerCall())) {
      Tracked tracked = belief.get(element);
      if (tracked == null) {
        tracked = new Tracked(element, Content.ABSENT, Content.ABSENT);
      }
      tracked.wanted = view.wanted(element).compact();
      tracked.probesInRow = 0;
      ask(tracked);
    }
    closeGroup();
  }

  private void progress() {
    probeIfReplayed();
    resolve();
    askForLost();
    if (!held.isEmpty() && (phase == Phase.REPLAYING || phase == Phase.RUNNING)) {
      drainHeld();
      probeIfReplayed();
      resolve();
    }
    closeGroup();
    if (gathers) {
      sender.pump(nowMillis, meta.highestStamp, true);
    } else {
      send();
    }
  }

  // --- looking
  // -----------------------------------------------------------------------------------------------------------------------

  /** The merged content of {@code element}. */
  public Content mergedContent(Element element) {
    return view.wanted(element);
  }

  /** For looking at rows and beliefs, by the owner's thread. */
  public KeyInspector inspector() {
    return new KeyInspector(rows, view, belief);
  }
}
