package io.crosstide.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/** What one run of the command came to. */
record Executed(int status, String out, String err) {

  /** Runs the command in this JVM, as its main does, but for ending the JVM. */
  static Executed of(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine command = Crosstide.commandLine();
    command.setOut(new PrintWriter(out));
    command.setErr(new PrintWriter(err));
    int status = command.execute(args);
    return new Executed(status, out.toString(), err.toString());
  }
}
