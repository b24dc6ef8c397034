package io.crosstide.schemas.registry;

import java.util.List;
import java.util.Optional;
import org.apache.avro.Schema;

/**
 * Where schemas have their ids: what writers and readers of the topics share. Ids and the schemas
 * they name never change, so whatever was answered once holds for ever.
 *
 * <p>Subjects are named as Confluent's {@code TopicNameStrategy} does: {@code <topic>-value}.
 * Events cross regions as raw bytes, so an id must mean the same schema in every region: one
 * registry, or followers that read a copy of its {@code _schemas} topic.
 *
 * <p>Implementations are safe for use by several threads.
 */
public interface SchemaRegistry {

  /**
   * The schema's id, registering it as the subject's next version if it is new there.
   *
   * @throws SchemaRegistryException if the registry refuses it, as not compatible with earlier
   *     versions for instance
   * @throws SchemaRegistryUnavailableException if no registry answered
   */
  int register(String subject, Schema schema);

  /** The schema's id if the subject has it, without registering it. */
  Optional<Integer> find(String subject, Schema schema);

  /**
   * The schema of an id, or nothing if the registry answered that it has none.
   *
   * @throws SchemaRegistryUnavailableException if no registry answered
   */
  Optional<Schema> byId(int id);

  /** The subject's version numbers, ascending; empty if there is no such subject. */
  List<Integer> versions(String subject);

  /** Whether the subject's compatibility level would let {@code schema} in as its next version. */
  boolean isCompatible(String subject, Schema schema);

  /** Sets the level that later versions of the subject are held to. */
  void compatibility(String subject, CompatibilityLevel level);
}
