package io.crosstide.cli;

import static org.assertj.core.api.Assertions.assertThat;

import javax.management.JMException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class CompilerDirectivesTest {

  @AfterEach
  void clear() throws JMException {
    CompilerDirectives.command("compilerDirectivesClear");
  }

  @Test
  void theJvmTakesThem() throws JMException {
    assertThat(CompilerDirectives.command("compilerDirectivesPrint"))
        .doesNotContain("kafka/server/");

    CompilerDirectives.apply();

    String taken = CompilerDirectives.command("compilerDirectivesPrint");
    assertThat(taken).contains("org/apache/kafka/server/*.*");
    assertThat(taken.indexOf("org/apache/kafka/common/record"))
        .as("what runs per record comes before what excludes the rest of its package")
        .isBetween(0, taken.indexOf("org/apache/kafka/common/*.*"));
  }

  /** Only in C2's code do they use the processor's instructions: several times as fast. */
  @Test
  void ciphersAndDigestsAreCompiledByC2() throws JMException {
    CompilerDirectives.apply();

    assertThat(CompilerDirectives.command("compilerDirectivesPrint"))
        .contains("sun/nio/*.*")
        .doesNotContain("sun/security", "sun/crypto", "com/sun/*");
  }
}
