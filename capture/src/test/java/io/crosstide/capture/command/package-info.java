@NullMarked
package io.crosstide.capture.command;

import org.jspecify.annotations.NullMarked;
