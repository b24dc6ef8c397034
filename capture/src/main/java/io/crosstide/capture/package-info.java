/**
 * Capture: a replica of the region's Redis that publishes every local write to the region's log and
 * acknowledges to Redis what Kafka has acknowledged. {@link io.crosstide.capture.CaptureAgent} is
 * the whole role.
 *
 * <pre>
 *  Redis ──PSYNC──▶ psync ──commands──▶ command ──events──▶ publish ──▶ Kafka changes.&lt;region&gt;
 *                     │                    │ ▲                  │
 *                     └── snapshot ─▶ rdb ─┘ shadow ◀─ acked ───┘
 * </pre>
 */
@NullMarked
package io.crosstide.capture;

import org.jspecify.annotations.NullMarked;
