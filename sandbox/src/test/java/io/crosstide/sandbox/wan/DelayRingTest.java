package io.crosstide.sandbox.wan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DelayRingTest {
  private static final int MILLI = 1_000_000;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void passesBytesUnchangedAndNoneBeforeItsTimeWhateverTheSizes(long seed) throws IOException {
    Random random = new Random(seed);
    byte[] input = new byte[3_000_000];
    random.nextBytes(input);
    ReadableByteChannel source = Channels.newChannel(new ByteArrayInputStream(input));
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    Sink sink = new Sink(output);
    long[] dueOfByte = new long[input.length];
    DelayRing ring = new DelayRing();
    long now = 0;
    int read = 0;
    while (output.size() < input.length) {
      now += random.nextInt(3 * MILLI);
      int n = ring.readFrom(source, 1 + random.nextInt(200_000));
      if (n > 0) {
        long due = now + random.nextInt(40) * (long) MILLI;
        ring.mark(due);
        java.util.Arrays.fill(dueOfByte, read, read + n, due);
        read += n;
      }
      sink.acceptAtMost = random.nextInt(3) == 0 ? random.nextInt(5_000) : Integer.MAX_VALUE;
      int before = output.size();
      int written = ring.writeDue(sink, now);
      assertThat(output.size() - before).isEqualTo(written);
      for (int i = before; i < output.size(); i++) {
        if (dueOfByte[i] > now + DelayRing.MARK_NANOS) {
          throw new AssertionError("byte " + i + " left at " + now + ", due at " + dueOfByte[i]);
        }
      }
    }
    assertThat(output.toByteArray()).isEqualTo(input);
    assertThat(ring.isEmpty()).isTrue();
  }

  @Test
  void takesNothingBeyondItsBound() throws IOException {
    DelayRing ring = new DelayRing();
    ReadableByteChannel endless = Channels.newChannel(new EndlessZeros());
    long total = 0;
    int n;
    while ((n = ring.readFrom(endless, 1 << 18)) > 0) {
      ring.mark(Long.MAX_VALUE / 2);
      total += n;
    }
    assertThat(total).isEqualTo(DelayRing.CAPACITY_MAX);
    assertThat(ring.isFull()).isTrue();
  }

  @Test
  void givesItsMemoryBackOnceEmpty() throws IOException {
    DelayRing ring = new DelayRing();
    ReadableByteChannel endless = Channels.newChannel(new EndlessZeros());
    while (ring.size() < 4 * DelayRing.CAPACITY_START) {
      ring.readFrom(endless, 1 << 16);
      ring.mark(5);
    }
    Sink sink = new Sink(new ByteArrayOutputStream());
    ring.writeDue(sink, 5);
    ring.shrink();
    assertThat(ring.capacity()).isEqualTo(DelayRing.CAPACITY_START);
  }

  private static final class Sink implements WritableByteChannel {
    private final ByteArrayOutputStream out;
    int acceptAtMost = Integer.MAX_VALUE;

    Sink(ByteArrayOutputStream out) {
      this.out = out;
    }

    @Override
    public int write(ByteBuffer from) {
      int n = Math.min(acceptAtMost, from.remaining());
      byte[] bytes = new byte[n];
      from.get(bytes);
      out.writeBytes(bytes);
      acceptAtMost -= n;
      return n;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }

  private static final class EndlessZeros extends java.io.InputStream {
    @Override
    public int read() {
      return 0;
    }

    @Override
    public int read(byte[] to, int offset, int length) {
      return length;
    }
  }
}
