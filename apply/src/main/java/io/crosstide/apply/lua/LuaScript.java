package io.crosstide.apply.lua;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A script of this package: its text, and the SHA-1 under which Redis keeps it once loaded.
 *
 * @param sha1 40 hex digits in ASCII, as {@code EVALSHA} takes them
 */
@SuppressWarnings("ArrayRecordComponent") // sent as they are, never compared
public record LuaScript(byte[] text, byte[] sha1) {
  /** A line that stands for another resource's text, named in it. */
  private static final Pattern INCLUDE = Pattern.compile("^--@include (.+)$", Pattern.MULTILINE);

  /** Applies an effect batch; called with what {@link BatchEncoder} makes. */
  public static final LuaScript EFFECT_BATCH = load("effect-batch.lua");

  /** Takes over, installs and reads a marker; called with what {@link MarkerEncoder} makes. */
  public static final LuaScript MARKER = load("marker.lua");

  private static LuaScript load(String name) {
    byte[] text =
        INCLUDE
            .matcher(read(name))
            .replaceAll(line -> Matcher.quoteReplacement(read(line.group(1))))
            .getBytes(StandardCharsets.UTF_8);
    try {
      String sha1 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(text));
      return new LuaScript(text, sha1.getBytes(StandardCharsets.US_ASCII));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-1", e);
    }
  }

  private static String read(String name) {
    try (InputStream in = LuaScript.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(
            "the script " + name + " is missing from the jar: build it again");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("the script " + name + " cannot be read from the jar", e);
    }
  }

  @Override
  public String toString() {
    return "script " + new String(sha1, StandardCharsets.US_ASCII);
  }
}
