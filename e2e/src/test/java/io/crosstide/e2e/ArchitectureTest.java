package io.crosstide.e2e;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.time.Instant;
import java.time.LocalDateTime;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** Which module may know which, and what the pure ones must do without. */
@AnalyzeClasses(
    packages = "io.crosstide",
    importOptions = {ImportOption.DoNotIncludeTests.class})
class ArchitectureTest {
  private static final String[] PURE = {"io.crosstide.crdt..", "io.crosstide.protocol.."};

  @ArchTest
  static final ArchRule modulesKnowOnlyWhatIsBelowThem =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("io.crosstide..")
          .layer("crdt")
          .definedBy("io.crosstide.crdt..")
          .layer("protocol")
          .definedBy("io.crosstide.protocol..")
          .layer("schemas")
          .definedBy("io.crosstide.schemas..")
          .layer("capture")
          .definedBy("io.crosstide.capture..")
          .layer("bridge")
          .definedBy("io.crosstide.bridge..")
          .layer("apply")
          .definedBy("io.crosstide.apply..")
          .layer("streams")
          .definedBy("io.crosstide.streams..")
          .layer("control")
          .definedBy("io.crosstide.control..")
          .layer("sandbox")
          .definedBy("io.crosstide.sandbox..")
          .layer("cli")
          .definedBy("io.crosstide.cli..")
          .whereLayer("crdt")
          .mayNotAccessAnyLayer()
          .whereLayer("protocol")
          .mayOnlyAccessLayers("crdt")
          .whereLayer("schemas")
          .mayOnlyAccessLayers("protocol", "crdt")
          .whereLayer("capture")
          .mayOnlyAccessLayers("schemas", "protocol", "crdt")
          .whereLayer("bridge")
          .mayOnlyAccessLayers("schemas", "protocol", "crdt")
          .whereLayer("apply")
          .mayOnlyAccessLayers("protocol", "crdt")
          .whereLayer("streams")
          .mayOnlyAccessLayers("apply", "schemas", "protocol", "crdt")
          .whereLayer("control")
          .mayOnlyAccessLayers("schemas", "protocol", "crdt")
          .whereLayer("sandbox")
          .mayOnlyAccessLayers("schemas", "protocol", "crdt")
          .because(
              "stages meet only through topics and may run alone: move what two of them need into"
                  + " schemas or protocol, and wire them together in cli");

  @ArchTest
  static final ArchRule nobodyKnowsTheCommandLine =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.crosstide.cli..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.crosstide.cli..", "picocli..")
          .because("cli wires everything: give the module a constructor argument or an interface");

  @ArchTest
  static final ArchRule rolesDoNotKnowTheSandbox =
      noClasses()
          .that()
          .resideOutsideOfPackages("io.crosstide.cli..", "io.crosstide.sandbox..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.crosstide.sandbox..")
          .because("the roles run against any Redis and Kafka: only cli and tests may start one");

  @ArchTest
  static final ArchRule pureModulesUseOnlyTheLanguage =
      classes()
          .that()
          .resideInAnyPackage(PURE)
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "io.crosstide.crdt..",
              "io.crosstide.protocol..",
              "java.lang..",
              "java.util..",
              "java.math..",
              "java.nio",
              "java.nio.charset..",
              "java.security..",
              "org.jspecify.annotations..")
          .because(
              "the merge must be simulated: define an interface here, as RowStore and EffectWire"
                  + " are, and implement it in the module that owns the library");

  @ArchTest
  static final ArchRule pureModulesDoNoInputOrOutput =
      noClasses()
          .that()
          .resideInAnyPackage(PURE)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("java.io..", "java.nio.file..", "java.nio.channels..", "java.net..")
          .because("files and sockets make a simulation irreproducible: pass bytes in and out");

  @ArchTest
  static final ArchRule pureModulesHaveNoThreads =
      noClasses()
          .that()
          .resideInAnyPackage(PURE)
          .should()
          .dependOnClassesThat()
          .areAssignableTo(Thread.class)
          .orShould()
          .dependOnClassesThat()
          .resideInAPackage("java.util.concurrent..")
          .because("one thread calls the merge at a time: leave threads to streams and capture");

  @ArchTest
  static final ArchRule pureModulesHaveNoClock =
      noClasses()
          .that()
          .resideInAnyPackage(PURE)
          .should()
          .callMethodWhere(
              target(owner(JavaClass.Predicates.type(System.class)))
                  .and(target(nameMatching("currentTimeMillis|nanoTime"))))
          .orShould()
          .callMethodWhere(
              target(owner(JavaClass.Predicates.type(Instant.class)))
                  .and(target(nameMatching("now"))))
          .orShould()
          .callMethodWhere(
              target(owner(JavaClass.Predicates.type(LocalDateTime.class)))
                  .and(target(nameMatching("now"))))
          .because("equal input must give equal output: take the time as an argument");

  @ArchTest
  static final ArchRule pureModulesHaveNoRandomness =
      noClasses()
          .that()
          .resideInAnyPackage(PURE)
          .should()
          .dependOnClassesThat()
          .areAssignableTo(Random.class)
          .orShould()
          .dependOnClassesThat()
          .areAssignableTo(ThreadLocalRandom.class)
          .orShould()
          .callMethod(UUID.class, "randomUUID")
          .orShould()
          .callMethod(Math.class, "random")
          .because("equal input must give equal output: take identities as arguments");

  @ArchTest
  static final ArchRule onlyMainEndsTheProcess =
      noClasses()
          .that()
          .doNotHaveFullyQualifiedName("io.crosstide.cli.Crosstide")
          .and()
          // Kafka halts the JVM on a fatal fault of a broker; this says why before it does so too.
          .doNotHaveFullyQualifiedName("io.crosstide.sandbox.kafka.BrokerFaults")
          .should()
          .callMethod(System.class, "exit", int.class)
          .orShould()
          .callMethod(Runtime.class, "halt", int.class)
          .because("several roles share a process: throw, and let the role report that it failed");

  @ArchTest
  static final ArchRule packagesOfAModuleHaveNoCycles =
      slices()
          .matching("io.crosstide.(*)..")
          .should()
          .beFreeOfCycles()
          .because("modules build one after the other: move the shared class to the lower one");
}
