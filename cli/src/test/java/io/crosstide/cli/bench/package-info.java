@NullMarked
package io.crosstide.cli.bench;

import org.jspecify.annotations.NullMarked;
