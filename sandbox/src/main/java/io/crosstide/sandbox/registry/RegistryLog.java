package io.crosstide.sandbox.registry;

import java.util.List;

/** Where the registry's records are kept in order. One writer. */
interface RegistryLog extends AutoCloseable {
  /**
   * Takes the log over from any earlier writer, which can then write no more, and reads it.
   *
   * @return what the log says, from its beginning to its end
   * @throws RegistryError if Kafka cannot be reached
   */
  RegistryState open();

  /**
   * Appends all records or none.
   *
   * @throws RegistryError if that is not certain; {@link #open} then tells what happened
   */
  void append(List<RegistryRecords.Entry> entries);

  @Override
  void close();
}
