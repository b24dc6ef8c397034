package io.crosstide.control.verify;

import java.util.List;

/**
 * What a verification found.
 *
 * @param sentence the result in words
 * @param keys compared
 * @param differences the first {@link Verification#DIFFERENCES_MAX}
 * @param differencesTotal how many there are in all
 */
public record Verdict(
    Result result,
    String sentence,
    long keys,
    List<Difference> differences,
    long differencesTotal) {

  /** The three possible results. */
  public enum Result {
    EQUAL,
    DIFFERENT,
    /** Something could not be asked in time, or writes never paused long enough to compare. */
    COULD_NOT_TELL;

    /** As in JSON: {@code equal}, {@code different}, {@code could_not_tell}. */
    public String text() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  public Verdict {
    differences = List.copyOf(differences);
  }

  static Verdict couldNotTell(String sentence) {
    return new Verdict(Result.COULD_NOT_TELL, sentence, 0, List.of(), 0);
  }
}
