package io.crosstide.apply;

import java.util.List;

/**
 * An error by which Redis refuses a call as a whole, in one form for all versions: the code word
 * first. Redis 6.2 hides the code of an error raised inside a script in the middle of the text.
 */
public final class RedisRefusal {
  /** Codes worth telling apart; all others are {@code ERR}. */
  private static final List<String> CODES =
      List.of(
          "OOM",
          "BUSY",
          "LOADING",
          "READONLY",
          "MISCONF",
          "NOREPLICAS",
          "MASTERDOWN",
          "CLUSTERDOWN",
          "TRYAGAIN",
          "MOVED",
          "ASK",
          "CROSSSLOT",
          "NOSCRIPT",
          "UNKILLABLE",
          "NOAUTH",
          "NOPERM",
          "WRONGPASS",
          "WRONGTYPE");

  public static final String NOSCRIPT = "NOSCRIPT";
  private static final String OTHER = "ERR";

  private RedisRefusal() {}

  /** The code word, {@code ERR} if it is none of those known. */
  public static String code(String error) {
    for (String code : CODES) {
      if (error.startsWith(code)
          && (error.length() == code.length() || error.charAt(code.length()) == ' ')) {
        return code;
      }
    }
    for (String code : CODES) {
      if (error.contains("-" + code + " ")) {
        return code;
      }
    }
    return OTHER;
  }

  /** The error with its code word in front, as Redis 7 words it. */
  public static String normalise(String error) {
    String code = code(error);
    if (error.startsWith(code)) {
      return error;
    }
    int at = error.indexOf("-" + code + " ");
    return at < 0 ? OTHER + " " + error : error.substring(at + 1);
  }
}
