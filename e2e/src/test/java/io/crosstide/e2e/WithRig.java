package io.crosstide.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.Store;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives tests one rig of three regions, started with the first of all test classes that want it and
 * stopped after the last. Before each test all links are up; a failed test shows the rig's state.
 */
final class WithRig implements ParameterResolver, BeforeEachCallback, AfterTestExecutionCallback {
  private static final int REGIONS = 3;
  private static final Namespace NAMESPACE = Namespace.create(WithRig.class);

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == SystemRig.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return rig(context);
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    rig(context).heal();
  }

  @Override
  public void afterTestExecution(ExtensionContext context) {
    context
        .getExecutionException()
        .ifPresent(failure -> System.err.println(failure + "\n" + rig(context).state()));
  }

  private static SystemRig rig(ExtensionContext context) {
    Store store = context.getRoot().getStore(NAMESPACE);
    return store.getOrComputeIfAbsent("rig", key -> new Shared(), Shared.class).rig;
  }

  private static final class Shared implements AutoCloseable {
    private final Path directory;
    private final SystemRig rig;

    Shared() {
      try {
        directory = Files.createTempDirectory("crosstide-e2e");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      rig = SystemRig.start(directory, REGIONS);
    }

    @Override
    public void close() throws IOException {
      rig.close();
      try (Stream<Path> all = Files.walk(directory)) {
        for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }
}
