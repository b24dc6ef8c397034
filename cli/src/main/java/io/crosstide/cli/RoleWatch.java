package io.crosstide.cli;

import io.crosstide.control.role.RoleHandle;
import io.crosstide.control.role.RoleStatus;
import io.crosstide.control.role.RoleStatus.Health;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Tells of every change of the roles' states. */
public final class RoleWatch {
  private final Consumer<String> teller;
  private final Map<String, String> states = new HashMap<>();

  /** What was told of each role since it came into its state, without numbers. */
  private final Map<String, Set<String>> told = new HashMap<>();

  public RoleWatch(Consumer<String> teller) {
    this.teller = teller;
  }

  /**
   * Tells what has changed since the last look: every change of state, and each reason for which a
   * role waits once.
   *
   * @return whether all work
   */
  public boolean look(List<RoleHandle> roles) {
    boolean working = true;
    for (RoleHandle role : roles) {
      RoleStatus status = role.status();
      working &= status.health() == Health.WORKING;
      String name = role.region() + " " + role.name();
      boolean changed = !status.state().equals(states.put(name, status.state()));
      if (changed) {
        told.remove(name);
      }
      String reason = status.health() == Health.WAITING ? status.detail() : "";
      boolean isNew =
          told.computeIfAbsent(name, unused -> new HashSet<>())
              .add(reason.replaceAll("[0-9]+", "#"));
      if (changed || (isNew && !reason.isEmpty())) {
        teller.accept(sentence(name, status));
      }
    }
    return working;
  }

  /** Says which role has failed for good, if one has. */
  public Optional<String> failed(List<RoleHandle> roles) {
    return roles.stream()
        .filter(role -> role.status().health() == Health.FAILED)
        .map(
            role ->
                role.name() + " of " + role.region() + " has stopped: " + role.status().detail())
        .findFirst();
  }

  /** The roles that do not work yet, with what they say. */
  public String notWorking(List<RoleHandle> roles) {
    return roles.stream()
        .filter(role -> role.status().health() != Health.WORKING)
        .map(role -> sentence(role.region() + " " + role.name(), role.status()))
        .collect(Collectors.joining("; "));
  }

  private static String sentence(String name, RoleStatus status) {
    return name
        + ": "
        + status.state()
        + (status.detail().isEmpty() ? "" : " (" + status.detail() + ")");
  }
}
