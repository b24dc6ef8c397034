package io.crosstide.cli.roles;

import io.crosstide.control.ControlPlane;
import io.crosstide.control.config.CrosstideConfig;
import io.crosstide.control.config.Secret;
import io.crosstide.control.role.RoleHandle;
import io.crosstide.schemas.registry.HttpSchemaRegistry;
import io.crosstide.schemas.registry.SchemaRegistry;
import io.crosstide.schemas.registry.SchemaRegistryConfig;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLContext;

/**
 * The roles that this process runs for one region. They start in the background, wait for what they
 * need and go on by themselves; closing stops them in the order in which changes flow.
 */
public final class RegionRoles implements AutoCloseable {
  private final ControlPlane control;
  private final List<RoleHandle> running = new ArrayList<>();

  public RegionRoles(
      CrosstideConfig config,
      CrosstideConfig.Region region,
      Set<Role> roles,
      ControlPlane control) {
    this.control = control;
    SchemaRegistry registry = registry(region.registry());
    // Downstream first: whatever capture publishes finds its readers there.
    if (roles.contains(Role.STREAMS)) {
      add(new StreamsRoleHandle(config, region, registry, control));
    }
    if (roles.contains(Role.BRIDGE)) {
      add(new BridgeRole(config, region, control.metrics()));
    }
    if (roles.contains(Role.CAPTURE)) {
      add(new CaptureRole(config, region, registry, control.metrics()));
    }
  }

  private void add(RoleHandle role) {
    running.add(role);
    control.add(role);
  }

  private static SchemaRegistry registry(CrosstideConfig.Registry registry) {
    SchemaRegistryConfig config = SchemaRegistryConfig.of(registry.url().toString());
    SSLContext tls = TlsContexts.of(registry.tls());
    if (tls != null) {
      config = config.withTls(tls);
    }
    Secret password = registry.password();
    return new HttpSchemaRegistry(
        registry.user() == null || password == null
            ? config
            : config.withCredentials(registry.user(), password.reveal()));
  }

  public List<RoleHandle> handles() {
    return List.copyOf(running);
  }

  @Override
  public void close() {
    List<RoleHandle> upstreamFirst = new ArrayList<>(running);
    Collections.reverse(upstreamFirst);
    for (RoleHandle role : upstreamFirst) {
      role.close();
      control.remove(role);
    }
    running.clear();
  }
}
