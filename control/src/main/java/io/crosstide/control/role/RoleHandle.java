package io.crosstide.control.role;

import java.util.List;
import java.util.Map;

/**
 * One running role of one region: capture, the bridges out of it, or streams. Methods are called
 * from HTTP threads at any time, also while the role starts, fails or closes, and must not block.
 */
public interface RoleHandle extends AutoCloseable {

  /** The region it serves. */
  String region();

  /** {@code capture}, {@code bridge} or {@code streams}. */
  String name();

  RoleStatus status();

  /**
   * Its counters since it started, under the names of {@code docs/reference/http-api.md}. Roles of
   * one region use different names: their maps are joined.
   */
  Map<String, Object> stats();

  /** For bridges: what each of them has sent. */
  default List<PairStats> pairs() {
    return List.of();
  }

  /** Stops it cleanly; returns when nothing of it runs any more. */
  @Override
  void close();
}
