package io.crosstide.simulation;

import io.crosstide.capture.rdb.SentChain;
import io.crosstide.capture.rdb.SentEffects;
import io.crosstide.capture.rdb.UnknownEffectsException;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.SentBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The topic of remembered batches; production's search in it, without Kafka. */
final class SimSentEffects implements SentEffects {
  private record Remembered(Bytes batch, long millis) {}

  private final List<Remembered> records = new ArrayList<>();
  private final LongSupplier millis;
  private final Plant plant;

  SimSentEffects(LongSupplier millis, Plant plant) {
    this.millis = millis;
    this.plant = plant;
  }

  /** An owner is about to send {@code batch} to Redis. */
  void remember(EffectBatch batch) {
    records.add(new Remembered(Bytes.wrap(SentBatch.of(batch).encode()), millis.getAsLong()));
  }

  @Override
  public Applied applied(int partition, Fx after, Fx through) throws UnknownEffectsException {
    if (plant == Plant.REPUBLISHES_EFFECTS) {
      return () -> new Reader(new SentChain.Picker(List.of()), 0);
    }
    SentChain chain = new SentChain();
    for (int i = 0; i < records.size(); i++) {
      chain.add(SentBatch.decodeHead(records.get(i).batch().array()), i);
    }
    List<SentChain.Segment> segments = chain.between(after, through);
    long from = segments.stream().mapToLong(SentChain.Segment::offset).min().orElse(0);
    SentChain.Picker picker = new SentChain.Picker(segments);
    for (int i = (int) from; i < records.size() && !picker.done(); i++) {
      picker.takes(SentBatch.decodeHead(records.get(i).batch().array()));
    }
    if (!picker.done()) {
      throw new UnknownEffectsException("the remembered batches are out of order");
    }
    return () -> new Reader(new SentChain.Picker(segments), (int) from);
  }

  private final class Reader implements Batches {
    private final SentChain.Picker picker;
    private int next;
    private @Nullable Sent again;

    Reader(SentChain.Picker picker, int from) {
      this.picker = picker;
      this.next = from;
    }

    @Override
    public @Nullable Sent next() {
      Sent twice = again;
      if (twice != null) {
        again = null;
        return twice;
      }
      while (!picker.done()) {
        Remembered record = records.get(next++);
        if (picker.takes(SentBatch.decodeHead(record.batch().array()))) {
          Sent sent = new Sent(SentBatch.decode(record.batch().array()), record.millis());
          again = plant == Plant.FOLDS_TWICE ? sent : null;
          return sent;
        }
      }
      return null;
    }

    @Override
    public void close() {}
  }
}
