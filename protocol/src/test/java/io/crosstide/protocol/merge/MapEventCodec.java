package io.crosstide.protocol.merge;

import io.crosstide.crdt.ByteReader;
import io.crosstide.crdt.ByteWriter;
import io.crosstide.protocol.ChangeEvent;
import java.util.ArrayList;
import java.util.List;

/**
 * An {@link EventCodec} for tests: remembers every event and encodes its place in that memory. One
 * instance must outlive the rows that hold its bytes.
 */
public final class MapEventCodec implements EventCodec {
  private final List<ChangeEvent> events = new ArrayList<>();

  @Override
  public byte[] encode(ChangeEvent event) {
    events.add(event);
    return new ByteWriter().fixed32(events.size() - 1).toByteArray();
  }

  @Override
  public ChangeEvent decode(byte[] bytes) {
    return events.get(new ByteReader(bytes).fixed32());
  }
}
