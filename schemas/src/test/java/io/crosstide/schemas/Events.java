package io.crosstide.schemas;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.HybridTimestamp;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState.Missed;
import io.crosstide.protocol.RedisKey;
import java.util.Map;

/** Literal events for tests that name bytes. */
final class Events {
  static final String REPL_ID = "8371445ee67e06c9eb0ed5c40f9ea2a9fbb7ff82";
  static final RedisKey KEY = RedisKey.of(2, "user:7");

  private Events() {}

  static ChangeEvent of(Change change) {
    boolean control = change instanceof Change.Control;
    Map<String, Missed> exceptions =
        change instanceof Change.KeyDelete
            ? Map.of(
                new Element(KEY, ElementKind.HASH_FIELD, Bytes.utf8("f")).digest(),
                new Missed(new Fx(3, 90), VersionVector.of(Origin.of(2), 4)))
            : Map.of();
    return new ChangeEvent(
        Origin.of(1),
        300,
        control ? 300 : 299,
        5,
        HybridTimestamp.of(1_790_000_000_000L, 1),
        VersionVector.of(Origin.of(2), 70_000).with(new Origin(3, 1, 2), 9),
        exceptions,
        new Fx(3, 91),
        control ? null : KEY,
        change,
        new ChangeEvent.StreamPosition(REPL_ID, 123_456, 1),
        control ? null : new ChangeEvent.TransactionPart(123_456, 1, 3));
  }
}
