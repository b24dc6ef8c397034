package io.crosstide.apply.lua;

import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Turns take-overs and installations into the keys and arguments of {@link LuaScript#MARKER}, and
 * its replies, or a plain {@code HGETALL} of a marker, into {@link MarkerState}.
 */
public final class MarkerEncoder {
  private static final String EXCEPTION = "x:";

  private MarkerEncoder() {}

  public static ScriptCall takeOver(int partition, int epoch, Fx least, String token) {
    return new ScriptCall(
        key(partition),
        List.of(ascii(Integer.toString(epoch)), ascii(token), ascii(least.toString())));
  }

  public static ScriptCall install(int partition, MarkerState marker, String token) {
    List<byte[]> arguments = new ArrayList<>();
    arguments.add(ascii(Integer.toString(marker.epoch())));
    arguments.add(ascii(token));
    arguments.add(ascii(marker.fx().toString()));
    field(arguments, "e", Integer.toString(marker.epoch()));
    field(arguments, "f", marker.fx().toString());
    field(arguments, "b", marker.preceding().toString());
    field(arguments, "c", marker.context().encode());
    field(arguments, "k", Integer.toString(marker.exceptions().size()));
    marker.exceptions().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(entry -> field(arguments, EXCEPTION + entry.getKey(), entry.getValue().encode()));
    return new ScriptCall(key(partition), arguments);
  }

  /**
   * @param fieldsAndValues alternating, as {@code HGETALL} gives them
   * @return null if there is no marker, or one that lacks a field
   */
  public static @Nullable MarkerState decode(List<byte[]> fieldsAndValues) {
    String epoch = null;
    String fx = null;
    Fx preceding = Fx.NONE;
    String context = null;
    Map<String, MarkerState.Missed> exceptions = new HashMap<>();
    for (int i = 0; i + 1 < fieldsAndValues.size(); i += 2) {
      String field = new String(fieldsAndValues.get(i), StandardCharsets.US_ASCII);
      String value = new String(fieldsAndValues.get(i + 1), StandardCharsets.US_ASCII);
      switch (field) {
        case "e" -> epoch = value;
        case "f" -> fx = value;
        case "b" -> preceding = Fx.parse(value);
        case "c" -> context = value;
        default -> {
          if (field.startsWith(EXCEPTION)) {
            exceptions.put(field.substring(EXCEPTION.length()), MarkerState.Missed.decode(value));
          }
        }
      }
    }
    if (epoch == null || fx == null || context == null) {
      return null;
    }
    return new MarkerState(
        Integer.parseInt(epoch),
        Fx.parse(fx),
        preceding,
        VersionVector.decode(context),
        exceptions);
  }

  private static void field(List<byte[]> arguments, String field, String value) {
    arguments.add(ascii(field));
    arguments.add(ascii(value));
  }

  private static List<byte[]> key(int partition) {
    return List.of(ascii(MarkerState.key(partition)));
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
