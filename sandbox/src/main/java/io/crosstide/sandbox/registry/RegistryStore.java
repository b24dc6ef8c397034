package io.crosstide.sandbox.registry;

import java.util.List;
import java.util.function.Function;

/**
 * The registry's state and its log. Readers take the present state without waiting; writers run one
 * at a time: decide by the state, append, and only then show the change.
 *
 * <p>After an append of which it is not known whether it happened, the log is opened and read again
 * before the next write, so that an id is never given twice.
 */
final class RegistryStore {

  /**
   * What a write decided.
   *
   * @param result for the caller, once the entries are in the log
   */
  record Decision<T>(List<RegistryRecords.Entry> entries, T result) {
    static <T> Decision<T> unchanged(T result) {
      return new Decision<>(List.of(), result);
    }
  }

  private final RegistryLog log;
  private volatile RegistryState state = RegistryState.EMPTY;
  private boolean doubtful = true;

  RegistryStore(RegistryLog log) {
    this.log = log;
  }

  /** Reads the log; done by the first write otherwise. */
  synchronized void open() {
    state = log.open();
    doubtful = false;
  }

  RegistryState state() {
    return state;
  }

  synchronized <T> T write(Function<RegistryState, Decision<T>> decide) {
    if (doubtful) {
      open();
    }
    Decision<T> decision = decide.apply(state);
    if (!decision.entries().isEmpty()) {
      doubtful = true;
      log.append(decision.entries());
      RegistryState next = state;
      for (RegistryRecords.Entry entry : decision.entries()) {
        next = RegistryRecords.apply(next, entry.key(), entry.value());
      }
      state = next;
      doubtful = false;
    }
    return decision.result();
  }
}
