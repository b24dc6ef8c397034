package io.crosstide.cli.roles;

import io.crosstide.cli.CliException;
import io.crosstide.control.config.CrosstideConfig;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.nio.file.Path;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Java's form of the configured certificates. */
final class TlsContexts {
  private TlsContexts() {}

  /**
   * Null if nothing is configured, which means what Java trusts.
   *
   * @throws CliException naming the files if they are not what they should be
   */
  static @Nullable SSLContext of(CrosstideConfig.Tls tls) {
    if (tls.equals(CrosstideConfig.Tls.DEFAULT)) {
      return null;
    }
    SslContextBuilder builder = SslContextBuilder.forClient().sslProvider(SslProvider.JDK);
    Path caFile = tls.caFile();
    Path certFile = tls.certFile();
    Path keyFile = tls.keyFile();
    try {
      if (caFile != null) {
        builder.trustManager(caFile.toFile());
      }
      if (certFile != null && keyFile != null) {
        builder.keyManager(certFile.toFile(), keyFile.toFile());
      }
      return ((JdkSslContext) builder.build()).context();
    } catch (SSLException | IllegalArgumentException e) {
      throw new CliException(
          "the certificates cannot be used ("
              + e.getMessage()
              + "): ca-file and cert-file hold certificates, key-file an unencrypted PKCS#8 key,"
              + " all in PEM form",
          e);
    }
  }
}
