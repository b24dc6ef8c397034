package io.crosstide.capture.psync;

import com.moilioncircle.redis.replicator.Configuration;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * Where a Redis is and how to log in to it. Its text form never shows the password.
 *
 * @param user ACL user; null for the default user
 * @param password null if Redis asks for none
 * @param tls connect with TLS; the server's certificate must name {@code host}
 * @param tlsContext whom to trust and who to be; null for what the JVM trusts and nobody
 */
public record RedisEndpoint(
    String host,
    int port,
    @Nullable String user,
    @Nullable String password,
    boolean tls,
    @Nullable SSLContext tlsContext) {
  private static final int DEFAULT_PORT = 6379;

  public RedisEndpoint {
    if (host.isBlank()) {
      throw new IllegalArgumentException("the Redis address has no host");
    }
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("Redis port " + port + " is outside 1..65535");
    }
  }

  public RedisEndpoint(
      String host, int port, @Nullable String user, @Nullable String password, boolean tls) {
    this(host, port, user, password, tls, null);
  }

  /**
   * Parses {@code redis://[[user]:password@]host[:port]}; {@code rediss://} for TLS.
   *
   * @throws IllegalArgumentException if it is not such an address; the message does not repeat it,
   *     as it may hold a password
   */
  public static RedisEndpoint parse(String uri) {
    URI parsed;
    try {
      parsed = URI.create(uri);
    } catch (IllegalArgumentException e) {
      throw notAnAddress();
    }
    String scheme = parsed.getScheme();
    String host = parsed.getHost();
    if (host == null || !("redis".equals(scheme) || "rediss".equals(scheme))) {
      throw notAnAddress();
    }
    String user = null;
    String password = null;
    String userInfo = parsed.getRawUserInfo();
    if (userInfo != null) {
      int colon = userInfo.indexOf(':');
      user = colon > 0 ? decode(userInfo.substring(0, colon)) : null;
      password = decode(userInfo.substring(colon + 1));
    }
    int port = parsed.getPort() < 0 ? DEFAULT_PORT : parsed.getPort();
    return new RedisEndpoint(host, port, user, password, "rediss".equals(scheme));
  }

  /** This endpoint with other credentials; null keeps what is there. */
  public RedisEndpoint withCredentials(@Nullable String newUser, @Nullable String newPassword) {
    return new RedisEndpoint(
        host,
        port,
        newUser == null ? user : newUser,
        newPassword == null ? password : newPassword,
        tls,
        tlsContext);
  }

  /** This endpoint with own trust and identity. */
  public RedisEndpoint withTlsContext(@Nullable SSLContext context) {
    return new RedisEndpoint(host, port, user, password, tls, context);
  }

  /** How the library's sockets reach it: without login, which its callers do themselves. */
  public Configuration socketSettings() {
    Configuration settings = Configuration.defaultSetting().setSsl(tls);
    if (tls) {
      // Without this any certificate of a trusted authority would do, whatever host it names.
      SSLParameters parameters = new SSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      settings.setSslParameters(parameters);
      if (tlsContext != null) {
        settings.setSslSocketFactory(tlsContext.getSocketFactory());
      }
    }
    return settings;
  }

  private static String decode(String part) {
    return URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  private static IllegalArgumentException notAnAddress() {
    return new IllegalArgumentException(
        "the Redis address is not of the form redis://[[user]:password@]host[:port]"
            + " (rediss:// for TLS)");
  }

  @Override
  public String toString() {
    return (tls ? "rediss://" : "redis://") + host + ":" + port;
  }
}
