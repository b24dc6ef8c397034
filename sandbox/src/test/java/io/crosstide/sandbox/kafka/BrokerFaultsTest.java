package io.crosstide.sandbox.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Exit;
import org.junit.jupiter.api.Test;

class BrokerFaultsTest {
  @Test
  void aFatalFaultIsToldInsteadOfHaltingAndEndsItsThread() {
    List<String> told = new ArrayList<>();
    BrokerFaults.onFatalFault(told::add);
    assertThatThrownBy(() -> Exit.halt(1, "Log directory failed"))
        .isInstanceOf(BrokerFaults.BrokerFaultError.class);
    assertThatThrownBy(() -> Exit.exit(3)).isInstanceOf(BrokerFaults.BrokerFaultError.class);
    assertThat(told).hasSize(2);
    assertThat(told.get(0)).contains("status 1: Log directory failed").contains("disk space");
    assertThat(told.get(1)).contains("status 3");
  }
}
