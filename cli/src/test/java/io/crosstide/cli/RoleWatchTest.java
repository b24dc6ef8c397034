package io.crosstide.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.control.role.PairStats;
import io.crosstide.control.role.RoleHandle;
import io.crosstide.control.role.RoleStatus;
import io.crosstide.control.role.RoleStatus.Health;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RoleWatchTest {
  private final List<String> told = new ArrayList<>();
  private final RoleWatch watch = new RoleWatch(told::add);

  private void look(RoleStatus status) {
    watch.look(List.of(new Fixed(status)));
  }

  @Test
  void aRoleThatWaitsTellsEachOfItsReasonsOnce() {
    look(new RoleStatus("connecting", Health.WAITING, "partitions: 4"));
    look(new RoleStatus("connecting", Health.WAITING, "partitions: 3"));
    look(new RoleStatus("connecting", Health.WAITING, "partitions: 3; wrong password"));
    look(new RoleStatus("connecting", Health.WAITING, "partitions: 2"));
    look(new RoleStatus("connecting", Health.WAITING, "partitions: 2; wrong password"));
    assertThat(told)
        .containsExactly(
            "r streams: connecting (partitions: 4)",
            "r streams: connecting (partitions: 3; wrong password)");
  }

  @Test
  void aReasonIsToldAgainWhenTheStateWasAnotherMeanwhile() {
    look(new RoleStatus("connecting", Health.WAITING, "wrong password"));
    look(new RoleStatus("running", Health.WORKING, ""));
    look(new RoleStatus("running", Health.WORKING, "lag 17"));
    look(new RoleStatus("connecting", Health.WAITING, "wrong password"));
    assertThat(told)
        .containsExactly(
            "r streams: connecting (wrong password)",
            "r streams: running",
            "r streams: connecting (wrong password)");
  }

  private record Fixed(RoleStatus status) implements RoleHandle {
    @Override
    public String region() {
      return "r";
    }

    @Override
    public String name() {
      return "streams";
    }

    @Override
    public Map<String, Object> stats() {
      return Map.of();
    }

    @Override
    public List<PairStats> pairs() {
      return List.of();
    }

    @Override
    public void close() {}
  }
}
