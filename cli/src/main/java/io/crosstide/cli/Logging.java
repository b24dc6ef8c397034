package io.crosstide.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.rolling.FixedWindowRollingPolicy;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy;
import ch.qos.logback.core.spi.FilterReply;
import ch.qos.logback.core.util.FileSize;
import java.nio.file.Path;
import org.apache.kafka.common.errors.NotControllerException;
import org.slf4j.LoggerFactory;

/**
 * Where a long-running command's log goes: our own lines from INFO and the libraries' from WARN to
 * a file of bounded size, our own errors also to stderr.
 */
public final class Logging {
  private static final String OWN = "io.crosstide";
  private static final String FILE_BYTES_MAX = "20MB";
  private static final int FILES_MAX = 3;

  /** Libraries that warn about what is ordinary here: links are cut and brokers restarted. */
  private static final String[] NOISY = {
    "org.apache.kafka.clients.NetworkClient",
    "org.apache.kafka.clients.consumer.internals.ConsumerCoordinator",
    "org.apache.kafka.streams.StreamsConfig",
    "org.apache.kafka.streams.processor.internals.StateDirectory",
    "org.apache.kafka.clients.producer.internals.Sender",
  };

  private Logging() {}

  /**
   * Lets only our own errors through to stderr: libraries call some things errors that are retried
   * and pass.
   */
  public static void ownErrorsOnly() {
    if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      Appender<ILoggingEvent> stderr =
          context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).getAppender("STDERR");
      if (stderr != null) {
        OwnErrors filter = new OwnErrors();
        filter.start();
        stderr.addFilter(filter);
      }
    }
  }

  /** Lets nothing through but our own errors. */
  private static final class OwnErrors extends Filter<ILoggingEvent> {
    @Override
    public FilterReply decide(ILoggingEvent event) {
      return event.getLoggerName().startsWith(OWN) && event.getLevel().isGreaterOrEqual(Level.ERROR)
          ? FilterReply.NEUTRAL
          : FilterReply.DENY;
    }
  }

  /**
   * Leaves out what a broker's controller calls an error when it is asked before it has been
   * elected: whoever asked, at the start it is the controller itself, asks again.
   */
  static final class NotYetElected extends Filter<ILoggingEvent> {
    private static final String CONTROLLER = "kafka.server.ControllerApis";

    @Override
    public FilterReply decide(ILoggingEvent event) {
      if (event.getLoggerName().equals(CONTROLLER)) {
        IThrowableProxy cause = event.getThrowableProxy();
        while (cause != null) {
          if (cause.getClassName().equals(NotControllerException.class.getName())) {
            return FilterReply.DENY;
          }
          cause = cause.getCause();
        }
      }
      return FilterReply.NEUTRAL;
    }
  }

  /** Sends the log to {@code file} from now on. */
  public static void toFile(Path file) {
    if (!(LoggerFactory.getILoggerFactory() instanceof LoggerContext context)) {
      return;
    }
    RollingFileAppender<ILoggingEvent> appender = new RollingFileAppender<>();
    appender.setContext(context);
    appender.setFile(file.toString());
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern("%d{yyyy-MM-dd HH:mm:ss.SSS} %-5level [%thread] %logger{30}: %msg%n");
    encoder.start();
    appender.setEncoder(encoder);
    FixedWindowRollingPolicy rolling = new FixedWindowRollingPolicy();
    rolling.setContext(context);
    rolling.setParent(appender);
    rolling.setFileNamePattern(file + ".%i");
    rolling.setMinIndex(1);
    rolling.setMaxIndex(FILES_MAX);
    rolling.start();
    appender.setRollingPolicy(rolling);
    SizeBasedTriggeringPolicy<ILoggingEvent> trigger = new SizeBasedTriggeringPolicy<>();
    trigger.setContext(context);
    trigger.setMaxFileSize(FileSize.valueOf(FILE_BYTES_MAX));
    trigger.start();
    appender.setTriggeringPolicy(trigger);
    NotYetElected notYetElected = new NotYetElected();
    notYetElected.start();
    appender.addFilter(notYetElected);
    appender.start();

    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    ownErrorsOnly();
    root.addAppender(appender);
    context.getLogger(OWN).setLevel(Level.INFO);
    for (String noisy : NOISY) {
      context.getLogger(noisy).setLevel(Level.ERROR);
    }
  }
}
