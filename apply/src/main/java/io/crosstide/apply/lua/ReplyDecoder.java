package io.crosstide.apply.lua;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.Effect;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Turns what {@link LuaScript#EFFECT_BATCH} returns into a {@link BatchReply}. */
public final class ReplyDecoder {
  private ReplyDecoder() {}

  /**
   * @param batch that was sent; scores are read as such because their element says so
   * @param reply integers as {@link Long}, strings as {@code byte[]}
   * @throws IllegalStateException if it is none of the script's replies: something else answered
   */
  public static BatchReply decode(EffectBatch batch, List<?> reply) {
    if (reply.isEmpty() || !(reply.get(0) instanceof byte[] outcome) || outcome.length != 1) {
      throw unexpected(reply);
    }
    return switch (outcome[0]) {
      case 'A' -> applied(batch, reply);
      case 'D' -> BatchReply.of(BatchReply.Outcome.ALREADY_APPLIED);
      case 'N' -> BatchReply.of(BatchReply.Outcome.NO_MARKER);
      case 'E' -> BatchReply.of(BatchReply.Outcome.OLD_EPOCH);
      case 'G' -> BatchReply.of(BatchReply.Outcome.GAP);
      default -> throw unexpected(reply);
    };
  }

  /** The batch was applied, nothing missed and nothing was asked. */
  public static boolean isRoutine(List<?> reply) {
    return reply.size() == 2
        && reply.get(0) instanceof byte[] outcome
        && outcome.length == 1
        && outcome[0] == 'A';
  }

  /**
   * What the marker said when it refused a batch as {@code OLD_EPOCH} or {@code GAP}; for messages.
   *
   * @return null for other replies
   */
  public static @Nullable String markerOf(List<?> reply) {
    return reply.size() == 3 && reply.get(1) instanceof byte[] epoch
        ? "epoch " + text(epoch) + " at " + text(reply.get(2))
        : null;
  }

  private static BatchReply applied(EffectBatch batch, List<?> reply) {
    int misses = Math.toIntExact((Long) reply.get(1));
    if (misses == 0 && reply.size() == 2) {
      return BatchReply.of(BatchReply.Outcome.APPLIED);
    }
    int at = 2;
    List<BatchReply.Miss> missed = new ArrayList<>(misses);
    for (int i = 0; i < misses; i++) {
      missed.add(new BatchReply.Miss((Long) reply.get(at), text(reply.get(at + 1))));
      at += 2;
    }
    List<BatchReply.ProbeAnswer> answers = new ArrayList<>((reply.size() - at) / 4);
    if (at < reply.size()) {
      Map<Long, Element> probed = probes(batch);
      for (; at < reply.size(); at += 4) {
        long number = (Long) reply.get(at);
        Element element = probed.get(number);
        if (element == null) {
          throw unexpected(reply);
        }
        Content content =
            content(element.kind(), text(reply.get(at + 1)), (byte[]) reply.get(at + 2));
        String exception = text(reply.get(at + 3));
        answers.add(
            new BatchReply.ProbeAnswer(
                number, content, exception.isEmpty() ? Fx.NONE : Fx.parse(exception)));
      }
    }
    return new BatchReply(BatchReply.Outcome.APPLIED, missed, answers);
  }

  private static Content content(ElementKind kind, String form, byte[] bytes) {
    return switch (form) {
      case "a" -> Content.ABSENT;
      case "s" ->
          Content.digest(
              Bytes.wrap(HexFormat.of().parseHex(new String(bytes, StandardCharsets.US_ASCII))));
      // Redis writes 0.1 as 0.10000000000000001: bring scores into our form.
      case "v" ->
          kind == ElementKind.ZSET_MEMBER
              ? Content.score(Content.parseScore(new String(bytes, StandardCharsets.US_ASCII)))
              : Content.of(Bytes.wrap(bytes));
      default ->
          throw new IllegalStateException("'" + form + "' is not a form of a probe's answer");
    };
  }

  private static Map<Long, Element> probes(EffectBatch batch) {
    Map<Long, Element> probes = new HashMap<>();
    long number = batch.first();
    for (EffectBatch.Group group : batch.groups()) {
      for (Effect effect : group.effects()) {
        if (effect instanceof Effect.Probe probe) {
          probes.put(number, probe.element());
        }
        number++;
      }
    }
    return probes;
  }

  private static String text(Object bytes) {
    return new String((byte[]) bytes, StandardCharsets.UTF_8);
  }

  private static IllegalStateException unexpected(List<?> reply) {
    return new IllegalStateException(
        "a reply of "
            + reply.size()
            + " parts is not one of the effect batch script: is there a proxy between us and"
            + " Redis?");
  }
}
