package io.crosstide.control.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;

/** How the text of a setting becomes its value. */
interface ValueType<T> {

  /** As the reference shows it: {@code duration}, {@code 1..127}. */
  String describe();

  /**
   * @throws IllegalArgumentException with a sentence that says what is wrong and what would be
   *     right
   */
  T parse(String text);

  /** Whether the value is secret: never shown, and a warning if written into the file itself. */
  default boolean isSecret() {
    return false;
  }

  ValueType<String> TEXT = of("text", text -> text);

  ValueType<Duration> DURATION = of("duration", Units::duration);

  ValueType<Path> PATH =
      of(
          "path",
          text -> {
            try {
              return Path.of(text);
            } catch (InvalidPathException e) {
              throw new IllegalArgumentException("'" + text + "' is not a path", e);
            }
          });

  ValueType<Boolean> SWITCH =
      of(
          "true or false",
          text ->
              switch (text) {
                case "true" -> true;
                case "false" -> false;
                default ->
                    throw new IllegalArgumentException("'" + text + "' is neither true nor false");
              });

  ValueType<Secret> SECRET =
      new ValueType<>() {
        @Override
        public String describe() {
          return "secret";
        }

        @Override
        public Secret parse(String text) {
          return new Secret(text);
        }

        @Override
        public boolean isSecret() {
          return true;
        }
      };

  /** Lower-case letters, digits and dashes: usable in topic names, file names and URLs. */
  ValueType<String> NAME =
      of(
          "name",
          text -> {
            if (!Pattern.matches("[a-z][a-z0-9-]{0,30}", text)) {
              throw new IllegalArgumentException(
                  "'"
                      + text
                      + "' is not a name: use a lower-case letter, then up to 30 lower-case"
                      + " letters, digits and dashes");
            }
            return text;
          });

  ValueType<String> BOOTSTRAP =
      of(
          "host:port,...",
          text -> {
            for (String part : text.split(",", -1)) {
              if (!isHostAndPort(part.strip())) {
                throw new IllegalArgumentException(
                    "'" + part.strip() + "' is not host:port, as in kafka-1.internal:9092");
              }
            }
            return text.replace(" ", "");
          });

  static ValueType<Long> sizeUpTo(long max) {
    return of(
        "size up to " + Units.formatBytes(max),
        text -> {
          long bytes = Units.bytes(text);
          if (bytes < 1 || bytes > max) {
            throw new IllegalArgumentException(
                text + " is outside 1B to " + Units.formatBytes(max));
          }
          return bytes;
        });
  }

  static ValueType<Integer> number(int min, int max) {
    return of(
        min + ".." + max,
        text -> {
          try {
            int value = Integer.parseInt(text);
            if (value >= min && value <= max) {
              return value;
            }
          } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                "'" + text + "' is not a whole number from " + min + " to " + max, e);
          }
          throw new IllegalArgumentException(text + " is outside " + min + ".." + max);
        });
  }

  static ValueType<String> oneOf(String... allowed) {
    List<String> values = List.of(allowed);
    return of(
        String.join(", ", values),
        text -> {
          if (!values.contains(text)) {
            throw new IllegalArgumentException(
                "'" + text + "' is not possible" + DidYouMean.hint(values, text));
          }
          return text;
        });
  }

  static ValueType<URI> uri(String... schemes) {
    List<String> allowed = List.of(schemes);
    return of(
        String.join("|", allowed) + " address",
        text -> {
          try {
            URI uri = new URI(text);
            if (uri.getScheme() == null || !allowed.contains(uri.getScheme())) {
              throw new IllegalArgumentException(
                  "'"
                      + withoutUserInfo(text)
                      + "' must begin with "
                      + String.join(":// or ", allowed)
                      + "://");
            }
            if (uri.getHost() == null) {
              throw new IllegalArgumentException(
                  "'" + withoutUserInfo(text) + "' names no host, as in " + schemes[0] + "://host");
            }
            return uri;
          } catch (URISyntaxException e) {
            throw new IllegalArgumentException(
                "'" + withoutUserInfo(text) + "' is not an address: " + e.getReason(), e);
          }
        });
  }

  /** Addresses may carry a password, which must not end up in a message. */
  private static String withoutUserInfo(String text) {
    int at = text.lastIndexOf('@');
    if (at < 0) {
      return text;
    }
    int from = text.indexOf("//");
    return (from < 0 || from > at ? "" : text.substring(0, from + 2)) + "***" + text.substring(at);
  }

  private static boolean isHostAndPort(String text) {
    int colon = text.lastIndexOf(':');
    if (colon < 1) {
      return false;
    }
    try {
      int port = Integer.parseInt(text.substring(colon + 1));
      return port > 0 && port < 65_536;
    } catch (NumberFormatException e) {
      return false;
    }
  }

  private static <T> ValueType<T> of(String description, Parser<T> parser) {
    return new ValueType<>() {
      @Override
      public String describe() {
        return description;
      }

      @Override
      public T parse(String text) {
        return parser.parse(text);
      }
    };
  }

  /** The part of a type that differs. */
  @FunctionalInterface
  interface Parser<T> {
    T parse(String text);
  }
}
