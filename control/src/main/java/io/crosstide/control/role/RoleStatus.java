package io.crosstide.control.role;

/**
 * How a role is.
 *
 * @param state its own word for it, in lower case: {@code streaming}, {@code disconnected}
 * @param health what an operator should make of it
 * @param detail a sentence, empty if there is nothing to add
 */
public record RoleStatus(String state, Health health, String detail) {

  /** What an operator should make of a role's state. */
  public enum Health {
    /** On its way to work; nothing to do. */
    STARTING,
    WORKING,
    /** Something it needs is away; it goes on by itself when that is back. */
    WAITING,
    /** It has stopped and will not go on by itself. */
    FAILED
  }

  public static RoleStatus working(String state) {
    return new RoleStatus(state, Health.WORKING, "");
  }
}
