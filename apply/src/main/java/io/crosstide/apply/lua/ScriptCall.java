package io.crosstide.apply.lua;

import java.util.List;

/** What a script is called with: its keys and its arguments, as bytes. */
public record ScriptCall(List<byte[]> keys, List<byte[]> arguments) {}
