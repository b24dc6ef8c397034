package io.crosstide.schemas;

import org.apache.avro.Schema;

/**
 * Walks over a value by its writer's schema and checks every length on the way. Avro's own decoder
 * allocates what a damaged length says before it notices; after this walk it cannot.
 */
final class AvroWalk {
  private AvroWalk() {}

  /** Moves {@code in} past one value of {@code schema}. */
  static void skip(AvroInput in, Schema schema) {
    switch (schema.getType()) {
      case RECORD -> {
        for (Schema.Field field : schema.getFields()) {
          skip(in.field(field.name()), field.schema());
        }
      }
      case UNION -> skip(in, schema.getTypes().get(in.readBranch(schema.getTypes().size())));
      case ARRAY -> skipBlocks(in, schema.getElementType(), false);
      case MAP -> skipBlocks(in, schema.getValueType(), true);
      case BYTES, STRING -> in.skipBytes();
      case FIXED -> in.skip(schema.getFixedSize());
      case INT, ENUM -> in.readInt();
      case LONG -> in.readLong();
      case DOUBLE -> in.skip(Double.BYTES);
      case FLOAT -> in.skip(Float.BYTES);
      case BOOLEAN -> in.readBoolean();
      case NULL -> {}
    }
  }

  private static void skipBlocks(AvroInput in, Schema items, boolean keyed) {
    for (long block = in.readBlock(); block > 0; block = in.readBlock()) {
      for (long i = 0; i < block; i++) {
        if (keyed) {
          in.skipBytes();
        }
        skip(in, items);
      }
    }
  }
}
