package io.crosstide.capture.command;

import io.crosstide.capture.shadow.Checkpoint;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridLogicalClock;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.ListPosition;
import io.crosstide.crdt.ListPosition.Side;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.ChangeEvent.StreamPosition;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Interprets one Redis's replication stream: follows it with the shadow, learns from the markers
 * what each write had seen, and derives the change events.
 *
 * <p><b>Units.</b> A command outside MULTI, or a MULTI with all up to its EXEC, is one unit: its
 * events, the shadow's writes, and the position after it belong together. The sink hears its events
 * first, then of its markers, then its end. A transaction larger than {@link
 * InterpreterConfig#transactionBytesMax} is not held until its EXEC but interpreted as it comes;
 * its events do not appear at once in other regions, and it is still one unit.
 *
 * <p><b>Effects are not events.</b> Within a MULTI, what follows the write of a marker is an effect
 * batch of our own: it moves the shadow and nothing else, except that of lists it may have to be
 * told what they hold ({@link ListEchoes}). What precedes the marker is local (lazy expiry, P5).
 *
 * <p><b>Restart.</b> A new interpreter over a shadow goes on after {@link Shadow#committed()}: with
 * the stream from there it derives the same events with the same numbers, and those that {@link
 * Sequencer#logEnd} says the log holds are not delivered again.
 *
 * <p>Pure and not thread-safe. After an exception the interpreter and its shadow are to be thrown
 * away: the position of the last commit is what counts.
 */
public final class StreamInterpreter {
  /** What Java takes for an array and the reference to it, beside its content. */
  private static final int ARRAY_BYTES = 24;

  private final InterpreterConfig config;
  private final Shadow shadow;
  private final HybridLogicalClock clock;
  private final EventSink sink;

  private final MarkerTracker markers;
  private final Sequencer sequencer;
  private final StreamTime time;
  private final UnsupportedCommands unsupported = new UnsupportedCommands();
  private final UnitEvents events;
  private final CommandContext context;
  private final CommandTable commands = CommandTable.complete();

  private final List<byte[][]> transaction = new ArrayList<>();
  private long transactionBytes;
  private boolean insideTransaction;

  /** The open transaction is too large to be held: its commands are interpreted as they come. */
  private boolean inPieces;

  private long readOffset = -1;
  private String replId = "";
  private long unitOffset = -1;

  /** Goes on where {@code shadow} was last committed, or at the beginning if it never was. */
  public StreamInterpreter(
      InterpreterConfig config, Shadow shadow, HybridLogicalClock clock, EventSink sink) {
    this.config = config;
    this.shadow = shadow;
    this.clock = clock;
    this.sink = sink;
    this.markers = new MarkerTracker(config.partitions());
    this.sequencer = new Sequencer(config.partitions());
    this.time = new StreamTime(config.wallMillis(), config.streamSlackMillis());
    this.events = new UnitEvents(config, sequencer, markers, clock, time, sink);
    this.context =
        new CommandContext(config, shadow, markers, time, clock, events, unsupported, sink);
    restore();
  }

  /** By partition, the last seq that {@code shadow} knows to be in the log; 0 if none. */
  public static long[] lastSeqs(Shadow shadow, int partitions) {
    long[] seqs = new long[partitions];
    for (int p = 0; p < partitions; p++) {
      byte[] seq = shadow.meta(seqRow(p));
      seqs[p] = seq == null ? 0 : Numbers.requireInteger(seq);
    }
    return seqs;
  }

  private void restore() {
    long[] seqs = lastSeqs(shadow, config.partitions());
    for (int p = 0; p < config.partitions(); p++) {
      sequencer.restore(p, seqs[p]);
      byte[] marker = shadow.meta(markerRow(p));
      if (marker != null) {
        markers.decode(p, marker);
      }
    }
    Checkpoint checkpoint = shadow.committed();
    if (checkpoint != null) {
      clock.resumeAfter(checkpoint.hlc());
      replId = checkpoint.replId();
      unitOffset = checkpoint.replOffset();
      context.select(checkpoint.db());
      time.restore(checkpoint.streamMillis());
    }
  }

  // ---- the stream ----

  /**
   * One command of the stream, verbatim.
   *
   * @param endOffset replOffset after it
   */
  public void command(byte[][] argv, long endOffset) {
    if (insideTransaction) {
      transactionCommand(argv, endOffset);
    } else if (is(argv[0], MULTI)) {
      insideTransaction = true;
    } else {
      context.begin(replId, endOffset, false);
      run(argv);
      endUnit(endOffset);
    }
  }

  private void transactionCommand(byte[][] argv, long endOffset) {
    boolean ends = is(argv[0], EXEC);
    if (inPieces) {
      context.continueAt(endOffset);
      readOffset = endOffset;
      if (!ends) {
        run(argv);
      }
    } else if (!ends) {
      transaction.add(argv);
      transactionBytes += ARRAY_BYTES;
      for (byte[] arg : argv) {
        transactionBytes += ARRAY_BYTES + arg.length;
      }
      if (transactionBytes > config.transactionBytesMax()) {
        inPieces = true;
        events.inPieces();
        readOffset = endOffset;
        runHeld(endOffset);
      }
    } else {
      runHeld(endOffset);
    }
    if (ends) {
      forgetTransaction();
      endUnit(endOffset);
    }
  }

  private void runHeld(long endOffset) {
    context.begin(replId, endOffset, true);
    for (byte[][] argv : transaction) {
      run(argv);
    }
    transaction.clear();
  }

  private void run(byte[][] argv) {
    CommandTable.Command known = commands.find(argv[0]);
    if (known != null) {
      context.run(known, argv);
    } else {
      context.runUnknown(argv);
    }
  }

  private void endUnit(long endOffset) {
    unitOffset = endOffset;
    context.endUnit();
    events.deliverAll(replId, endOffset);
    for (Change.ListHolds holds : context.listEchoes().reports()) {
      publishHolds(holds);
    }
    BitSet lost = context.markersLost();
    for (int p = lost.nextSetBit(0); p >= 0; p = lost.nextSetBit(p + 1)) {
      publishLoss(p, context.token(p));
    }
    BitSet seen = context.markersSeen();
    for (int p = seen.nextSetBit(0); p >= 0; p = seen.nextSetBit(p + 1)) {
      sink.markerSeen(p, markers.fx(p), context.probed(p));
    }
    sealUnit(endOffset);
    context.askForContents();
  }

  private static final byte[] MULTI = {'M', 'U', 'L', 'T', 'I'};
  private static final byte[] EXEC = {'E', 'X', 'E', 'C'};

  private static boolean is(byte[] name, byte[] upperCase) {
    if (name.length != upperCase.length) {
      return false;
    }
    for (int i = 0; i < name.length; i++) {
      if ((name[i] & ~0x20) != upperCase[i]) {
        return false;
      }
    }
    return true;
  }

  /** Whether a MULTI waits for its EXEC. */
  public boolean insideTransaction() {
    return insideTransaction;
  }

  /**
   * The stream has broken off and is to be read again from {@link #unitOffset}: forgets what was
   * held of a MULTI without its EXEC. One too large to be held has been interpreted as far as it
   * was read, and goes on there.
   */
  public void dropOpenTransaction() {
    if (inPieces) {
      events.deliverAll(replId, readOffset);
      unitOffset = readOffset;
    } else {
      forgetTransaction();
    }
  }

  private void forgetTransaction() {
    transaction.clear();
    transactionBytes = 0;
    insideTransaction = false;
    inPieces = false;
  }

  /** The end of the last unit, from where to read on after a break; -1 before the first. */
  public long unitOffset() {
    return unitOffset;
  }

  // ---- position ----

  public String replId() {
    return replId;
  }

  /** The history goes on under another id. */
  public void replId(String replId) {
    this.replId = replId;
  }

  /** The currently selected database, part of the position. */
  public int db() {
    return context.db();
  }

  public void db(int db) {
    context.select(db);
  }

  /** Goes on at another place in another history, after a full resync. */
  public void position(String replId, long replOffset, int db) {
    forgetTransaction();
    this.replId = replId;
    this.unitOffset = replOffset;
    context.select(db);
    context.askAgain();
  }

  /**
   * The stream begins or goes on after a break: until the next beacon all that is known of a
   * command's time is that it lies between the last beacon and now.
   */
  public void streamResumed() {
    time.resumed();
    context.askAgain();
  }

  /** Wall clock of the last beacon read, milliseconds since 1970; 0 for none. */
  public long streamMillis() {
    return time.beaconMillis();
  }

  public void streamMillis(long millis) {
    time.restore(millis);
  }

  /** What is derived from now on is stamped later, as far as the skew limit allows (P28). */
  public void observe(HybridTimestamp stamp) {
    clock.observe(stamp);
  }

  // ---- events outside commands ----

  /**
   * Publishes one change that no command made, found by comparison. It is stamped with the time of
   * the last beacon if there was one. The shadow is not touched, and does not hold the change yet.
   *
   * @param index of the change among those found at {@code replOffset}
   */
  public void publish(RedisKey key, Change change, long replOffset, int index) {
    boolean createsKey =
        ChangeEvent.mayCreateKey(change) && !shadow.key(key.db(), key.name()).exists();
    events.deliverAlone(key, change, createsKey, new StreamPosition(replId, replOffset, index));
  }

  /** A position for an element of a list that {@link #publish} is told of next. */
  public Bytes listPosition(RedisKey key, @Nullable Bytes left, @Nullable Bytes right) {
    return ListPosition.between(left, right, config.origin(), events.nextSeq(key), Side.AFTER_LEFT);
  }

  /**
   * Publishes that the marker of {@code partition} is gone (P3), unless the log holds more.
   *
   * @param token what an owner has left in its place; empty if nothing is there
   */
  public void markerLost(int partition, String token) {
    markers.lose(partition);
    publishLoss(partition, token);
  }

  /** Also says what an effect asked for: it stands before the beat that shows the probe's place. */
  private void publishHolds(Change.ListHolds holds) {
    int partition = config.partitioner().applyAsInt(holds.key().name().array());
    int index = events.nextIndex();
    if (!sequencer.behindLog(partition)) {
      StreamPosition at = new StreamPosition(replId, unitOffset, index);
      sink.event(partition, events.control(partition, holds, Map.of(), at));
    }
  }

  /**
   * Publishes that a restarted Redis does not hold any more what it held for {@code element}. Also
   * where the log holds more than has been derived again: it is a question to Redis, which is right
   * at any place, and nobody asks it a second time.
   */
  public void elementLost(Element element, long replOffset, int index) {
    int partition = config.partitioner().applyAsInt(element.key().name().array());
    sink.event(
        partition,
        events.control(
            partition,
            new Change.ElementLost(element),
            Map.of(),
            new StreamPosition(replId, replOffset, index)));
  }

  private void publishLoss(int partition, String token) {
    int index = events.nextIndex();
    if (!sequencer.behindLog(partition)) {
      MarkerState held = markers.state(partition);
      sink.event(
          partition,
          events.control(
              partition,
              new Change.MarkerLost(token, held.preceding()),
              held.exceptions(),
              new StreamPosition(replId, unitOffset, index)));
    }
  }

  /** Ends a unit of events found by comparison. */
  public void sealUnit(long replOffset) {
    events.endUnit();
    unitOffset = replOffset;
    writeState();
    long unit =
        shadow.seal(new Checkpoint(replId, replOffset, db(), time.beaconMillis(), clock.last()));
    sink.unitEnd(unit, replOffset);
  }

  /**
   * A beat: says that everything up to the end of the last unit precedes it in the log, with the
   * marker's effect number and floor (P4, P13). Without a position, that is before the differences
   * of a full resync are all published, it has no effect number: the marker that stands for them is
   * known, but they do not precede the beat.
   */
  public ChangeEvent beat(int partition) {
    return events.control(
        partition,
        new Change.Beat(markers.floor(partition)),
        Map.of(),
        unitOffset < 0 ? Fx.NONE : markers.fx(partition),
        new StreamPosition(replId, unitOffset, Integer.MAX_VALUE));
  }

  /**
   * The first record of a start (P16): a beat of the new capture epoch that says nothing of a
   * position.
   */
  public ChangeEvent fence(int partition) {
    return events.control(
        partition,
        new Change.Beat(markers.floor(partition)),
        Map.of(),
        Fx.NONE,
        StreamPosition.UNKNOWN);
  }

  // ---- state ----

  public MarkerTracker markers() {
    return markers;
  }

  public Sequencer sequencer() {
    return sequencer;
  }

  public UnsupportedCommands unsupported() {
    return unsupported;
  }

  /** Commands recognised as effects of our own since this interpreter began. */
  public long echoes() {
    return context.echoes();
  }

  private void writeState() {
    BitSet seqs = sequencer.dirty();
    for (int p = seqs.nextSetBit(0); p >= 0; p = seqs.nextSetBit(p + 1)) {
      shadow.meta(seqRow(p), Numbers.text(sequencer.last(p)));
    }
    seqs.clear();
    BitSet changed = markers.dirty();
    for (int p = changed.nextSetBit(0); p >= 0; p = changed.nextSetBit(p + 1)) {
      shadow.meta(markerRow(p), markers.encode(p));
    }
    changed.clear();
  }

  private static String seqRow(int partition) {
    return "seq." + partition;
  }

  private static String markerRow(int partition) {
    return "marker." + partition;
  }
}
