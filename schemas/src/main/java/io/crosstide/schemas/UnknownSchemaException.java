package io.crosstide.schemas;

/** A value whose schema id no registry knows: not an event, or written against another registry. */
public final class UnknownSchemaException extends MalformedEventException {
  private static final long serialVersionUID = 1L;

  private final int schemaId;

  UnknownSchemaException(int schemaId) {
    super(
        "value",
        1,
        "the registry has no schema with id "
            + schemaId
            + "; check that all regions use one registry or followers of it");
    this.schemaId = schemaId;
  }

  public int schemaId() {
    return schemaId;
  }
}
