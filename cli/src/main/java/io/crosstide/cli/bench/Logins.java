package io.crosstide.cli.bench;

import io.crosstide.cli.bench.Target.TargetRegion;
import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.control.config.Secret;
import org.jspecify.annotations.Nullable;

/**
 * As whom the bench writes.
 *
 * @param config the deployment's, for certificates, and for logins unless one is given here; null
 *     for what needs none
 * @param user null for the default user
 * @param password null for that of {@code config}
 */
record Logins(@Nullable CrosstideConfig config, @Nullable String user, @Nullable Secret password) {
  static final Logins NONE = new Logins(null, null, null);

  CrosstideConfig.Redis redis(TargetRegion region) {
    CrosstideConfig.Redis plain =
        new CrosstideConfig.Redis(region.redis(), null, null, CrosstideConfig.Tls.DEFAULT);
    CrosstideConfig.Redis known =
        config == null
            ? plain
            : config.regions().stream()
                .filter(one -> one.name().equals(region.name()))
                .map(CrosstideConfig.Region::redis)
                .findFirst()
                .orElse(plain);
    return password == null
        ? known
        : new CrosstideConfig.Redis(known.uri(), user, password, known.tls());
  }
}
