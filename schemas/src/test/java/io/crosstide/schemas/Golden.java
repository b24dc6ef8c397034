package io.crosstide.schemas;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.Origin;
import io.crosstide.crdt.VersionVector;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.Fx;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One change of every kind and the bytes that version 1 of the schema writes for it, committed in
 * {@code golden-v1.txt} as lines of {@code name hex}. Bytes once published are never changed.
 */
final class Golden {
  static final String RESOURCE = "golden-v1.txt";

  private Golden() {}

  static Map<String, Change> changes() {
    Map<String, Change> changes = new LinkedHashMap<>();
    changes.put("string-set", new Change.StringSet(utf8("Ada"), 0, false));
    changes.put(
        "string-set-deadline", new Change.StringSet(utf8("Ada"), 1_790_000_010_000L, false));
    changes.put("string-set-keepttl", new Change.StringSet(Bytes.EMPTY, 0, true));
    changes.put("string-add", new Change.StringAdd(BigDecimal.valueOf(-3), null));
    changes.put("string-add-float", new Change.StringAdd(new BigDecimal("1.25"), utf8("4.5")));
    changes.put("hash-put", new Change.HashPut(utf8("f"), Bytes.wrap(new byte[] {0, -1, 10})));
    changes.put("hash-add", new Change.HashAdd(utf8("f"), BigDecimal.valueOf(1L << 40), null));
    changes.put("hash-remove", new Change.HashRemove(utf8("f")));
    changes.put("set-add", new Change.SetAdd(utf8("m")));
    changes.put("set-remove", new Change.SetRemove(utf8("m")));
    changes.put("zset-put", new Change.ZsetPut(utf8("m"), -1.5));
    changes.put("zset-add", new Change.ZsetAdd(utf8("m"), 0.1, 0.30000000000000004));
    changes.put("zset-remove", new Change.ZsetRemove(utf8("m")));
    changes.put("key-delete", new Change.KeyDelete());
    changes.put("key-expire", new Change.KeyExpire(1_790_000_010_000L));
    changes.put("deadline-set", new Change.DeadlineSet(1_790_000_010_000L));
    changes.put("deadline-persist", new Change.DeadlinePersist());
    changes.put("deadline-remove", new Change.DeadlineRemove());
    changes.put("beat", new Change.Beat(VersionVector.of(Origin.of(2), 69_000)));
    changes.put("marker-lost", new Change.MarkerLost());
    changes.put("marker-lost-answer", new Change.MarkerLost("1f.3", new Fx(4, 17)));
    return changes;
  }

  static Map<String, String> bytes() throws IOException {
    Map<String, String> bytes = new LinkedHashMap<>();
    InputStream in = Golden.class.getResourceAsStream(RESOURCE);
    if (in == null) {
      throw new IOException(RESOURCE + " is missing");
    }
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] parts = line.split(" ");
        bytes.put(parts[0], parts[1]);
      }
    }
    return bytes;
  }

  private static Bytes utf8(String text) {
    return Bytes.utf8(text);
  }
}
