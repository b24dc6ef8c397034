package io.crosstide.control.http;

import io.crosstide.control.explain.ExplainService;
import io.crosstide.control.role.MergedState;
import io.crosstide.control.role.RegionInfo;
import io.crosstide.control.role.RoleHandle;
import io.crosstide.control.role.WanControl;
import io.crosstide.control.stats.ProcessCpu;
import io.crosstide.control.stats.StatsService;
import io.crosstide.control.verify.VerifyService;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Everything the API of one process shows and does.
 *
 * @param mode {@code sandbox} or {@code run}
 * @param ready whether clients can write: every role has worked once
 * @param wan null outside sandboxes
 * @param merged a region's merged state if this process has it
 * @param metrics the Prometheus text
 */
public record ControlNode(
    String mode,
    int partitions,
    List<RegionInfo> regions,
    Supplier<List<RoleHandle>> roles,
    Supplier<Boolean> ready,
    @Nullable WanControl wan,
    StatsService stats,
    ExplainService explain,
    VerifyService verify,
    Function<String, @Nullable MergedState> merged,
    ProcessCpu cpu,
    Supplier<String> metrics) {

  public ControlNode {
    regions = List.copyOf(regions);
  }
}
