/** Has Redis put into the stream what cannot be derived from it. */
@NullMarked
package io.crosstide.capture.content;

import org.jspecify.annotations.NullMarked;
