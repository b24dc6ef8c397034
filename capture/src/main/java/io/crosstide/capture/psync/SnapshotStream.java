package io.crosstide.capture.psync;

import com.moilioncircle.redis.replicator.io.RedisInputStream;
import com.moilioncircle.redis.replicator.rdb.BaseRdbParser;
import com.moilioncircle.redis.replicator.rdb.datatype.KeyValuePair;
import io.crosstide.capture.shadow.ShadowStream;
import io.crosstide.capture.shadow.ShadowStream.Group;
import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.StreamElements;
import io.crosstide.protocol.StreamId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * A stream in a snapshot, read node by node (each some thousand bytes) when it is asked for. It has
 * to be read, once: the snapshot goes on behind it.
 */
public final class SnapshotStream extends KeyValuePair<byte[], SnapshotStream> {
  private static final long serialVersionUID = 1L;
  private static final int DELETED = 1;
  private static final int SAME_FIELDS = 2;

  private final transient RedisInputStream in;
  private final transient BaseRdbParser parser;

  /** 1 to 3: what {@code RDB_TYPE_STREAM_LISTPACKS} names. */
  private final int version;

  SnapshotStream(RedisInputStream in, int version) {
    this.in = in;
    this.parser = new BaseRdbParser(in);
    this.version = version;
  }

  /** Reads it into {@code stream}, which is absent. */
  public void readInto(ShadowStream stream) throws IOException {
    stream.create();
    for (long nodes = length(); nodes > 0; nodes--) {
      node(stream);
    }
    length();
    StreamId last = id();
    stream.last(last);
    if (version >= 2) {
      id(); // first
      id(); // highest deleted
      length(); // ever added
    }
    for (long groups = length(); groups > 0; groups--) {
      group(stream);
    }
  }

  private void node(ShadowStream stream) throws IOException {
    RedisInputStream first = new RedisInputStream(parser.rdbLoadPlainStringObject());
    StreamId base = new StreamId(first.readLong(8, false), first.readLong(8, false));
    RedisInputStream pack = new RedisInputStream(parser.rdbLoadPlainStringObject());
    pack.skip(6); // bytes and elements in all
    long entries = number(pack) + number(pack); // present and deleted
    List<Bytes> fields = strings(pack, number(pack));
    string(pack);
    for (; entries > 0; entries--) {
      long flags = number(pack);
      StreamId id = new StreamId(base.millis() + number(pack), base.sequence() + number(pack));
      List<Bytes> all = new ArrayList<>();
      if ((flags & SAME_FIELDS) != 0) {
        for (Bytes field : fields) {
          all.add(field);
          all.add(string(pack));
        }
      } else {
        all = strings(pack, 2 * number(pack));
      }
      number(pack); // how to walk back
      if ((flags & DELETED) == 0) {
        stream.add(id, StreamElements.entryValue(all));
      }
    }
  }

  private void group(ShadowStream stream) throws IOException {
    Bytes name = text();
    StreamId delivered = id();
    stream.group(name, new Group(delivered, delivered));
    if (version >= 2) {
      length(); // entries read
    }
    for (long pending = length(); pending > 0; pending--) {
      rawId();
      parser.rdbLoadMillisecondTime();
      length();
    }
    for (long consumers = length(); consumers > 0; consumers--) {
      Bytes consumer = text();
      parser.rdbLoadMillisecondTime();
      if (version >= 3) {
        parser.rdbLoadMillisecondTime();
      }
      for (long pending = length(); pending > 0; pending--) {
        stream.pend(name, rawId(), consumer);
      }
    }
  }

  private long length() throws IOException {
    return parser.rdbLoadLen().len;
  }

  private StreamId id() throws IOException {
    return new StreamId(length(), length());
  }

  private StreamId rawId() throws IOException {
    return new StreamId(in.readLong(8, false), in.readLong(8, false));
  }

  private Bytes text() throws IOException {
    return Bytes.wrap(parser.rdbLoadPlainStringObject().first());
  }

  private static List<Bytes> strings(RedisInputStream pack, long count) throws IOException {
    List<Bytes> all = new ArrayList<>();
    for (long n = count; n > 0; n--) {
      all.add(string(pack));
    }
    return all;
  }

  private static Bytes string(RedisInputStream pack) throws IOException {
    return Bytes.wrap(BaseRdbParser.StringHelper.listPackEntry(pack));
  }

  private static long number(RedisInputStream pack) throws IOException {
    return Long.parseLong(string(pack).text());
  }
}
