package io.crosstide.sandbox.redis;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A shell that stops one child when this JVM dies, however it dies.
 *
 * <p>It waits for a line on its standard input, whose only writer is this JVM. Closed without a
 * line, which is what the kernel does on {@code kill -9}, means that the JVM is gone: the shell
 * then ends the child, gently first so that Redis writes out its append-only file. It costs no
 * processor time while it waits, and needs nothing but {@code sh}. It runs in a session of its own
 * where {@code setsid} exists, so that a signal to the terminal's process group does not reach it.
 */
final class Watcher implements AutoCloseable {
  private static final String SCRIPT =
      """
      trap '' INT HUP TERM
      if read -r released; then exit 0; fi
      kill -TERM "$1" 2>/dev/null
      i=0
      while kill -0 "$1" 2>/dev/null && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done
      kill -KILL "$1" 2>/dev/null
      exit 0
      """;

  private final Process shell;

  private Watcher(Process shell) {
    this.shell = shell;
  }

  /** Watches over process {@code pid}, a child of this JVM. */
  static Watcher over(long pid) throws IOException {
    List<String> command = new ArrayList<>(SessionLeader.prefix());
    command.addAll(List.of("sh", "-c", SCRIPT, "crosstide-watcher", String.valueOf(pid)));
    Process shell =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    return new Watcher(shell);
  }

  long pid() {
    return shell.pid();
  }

  /** Ends the watch without touching the child, which has ended or is being ended by its owner. */
  @Override
  public void close() {
    try (OutputStream in = shell.getOutputStream()) {
      in.write("released\n".getBytes(StandardCharsets.US_ASCII));
      in.flush();
      if (shell.waitFor(2, TimeUnit.SECONDS)) {
        return;
      }
    } catch (IOException alreadyGone) {
      // The shell was killed from outside: nothing is left to release.
      shell.destroyForcibly();
      return;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    shell.destroyForcibly();
  }
}
