package io.crosstide.apply;

import io.crosstide.apply.lua.BatchEncoder;
import io.crosstide.apply.lua.LuaScript;
import io.crosstide.apply.lua.MarkerEncoder;
import io.crosstide.apply.lua.ReplyDecoder;
import io.crosstide.apply.lua.ScriptCall;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.MarkerState;
import io.lettuce.core.ScriptOutputType;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Runs the scripts directly and waits for their answers. */
final class ScriptRunner {
  private final TestRedis redis;

  ScriptRunner(TestRedis redis) {
    this.redis = redis;
  }

  BatchReply apply(EffectBatch batch) {
    return ReplyDecoder.decode(batch, run(LuaScript.EFFECT_BATCH, BatchEncoder.encode(batch)));
  }

  /** The marker that is there. */
  MarkerState held(int partition) {
    MarkerState marker = takeOver(partition, 0);
    if (marker == null) {
      throw new AssertionError("there is no marker of partition " + partition);
    }
    return marker;
  }

  @Nullable MarkerState takeOver(int partition, int epoch) {
    return marker(MarkerEncoder.takeOver(partition, epoch));
  }

  @Nullable MarkerState install(int partition, MarkerState marker) {
    return marker(MarkerEncoder.install(partition, marker));
  }

  private @Nullable MarkerState marker(ScriptCall call) {
    List<byte[]> fields = new ArrayList<>();
    for (Object part : run(LuaScript.MARKER, call)) {
      fields.add((byte[]) part);
    }
    return MarkerEncoder.decode(fields);
  }

  private List<Object> run(LuaScript script, ScriptCall call) {
    byte[][] keys = call.keys().toArray(new byte[0][]);
    byte[][] arguments = call.arguments().toArray(new byte[0][]);
    return redis.commands().eval(script.text(), ScriptOutputType.MULTI, keys, arguments);
  }
}
