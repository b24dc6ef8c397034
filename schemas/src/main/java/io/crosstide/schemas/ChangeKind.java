package io.crosstide.schemas;

import io.crosstide.protocol.Change;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The codes of {@code ChangeEvent.kind} in the Avro schema. Codes are never given a second meaning;
 * the schema's documentation lists the reserved ranges. All fit one byte of Avro.
 */
public enum ChangeKind {
  STRING_SET(1, Change.StringSet.class),
  STRING_ADD(2, Change.StringAdd.class),
  HASH_PUT(3, Change.HashPut.class),
  HASH_ADD(4, Change.HashAdd.class),
  HASH_REMOVE(5, Change.HashRemove.class),
  SET_ADD(6, Change.SetAdd.class),
  SET_REMOVE(7, Change.SetRemove.class),
  ZSET_PUT(8, Change.ZsetPut.class),
  ZSET_ADD(9, Change.ZsetAdd.class),
  ZSET_REMOVE(10, Change.ZsetRemove.class),
  KEY_DELETE(11, Change.KeyDelete.class),
  KEY_EXPIRE(12, Change.KeyExpire.class),
  DEADLINE_SET(13, Change.DeadlineSet.class),
  DEADLINE_PERSIST(14, Change.DeadlinePersist.class),
  DEADLINE_REMOVE(15, Change.DeadlineRemove.class),
  LIST_PUT(20, Change.ListPut.class),
  LIST_REMOVE(21, Change.ListRemove.class),
  STREAM_PUT(30, Change.StreamPut.class),
  STREAM_REMOVE(31, Change.StreamRemove.class),
  PUBLISH(55, Change.Publish.class),
  BEAT(-1, Change.Beat.class),
  MARKER_LOST(-2, Change.MarkerLost.class),
  ELEMENT_LOST(-3, Change.ElementLost.class),
  LIST_HOLDS(-8, Change.ListHolds.class);

  /** Kinds below this may be ignored by readers that do not know them. */
  static final int CODE_MIN_BINDING = -63;

  private static final int CODE_SPAN = 64;
  private static final @Nullable ChangeKind[] BY_CODE = new @Nullable ChangeKind[2 * CODE_SPAN];
  private static final Map<Class<?>, ChangeKind> BY_CLASS = new HashMap<>();

  static {
    for (ChangeKind kind : values()) {
      BY_CODE[kind.code + CODE_SPAN] = kind;
      BY_CLASS.put(kind.changeClass, kind);
    }
  }

  private final int code;
  private final Class<? extends Change> changeClass;

  ChangeKind(int code, Class<? extends Change> changeClass) {
    this.code = code;
    this.changeClass = changeClass;
  }

  /** The number in events and headers: positive for writes, negative for control events. */
  public int code() {
    return code;
  }

  /** The {@link Change} that events of this kind carry. */
  public Class<? extends Change> changeClass() {
    return changeClass;
  }

  public boolean isControl() {
    return code < 0;
  }

  /** The kind with this code, or null if this version has none. */
  public static @Nullable ChangeKind ofCode(int code) {
    return code >= -CODE_SPAN && code < CODE_SPAN ? BY_CODE[code + CODE_SPAN] : null;
  }

  public static ChangeKind of(Change change) {
    ChangeKind kind = BY_CLASS.get(change.getClass());
    if (kind == null) {
      throw new IllegalArgumentException(
          change.getClass().getName() + " has no kind: add it to ChangeKind and the schema");
    }
    return kind;
  }
}
