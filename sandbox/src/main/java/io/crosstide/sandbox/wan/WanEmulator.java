package io.crosstide.sandbox.wan;

import io.crosstide.sandbox.Ports;
import io.crosstide.sandbox.SandboxException;
import java.io.IOException;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * The wide area network between the regions of one machine.
 *
 * <p>Each {@link WanLink} is a TCP proxy for one ordered pair of regions. Delay, rate and cuts are
 * set for a pair and hold in both directions: a delay of 40 ms means 40 ms each way, so 80 ms for a
 * request and its answer; a rate holds for each direction by itself. Settings apply to open
 * connections too, from the next byte on, and may be made before the pair has links. Safe for use
 * by several threads.
 */
public final class WanEmulator implements AutoCloseable {
  private final WanLoop loop = new WanLoop();
  private final Map<Pair, Lane> lanes = new ConcurrentHashMap<>();
  private final Map<Pair, WanLink> links = new ConcurrentSkipListMap<>();

  /** An ordered pair of regions. */
  private record Pair(String from, String to) implements Comparable<Pair> {
    @Override
    public int compareTo(Pair other) {
      int byFrom = from.compareTo(other.from);
      return byFrom != 0 ? byFrom : to.compareTo(other.to);
    }
  }

  /** How a cut shows to those who are connected. */
  public enum CutKind {
    /** Connections are closed, new ones are closed as soon as they are made: seen at once. */
    RESET,
    /**
     * Connections stay but carry nothing, new ones are never answered, as on a dead line: seen by
     * timeouts only.
     */
    SILENT
  }

  /**
   * Opens the link over which clients of {@code from} reach {@code 127.0.0.1:targetPort} in {@code
   * to}.
   *
   * @param port port to listen on, on 127.0.0.1; 0 for any free one
   * @throws SandboxException the port is taken
   */
  public WanLink open(String from, String to, int port, int targetPort) {
    Pair pair = new Pair(from, to);
    if (links.containsKey(pair)) {
      throw new IllegalArgumentException("Link " + from + "->" + to + " is open already.");
    }
    int listenPort = port == 0 ? Ports.free() : port;
    try {
      ServerSocketChannel server = ServerSocketChannel.open();
      try {
        server.bind(Ports.address(listenPort), 128);
      } catch (IOException e) {
        server.close();
        throw e;
      }
      WanLink link = new WanLink(from, to, listenPort, targetPort, lane(from, to), lane(to, from));
      links.put(pair, link);
      loop.run(() -> loop.listen(link, server));
      return link;
    } catch (IOException e) {
      throw new SandboxException(
          "Port "
              + listenPort
              + " (WAN link "
              + from
              + " to "
              + to
              + ") is in use on 127.0.0.1: stop what holds it, or "
              + "start with another --dir.",
          e);
    }
  }

  /** Sets the one-way delay between two regions, in each direction. */
  public void delay(String a, String b, Duration oneWay) {
    if (oneWay.isNegative()) {
      throw new IllegalArgumentException("A delay of " + oneWay + " is negative.");
    }
    lane(a, b).delayNanos(oneWay.toNanos());
    lane(b, a).delayNanos(oneWay.toNanos());
  }

  /** Sets the byte rate between two regions, for each direction; 0 for unlimited. */
  public void rate(String a, String b, long bytesPerSecond) {
    if (bytesPerSecond < 0) {
      throw new IllegalArgumentException("A rate of " + bytesPerSecond + " bytes/s is negative.");
    }
    lane(a, b).bytesPerSecond(bytesPerSecond);
    lane(b, a).bytesPerSecond(bytesPerSecond);
  }

  /** Cuts two regions off from each other; what is on its way is lost. */
  public void cut(String a, String b) {
    cut(a, b, CutKind.RESET);
  }

  /** Cuts two regions off from each other, as {@code kind} says. */
  public void cut(String a, String b, CutKind kind) {
    setCut(a, b, true, kind);
  }

  /** Lets two regions reach each other again; harmless when they can. */
  public void heal(String a, String b) {
    setCut(a, b, false, CutKind.RESET);
  }

  /** Lets all regions reach each other again. */
  public void healAll() {
    links.keySet().forEach(pair -> heal(pair.from(), pair.to()));
  }

  /** The link from one region to another. */
  public WanLink link(String from, String to) {
    WanLink link = links.get(new Pair(from, to));
    if (link == null) {
      throw new IllegalArgumentException(
          "There is no link " + from + "->" + to + ", only " + links.values() + ".");
    }
    return link;
  }

  /** All links with state and counters of this moment, by name. */
  public List<WanLinkState> states() {
    List<WanLinkState> states = new ArrayList<>();
    links.values().forEach(link -> states.add(link.state()));
    return states;
  }

  /** Closes all links and their connections. */
  @Override
  public void close() {
    loop.close();
  }

  private void setCut(String a, String b, boolean cut, CutKind kind) {
    loop.run(
        () -> {
          lane(a, b).cut(cut);
          lane(b, a).cut(cut);
          for (Pair pair : List.of(new Pair(a, b), new Pair(b, a))) {
            WanLink link = links.get(pair);
            if (link != null) {
              link.silent(cut && kind == CutKind.SILENT);
              loop.linkChanged(link);
            }
          }
        });
  }

  private Lane lane(String from, String to) {
    return lanes.computeIfAbsent(new Pair(from, to), pair -> new Lane(pair.from(), pair.to()));
  }
}
