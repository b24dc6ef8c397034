package io.crosstide.sandbox.registry;

import java.util.List;

/**
 * One version of a subject.
 *
 * @param version from 1 within the subject, never reused
 * @param id the same for equal texts in all subjects
 * @param text the schema in the form in which two schemas are compared, documentation included
 * @param references schemas of other subjects that the text names
 * @param deleted soft-deleted: its id still resolves, the subject no longer lists it
 */
record StoredSchema(
    String subject, int version, int id, String text, List<Reference> references, boolean deleted) {

  /**
   * @param name the full name by which the text refers to it
   */
  record Reference(String name, String subject, int version) {}

  StoredSchema {
    references = List.copyOf(references);
  }

  StoredSchema withDeleted(boolean newDeleted) {
    return new StoredSchema(subject, version, id, text, references, newDeleted);
  }

  boolean hasText(String otherText, List<Reference> otherReferences) {
    return text.equals(otherText) && references.equals(otherReferences);
  }
}
