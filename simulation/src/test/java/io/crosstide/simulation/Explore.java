package io.crosstide.simulation;

import java.util.Map;
import java.util.TreeMap;

/** Runs many schedules and groups what fails; for working on the protocol, not a test. */
final class Explore {
  private Explore() {}

  public static void main(String[] args) {
    long first = Long.parseLong(args[0]);
    int runs = Integer.parseInt(args[1]);
    String faults = args.length > 2 ? args[2] : "dclrm";
    Simulation.Options options =
        new Simulation.Options(
            3,
            4,
            600,
            faults.contains("d"),
            faults.contains("c"),
            faults.contains("l"),
            faults.contains("r"),
            faults.contains("m"),
            faults.contains("x"),
            faults.contains("k"),
            Plant.NONE);
    int pace = args.length > 3 ? Integer.parseInt(args[3]) : 1;
    int failed = 0;
    Map<String, Integer> kinds = new TreeMap<>();
    Map<String, Integer> statistics = new TreeMap<>();
    for (long seed = first; seed < first + runs; seed++) {
      Simulation simulation = new Simulation(seed, options).paced(pace);
      if (faults.contains("L")) {
        simulation.lists();
      }
      if (faults.contains("e")) {
        simulation.losing();
      }
      try {
        simulation.run();
      } catch (Simulation.Violation e) {
        failed++;
        String message = String.valueOf(e.getMessage());
        String kind = message.replaceAll("seed \\d+ step \\d+: ", "");
        kinds.merge(kind.substring(0, Math.min(12, kind.length())), 1, Integer::sum);
        if (failed <= 5) {
          System.out.println(message.substring(0, Math.min(3000, message.length())));
          if (e.getCause() != null && failed <= 2) {
            e.getCause().printStackTrace(System.out);
          }
        }
      }
      simulation.statistics.forEach((what, count) -> statistics.merge(what, count, Integer::sum));
    }
    System.out.println(runs + " runs, " + failed + " failed " + kinds + "\n" + statistics);
  }
}
