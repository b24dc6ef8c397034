package io.crosstide.control.role;

import java.net.URI;

/**
 * A region as the API shows it; no secrets.
 *
 * @param kafka bootstrap brokers
 */
public record RegionInfo(String name, int id, URI redis, String kafka, URI registry) {}
