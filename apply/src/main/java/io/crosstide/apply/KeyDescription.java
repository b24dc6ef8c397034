package io.crosstide.apply;

import java.util.OptionalLong;

/**
 * What can be known of a key without reading its value.
 *
 * @param size bytes of a string, elements of a collection
 */
@SuppressWarnings("ArrayRecordComponent") // handed on as it came, never compared
record KeyDescription(byte[] name, String type, OptionalLong deadline, long size) {
  boolean exists() {
    return !type.equals("none");
  }
}
