package io.crosstide.schemas;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.apache.avro.Schema;

/** The Avro schema that this version writes: {@code change-event.avsc}. */
public final class ChangeEventSchema {
  private static final String RESOURCE = "change-event.avsc";

  /** The schema, documentation included. */
  public static final Schema SCHEMA = load();

  private ChangeEventSchema() {}

  private static Schema load() {
    try (InputStream in = ChangeEventSchema.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is missing from the schemas module's jar");
      }
      return new Schema.Parser().parse(in);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + RESOURCE, e);
    }
  }
}
