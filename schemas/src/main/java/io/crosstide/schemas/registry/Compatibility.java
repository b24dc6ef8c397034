package io.crosstide.schemas.registry;

import java.util.ArrayList;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.Incompatibility;

/** Decides whether a schema may follow earlier ones, by Avro's resolution rules. */
public final class Compatibility {
  private Compatibility() {}

  /**
   * Why {@code next} must not follow {@code earlier} under {@code level}, one sentence per reason;
   * empty if it may.
   *
   * @param earlier the subject's versions, oldest first
   */
  public static List<String> problems(CompatibilityLevel level, List<Schema> earlier, Schema next) {
    if (earlier.isEmpty() || level == CompatibilityLevel.NONE) {
      return List.of();
    }
    List<Schema> compared =
        level.isTransitive() ? earlier : earlier.subList(earlier.size() - 1, earlier.size());
    List<String> problems = new ArrayList<>();
    for (int i = compared.size() - 1; i >= 0; i--) {
      int version = earlier.size() - compared.size() + i + 1;
      Schema old = compared.get(i);
      if (level.isBackward()) {
        explain(
            next, old, "the new schema cannot read what version " + version + " wrote", problems);
      }
      if (level.isForward()) {
        explain(
            old, next, "version " + version + " cannot read what the new schema writes", problems);
      }
    }
    return problems;
  }

  private static void explain(Schema reader, Schema writer, String what, List<String> problems) {
    for (Incompatibility found :
        SchemaCompatibility.checkReaderWriterCompatibility(reader, writer)
            .getResult()
            .getIncompatibilities()) {
      problems.add(
          what + ": " + found.getType() + " at " + found.getLocation() + ": " + found.getMessage());
    }
  }
}
