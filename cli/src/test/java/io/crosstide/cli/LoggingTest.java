package io.crosstide.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.spi.FilterReply;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.errors.NotControllerException;
import org.junit.jupiter.api.Test;

class LoggingTest {
  private static final String CONTROLLER = "kafka.server.ControllerApis";
  private final Throwable notYet =
      new CompletionException(new NotControllerException("The active controller appears to be 1."));

  private static FilterReply decided(String loggerName, Throwable error) {
    Logger logger = new LoggerContext().getLogger(loggerName);
    return new Logging.NotYetElected()
        .decide(new LoggingEvent("", logger, Level.ERROR, "Unexpected error", error, null));
  }

  @Test
  void aControllerThatIsNotYetElectedIsNoError() {
    assertThat(decided(CONTROLLER, notYet)).isEqualTo(FilterReply.DENY);
    assertThat(decided(CONTROLLER, new IllegalStateException(notYet.getMessage())))
        .isEqualTo(FilterReply.NEUTRAL);
    assertThat(decided("kafka.server.BrokerServer", notYet)).isEqualTo(FilterReply.NEUTRAL);
  }
}
