package io.crosstide.sandbox.registry;

/** Whether a subject, or the whole registry, takes new schemas. */
enum RegistryMode {
  READWRITE,
  READONLY,
  /** Takes schemas under the ids and versions they had elsewhere. */
  IMPORT
}
