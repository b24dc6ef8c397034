package io.crosstide.sandbox.registry;

import java.util.List;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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

  private static final Logger log = LoggerFactory.getLogger(RegistryStore.class);

  private final RegistryLog records;
  private volatile RegistryState state = RegistryState.EMPTY;
  private boolean doubtful = true;

  RegistryStore(RegistryLog records) {
    this.records = records;
  }

  /** Reads the log; done by the first write otherwise. */
  synchronized void open() {
    state = records.open();
    doubtful = false;
  }

  RegistryState state() {
    return state;
  }

  /**
   * Decides, appends and shows the change. If the append failed, as after another registry took the
   * log over, all is done once more on what the log then says.
   *
   * @param decide may run twice
   * @throws RegistryError from {@code decide}, or if the log cannot be written
   */
  synchronized <T> T write(Function<RegistryState, Decision<T>> decide) {
    if (doubtful) {
      open();
    }
    Decision<T> decision = decide.apply(state);
    try {
      append(decision.entries());
    } catch (RegistryError e) {
      log.info("Reading the schemas again: {}", e.getMessage());
      open();
      decision = decide.apply(state);
      append(decision.entries());
    }
    return decision.result();
  }

  private void append(List<RegistryRecords.Entry> entries) {
    if (entries.isEmpty()) {
      return;
    }
    doubtful = true;
    records.append(entries);
    RegistryState next = state;
    for (RegistryRecords.Entry entry : entries) {
      next = RegistryRecords.apply(next, entry.key(), entry.value());
    }
    state = next;
    doubtful = false;
  }
}
