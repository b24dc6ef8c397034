package io.crosstide.simulation;

import io.crosstide.crdt.ByteWriter;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.merge.EventCodec;
import java.util.ArrayList;
import java.util.List;

/** Bytes that are only a number: events stay where they are. The real codec has its own tests. */
final class SimCodec implements EventCodec {
  private final List<ChangeEvent> events = new ArrayList<>();

  @Override
  public byte[] encode(ChangeEvent event) {
    events.add(event);
    return new ByteWriter(4).fixed32(events.size() - 1).toByteArray();
  }

  @Override
  public ChangeEvent decode(byte[] bytes) {
    return events.get(new io.crosstide.crdt.ByteReader(bytes).fixed32());
  }
}
