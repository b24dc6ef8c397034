package io.crosstide.streams.owner;

import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.EventCodec;
import io.crosstide.schemas.ChangeEventCodec;
import java.nio.ByteBuffer;

/** Events that wait in rows: the length of the record's key, the key, and the record's value. */
public final class RowEventCodec implements EventCodec {
  private static final int NO_KEY = -1;

  private final ChangeEventCodec codec;

  public RowEventCodec(ChangeEventCodec codec) {
    this.codec = codec;
  }

  @Override
  public byte[] encode(ChangeEvent event) {
    RedisKey key = event.key();
    byte[] value = codec.encode(event);
    int keyBytes = key == null ? 0 : key.name().length();
    ByteBuffer row = ByteBuffer.allocate(Integer.BYTES + keyBytes + value.length);
    if (key == null) {
      row.putInt(NO_KEY);
    } else {
      row.putInt(keyBytes).put(key.name().array());
    }
    return row.put(value).array();
  }

  @Override
  public ChangeEvent decode(byte[] bytes) {
    ByteBuffer row = ByteBuffer.wrap(bytes);
    int keyBytes = row.getInt();
    byte[] key = null;
    if (keyBytes != NO_KEY) {
      key = new byte[keyBytes];
      row.get(key);
    }
    byte[] value = new byte[row.remaining()];
    row.get(value);
    return codec.decode(key, value);
  }
}
