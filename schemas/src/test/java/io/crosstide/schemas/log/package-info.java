@NullMarked
package io.crosstide.schemas.log;

import org.jspecify.annotations.NullMarked;
