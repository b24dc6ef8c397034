package io.crosstide.cli.sandbox;

import io.crosstide.control.role.WanControl;
import io.crosstide.sandbox.wan.WanEmulator;
import java.time.Duration;
import java.util.List;

/** The sandbox's emulated WAN as the API controls it. */
record SandboxWan(WanEmulator emulator) implements WanControl {
  /** How the emulator calls an unlimited rate. */
  private static final long UNLIMITED = 0;

  @Override
  public List<Link> links() {
    return emulator.states().stream()
        .map(
            state ->
                new Link(
                    state.from(),
                    state.to(),
                    state.cut(),
                    Duration.ofNanos(Math.round(state.delayMillis() * 1e6)),
                    state.bytesPerSecond() == UNLIMITED ? Long.MAX_VALUE : state.bytesPerSecond(),
                    state.bytes(),
                    state.connections()))
        .toList();
  }

  @Override
  public void cut(String a, String b) {
    emulator.cut(a, b);
  }

  @Override
  public void heal(String a, String b) {
    emulator.heal(a, b);
  }

  @Override
  public void delay(String a, String b, Duration oneWay) {
    emulator.delay(a, b, oneWay);
  }

  @Override
  public void rate(String a, String b, long bytesPerSecond) {
    emulator.rate(a, b, bytesPerSecond == Long.MAX_VALUE ? UNLIMITED : bytesPerSecond);
  }
}
