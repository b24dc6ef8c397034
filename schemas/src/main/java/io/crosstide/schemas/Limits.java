package io.crosstide.schemas;

/**
 * Sizes that every stage agrees on: what capture publishes, brokers accept and consumers fetch.
 *
 * <p>Redis itself takes values of up to 512 MB. One Kafka record holds one change, and brokers and
 * clients hold whole records in memory, several times over; so one change may have up to {@link
 * #EVENT_BYTES_MAX}, and capture refuses a larger one with a counted error instead of failing
 * somewhere downstream.
 */
public final class Limits {
  private static final int MIB = 1 << 20;

  /**
   * Largest change event that is replicated: key, element name, value and all that goes with them,
   * as encoded. Bytes.
   */
  public static final int EVENT_BYTES_MAX = 64 * MIB;

  /**
   * Largest record batch, with Kafka's own overhead, headers and a margin. The value of {@code
   * message.max.bytes} of brokers, {@code max.message.bytes} of topics, {@code max.request.size} of
   * producers, {@code fetch.max.bytes} and {@code max.partition.fetch.bytes} of consumers that must
   * not lag behind one large record. Bytes.
   */
  public static final int RECORD_BYTES_MAX = EVENT_BYTES_MAX + MIB;

  /**
   * {@code socket.request.max.bytes} of brokers: a produce request with one largest record. Bytes.
   */
  public static final int REQUEST_BYTES_MAX = RECORD_BYTES_MAX + MIB;

  /**
   * {@code send.buffer.bytes} and {@code receive.buffer.bytes} of all clients and of brokers: as
   * the operating system sees fit, which lets them grow. For each part of a request that fits into
   * a socket's buffer, Java copies all of the request that is left: with Kafka's default of 128 kB
   * that is done 200 times for a record of 60 MB.
   */
  public static final int SOCKET_BUFFER_BYTES = -1;

  private Limits() {}
}
