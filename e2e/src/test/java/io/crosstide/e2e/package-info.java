/** The whole system as users meet it: real Redis, real Kafka, every role, links that are cut. */
@NullMarked
package io.crosstide.e2e;

import org.jspecify.annotations.NullMarked;
