package io.crosstide.apply;

import io.crosstide.apply.lua.BatchEncoder;
import io.crosstide.apply.lua.LuaScript;
import io.crosstide.apply.lua.MarkerEncoder;
import io.crosstide.apply.lua.ReplyDecoder;
import io.crosstide.apply.lua.ScriptCall;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.lettuce.core.ScriptOutputType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Runs the scripts directly and waits for their answers. */
final class ScriptRunner {
  private final TestRedis redis;
  private final byte[] effectBatch;

  ScriptRunner(TestRedis redis) {
    this.redis = redis;
    this.effectBatch = LuaScript.EFFECT_BATCH.text();
  }

  /** Runs the effect batch script with a change. */
  ScriptRunner(TestRedis redis, String part, String replacement) {
    String text = new String(LuaScript.EFFECT_BATCH.text(), StandardCharsets.UTF_8);
    if (!text.contains(part)) {
      throw new IllegalStateException("the script no longer says " + part);
    }
    this.redis = redis;
    this.effectBatch = text.replace(part, replacement).getBytes(StandardCharsets.UTF_8);
  }

  BatchReply apply(EffectBatch batch) {
    return ReplyDecoder.decode(batch, run(effectBatch, BatchEncoder.encode(batch)));
  }

  /** The marker that is there. */
  MarkerState held(int partition) {
    MarkerState marker = takeOver(partition, 0, "held");
    if (marker == null) {
      throw new AssertionError("there is no marker of partition " + partition);
    }
    return marker;
  }

  @Nullable MarkerState takeOver(int partition, int epoch, String token) {
    return takeOver(partition, epoch, Fx.NONE, token);
  }

  @Nullable MarkerState takeOver(int partition, int epoch, Fx least, String token) {
    return marker(MarkerEncoder.takeOver(partition, epoch, least, token));
  }

  @Nullable MarkerState install(int partition, MarkerState marker, String token) {
    return marker(MarkerEncoder.install(partition, marker, token));
  }

  /** Writes a marker as an owner does that has asked for it. */
  @Nullable MarkerState plant(int partition, MarkerState marker) {
    redis.leaveToken(partition, "plant");
    return install(partition, marker, "plant");
  }

  private @Nullable MarkerState marker(ScriptCall call) {
    List<byte[]> fields = new ArrayList<>();
    for (Object part : run(LuaScript.MARKER.text(), call)) {
      fields.add((byte[]) part);
    }
    return MarkerEncoder.decode(fields);
  }

  private List<Object> run(byte[] script, ScriptCall call) {
    byte[][] keys = call.keys().toArray(new byte[0][]);
    byte[][] arguments = call.arguments().toArray(new byte[0][]);
    return redis.commands().eval(script, ScriptOutputType.MULTI, keys, arguments);
  }
}
