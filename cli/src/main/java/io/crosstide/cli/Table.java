package io.crosstide.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Rows of text in columns as wide as they need; numbers stand to the right. */
public final class Table {
  private final List<String> header;
  private final List<List<String>> rows = new ArrayList<>();

  public Table(String... header) {
    this.header = List.of(header);
  }

  /** Adds a row; cells are shown as {@link String#valueOf(Object)}. */
  public void row(Object... cells) {
    rows.add(Arrays.stream(cells).map(String::valueOf).toList());
  }

  public boolean isEmpty() {
    return rows.isEmpty();
  }

  public void print(PrintWriter out) {
    int[] widths = new int[header.size()];
    boolean[] numeric = new boolean[header.size()];
    for (int column = 0; column < header.size(); column++) {
      int at = column;
      widths[column] = header.get(column).length();
      numeric[column] = true;
      for (List<String> row : rows) {
        widths[column] = Math.max(widths[column], row.get(column).length());
        numeric[column] &= row.get(at).matches("[-+]?[0-9][0-9.,]*|-|");
      }
    }
    line(out, header, widths, numeric);
    rows.forEach(row -> line(out, row, widths, numeric));
  }

  private static void line(PrintWriter out, List<String> cells, int[] widths, boolean[] numeric) {
    StringBuilder line = new StringBuilder();
    for (int column = 0; column < cells.size(); column++) {
      String padding = " ".repeat(widths[column] - cells.get(column).length());
      line.append(column == 0 ? "" : "  ")
          .append(numeric[column] ? padding + cells.get(column) : cells.get(column) + padding);
    }
    out.println(line.toString().stripTrailing());
  }
}
