package io.crosstide.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.BatchReply;
import io.crosstide.protocol.BatchReply.Outcome;
import io.crosstide.protocol.Content;
import io.crosstide.protocol.EffectBatch;
import io.crosstide.protocol.Element;
import io.crosstide.protocol.ElementKind;
import io.crosstide.protocol.Fx;
import io.crosstide.protocol.MarkerState;
import io.crosstide.protocol.RedisKey;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.sync.RedisCommands;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * One seed's schedule of batches and client writes, on a real Redis and on the model; throws at the
 * first difference.
 */
final class DifferentialRun {
  private static final String TOKEN = "token";

  static final int PARTITION = 7;

  /** The marker's field that tells of lists. */
  private static final byte[] LISTS = TestRedis.bytes("l");

  /** Elements; beyond a thousand they are spliced farther from the ends. */
  private static final int LONG = 1100;

  /** As in the script: a deadline in the past is set so many milliseconds ahead. */
  private static final long DEADLINE_AHEAD_MIN = 20;

  private final TestRedis redis;
  private final TestReader reader;
  private final long seed;
  private final Random random;
  private final ModelRedis model = new ModelRedis();
  private final BatchGenerator generator;
  private final ScriptRunner scripts;
  private int epoch = 1;
  private long next = 1;
  private @Nullable EffectBatch lastApplied;

  DifferentialRun(TestRedis redis, ScriptRunner scripts, long seed) {
    this.redis = redis;
    this.reader = new TestReader(redis);
    this.seed = seed;
    this.random = new Random(seed);
    this.generator = new BatchGenerator(random, model);
    this.scripts = scripts;
  }

  void run(int batches) {
    redis.commands().flushall();
    redis.stopActiveExpiry();
    model.marker = MarkerState.initial(epoch);
    assertThat(scripts.takeOver(PARTITION, epoch, TOKEN)).isNull();
    assertThat(scripts.install(PARTITION, MarkerState.initial(epoch), TOKEN))
        .isEqualTo(model.marker);
    for (int i = 0; i < batches; i++) {
      String step = "seed " + seed + ", batch " + i;
      for (int writes = random.nextInt(4); writes > 0; writes--) {
        clientWrites();
      }
      step(step);
      compare(step);
    }
  }

  private void step(String step) {
    switch (random.nextInt(16)) {
      case 0 -> {
        if (lastApplied != null) {
          send(step + ", sent again", lastApplied, Outcome.ALREADY_APPLIED);
        }
      }
      case 1 -> send(step + ", gap", generator.batch(PARTITION, epoch, next + 2), Outcome.GAP);
      case 2 ->
          send(
              step + ", old epoch", generator.batch(PARTITION, epoch - 1, next), Outcome.OLD_EPOCH);
      case 3 ->
          send(
              step + ", epoch not taken over",
              generator.batch(PARTITION, epoch + 1, 1),
              Outcome.OLD_EPOCH);
      case 4 -> loseMarker(step);
      case 5 -> {
        epoch++;
        next = 1;
        lastApplied = null;
        MarkerState held = model.marker;
        if (held != null) {
          model.marker = held.raisedTo(epoch);
        }
        assertThat(scripts.takeOver(PARTITION, epoch, TOKEN)).as(step).isEqualTo(held);
      }
      case 6 -> {
        expireSome();
        sendNext(step + ", after expiry");
      }
      case 7 -> pastDeadline(step + ", past deadline");
      default -> sendNext(step);
    }
  }

  private void sendNext(String step) {
    EffectBatch batch = generator.batch(PARTITION, epoch, next);
    send(step, batch, Outcome.APPLIED);
    next = batch.last() + 1;
    lastApplied = batch;
  }

  private void send(String step, EffectBatch batch, Outcome outcome) {
    BatchReply expected = model.apply(batch);
    BatchReply reply = scripts.apply(batch);
    assertThat(inClasses(reply)).as("%s: reply to %s", step, batch).isEqualTo(expected);
    assertThat(reply.outcome()).as(step).isEqualTo(outcome);
  }

  private static BatchReply inClasses(BatchReply reply) {
    return new BatchReply(
        reply.outcome(),
        reply.misses().stream()
            .map(
                miss ->
                    List.of("guard", "exception", "string").contains(miss.reason())
                        ? miss
                        : new BatchReply.Miss(miss.number(), ModelRedis.ERROR))
            .toList(),
        reply.answers());
  }

  private void loseMarker(String step) {
    MarkerState lost = model.marker;
    if (lost == null) {
      return;
    }
    byte[] key = TestRedis.bytes(MarkerState.key(PARTITION));
    Fx probed = model.probed;
    model.marker = null;
    model.probed = null;
    switch (random.nextInt(4)) {
      case 0 -> redis.commands().set(key, TestRedis.bytes("taken"));
      case 1 -> redis.commands().hdel(key, TestRedis.bytes("c"));
      default -> redis.commands().del(key);
    }
    boolean kept = redis.commands().type(key).equals("hash");
    send(step + ", no marker", generator.batch(PARTITION, epoch, next), Outcome.NO_MARKER);
    assertThat(scripts.takeOver(PARTITION, epoch, TOKEN)).as(step).isNull();
    // Without exceptions now and then, as a marker is most of the time.
    MarkerState installed =
        random.nextBoolean()
            ? lost
            : new MarkerState(lost.epoch(), lost.fx(), lost.preceding(), lost.context(), Map.of());
    model.marker = installed;
    model.probed = kept ? probed : null;
    assertThat(scripts.install(PARTITION, installed, TOKEN)).as(step).isEqualTo(installed);
  }

  private void pastDeadline(String step) {
    RedisKey key = generator.key();
    long from = redis.nowMillis();
    EffectBatch batch =
        generator.pastDeadline(PARTITION, epoch, next, key, from - random.nextInt(1000));
    send(step, batch, Outcome.APPLIED);
    long to = redis.nowMillis();
    next = batch.last() + 1;
    lastApplied = batch;
    ModelRedis.Key given = model.keys.get(key);
    if (given != null && given.deadline != null && given.deadline <= to) {
      OptionalLong deadline =
          reader.read(key).map(TestReader.Held::deadline).orElse(OptionalLong.empty());
      if (deadline.isPresent()) {
        assertThat(deadline.getAsLong()).as(step).isBetween(from + 1, to + 100);
        awaitClock(deadline.getAsLong());
      } else {
        assertThat(redis.nowMillis())
            .as("%s: Redis must expire the key itself, later", step)
            .isGreaterThanOrEqualTo(from + DEADLINE_AHEAD_MIN);
      }
      model.keys.remove(key);
    }
  }

  private void expireSome() {
    for (RedisKey key : new TreeSet<>(model.keys.keySet())) {
      if (random.nextInt(3) == 0) {
        use(key);
        long deadline = redis.nowMillis() + 3;
        redis.commands().pexpireat(key.name().array(), deadline);
        awaitClock(deadline);
        model.keys.remove(key);
      }
    }
    redis.commands().select(0);
  }

  private void awaitClock(long millis) {
    Awaitility.await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(1))
        .until(() -> redis.nowMillis() > millis);
  }

  private void use(RedisKey key) {
    redis.commands().select(key.db());
  }

  private void clientWrites() {
    RedisCommands<byte[], byte[]> commands = redis.commands();
    Element element = generator.element();
    byte[] key = element.key().name().array();
    byte[] name = element.name().array();
    ModelRedis.Key held = model.keys.get(element.key());
    use(element.key());
    if (random.nextInt(4) == 0) {
      commands.del(key);
      model.keys.remove(element.key());
      commands.select(0);
      return;
    }
    if (held == null && element.kind() == ElementKind.DEADLINE) {
      commands.select(0);
      return;
    }
    if (held != null && element.kind() != ElementKind.DEADLINE && held.kind != element.kind()) {
      commands.del(key);
      model.keys.remove(element.key());
    }
    if (element.kind() == ElementKind.LIST_ELEMENT) {
      changeList(element.key());
      commands.select(0);
      return;
    }
    Content content = generator.content(element);
    Bytes value = content.value();
    byte[] bytes = value == null ? new byte[0] : value.array();
    switch (element.kind()) {
      case STRING -> {
        commands.set(key, bytes, SetArgs.Builder.keepttl());
      }
      case HASH_FIELD -> commands.hset(key, name, bytes);
      case SET_MEMBER -> commands.sadd(key, name);
      case ZSET_MEMBER -> commands.zadd(key, Content.parseScore(TestRedis.text(bytes)), name);
      case LIST_ELEMENT, STREAM -> throw new IllegalStateException("no single element");
      case DEADLINE -> commands.pexpireat(key, Long.parseLong(TestRedis.text(bytes)));
    }
    model.write(element, content);
    commands.select(0);
  }

  /** A few elements more or fewer; now and then a list so long that it is changed otherwise. */
  private void changeList(RedisKey key) {
    RedisCommands<byte[], byte[]> commands = redis.commands();
    byte[] name = key.name().array();
    int count = random.nextInt(20) == 0 ? LONG : 1 + random.nextInt(6);
    boolean head = random.nextBoolean();
    model.changeList(
        key,
        list -> {
          if (list.size() > LONG) {
            commands.ltrim(name, 0, 20);
            list.subList(21, list.size()).clear();
          } else if (random.nextInt(3) == 0 && !list.isEmpty()) {
            if (head) {
              commands.lpop(name);
            } else {
              commands.rpop(name);
            }
            list.remove(head ? 0 : list.size() - 1);
          } else {
            for (int i = 0; i < count; i++) {
              Bytes value = generator.value();
              if (head) {
                commands.lpush(name, value.array());
              } else {
                commands.rpush(name, value.array());
              }
              list.add(head ? 0 : list.size(), value);
            }
          }
        });
  }

  private void compare(String step) {
    Map<RedisKey, Object> real = new TreeMap<>();
    Map<RedisKey, Object> expected = new TreeMap<>();
    for (RedisKey key : generator.keys()) {
      reader.read(key).ifPresent(held -> real.put(key, held));
      ModelRedis.Key held = model.keys.get(key);
      if (held != null) {
        expected.put(key, new TestReader.Held(value(held), deadline(held)));
      }
    }
    assertThat(real).as("%s: contents", step).isEqualTo(expected);

    Map<String, String> marker = new TreeMap<>();
    redis
        .commands()
        .hgetall(TestRedis.bytes(MarkerState.key(PARTITION)))
        .forEach((field, value) -> marker.put(TestRedis.text(field), TestRedis.text(value)));
    marker.remove("h"); // moves no content; EffectBatchIT looks at it
    if (marker.remove("l") != null) {
      byte[] told = redis.commands().hget(TestRedis.bytes(MarkerState.key(PARTITION)), LISTS);
      assertThat(Bytes.wrap(told)).as("%s: told of a list", step).isEqualTo(model.told);
    }
    if (!marker.isEmpty()) {
      marker.putIfAbsent("b", Fx.NONE.toString());
    }
    assertThat(marker).as("%s: marker", step).isEqualTo(markerFields());
  }

  private Map<String, String> markerFields() {
    Map<String, String> fields = new HashMap<>();
    MarkerState held = model.marker;
    if (held != null) {
      fields.put("e", Integer.toString(held.epoch()));
      fields.put("f", held.fx().toString());
      fields.put("b", held.preceding().toString());
      fields.put("c", held.context().encode());
      fields.put("k", Integer.toString(held.exceptions().size()));
      held.exceptions().forEach((digest, missed) -> fields.put("x:" + digest, missed.encode()));
      if (model.probed != null) {
        fields.put("p", model.probed.toString());
      }
    }
    return fields;
  }

  private static OptionalLong deadline(ModelRedis.Key key) {
    return key.deadline == null ? OptionalLong.empty() : OptionalLong.of(key.deadline);
  }

  private static Object value(ModelRedis.Key key) {
    return switch (key.kind) {
      case STRING -> bytes(key.elements.get(Bytes.EMPTY));
      case HASH_FIELD -> {
        TreeMap<Bytes, Bytes> fields = new TreeMap<>();
        key.elements.forEach((name, content) -> fields.put(name, bytes(content)));
        yield fields;
      }
      case SET_MEMBER -> new TreeSet<>(key.elements.keySet());
      case LIST_ELEMENT -> List.copyOf(key.list);
      default -> {
        TreeMap<Bytes, Double> scores = new TreeMap<>();
        key.elements.forEach(
            (name, content) -> scores.put(name, Content.parseScore(bytes(content).text())));
        yield scores;
      }
    };
  }

  private static Bytes bytes(@Nullable Content content) {
    Bytes value = content == null ? null : content.value();
    return value == null ? Bytes.EMPTY : value;
  }
}
