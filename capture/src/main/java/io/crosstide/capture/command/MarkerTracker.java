package io.crosstide.capture.command;

import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.MarkerState.Missed;
import io.crosstide.protocol.RedisKey;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the markers in the stream have shown, per partition: what this Redis held of the other logs
 * when a write ran.
 *
 * <p>Effect number and context are running maxima: a marker taken away, or an old one brought back,
 * does not lower them (P3). Only {@link #restore} does.
 */
public final class MarkerTracker {
  private static final String EXCEPTION_FIELD = "x:";

  /** Sorts behind every digit of a digest. */
  private static final String AFTER_HEX = "g";

  private final Tracked[] markers;
  private final BitSet dirty;

  private static final class Tracked {
    boolean present;
    int epoch;
    Fx fx = Fx.NONE;
    Fx preceding = Fx.NONE;
    VersionVector context = VersionVector.EMPTY;

    /** By digest: those of one key are neighbours. There may be very many at once. */
    final NavigableMap<String, Missed> exceptions = new TreeMap<>();
  }

  MarkerTracker(int partitions) {
    markers = new Tracked[partitions];
    for (int p = 0; p < partitions; p++) {
      markers[p] = new Tracked();
    }
    dirty = new BitSet(partitions);
  }

  /** Whether Redis has the marker, as far as the stream showed. */
  public boolean present(int partition) {
    return markers[partition].present;
  }

  public Fx fx(int partition) {
    return markers[partition].fx;
  }

  public VersionVector context(int partition) {
    return markers[partition].context;
  }

  /** The context of a write to {@code element}: lower if the element has an exception (P9). */
  public VersionVector contextOf(int partition, Element element) {
    Tracked marker = markers[partition];
    return MarkerState.contextOf(element, marker.context, marker.exceptions);
  }

  public boolean hasExceptions(int partition) {
    return !markers[partition].exceptions.isEmpty();
  }

  /** The exceptions of one key's elements. */
  public Map<String, Missed> exceptionsOf(int partition, RedisKey key) {
    NavigableMap<String, Missed> all = markers[partition].exceptions;
    if (all.isEmpty()) {
      return Map.of();
    }
    String keyDigest = Element.keyDigest(key);
    return new HashMap<>(all.subMap(keyDigest, true, keyDigest + AFTER_HEX, false));
  }

  public MarkerState state(int partition) {
    Tracked marker = markers[partition];
    return new MarkerState(
        marker.epoch, marker.fx, marker.preceding, marker.context, marker.exceptions);
  }

  /** What every later event's context reaches: the context, less what exceptions lack. */
  public VersionVector floor(int partition) {
    Tracked marker = markers[partition];
    VersionVector floor = marker.context;
    for (Missed missed : marker.exceptions.values()) {
      floor = floor.meet(missed.context());
    }
    return floor;
  }

  /** Takes over what a snapshot or a memory of effects shows: the marker is there, exactly so. */
  public void restore(int partition, MarkerState state) {
    Tracked marker = markers[partition];
    marker.present = true;
    marker.epoch = state.epoch();
    marker.fx = state.fx();
    marker.preceding = state.preceding();
    marker.context = state.context();
    marker.exceptions.clear();
    marker.exceptions.putAll(state.exceptions());
    dirty.set(partition);
  }

  /** The marker is gone; what it said stays known. */
  void lose(int partition) {
    markers[partition].present = false;
    dirty.set(partition);
  }

  /**
   * What an {@code HSET} of a marker was.
   *
   * @param heldProbe it belongs to a batch that held a probe
   * @param whole it is a batch's or an installation's, which leaves a marker complete
   * @param stamp highest one that a write made after this may have to exceed (P28)
   * @param token what an owner that found no marker left in its place; null if it is not that
   * @param ofList what it tells of an effect on a list; null if it does not
   */
  @SuppressWarnings("ArrayRecordComponent") // the command's own argument, handed on at once
  record Written(
      boolean heldProbe,
      boolean whole,
      HybridTimestamp stamp,
      @Nullable String token,
      byte @Nullable [] ofList) {}

  /**
   * Follows an {@code HSET} of the marker.
   *
   * @param argv name, key, then fields and values
   * @throws IllegalArgumentException what was written is not a marker's; nothing was taken over
   */
  Written put(int partition, byte[][] argv) {
    Tracked marker = markers[partition];
    Integer epoch = null;
    Fx fx = null;
    Fx preceding = Fx.NONE;
    VersionVector context = null;
    HybridTimestamp stamp = HybridTimestamp.ZERO;
    boolean heldProbe = false;
    String token = null;
    byte[] ofList = null;
    Map<String, Missed> exceptions = Map.of();
    for (int i = 2; i + 1 < argv.length; i += 2) {
      String field = ascii(argv[i]);
      switch (field) {
        case "e" -> epoch = Integer.valueOf(ascii(argv[i + 1]));
        case "f" -> fx = Fx.parse(ascii(argv[i + 1]));
        case "b" -> preceding = Fx.parse(ascii(argv[i + 1]));
        case "c" -> context = VersionVector.decode(ascii(argv[i + 1]));
        case "h" -> stamp = new HybridTimestamp(Long.parseLong(ascii(argv[i + 1])));
        case "p" -> heldProbe = true;
        case "l" -> ofList = argv[i + 1];
        case "t" -> token = ascii(argv[i + 1]);
        default -> {
          if (field.startsWith(EXCEPTION_FIELD)) {
            exceptions = exceptions.isEmpty() ? new HashMap<>() : exceptions;
            exceptions.put(
                field.substring(EXCEPTION_FIELD.length()), Missed.decode(ascii(argv[i + 1])));
          }
        }
      }
    }
    if (epoch != null && fx != null && context != null && !marker.present) {
      // An installation, which writes everything: exceptions that it does not list are over.
      marker.exceptions.clear();
    }
    if (epoch != null) {
      marker.epoch = Math.max(marker.epoch, epoch);
    }
    if (fx != null) {
      marker.fx = Fx.max(marker.fx, fx);
      marker.present = true;
    }
    marker.preceding = Fx.max(marker.preceding, preceding);
    if (context != null) {
      marker.context = marker.context.join(context);
    }
    marker.exceptions.putAll(exceptions);
    dirty.set(partition);
    return new Written(heldProbe, fx != null && context != null, stamp, token, ofList);
  }

  /**
   * Follows an {@code HDEL} of the marker: exceptions that are over, an owner's token.
   *
   * @return whether it took nothing but those
   */
  boolean remove(int partition, byte[][] argv) {
    Tracked marker = markers[partition];
    boolean onlyExceptions = true;
    for (int i = 2; i < argv.length; i++) {
      String field = ascii(argv[i]);
      if (field.startsWith(EXCEPTION_FIELD)) {
        marker.exceptions.remove(field.substring(EXCEPTION_FIELD.length()));
        dirty.set(partition);
      } else if (!field.equals("t")) {
        onlyExceptions = false;
      }
    }
    return onlyExceptions;
  }

  private static String ascii(byte[] bytes) {
    return new String(bytes, StandardCharsets.US_ASCII);
  }

  /** Partitions changed since the last call. */
  BitSet dirty() {
    return dirty;
  }

  /** Lines: present, epoch, fx and the effect preceding its epoch, context, exceptions. */
  byte[] encode(int partition) {
    Tracked marker = markers[partition];
    StringBuilder out = new StringBuilder(64);
    out.append(marker.present ? '1' : '0')
        .append('\n')
        .append(marker.epoch)
        .append('\n')
        .append(marker.fx)
        .append(' ')
        .append(marker.preceding)
        .append('\n')
        .append(marker.context.encode());
    marker.exceptions.forEach(
        (digest, missed) -> out.append('\n').append(digest).append(' ').append(missed.encode()));
    return out.toString().getBytes(StandardCharsets.US_ASCII);
  }

  void decode(int partition, byte[] encoded) {
    String[] lines = ascii(encoded).split("\n", -1);
    Tracked marker = markers[partition];
    marker.present = lines[0].equals("1");
    marker.epoch = Integer.parseInt(lines[1]);
    int between = lines[2].indexOf(' ');
    marker.fx = Fx.parse(lines[2].substring(0, between));
    marker.preceding = Fx.parse(lines[2].substring(between + 1));
    marker.context = VersionVector.decode(lines[3]);
    marker.exceptions.clear();
    for (int i = 4; i < lines.length; i++) {
      int space = lines[i].indexOf(' ');
      marker.exceptions.put(
          lines[i].substring(0, space), Missed.decode(lines[i].substring(space + 1)));
    }
  }
}
