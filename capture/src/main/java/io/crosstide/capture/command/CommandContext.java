package io.crosstide.capture.command;

import io.crosstide.capture.shadow.Shadow;
import io.crosstide.capture.shadow.ShadowKey;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridLogicalClock;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.RedisKey;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** What a handler sees of the interpreter while it deals with one command. */
final class CommandContext {
  private final InterpreterConfig config;
  private final Shadow shadow;
  private final StreamTime time;
  private final UnitEvents events;
  private final UnsupportedCommands unsupported;
  private final EventSink sink;
  private final ReservedKeys reserved;
  private final AwaitedContents awaited;
  private final ArrivingContent arriving;
  private final ListEchoes listEchoes;

  private final List<RedisKey> oversized = new ArrayList<>();
  private final BitSet seen;
  private final BitSet probed;

  private String command = "";
  private String replId = "";
  private long endOffset = -1;
  private int db;
  private boolean inTransaction;
  private boolean echo;
  private long echoes;

  CommandContext(
      InterpreterConfig config,
      Shadow shadow,
      MarkerTracker markers,
      StreamTime time,
      HybridLogicalClock clock,
      UnitEvents events,
      UnsupportedCommands unsupported,
      EventSink sink) {
    this.config = config;
    this.shadow = shadow;
    this.time = time;
    this.events = events;
    this.unsupported = unsupported;
    this.sink = sink;
    this.listEchoes = new ListEchoes(shadow);
    this.seen = new BitSet(config.partitions());
    this.probed = new BitSet(config.partitions());
    this.reserved = new ReservedKeys(markers, time, clock, config.partitions());
    this.awaited = new AwaitedContents(shadow, sink);
    this.arriving = new ArrivingContent(awaited);
  }

  // ---- for handlers ----

  InterpreterConfig config() {
    return config;
  }

  Shadow shadow() {
    return shadow;
  }

  int db() {
    return db;
  }

  void select(int db) {
    this.db = db;
  }

  /** The key's handle; see {@link Shadow#key} on having only one at a time. */
  ShadowKey key(byte[] name) {
    return shadow.key(db, Bytes.wrap(name));
  }

  RedisKey redisKey(byte[] name) {
    return new RedisKey(db, Bytes.wrap(name));
  }

  /**
   * Publishes a change, unless what is being read is an effect of our own. Returns false if it is
   * too long; the key then becomes unknown when the command is done.
   */
  boolean emit(RedisKey key, Change change) {
    return emit(key, change, createsKey(key, change));
  }

  /** As {@link #emit}, for a part of what a command that makes the key anew puts into it. */
  void emitMaking(RedisKey key, Change change) {
    emit(key, change, ChangeEvent.mayCreateKey(change));
  }

  private boolean emit(RedisKey key, Change change, boolean createsKey) {
    if (echo) {
      return true;
    }
    if (size(key, change) > config.eventBytesMax()) {
      if (change instanceof Change.Publish) {
        countTooLong();
      } else {
        tooLong(key);
      }
      return false;
    }
    events.add(key, change, createsKey, replId, endOffset);
    return true;
  }

  /** Only the write that made the key can tell that there was none: its handle is still open. */
  private boolean createsKey(RedisKey key, Change change) {
    ShadowKey open = ChangeEvent.mayCreateKey(change) ? shadow.open(key) : null;
    return open != null && open.isNew();
  }

  /** Counts a change of the key as too long; what it holds is unknown from then on. */
  void tooLong(RedisKey key) {
    oversized.add(key);
    if (!echo) {
      countTooLong();
    }
  }

  private void countTooLong() {
    unsupported(
        command + " over " + config.eventBytesMax() + " bytes",
        "a change whose key, name and value together are longer is not replicated");
  }

  /** The number that the next change published of this key will get. */
  long nextSeq(RedisKey key) {
    return events.nextSeq(key);
  }

  /** Whether what is being read are effects of our own. */
  boolean isEcho() {
    return echo;
  }

  ListEchoes listEchoes() {
    return listEchoes;
  }

  /** What counts of a change against limits: its key, name and value. Bytes. */
  static long size(RedisKey key, Change change) {
    long size = key.name().length();
    if (change instanceof Change.StringSet set) {
      return size + set.value().length();
    }
    if (change instanceof Change.HashPut put) {
      return size + put.name().length() + put.value().length();
    }
    if (change instanceof Change.ListPut put) {
      return size + put.name().length() + put.value().length();
    }
    if (change instanceof Change.StreamPut put) {
      return size + put.name().length() + put.value().length();
    }
    if (change instanceof Change.Publish publish) {
      return size + publish.message().length();
    }
    return change instanceof Change.OfElement of ? size + of.name().length() : size;
  }

  /**
   * Removes the key from the shadow and tells the others: as its expiry if its deadline may have
   * passed, else as a delete. Nothing for an absent key.
   */
  void removeKey(ShadowKey key) {
    if (!key.exists()) {
      return;
    }
    RedisKey name = key.redisKey();
    long deadline = key.deadlineMillis();
    key.delete();
    boolean expired = deadline != 0 && time.mayHavePassed(deadline);
    emit(name, expired ? new Change.KeyExpire(deadline) : new Change.KeyDelete());
  }

  /**
   * To be called after elements of a key were removed: the last one takes the key's deadline with
   * it.
   *
   * @param deadlineMillis the key's deadline before, 0 for none
   */
  void afterRemoval(ShadowKey key, long deadlineMillis) {
    if (deadlineMillis != 0 && !key.exists()) {
      emit(key.redisKey(), new Change.DeadlineRemove());
    }
  }

  /**
   * What the key holds now does not follow from what is kept: its content is asked for, and until
   * it stands in the stream nothing that changes it is published. Its deadline stays.
   */
  void leaveUnresolved(ShadowKey key) {
    key.markUnresolved();
    awaited.look();
  }

  /** The stream shows what cannot be if the shadow is right: it was not, and is read back. */
  void mismatch(ShadowKey key) {
    key.mismatch();
    awaited.look();
  }

  /** Keys were moved or copied, unresolved ones perhaps among them. */
  void unresolvedMoved() {
    awaited.look();
  }

  /** The wall clock to which a relative time to live is added. */
  long nowMillis() {
    return time.stampMillis();
  }

  /** The command being handled, in upper case. */
  String command() {
    return command;
  }

  /** Counts the command as not replicated. */
  void unsupported(String consequence) {
    unsupported(command, consequence);
  }

  /** Counts something under a name of its own as not replicated. */
  void unsupported(String name, String consequence) {
    if (unsupported.count(name)) {
      sink.unsupported(name, consequence);
    }
  }

  /** Counts the command as one that concerns this Redis only. */
  void local() {
    unsupported.countLocal(command);
  }

  /**
   * For handlers that look at their keys themselves: whether {@code key} is reserved. If so it is
   * not to be touched, and a marker counts as taken away.
   */
  boolean takesReserved(byte[] key) {
    return takesReserved(db, key);
  }

  boolean takesReserved(int ofDb, byte[] key) {
    if (!RedisKey.isReserved(key)) {
      return false;
    }
    reserved.taken(ofDb, key);
    return true;
  }

  /** All markers are gone: their database was flushed or exchanged. */
  void allMarkersTaken() {
    reserved.allTaken();
  }

  // ---- for the interpreter ----

  void begin(String replId, long endOffset, boolean inTransaction) {
    this.replId = replId;
    this.endOffset = endOffset;
    this.inTransaction = inTransaction;
    this.echo = false;
    seen.clear();
    probed.clear();
    reserved.begin();
    listEchoes.begin();
  }

  /** Goes on with a unit that is read piece by piece. */
  void continueAt(long endOffset) {
    this.endOffset = endOffset;
  }

  void run(CommandTable.Command known, byte[][] argv) {
    command = known.name();
    shadow.noLongerNew();
    if (!known.ownsReserved() && argv.length > 1 && RedisKey.isReserved(argv[1])) {
      if (ContentScript.isOf(argv[1])) {
        arriving.command(this, known.name(), argv);
        markOversized();
      } else {
        reserved.command(this, known.name(), argv);
      }
      return;
    }
    if (echo && known.isWrite()) {
      echoes++;
    }
    if (known.changesParts() && awaited.any() && key(argv[1]).isUnresolved()) {
      return;
    }
    known.handler().handle(this, argv);
    markOversized();
  }

  /** A command that nobody registered: a module's, or one of a newer Redis. */
  void runUnknown(byte[][] argv) {
    command = CommandTable.upperCase(argv[0]);
    unsupported("an unknown command; what it changed is not replicated");
    if (argv.length > 1 && !takesReserved(argv[1])) {
      ShadowKey key = key(argv[1]);
      if (key.exists()) {
        leaveUnresolved(key);
      }
    }
  }

  /** Asks for contents that are missing, as many as may be under way. */
  void askForContents() {
    awaited.ask();
  }

  /** What was asked for may never come: it is asked for again. */
  void askAgain() {
    awaited.forget();
  }

  /** The unit ends, and with it what it brought of a key's content. */
  void endUnit() {
    arriving.endUnit(this);
  }

  private void markOversized() {
    for (RedisKey name : oversized) {
      ShadowKey key = shadow.key(name.db(), name.name());
      if (key.exists()) {
        key.markUnknown(key.type());
      }
    }
    oversized.clear();
  }

  /** The marker of {@code partition} was written; in a transaction, echoes follow. */
  void markerWritten(int partition, boolean heldProbe) {
    seen.set(partition);
    if (heldProbe) {
      probed.set(partition);
    }
    if (inTransaction) {
      echo = true;
    }
  }

  BitSet markersSeen() {
    return seen;
  }

  boolean probed(int partition) {
    return probed.get(partition);
  }

  /** What an owner left in this unit in the place of a lost marker; empty if nothing. */
  String token(int partition) {
    return reserved.token(partition);
  }

  /** Markers that were taken away in this unit and not written again. */
  BitSet markersLost() {
    return reserved.missing();
  }

  /** Commands recognised as effects so far. */
  long echoes() {
    return echoes;
  }
}
