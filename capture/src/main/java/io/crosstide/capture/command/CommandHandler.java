package io.crosstide.capture.command;

/** What one command of the stream means. */
@FunctionalInterface
interface CommandHandler {

  /**
   * Derives the command's changes from the shadow as it was before, emits them, and moves the
   * shadow.
   *
   * @param argv name and arguments, as Redis accepted them
   */
  void handle(CommandContext context, byte[][] argv);
}
