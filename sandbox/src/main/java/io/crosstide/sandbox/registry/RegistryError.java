package io.crosstide.sandbox.registry;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** An answer that is an error: HTTP status, Confluent's code, and its sentence. */
final class RegistryError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private static final int CODE_DIVISOR = 100;

  private final int errorCode;

  RegistryError(int errorCode, String message) {
    this(errorCode, message, null);
  }

  RegistryError(int errorCode, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.errorCode = errorCode;
  }

  int errorCode() {
    return errorCode;
  }

  /** The first three digits of the code. */
  int status() {
    return errorCode < 1000 ? errorCode : errorCode / CODE_DIVISOR;
  }

  static RegistryError subjectNotFound(String subject) {
    return new RegistryError(40401, "Subject '" + subject + "' not found.");
  }

  static RegistryError versionNotFound(int version) {
    return new RegistryError(40402, "Version " + version + " not found.");
  }

  static RegistryError schemaNotFound() {
    return new RegistryError(40403, "Schema not found");
  }

  static RegistryError schemaNotFound(int id) {
    return new RegistryError(40403, "Schema " + id + " not found");
  }

  static RegistryError subjectSoftDeleted(String subject) {
    return new RegistryError(
        40404,
        "Subject '" + subject + "' was soft deleted. Set permanent=true to delete permanently");
  }

  static RegistryError subjectNotSoftDeleted(String subject) {
    return new RegistryError(
        40405, "Subject '" + subject + "' was not deleted first before being permanently deleted");
  }

  static RegistryError versionSoftDeleted(String subject, int version) {
    return new RegistryError(
        40406,
        "Subject '"
            + subject
            + "' Version "
            + version
            + " was soft deleted. Set permanent=true to delete permanently");
  }

  static RegistryError versionNotSoftDeleted(String subject, int version) {
    return new RegistryError(
        40407,
        "Subject '"
            + subject
            + "' Version "
            + version
            + " was not deleted first before being permanently deleted");
  }

  static RegistryError noSubjectLevel(String subject) {
    return new RegistryError(
        40408, "Subject '" + subject + "' does not have subject-level compatibility configured");
  }

  static RegistryError noSubjectMode(String subject) {
    return new RegistryError(
        40409, "Subject '" + subject + "' does not have subject-level mode configured");
  }

  static RegistryError incompatible(String subject, List<String> problems) {
    return new RegistryError(
        409,
        "Schema being registered is incompatible with an earlier schema for subject \""
            + subject
            + "\", details: "
            + problems);
  }

  static RegistryError invalidSchema(String problem) {
    return new RegistryError(42201, "Invalid schema: " + problem);
  }

  static RegistryError invalidVersion(String version) {
    return new RegistryError(
        42202,
        "The specified version '"
            + version
            + "' is not a valid version id. Allowed values are between [1, 2^31-1] and the string"
            + " \"latest\"");
  }

  static RegistryError invalidLevel(String level) {
    return new RegistryError(
        42203,
        "Invalid compatibility level '"
            + level
            + "'. Valid values are none, backward, forward, full, backward_transitive,"
            + " forward_transitive, and full_transitive");
  }

  static RegistryError invalidMode(String mode) {
    return new RegistryError(
        42204, "Invalid mode '" + mode + "'. Valid values are READWRITE, READONLY, and IMPORT");
  }

  static RegistryError notPermitted(String problem) {
    return new RegistryError(42205, problem);
  }

  static RegistryError referenced(String subject, int version) {
    return new RegistryError(
        42206,
        "One or more references exist to the schema {subject="
            + subject
            + ",version="
            + version
            + "}");
  }

  static RegistryError badRequest(String problem) {
    return new RegistryError(400, problem);
  }

  static RegistryError backend(String problem, @Nullable Throwable cause) {
    return new RegistryError(50001, "Error in the Kafka backend: " + problem, cause);
  }
}
