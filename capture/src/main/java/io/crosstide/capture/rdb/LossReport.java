package io.crosstide.capture.rdb;

import io.crosstide.capture.command.StreamInterpreter;
import io.crosstide.capture.shadow.Shadow;
import io.crosstide.crdt.ByteReader;
import io.crosstide.crdt.ByteWriter;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.RedisKey;

/**
 * The elements that Redis has lost and that the owners have not been told yet (P8), in rows of the
 * shadow: they are found in the same units in which the shadow follows the snapshot, and told when
 * it stands there, so that a process that dies while telling goes on, and knows what clients write
 * meanwhile from what was lost.
 */
public final class LossReport {
  private static final String FIRST = "lost.first";
  private static final String NEXT = "lost.next";

  private final Shadow shadow;
  private long first;
  private long next;

  /** What the shadow holds of it. */
  public LossReport(Shadow shadow) {
    this.shadow = shadow;
    first = number(FIRST);
    next = number(NEXT);
  }

  private long number(String name) {
    byte[] row = shadow.meta(name);
    return row == null ? 0 : new ByteReader(row).varint();
  }

  private void number(String name, long value) {
    shadow.meta(name, new ByteWriter(10).varint(value).toByteArray());
  }

  private static String row(long number) {
    return "lost." + number;
  }

  /** How many are to be told. */
  long size() {
    return next - first;
  }

  void add(Element element) {
    shadow.meta(
        row(next),
        new ByteWriter(32)
            .varint(element.key().db())
            .bytes(element.key().name())
            .u8(element.kind().tag())
            .raw(element.name().array())
            .toByteArray());
    next++;
  }

  /** Writes how many there are; before the unit in which they were added is sealed. */
  void write() {
    number(NEXT, next);
  }

  /** Tells all that are left, at the place where the shadow stands. */
  public void publish(StreamInterpreter interpreter) {
    int inUnit = 0;
    int index = 0;
    while (first < next) {
      byte[] row = shadow.meta(row(first));
      if (row != null) {
        interpreter.elementLost(decode(row), interpreter.unitOffset(), index++);
        shadow.dropMeta(row(first));
      }
      first++;
      if (++inUnit == Units.CHANGES_MAX || first == next) {
        number(FIRST, first);
        interpreter.sealUnit(interpreter.unitOffset());
        inUnit = 0;
      }
    }
  }

  private static Element decode(byte[] row) {
    ByteReader in = new ByteReader(row);
    RedisKey key = new RedisKey(Math.toIntExact(in.varint()), in.bytes());
    return new Element(key, ElementKind.ofTag((char) in.u8()), in.rest());
  }
}
