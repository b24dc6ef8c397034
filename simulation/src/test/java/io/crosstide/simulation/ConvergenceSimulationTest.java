package io.crosstide.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Invariants A to E and B' over many schedules. A failure names its seed; {@code
 * -Dsimulation.seed=N -Dsimulation.runs=1} repeats it.
 */
class ConvergenceSimulationTest {
  private static final long FIRST = Long.getLong("simulation.seed", 0);
  private static final int RUNS = Integer.getInteger("simulation.runs", 10_000);

  @Test
  void everyScheduleConvergesAndEveryLookIsExact() {
    Map<String, Integer> statistics = new TreeMap<>();
    for (long seed = FIRST; seed < FIRST + RUNS; seed++) {
      Simulation simulation = new Simulation(seed, Simulation.Options.all());
      simulation.run();
      simulation.statistics.forEach((what, count) -> statistics.merge(what, count, Integer::sum));
    }
    System.out.println(RUNS + " schedules: " + statistics);
  }

  @Test
  void oneSeedGivesOneTrace() {
    for (long seed = 0; seed < 20; seed++) {
      assertThat(new Simulation(seed, Simulation.Options.all()).run())
          .isEqualTo(new Simulation(seed, Simulation.Options.all()).run());
    }
  }
}
