package io.crosstide.control.verify;

import io.crosstide.control.redis.KeyImage;
import io.crosstide.control.role.MergedState;
import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.StreamElements;
import java.io.IOException;

/** Images of a merged state in this process. */
public final class LocalMergedImages implements MergedImages {
  private final MergedState merged;

  public LocalMergedImages(MergedState merged) {
    this.merged = merged;
  }

  @Override
  public VersionVector position(int partition) throws IOException {
    return merged.position(partition);
  }

  @Override
  public void images(int partition, Consumer consumer) throws IOException {
    merged.visit(partition, new Summing(consumer));
  }

  @Override
  public KeyImage image(RedisKey key) throws IOException {
    KeyImage[] found = {KeyImage.ABSENT};
    merged.visit(key, new Summing((visited, image) -> found[0] = image));
    return found[0];
  }

  /** Turns visited keys into images. */
  private static final class Summing implements MergedState.Visitor {
    private static final String LIST = "list";

    private final KeyImage.Builder builder = new KeyImage.Builder();
    private final Consumer consumer;
    private RedisKey key = RedisKey.of(0, "");
    private String type = "none";
    private long deadlineMillis;

    Summing(Consumer consumer) {
      this.consumer = consumer;
    }

    @Override
    public void key(RedisKey visited, String visitedType, long visitedDeadlineMillis) {
      key = visited;
      type = visitedType;
      deadlineMillis = visitedDeadlineMillis;
      builder.reset();
    }

    @Override
    public void element(Bytes name, Content content) {
      if (type.equals(LIST)) {
        builder.addNext(content); // they come in the list's order
      } else if (!type.equals("stream") || StreamElements.isEntry(name)) {
        builder.add(name, content);
      } else if (StreamElements.isGroup(name)) {
        builder.add(name, Content.PRESENT); // how far it is, Redis says otherwise
      }
    }

    @Override
    public void end() {
      consumer.accept(key, builder.image(type, deadlineMillis));
    }
  }
}
