package io.crosstide.apply;

import io.crosstide.protocol.MarkerState;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.KillArgs;
import io.lettuce.core.RedisBusyException;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.lettuce.core.protocol.ProtocolVersion;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/** A real Redis process of this test, on a free port, gone when the test is. */
final class TestRedis implements AutoCloseable {
  /** The binaries that tests run against. */
  enum Version {
    /** {@code redis-server} from PATH. */
    INSTALLED,
    /** 6.2, from the embedded-redis artifact. */
    EMBEDDED_6_2;

    static Stream<Version> available() {
      return Stream.of(values()).filter(version -> version.isAvailable());
    }

    private boolean isAvailable() {
      return this == EMBEDDED_6_2 ? resource() != null : installed() != null;
    }
  }

  private static final List<Process> STARTED = new ArrayList<>();

  static {
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> STARTED.forEach(Process::destroyForcibly)));
  }

  private final Version version;
  private final Path directory;
  private final int port;
  private final List<String> settings;
  private Process process;
  private final RedisClient client;
  private @Nullable StatefulRedisConnection<byte[], byte[]> connection;

  private TestRedis(Version version, Path directory, int port, List<String> settings)
      throws IOException {
    this.version = version;
    this.directory = directory;
    this.port = port;
    this.settings = settings;
    this.client = RedisClient.create(RedisURI.create("127.0.0.1", port));
    client.setOptions(ClientOptions.builder().protocolVersion(ProtocolVersion.RESP2).build());
    this.process = launch();
  }

  /** Starts one and waits until it answers. */
  static TestRedis start(Version version, Path directory, String... settings) throws IOException {
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    Files.createDirectories(directory);
    TestRedis redis = new TestRedis(version, directory, port, List.of(settings));
    redis.awaitReady();
    return redis;
  }

  private Process launch() throws IOException {
    List<String> command = new ArrayList<>();
    command.add(binary().toString());
    command.addAll(List.of("--port", "" + port, "--bind", "127.0.0.1", "--save", "", "--dir"));
    command.add(directory.toString());
    if (version == Version.INSTALLED) {
      command.addAll(List.of("--enable-debug-command", "yes"));
    }
    command.addAll(settings);
    Process started =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(
                ProcessBuilder.Redirect.appendTo(directory.resolve("redis.log").toFile()))
            .start();
    STARTED.add(started);
    return started;
  }

  private void awaitReady() {
    Awaitility.await()
        .atMost(20, TimeUnit.SECONDS)
        .pollInterval(10, TimeUnit.MILLISECONDS)
        .ignoreExceptionsMatching(e -> e instanceof RedisException || isStarting(e))
        .until(() -> "PONG".equals(commands().ping()));
  }

  private boolean isStarting(Throwable e) {
    if (!process.isAlive()) {
      throw new IllegalStateException("redis-server did not start: see " + directory, e);
    }
    return true;
  }

  private Path binary() throws IOException {
    if (version == Version.INSTALLED) {
      Path installed = installed();
      if (installed == null) {
        throw new IOException("there is no redis-server on PATH");
      }
      return installed;
    }
    Path binary = directory.resolve("redis-server-6.2");
    try (InputStream in = resource()) {
      if (in == null) {
        throw new IOException("embedded-redis has no binary for this machine");
      }
      Files.copy(in, binary, StandardCopyOption.REPLACE_EXISTING);
    }
    if (!binary.toFile().setExecutable(true)) {
      throw new IOException("cannot make " + binary + " executable");
    }
    return binary;
  }

  private static @Nullable InputStream resource() {
    boolean mac = System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("mac");
    boolean arm = System.getProperty("os.arch").equals("aarch64");
    String name =
        mac
            ? "/redis-server-6.2.6-v5-darwin-" + (arm ? "arm64" : "amd64")
            : arm ? "/redis-server-6.2.7-linux-arm64" : "/redis-server-6.2.6-v5-linux-amd64";
    return TestRedis.class.getResourceAsStream(name);
  }

  private static @Nullable Path installed() {
    String path = System.getenv("PATH");
    if (path == null) {
      return null;
    }
    for (String directory : path.split(File.pathSeparator, -1)) {
      Path candidate = Path.of(directory, "redis-server");
      if (Files.isExecutable(candidate)) {
        return candidate;
      }
    }
    return null;
  }

  RedisEndpoint endpoint() {
    return RedisEndpoint.of("127.0.0.1", port);
  }

  int port() {
    return port;
  }

  Path directory() {
    return directory;
  }

  long pid() {
    return process.pid();
  }

  Version version() {
    return version;
  }

  /** A client's connection, opened again if it was lost. */
  RedisCommands<byte[], byte[]> commands() {
    StatefulRedisConnection<byte[], byte[]> open = connection;
    if (open == null || !open.isOpen()) {
      open = client.connect(ByteArrayCodec.INSTANCE);
      connection = open;
    }
    return open.sync();
  }

  /** {@code kill -9}, then waits for its end. */
  void kill() {
    process.destroyForcibly();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    StatefulRedisConnection<byte[], byte[]> open = connection;
    if (open != null) {
      open.close();
      connection = null;
    }
  }

  /** Starts it again on the same port and directory. */
  void startAgain() throws IOException {
    process = launch();
    awaitReady();
  }

  /** Milliseconds of this Redis's clock. */
  long nowMillis() {
    List<byte[]> time = commands().time();
    return Long.parseLong(text(time.get(0))) * 1000 + Long.parseLong(text(time.get(1))) / 1000;
  }

  /** Ends every client's connection but this test's own. */
  void killClients() {
    commands().clientKill(KillArgs.Builder.typeNormal().skipme());
  }

  /** A script that runs until it is closed, as a client's mistake would. */
  AutoCloseable runEndlessScript() {
    StatefulRedisConnection<byte[], byte[]> killer = client.connect(ByteArrayCodec.INSTANCE);
    StatefulRedisConnection<byte[], byte[]> busy = client.connect(ByteArrayCodec.INSTANCE);
    Future<String> reply = busy.async().eval("while true do end", ScriptOutputType.STATUS);
    Awaitility.await()
        .until(
            () -> {
              try {
                killer.sync().ping();
                return false;
              } catch (RedisBusyException expected) {
                return true;
              }
            });
    return () -> {
      killer.sync().scriptKill();
      Awaitility.await().until(reply::isDone);
      killer.close();
      busy.close();
    };
  }

  /** Logs this test's own client in from now on. */
  void authenticate(String password) {
    commands().auth(password);
  }

  /** From now on keys past their deadline stay until somebody finds them. */
  void stopActiveExpiry() {
    CommandArgs<byte[], byte[]> arguments =
        new CommandArgs<>(ByteArrayCodec.INSTANCE).add("SET-ACTIVE-EXPIRE").add(0);
    commands().dispatch(CommandType.DEBUG, new StatusOutput<>(ByteArrayCodec.INSTANCE), arguments);
  }

  double cpuSeconds() {
    double seconds = 0;
    for (String line : commands().info("cpu").split("\r?\n", -1)) {
      if (line.startsWith("used_cpu_sys:") || line.startsWith("used_cpu_user:")) {
        seconds += Double.parseDouble(line.substring(line.indexOf(':') + 1));
      }
    }
    return seconds;
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    client.shutdown(0, 1, TimeUnit.SECONDS);
    process.destroyForcibly();
    STARTED.remove(process);
  }

  /** Leaves what an owner leaves that finds no marker. */
  void leaveToken(int partition, String token) {
    commands().hset(bytes(MarkerState.key(partition)), bytes("t"), bytes(token));
  }
}
