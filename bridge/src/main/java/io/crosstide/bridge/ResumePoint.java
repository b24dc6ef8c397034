package io.crosstide.bridge;

import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * Where copying of one partition goes on, and what of it the target is known to hold.
 *
 * <p>Stored as the committed offset of the bridge's group at the source, with the target's side in
 * its metadata. Thereby a target that lost its log (recreated topic, rebuilt region) is noticed:
 * the stored position would otherwise skip what it no longer has.
 *
 * @param position offset at the source below which everything was acknowledged
 * @param targetTopic id of the topic at the target; null when unknown
 * @param targetOffset highest offset the target acknowledged; -1 for none
 */
record ResumePoint(long position, @Nullable Uuid targetTopic, long targetOffset) {
  private static final String FORMAT = "1";

  OffsetAndMetadata toCommit() {
    String metadata = targetTopic == null ? "" : FORMAT + ":" + targetTopic + ":" + targetOffset;
    return new OffsetAndMetadata(position, metadata);
  }

  static ResumePoint ofCommit(OffsetAndMetadata committed) {
    String[] parts = committed.metadata().split(":", -1);
    if (parts.length == 3 && parts[0].equals(FORMAT)) {
      try {
        return new ResumePoint(
            committed.offset(), Uuid.fromString(parts[1]), Long.parseLong(parts[2]));
      } catch (IllegalArgumentException foreign) {
        // Committed by a tool or another version: the offset itself still counts.
        return new ResumePoint(committed.offset(), null, -1);
      }
    }
    return new ResumePoint(committed.offset(), null, -1);
  }

  /**
   * Whether the target's partition, which is {@code topic} and ends at {@code end}, still holds
   * what it acknowledged.
   */
  boolean isHeldBy(Uuid topic, long end) {
    return targetTopic == null || (targetTopic.equals(topic) && end > targetOffset);
  }
}
