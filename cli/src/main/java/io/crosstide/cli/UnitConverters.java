package io.crosstide.cli;

import io.crosstide.control.config.Units;
import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Options with units. */
public final class UnitConverters {
  private UnitConverters() {}

  /** {@code 40ms}, {@code 2m}. */
  public static final class OfDuration implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
      try {
        return Units.duration(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /** {@code 10MB/s}, {@code unlimited}. */
  public static final class OfRate implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      try {
        return Units.bytesPerSecond(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
