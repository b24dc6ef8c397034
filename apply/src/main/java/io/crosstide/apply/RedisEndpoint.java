package io.crosstide.apply;

import io.lettuce.core.RedisURI;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where a region's Redis is and how to log in to it. Never shows the password.
 *
 * @param username null for the default user
 * @param password null if Redis asks for none
 * @param tls whether the connection is encrypted
 * @param caFile certificates in PEM form to trust instead of the machine's own; null for those
 * @param certFile the own certificate in PEM form, for a Redis that asks for one; null, together
 *     with {@code keyFile}, for none
 * @param keyFile its private key
 * @param verifyPeer whether the certificate must name {@code host}; only for trials without it
 */
public record RedisEndpoint(
    String host,
    int port,
    @Nullable String username,
    @Nullable String password,
    boolean tls,
    @Nullable Path caFile,
    @Nullable Path certFile,
    @Nullable Path keyFile,
    boolean verifyPeer) {

  public RedisEndpoint {
    if (host.isEmpty()) {
      throw new IllegalArgumentException("a Redis needs a host name");
    }
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("port " + port + " of " + host + " is outside 1..65535");
    }
    if (username != null && password == null) {
      throw new IllegalArgumentException("user " + username + " of " + host + " has no password");
    }
    if ((certFile == null) != (keyFile == null)) {
      throw new IllegalArgumentException("a certificate for " + host + " and its key go together");
    }
  }

  /** A Redis without a password on a trusted network. */
  public static RedisEndpoint of(String host, int port) {
    return new RedisEndpoint(host, port, null, null, false, null, null, null, true);
  }

  /**
   * Reads {@code redis://[user:password@]host[:port]}, or {@code rediss://} for TLS.
   *
   * @throws IllegalArgumentException if it is not of that form
   */
  public static RedisEndpoint parse(String uri) {
    RedisURI parsed = redisUri(uri);
    var credentials = parsed.getCredentialsProvider().resolveCredentials().block();
    String username = credentials == null ? null : credentials.getUsername();
    char[] password = credentials == null ? null : credentials.getPassword();
    return new RedisEndpoint(
        parsed.getHost(),
        parsed.getPort(),
        username,
        password == null ? null : new String(password),
        parsed.isSsl(),
        null,
        null,
        null,
        true);
  }

  private static RedisURI redisUri(String uri) {
    if (uri.startsWith("redis://") || uri.startsWith("rediss://")) {
      try {
        RedisURI parsed = RedisURI.create(uri);
        if (parsed.getHost() != null && parsed.getDatabase() == 0) {
          return parsed;
        }
      } catch (IllegalArgumentException hidden) {
        // Its text may hold the password, so it is neither told nor kept as a cause.
        return notAnAddress();
      }
    }
    return notAnAddress();
  }

  private static RedisURI notAnAddress() {
    throw new IllegalArgumentException(
        "the address of a Redis is redis://[user:password@]host[:port], or rediss:// for TLS,"
            + " without a database");
  }

  RedisURI uri(Duration timeout) {
    RedisURI.Builder builder =
        RedisURI.builder()
            .withHost(host)
            .withPort(port)
            .withSsl(tls)
            .withVerifyPeer(verifyPeer)
            .withTimeout(timeout);
    if (password != null) {
      if (username != null) {
        builder.withAuthentication(username, password.toCharArray());
      } else {
        builder.withPassword(password.toCharArray());
      }
    }
    return builder.build();
  }

  @Override
  public String toString() {
    return (tls ? "rediss://" : "redis://") + host + ":" + port;
  }
}
