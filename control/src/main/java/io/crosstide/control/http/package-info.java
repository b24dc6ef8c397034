/** The HTTP API: status, statistics, WAN, explanations, verification, metrics. */
@NullMarked
package io.crosstide.control.http;

import org.jspecify.annotations.NullMarked;
