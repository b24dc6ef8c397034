package io.crosstide.schemas.registry;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * How to reach a schema registry over HTTP.
 *
 * @param urls of one or more instances of the same registry, tried in order; a path is kept
 * @param user for basic authentication, or null for none
 * @param password of {@code user}; never printed
 * @param requestTimeout for one request to one instance. Longer only delays the next attempt
 * @param retryFor how long a call goes on trying before it says that no registry answers. The
 *     caller is blocked for as long: readers and writers whose schemas are known never are
 * @param backoffMin wait after the first round of failures; doubles each round
 * @param backoffMax longest wait between rounds
 * @param tls trust and key material for {@code https}, or null for the JDK's own
 */
public record SchemaRegistryConfig(
    List<URI> urls,
    @Nullable String user,
    @Nullable String password,
    Duration requestTimeout,
    Duration retryFor,
    Duration backoffMin,
    Duration backoffMax,
    @Nullable SSLContext tls) {

  public SchemaRegistryConfig {
    urls = List.copyOf(urls);
    if (urls.isEmpty()) {
      throw new IllegalArgumentException("no registry url: at least one is needed");
    }
    for (URI url : urls) {
      String scheme = url.getScheme();
      if (scheme == null || url.getHost() == null || !scheme.matches("https?")) {
        throw new IllegalArgumentException(
            "'" + url + "' is no registry url: expected http://host:port or https://host:port");
      }
      if (url.getUserInfo() != null) {
        throw new IllegalArgumentException(
            "the registry url at " + url.getHost() + " holds a password: use user and password");
      }
    }
    if ((user == null) != (password == null)) {
      throw new IllegalArgumentException("a registry user needs a password, and the reverse");
    }
  }

  /** Plain access: 5 s a request, 15 s in all, waits from 100 ms to 2 s. */
  public static SchemaRegistryConfig of(String... urls) {
    return new SchemaRegistryConfig(
        List.of(urls).stream().map(URI::create).toList(),
        null,
        null,
        Duration.ofSeconds(5),
        Duration.ofSeconds(15),
        Duration.ofMillis(100),
        Duration.ofSeconds(2),
        null);
  }

  public SchemaRegistryConfig withCredentials(String newUser, String newPassword) {
    return new SchemaRegistryConfig(
        urls, newUser, newPassword, requestTimeout, retryFor, backoffMin, backoffMax, tls);
  }

  public SchemaRegistryConfig withRetryFor(Duration newRetryFor) {
    return new SchemaRegistryConfig(
        urls, user, password, requestTimeout, newRetryFor, backoffMin, backoffMax, tls);
  }

  public SchemaRegistryConfig withRequestTimeout(Duration newRequestTimeout) {
    return new SchemaRegistryConfig(
        urls, user, password, newRequestTimeout, retryFor, backoffMin, backoffMax, tls);
  }

  public SchemaRegistryConfig withTls(SSLContext newTls) {
    return new SchemaRegistryConfig(
        urls, user, password, requestTimeout, retryFor, backoffMin, backoffMax, newTls);
  }

  /** Without the password. */
  @Override
  public String toString() {
    return "SchemaRegistryConfig[urls="
        + urls
        + ", user="
        + user
        + ", requestTimeout="
        + requestTimeout
        + ", retryFor="
        + retryFor
        + "]";
  }
}
