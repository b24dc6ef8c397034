package io.crosstide.capture.command;

import io.crosstide.capture.shadow.InMemoryShadow;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridLogicalClock;
import io.crosstide.crdt.Origin;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.RedisKey;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** A replication stream written by hand, and what an interpreter made of it. */
final class Stream implements EventSink {
  static final int PARTITIONS = 4;
  static final Origin ORIGIN = Origin.of(1);

  final List<ChangeEvent> events = new ArrayList<>();
  final List<String> markersSeen = new ArrayList<>();
  final List<Long> unitEnds = new ArrayList<>();
  final List<String> unsupported = new ArrayList<>();

  /** Keys whose content was asked for, in order. */
  final List<RedisKey> wanted = new ArrayList<>();

  long now = 1_000_000;
  long offset;
  long lastUnit;
  final Shadow shadow;
  final InterpreterConfig config;
  StreamInterpreter interpreter;

  Stream() {
    this(new InMemoryShadow());
  }

  Stream(Shadow shadow) {
    this(shadow, 1);
  }

  Stream(Shadow shadow, int captureEpoch) {
    this(shadow, captureEpoch, config -> config);
  }

  Stream(Shadow shadow, int captureEpoch, UnaryOperator<InterpreterConfig> adjust) {
    this.shadow = shadow;
    this.config =
        adjust.apply(
            InterpreterConfig.of(ORIGIN, PARTITIONS, captureEpoch, Stream::partition, () -> now));
    this.interpreter = start();
  }

  private StreamInterpreter start() {
    return new StreamInterpreter(config, shadow, new HybridLogicalClock(() -> now, 60_000), this);
  }

  /** Keys whose last byte is a digit lie in that partition, others in 0. */
  static int partition(byte[] key) {
    int last = key.length == 0 ? 0 : key[key.length - 1] - '0';
    return last > 0 && last < PARTITIONS ? last : 0;
  }

  /** Feeds one command, its words separated by spaces. */
  Stream run(String command) {
    return run(argv(command.split(" ", -1)));
  }

  /** What the content script leaves in the stream; {@code elements} in pairs, or one value. */
  void content(String key, String type, long deadline, String... elements) {
    run("MULTI").run("HSET __ct:read key " + key + " type " + type + " deadline " + deadline);
    if (type.equals("string")) {
      run(argv("SET", "__ct:read:value", elements[0]));
    } else if (elements.length > 0) {
      List<String> words = new ArrayList<>(List.of("HSET", "__ct:read:elements"));
      words.addAll(List.of(elements));
      run(argv(words.toArray(new String[0]))).run("DEL __ct:read:elements");
    }
    run("HSET __ct:read end 1").run("DEL __ct:read __ct:read:value").run("EXEC");
  }

  private static byte[][] argv(String... words) {
    byte[][] argv = new byte[words.length][];
    for (int i = 0; i < words.length; i++) {
      argv[i] = words[i].getBytes(StandardCharsets.ISO_8859_1);
    }
    return argv;
  }

  Stream run(byte[]... argv) {
    offset += 100;
    interpreter.command(argv, offset);
    return this;
  }

  /** Runs the commands and gives the events they made. */
  List<ChangeEvent> eventsOf(String... commands) {
    int before = events.size();
    for (String command : commands) {
      run(command);
    }
    return List.copyOf(events.subList(before, events.size()));
  }

  /** Feeds commands and returns only their changes, as text. */
  List<String> changesOf(String... commands) {
    int before = events.size();
    for (String command : commands) {
      run(command);
    }
    return events.subList(before, events.size()).stream().map(Stream::text).toList();
  }

  static String text(ChangeEvent event) {
    RedisKey key = event.key();
    return (key == null ? "" : key + " ") + text(event.change());
  }

  static String text(Change change) {
    return change.toString().replace("delta=", "").replace("name=", "").replace("value=", "");
  }

  static RedisKey key(String name) {
    return RedisKey.of(0, name);
  }

  static Bytes bytes(String text) {
    return Bytes.utf8(text);
  }

  ChangeEvent lastEvent() {
    return events.get(events.size() - 1);
  }

  @Override
  public void event(int partition, ChangeEvent event) {
    events.add(event);
  }

  @Override
  public void markerSeen(int partition, Fx fx, boolean heldProbe) {
    markersSeen.add(partition + " " + fx + (heldProbe ? " probe" : ""));
  }

  @Override
  public void unitEnd(long unit, long endOffset) {
    lastUnit = unit;
    unitEnds.add(endOffset);
  }

  @Override
  public void contentWanted(RedisKey key) {
    wanted.add(key);
  }

  @Override
  public void unsupported(String name, String consequence) {
    unsupported.add(name);
  }
}
