package io.crosstide.control.config;

/** Writes {@code docs/reference/config.md} from {@link ConfigSettings}. */
public final class ConfigReference {
  private ConfigReference() {}

  /** The whole document. */
  public static String markdown() {
    StringBuilder out = new StringBuilder();
    out.append(
        """
        # Reference: `crosstide.yaml`

        One file describes all regions for every role; `crosstide run --config crosstide.yaml --region NAME` starts
        a region's roles from it. `crosstide config check FILE` shows every mistake with its line. An example that
        a test keeps valid is [`crosstide.example.yaml`](../../crosstide.example.yaml).

        Values may hold `${env:NAME}` (an environment variable) and `${file:path}` (a file's content without its
        last line end; relative paths start at the configuration file). Write every secret so: one that stands in
        the file itself is reported as a warning. Secrets are never printed.

        Durations: `us ms s m h d`. Sizes: `B KB MB GB` (powers of 1,000), `KiB MiB GiB` (of 1,024).

        This page is written from the code (`ConfigSettings`); a test compares the two.
        """);
    section(out, ConfigSettings.ROOT, "");
    return out.toString();
  }

  private static void section(StringBuilder out, Section section, String path) {
    out.append("\n## ").append(path.isEmpty() ? "The whole file" : "`" + path + "`").append("\n\n");
    out.append(section.doc());
    if (!path.isEmpty()) {
      out.append(section.required() ? " Required." : " May be left out.");
    }
    out.append('\n');
    if (section.shape() == Section.Shape.FREE) {
      return;
    }
    if (!section.settings().isEmpty()) {
      out.append("\n| setting | value | default | meaning | if badly chosen |\n");
      out.append("| --- | --- | --- | --- | --- |\n");
    }
    for (Setting<?> setting : section.settings()) {
      String defaultText = setting.defaultText();
      out.append("| `")
          .append(setting.name())
          .append("` | ")
          .append(setting.type().describe().replace("|", " or "))
          .append(" | ")
          .append(
              defaultText != null
                  ? "`" + defaultText + "`"
                  : setting.required() ? "required" : "none")
          .append(" | ")
          .append(setting.doc())
          .append(" | ")
          .append(setting.consequence())
          .append(" |\n");
    }
    for (Section child : section.sections()) {
      String childPath =
          (path.isEmpty() ? "" : path + ".")
              + child.name()
              + (child.shape() == Section.Shape.LIST ? "[]" : "");
      section(out, child, childPath);
    }
  }
}
