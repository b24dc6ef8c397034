/** Where the logs of change events end, by the rule that all readers follow (P16). */
@NullMarked
package io.crosstide.schemas.log;

import org.jspecify.annotations.NullMarked;
