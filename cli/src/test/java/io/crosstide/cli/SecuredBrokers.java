package io.crosstide.cli;

import io.crosstide.sandbox.kafka.BrokerConfig;

/** Brokers that ask Crosstide for a password. */
final class SecuredBrokers {
  private SecuredBrokers() {}

  /**
   * A broker that serves the test itself without a login, and Crosstide on another port.
   *
   * @param protocol of that port, {@code SASL_PLAINTEXT} or {@code SASL_SSL}; its settings begin
   *     with {@code listener.name.secure.}
   */
  static BrokerConfig config(BrokerConfig plain, int securePort, String protocol) {
    String listeners = "LAN://127.0.0.1:" + plain.lanPort() + ",SECURE://127.0.0.1:" + securePort;
    return plain
        .with("listeners", listeners + ",CONTROLLER://127.0.0.1:" + plain.controllerPort())
        .with("advertised.listeners", listeners)
        .with(
            "listener.security.protocol.map",
            "LAN:PLAINTEXT,SECURE:" + protocol + ",CONTROLLER:PLAINTEXT");
  }
}
