/**
 * The shadow: what capture knows of one Redis's contents, key by key and element by element, as of
 * a place in its replication stream.
 *
 * <p>It is what makes "which members did this ZADD change", "this DEL is an expiry" and "what
 * happened while I was away" answerable. {@link io.crosstide.capture.shadow.Shadow} is the whole
 * API; {@link io.crosstide.capture.shadow.InMemoryShadow} and {@link
 * io.crosstide.capture.shadow.RocksShadow} differ only in where rows are kept.
 */
@NullMarked
package io.crosstide.capture.shadow;

import org.jspecify.annotations.NullMarked;
