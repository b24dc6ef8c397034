package io.crosstide.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.crosstide.crdt.Bytes;
import io.crosstide.protocol.Change;
import io.crosstide.protocol.ChangeEvent;
import io.crosstide.protocol.RedisKey;
import io.crosstide.schemas.registry.CompatibilityLevel;
import io.crosstide.schemas.registry.InMemorySchemaRegistry;
import io.crosstide.schemas.registry.SchemaRegistry;
import io.crosstide.schemas.registry.SchemaRegistryUnavailableException;
import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ChangeEventCodecTest {
  private static final String TOPIC = "changes.us-east";
  private static final int PREFIX = 5;

  private final SchemaRegistry registry = new InMemorySchemaRegistry();
  private final ChangeEventCodec codec = new ChangeEventCodec(registry, TOPIC);

  @Test
  void theBytesOfEveryKindAreThoseOfVersionOne() throws IOException {
    Map<String, String> golden = Golden.bytes();
    assertThat(golden.keySet()).containsExactlyElementsOf(Golden.changes().keySet());
    Golden.changes()
        .forEach(
            (name, change) -> {
              byte[] bytes = codec.encode(Events.of(change));
              String expected = golden.get(name);
              assertThat(HexFormat.of().formatHex(bytes)).as(name).isEqualTo(expected);
              assertThat(codec.decode(key(change), bytes)).as(name).isEqualTo(Events.of(change));
            });
  }

  @Test
  void theWriteThatMadeItsKeyDiffersFromAnotherInItsDeadlineOnly() throws IOException {
    ChangeEvent made = Events.of(new Change.SetAdd(Bytes.utf8("m"))).creatingKey();
    byte[] bytes = codec.encode(made);
    // The zigzag of -1 where the deadline's 0 was; before it the name, and no value.
    String expected = Golden.bytes().getOrDefault("set-add", "").replace("026d0000", "026d0001");
    assertThat(HexFormat.of().formatHex(bytes)).isEqualTo(expected);
    assertThat(codec.decode(Events.KEY.name().array(), bytes)).isEqualTo(made);
  }

  @Test
  void theFirstFiveBytesAreZeroAndTheSchemaId() {
    for (int i = 0; i < 300; i++) {
      registry.register("filler-" + i, filler(i));
    }
    byte[] bytes = codec.encode(Events.of(new Change.KeyDelete()));
    assertThat(Arrays.copyOf(bytes, PREFIX)).containsExactly(0, 0, 0, 301 >> 8, 301 & 0xff);
    assertThat(registry.byId(301)).contains(ChangeEventSchema.SCHEMA);
  }

  @Test
  void theSubjectIsTheTopicsAndHeldToFullTransitiveCompatibility() {
    codec.register();
    assertThat(registry.versions("changes.us-east-value")).containsExactly(1);
    assertThat(registry.isCompatible("changes.us-east-value", filler(0))).isFalse();
  }

  @Test
  void theRecordHasTheRedisKeyTheHeaderAndTheStampsTime() {
    ChangeEvent event = Events.of(new Change.SetAdd(Bytes.utf8("m")));
    ProducerRecord<byte @Nullable [], byte[]> record = codec.toRecord(TOPIC, 3, event);
    assertThat(record.topic()).isEqualTo(TOPIC);
    assertThat(record.partition()).isEqualTo(3);
    assertThat(record.key()).isEqualTo(Events.KEY.name().array());
    assertThat(record.timestamp()).isEqualTo(1_790_000_000_000L);
    assertThat(io.crosstide.schemas.Headers.read(record.headers()))
        .isEqualTo(EventHeader.of(event));
    assertThat(codec.toRecord(TOPIC, 3, Events.of(new Change.MarkerLost())).key()).isNull();
  }

  @Test
  void thePredecessorThatABridgeDeclaresInTheHeaderWins() {
    ChangeEvent event = Events.of(new Change.KeyDelete());
    ProducerRecord<byte @Nullable [], byte[]> record = codec.toRecord(TOPIC, 0, event);
    assertThat(codec.decode(received(record))).isEqualTo(event);

    io.crosstide.schemas.Headers.replace(
        record.headers(), EventHeader.of(event).withPreviousSeq(250));
    ChangeEvent filtered = codec.decode(received(record));
    assertThat(filtered.previousSeq()).isEqualTo(250);
    assertThat(filtered.change()).isEqualTo(event.change());
    assertThat(filtered.seq()).isEqualTo(event.seq());
  }

  @Test
  void theEmptyKeyIsAKeyAndNoKeyIsNone() {
    ChangeEvent event = Events.of(new Change.KeyDelete());
    byte[] value = codec.encode(event);
    assertThat(codec.decode(new byte[0], value).key()).isEqualTo(new RedisKey(2, Bytes.EMPTY));
    assertMalformed("key", () -> codec.decode(null, value));
    byte[] beat = codec.encode(Events.of(new Change.MarkerLost()));
    assertMalformed("key", () -> codec.decode(new byte[0], beat));
  }

  @Test
  void malformedValuesAreNamedWithFieldAndOffset() {
    byte[] good = codec.encode(Events.of(new Change.SetAdd(Bytes.utf8("m"))));
    byte[] key = Events.KEY.name().array();

    assertMalformed("value", () -> codec.decode(key, null));
    assertMalformed("value", () -> codec.decode(key, new byte[] {0, 0, 0}));
    assertMalformed("value", () -> codec.decode(key, new byte[] {1, 0, 0, 0, 1, 2}));
    assertMalformed("end", () -> codec.decode(key, Arrays.copyOf(good, good.length + 1)));
    assertMalformed("items", () -> codec.decode(key, Arrays.copyOf(good, good.length - 1)));
    assertThatThrownBy(() -> codec.decode(key, Arrays.copyOf(good, 8)))
        .asInstanceOf(type(MalformedEventException.class))
        .satisfies(e -> assertThat(e.offset()).isEqualTo(8))
        .satisfies(e -> assertThat(e.field()).isEqualTo("seq"));
    byte[] noOrigin = good.clone();
    noOrigin[PREFIX + 1] = 0;
    assertMalformed("origin", () -> codec.decode(key, noOrigin));
  }

  @Test
  void aKindOfALaterVersionIsToldFromDamageAndIgnoredOnlyIfItSaysSo() {
    byte[] bytes = codec.encode(Events.of(new Change.SetAdd(Bytes.utf8("m"))));
    byte[] key = Events.KEY.name().array();
    assertThat(unknownKind(bytes, 29, key).mayBeIgnored()).isFalse();
    assertThat(unknownKind(bytes, -4, null).mayBeIgnored()).isFalse();
    assertThat(unknownKind(bytes, -63, null).mayBeIgnored()).isFalse();
    assertThat(unknownKind(bytes, -64, null).mayBeIgnored()).isTrue();
  }

  @Test
  void anUnknownSchemaIdIsMalformedButARegistryThatIsDownIsNot() {
    byte[] bytes = codec.encode(Events.of(new Change.KeyDelete()));
    byte[] other = bytes.clone();
    other[PREFIX - 1] = 77;
    assertThatThrownBy(() -> codec.decode(new byte[1], other))
        .asInstanceOf(type(UnknownSchemaException.class))
        .satisfies(e -> assertThat(e.schemaId()).isEqualTo(77));
    int foreign = registry.register("foreign", filler(1));
    other[PREFIX - 1] = (byte) foreign;
    assertMalformed("value", () -> codec.decode(new byte[1], other));

    ChangeEventCodec cutOff = new ChangeEventCodec(new DownRegistry(), TOPIC);
    assertThatThrownBy(() -> cutOff.decode(new byte[1], bytes))
        .isInstanceOf(SchemaRegistryUnavailableException.class);
  }

  @Test
  void largeValuesPass() {
    byte[] large = new byte[16 << 20];
    Arrays.fill(large, (byte) 0xfe);
    ChangeEvent event = Events.of(new Change.StringSet(Bytes.wrap(large), 0, false));
    assertThat(codec.decode(Events.KEY.name().array(), codec.encode(event))).isEqualTo(event);
  }

  private UnknownKindException unknownKind(byte[] bytes, int kind, byte @Nullable [] key) {
    byte[] changed = bytes.clone();
    AvroOutput code = new AvroOutput(1);
    code.writeLong(kind);
    byte[] encoded = code.toByteArray();
    changed[PREFIX] = encoded[0];
    if (encoded[0] < 0) {
      changed = splice(changed, encoded);
    }
    byte[] damaged = changed;
    UnknownKindException[] seen = new UnknownKindException[1];
    assertThatThrownBy(() -> codec.decode(key, damaged))
        .asInstanceOf(type(UnknownKindException.class))
        .satisfies(e -> seen[0] = e);
    assertThat(seen[0].kind()).isEqualTo(kind);
    return seen[0];
  }

  private static byte[] splice(byte[] bytes, byte[] kind) {
    byte[] longer = new byte[bytes.length + kind.length - 1];
    System.arraycopy(bytes, 0, longer, 0, PREFIX);
    System.arraycopy(kind, 0, longer, PREFIX, kind.length);
    System.arraycopy(bytes, PREFIX + 1, longer, PREFIX + kind.length, bytes.length - PREFIX - 1);
    return longer;
  }

  private static ConsumerRecord<byte @Nullable [], byte @Nullable []> received(
      ProducerRecord<byte @Nullable [], byte[]> record) {
    Headers headers = record.headers();
    return new ConsumerRecord<>(
        record.topic(),
        0,
        0,
        0,
        TimestampType.CREATE_TIME,
        0,
        0,
        record.key(),
        record.value(),
        headers,
        Optional.empty());
  }

  private static void assertMalformed(
      String field, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call)
        .asInstanceOf(type(MalformedEventException.class))
        .satisfies(e -> assertThat(e.field()).isEqualTo(field));
  }

  private static byte @Nullable [] key(Change change) {
    return change instanceof Change.Control ? null : Events.KEY.name().array();
  }

  private static Schema filler(int i) {
    return SchemaBuilder.record("Filler" + i).fields().requiredInt("x").endRecord();
  }

  /** A registry that never answers. */
  private static final class DownRegistry implements SchemaRegistry {
    @Override
    public int register(String subject, Schema schema) {
      throw down();
    }

    @Override
    public Optional<Integer> find(String subject, Schema schema) {
      throw down();
    }

    @Override
    public Optional<Schema> byId(int id) {
      throw down();
    }

    @Override
    public List<Integer> versions(String subject) {
      throw down();
    }

    @Override
    public boolean isCompatible(String subject, Schema schema) {
      throw down();
    }

    @Override
    public void compatibility(String subject, CompatibilityLevel level) {
      throw down();
    }

    private static SchemaRegistryUnavailableException down() {
      return new SchemaRegistryUnavailableException("down", null);
    }
  }
}
