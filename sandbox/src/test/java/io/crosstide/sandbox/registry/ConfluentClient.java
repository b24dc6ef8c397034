package io.crosstide.sandbox.registry;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Confluent's {@code CachedSchemaRegistryClient} in a class loader of its own, with the libraries
 * it was built with instead of ours; called by name.
 */
final class ConfluentClient implements AutoCloseable {
  private static final String PACKAGE = "io.confluent.kafka.schemaregistry.";
  private static final int CACHE = 100;

  private final URLClassLoader loader;
  private final Object client;

  /**
   * @param jars directory with the client's jars, at any depth
   */
  ConfluentClient(Path jars, URI registry) throws IOException {
    List<URL> urls = new ArrayList<>();
    try (Stream<Path> files = Files.walk(jars)) {
      for (Path jar : files.filter(file -> file.toString().endsWith(".jar")).toList()) {
        urls.add(jar.toUri().toURL());
      }
    }
    // the one library that the unpacked plugin expects from its host
    urls.add(JsonProperty.class.getProtectionDomain().getCodeSource().getLocation());
    loader = new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
    client = create("client.CachedSchemaRegistryClient", registry.toString(), CACHE);
  }

  /** A schema as the client wants it. */
  Object schema(String text) {
    return create("avro.AvroSchema", text);
  }

  /** Calls a method of the client. Throws what it throws, wrapped if it is checked. */
  Object call(String method, Object... arguments) {
    return callOn(client, method, arguments);
  }

  /** Calls a method of anything the client returned. */
  Object callOn(Object target, String method, Object... arguments) {
    for (Method candidate : target.getClass().getMethods()) {
      if (candidate.getName().equals(method)
          && !Modifier.isStatic(candidate.getModifiers())
          && takes(candidate.getParameterTypes(), arguments)) {
        try {
          return candidate.invoke(target, arguments);
        } catch (InvocationTargetException e) {
          Throwable thrown = e.getCause() == null ? e : e.getCause();
          throw new Refused(errorCode(thrown), thrown);
        } catch (IllegalAccessException e) {
          throw new IllegalStateException(e);
        }
      }
    }
    throw new IllegalArgumentException(
        target.getClass() + " has no " + method + Arrays.toString(arguments));
  }

  /** What the client threw. */
  static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Confluent's error code, 0 if it was no answer of the registry. */
    final int errorCode;

    Refused(int errorCode, Throwable cause) {
      super(cause);
      this.errorCode = errorCode;
    }
  }

  private int errorCode(Throwable thrown) {
    return thrown.getClass().getSimpleName().equals("RestClientException")
        ? (Integer) callOn(thrown, "getErrorCode")
        : 0;
  }

  private Object create(String name, Object... arguments) {
    try {
      for (Constructor<?> candidate : loader.loadClass(PACKAGE + name).getConstructors()) {
        if (takes(candidate.getParameterTypes(), arguments)) {
          return candidate.newInstance(arguments);
        }
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot make a " + name, e);
    }
    throw new IllegalArgumentException(name + " takes no " + Arrays.toString(arguments));
  }

  private static boolean takes(Class<?>[] parameters, Object[] arguments) {
    if (parameters.length != arguments.length) {
      return false;
    }
    for (int i = 0; i < parameters.length; i++) {
      boolean fits =
          parameters[i] == int.class
              ? arguments[i] instanceof Integer
              : parameters[i] == boolean.class
                  ? arguments[i] instanceof Boolean
                  : parameters[i].isInstance(arguments[i]);
      if (!fits) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void close() throws IOException {
    call("close");
    loader.close();
  }
}
