package io.crosstide.protocol.merge;

import io.crosstide.protocol.ChangeEvent;

/** Turns events to bytes and back, key included, for records that wait in rows. */
public interface EventCodec {
  byte[] encode(ChangeEvent event);

  ChangeEvent decode(byte[] bytes);
}
