/**
 * Full resync: a snapshot of Redis is read beside the shadow, compared with it, and only the
 * differences are published, so that a first start, a start repeated after a crash and a return
 * after a backlog overrun are one and the same thing.
 */
@NullMarked
package io.crosstide.capture.rdb;

import org.jspecify.annotations.NullMarked;
