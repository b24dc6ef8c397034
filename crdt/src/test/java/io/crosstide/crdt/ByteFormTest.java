package io.crosstide.crdt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** {@link ByteWriter} and {@link ByteReader} together. */
class ByteFormTest {
  private static final long[] NUMBERS = {
    0, 1, -1, 127, 128, 16_383, 16_384, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 53, -(1L << 53)
  };

  @Test
  void everyNumberReadsBackAsItWas() {
    for (long number : NUMBERS) {
      ByteReader in =
          new ByteReader(
              new ByteWriter(0)
                  .varint(number)
                  .signed(number)
                  .fixed64(number)
                  .fixed32((int) number)
                  .u8((int) number)
                  .toByteArray());
      assertThat(in.varint()).isEqualTo(number);
      assertThat(in.signed()).isEqualTo(number);
      assertThat(in.fixed64()).isEqualTo(number);
      assertThat(in.fixed32()).isEqualTo((int) number);
      assertThat(in.u8()).isEqualTo((int) number & 0xff);
      assertThat(in.atEnd()).isTrue();
    }
  }

  @Test
  void smallNumbersAreShort() {
    assertThat(new ByteWriter().varint(127).toByteArray()).hasSize(1);
    assertThat(new ByteWriter().varint(128).toByteArray()).hasSize(2);
    assertThat(new ByteWriter().signed(-64).toByteArray()).hasSize(1);
    assertThat(new ByteWriter().varint(-1).toByteArray()).hasSize(10);
  }

  @Test
  void everythingElseReadsBackAsItWas() {
    Origin origin = new Origin(3, 2, 1);
    VersionVector vector = VersionVector.of(origin, 7).with(Origin.of(1), 1);
    BigDecimal decimal = new BigDecimal(new BigInteger("-123456789012345678901234567890"), 12);
    byte[] form =
        new ByteWriter(1)
            .vector(vector)
            .vector(VersionVector.EMPTY)
            .dot(new Dot(origin, 9))
            .decimal(decimal)
            .decimal(new BigDecimal("1E+5"))
            .text("Grüße")
            .bytes(Bytes.EMPTY)
            .raw(new byte[] {1, 2, 3})
            .toByteArray();
    ByteReader in = new ByteReader(form);
    assertThat(in.vector()).isEqualTo(vector);
    assertThat(in.vector()).isEqualTo(VersionVector.EMPTY);
    assertThat(in.dot()).isEqualTo(new Dot(origin, 9));
    assertThat(in.decimal()).isEqualTo(decimal);
    assertThat(in.decimal()).isEqualTo(new BigDecimal("1E+5"));
    assertThat(in.text()).isEqualTo("Grüße");
    assertThat(in.bytes()).isEqualTo(Bytes.EMPTY);
    assertThat(in.rest()).isEqualTo(Bytes.wrap(new byte[] {1, 2, 3}));
  }

  @Test
  void decimalsOfEverySizeReadBackAsTheyWere() {
    for (int bits = 0; bits < 200; bits++) {
      for (BigInteger near :
          new BigInteger[] {
            BigInteger.ONE.shiftLeft(bits),
            BigInteger.ONE.shiftLeft(bits).subtract(BigInteger.ONE),
            BigInteger.ONE.shiftLeft(bits).negate(),
            BigInteger.ONE.shiftLeft(bits).negate().subtract(BigInteger.ONE)
          }) {
        BigDecimal decimal = new BigDecimal(near, bits - 100);
        byte[] form = new ByteWriter().decimal(decimal).toByteArray();
        assertThat(new ByteReader(form).decimal()).isEqualTo(decimal);
        assertThatIllegalArgumentException()
            .isThrownBy(() -> new ByteReader(Arrays.copyOf(form, form.length - 1)).decimal());
      }
    }
  }

  @Test
  void fixedNumbersSortAsUnsigned() {
    byte[] low = new ByteWriter().fixed64(Long.MAX_VALUE).toByteArray();
    byte[] high = new ByteWriter().fixed64(Long.MIN_VALUE).toByteArray();
    assertThat(Arrays.compareUnsigned(low, high)).isNegative();
  }

  @Test
  void aFormCutAnywhereIsRefusedAndNeverReadAsSomethingShorter() {
    Cell cell =
        Cell.EMPTY
            .write(
                new Dot(Origin.of(1), 1),
                HybridTimestamp.of(5, 1),
                Bytes.utf8("value"),
                VersionVector.EMPTY,
                IncrementLog.NONE)
            .increment(new Dot(Origin.of(2), 300), HybridTimestamp.of(6, 0), new BigDecimal("1.25"))
            .increment(new Dot(Origin.of(2), 301), HybridTimestamp.of(6, 1), new BigDecimal("-3"))
            .remove(VersionVector.of(Origin.of(3), 12), IncrementLog.NONE)
            .stored(Cell.EMPTY, new SpillRule(1, 1), new MapIncrementLog());
    assertThat(cell.spilled()).hasSize(1);
    ByteWriter out = new ByteWriter();
    cell.encode(out);
    byte[] form = out.toByteArray();
    for (int length = 0; length < form.length; length++) {
      byte[] cut = Arrays.copyOf(form, length);
      assertThatIllegalArgumentException()
          .as("cut to %d of %d bytes", length, form.length)
          .isThrownBy(() -> Cell.decode(new ByteReader(cut)));
    }
  }

  @Test
  void countsThatTheFormCannotHoldAreRefusedBeforeMemoryIsTaken() {
    byte[] form = new ByteWriter().varint(1L << 40).toByteArray();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ByteReader(form).bytes())
        .withMessageContaining("more than the state can hold");
    byte[] endless = new byte[11];
    Arrays.fill(endless, (byte) 0x80);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ByteReader(endless).varint())
        .withMessageContaining("more than 64 bits");
  }

  @Test
  void arbitraryBytesAreReadOrRefusedButNothingElse() {
    for (long seed = 0; seed < 20_000; seed++) {
      byte[] form = new byte[(int) (seed % 40)];
      new Random(seed).nextBytes(form);
      try {
        Cell.decode(new ByteReader(form));
      } catch (IllegalArgumentException | ArithmeticException refused) {
        assertThat(refused).as("seed %d", seed).hasMessageMatching("(?s).+");
      }
    }
  }
}
