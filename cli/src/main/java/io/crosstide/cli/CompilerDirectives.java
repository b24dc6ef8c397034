package io.crosstide.cli;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the JVM which methods are worth its optimizing compiler (C2), so that what runs per record
 * is compiled within some twenty seconds and the compiler rests afterwards. What Kafka runs per
 * request, a few hundred times a second, stays with the quick compiler: it is no slower there by
 * measure, and there is so much of it that C2 was busy with it for minutes.
 *
 * <p>The methods are named in {@code compiler-directives.json}; the first directive that matches
 * counts. For long-running commands only, before their work begins.
 */
public final class CompilerDirectives {
  private static final Logger log = LoggerFactory.getLogger(CompilerDirectives.class);
  private static final String RESOURCE = "compiler-directives.json";
  private static final String BEAN = "com.sun.management:type=DiagnosticCommand";
  private static final String ADDED = "compiler directives added";

  private CompilerDirectives() {}

  /** Gives the directives to this JVM; another JVM than HotSpot works without them. */
  public static void apply() {
    try {
      Path file = Files.createTempFile("crosstide-", ".json");
      try {
        copyTo(file);
        String answer = command("compilerDirectivesAdd", file.toString());
        if (!answer.contains(ADDED)) {
          log.warn("The JVM does not take the directives for its compiler: {}", answer.strip());
        }
      } finally {
        Files.delete(file);
      }
    } catch (IOException | JMException e) {
      log.info(
          "No directives for the JVM's compiler; it takes longer to warm up: {}", e.toString());
    }
  }

  private static void copyTo(Path file) throws IOException {
    try (InputStream directives = CompilerDirectives.class.getResourceAsStream(RESOURCE)) {
      if (directives == null) {
        throw new FileNotFoundException(
            RESOURCE + " is missing beside " + CompilerDirectives.class);
      }
      Files.copy(directives, file, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** What {@code jcmd} would answer to the command. */
  static String command(String name, String... arguments) throws JMException {
    MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
    ObjectName bean = new ObjectName(BEAN);
    Object answer =
        arguments.length == 0
            ? beans.invoke(bean, name, new Object[0], new String[0])
            : beans.invoke(
                bean, name, new Object[] {arguments}, new String[] {String[].class.getName()});
    return String.valueOf(answer);
  }
}
