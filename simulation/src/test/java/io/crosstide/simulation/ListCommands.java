package io.crosstide.simulation;

import io.crosstide.crdt.Bytes;
import io.crosstide.crdt.ListPosition;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.RedisKey;
import io.crosstide.protocol.merge.RedisList;
import io.crosstide.simulation.SimRedis.KeyChange;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;

/** Random commands on one list. */
final class ListCommands {
  private final Random random;
  private final SimRedis redis;
  private final RedisKey key;
  private final Supplier<Bytes> values;
  private final RedisList list;

  ListCommands(Random random, SimRedis redis, RedisKey key, Supplier<Bytes> values) {
    this.random = random;
    this.redis = redis;
    this.key = key;
    this.values = values;
    list = redis.list(key);
  }

  /** A command's changes; a list that has grown is rather popped from. */
  List<KeyChange> next() {
    int size = list.size();
    int dice = random.nextInt(12);
    if (size == 0 || (dice < 5 && size < 30)) {
      return push(random.nextBoolean());
    }
    if (dice < 8) {
      return pop(random.nextBoolean());
    }
    int index = random.nextInt(size);
    return switch (dice) {
      case 8 -> insert(index);
      case 9 -> remove(index);
      default -> set(index);
    };
  }

  private List<KeyChange> push(boolean head) {
    List<KeyChange> changes = new ArrayList<>();
    RedisList after = list.copy();
    List<Object> words = new ArrayList<>(List.of(head ? "LPUSH" : "RPUSH", key.name()));
    for (int more = 1 + random.nextInt(2); more > 0; more--) {
      int at = head ? 0 : after.size();
      Bytes value = values.get();
      Bytes name =
          after.positionAt(
              at,
              redis.writer(),
              redis.nextSeq() + changes.size(),
              head ? ListPosition.Side.BEFORE_RIGHT : ListPosition.Side.AFTER_LEFT);
      after.insert(at, name, value);
      words.add(value);
      boolean first = changes.isEmpty();
      changes.add(
          new KeyChange(key, new Change.ListPut(name, value), at, first ? words : List.of()));
    }
    return changes;
  }

  private List<KeyChange> pop(boolean head) {
    Bytes name = list.names().get(head ? 0 : list.size() - 1);
    List<Object> words = List.of(head ? "LPOP" : "RPOP", key.name());
    return List.of(new KeyChange(key, new Change.ListRemove(name), -1, words));
  }

  /** Before the first element with the same value as that at {@code index}. */
  private List<KeyChange> insert(int index) {
    Bytes pivot = list.values().get(index);
    int at = list.values().indexOf(pivot);
    Bytes name =
        list.positionAt(at, redis.writer(), redis.nextSeq(), ListPosition.Side.BEFORE_RIGHT);
    Bytes value = values.get();
    List<Object> words = List.of("LINSERT", key.name(), "BEFORE", pivot, value);
    return List.of(new KeyChange(key, new Change.ListPut(name, value), at, words));
  }

  /** The first element with the same value as that at {@code index}. */
  private List<KeyChange> remove(int index) {
    Bytes value = list.values().get(index);
    Bytes name = list.names().get(list.values().indexOf(value));
    List<Object> words = List.of("LREM", key.name(), 1, value);
    return List.of(new KeyChange(key, new Change.ListRemove(name), -1, words));
  }

  private List<KeyChange> set(int index) {
    Bytes value = values.get();
    Bytes name = list.names().get(index);
    List<Object> words = List.of("LSET", key.name(), index, value);
    return List.of(new KeyChange(key, new Change.ListPut(name, value), -1, words));
  }
}
