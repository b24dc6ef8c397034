-- Streams: part of the effect batch, which calls stream_read, stream_put and stream_settle.
--
-- Redis adds entries at the end only. One that belongs below the end ("late") is put there by a repair: the entries above it
-- (the tail) are read and deleted, XSETID takes the last id back, the late one is added, then those of the tail again, with
-- their ids. It costs what the tail costs, however long the stream. The repair stays open from one late entry to the next of
-- the same stream, so that those of one batch, which come in order, share the tail: stream_settle ends it. Pending entries
-- refer to ids and stay. A group that has gone past a late entry gets it as pending, of the consumer LATE: XAUTOCLAIM and
-- XCLAIM hand it on.

local LATE = '__ct'                     -- of reserved name, as our keys
local STRINGS_MAX = 7000                -- of one entry: Lua's C stack bounds what one command can be given
local TOP = 4294967296                  -- ids are two numbers of 64 bits, here two halves each: Lua's are doubles

local repair

local function decimal(high, low)
  if high < 2097152 then
    return format('%.0f', high * TOP + low)
  end
  local rest = high % 1000000 * TOP + low
  return format('%.0f%06.0f', (high - high % 1000000) / 1000000 * TOP + math.floor(rest / 1000000), rest % 1000000)
end

local function half(name, from)
  local a, b, c, d = byte(name, from, from + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function id_of(name, from)
  return {half(name, from), half(name, from + 4), half(name, from + 8), half(name, from + 12)}
end

local function id_text(id)
  return decimal(id[1], id[2]) .. '-' .. decimal(id[3], id[4])
end

local function id_below(id)
  local below = {id[1], id[2], id[3], id[4]}
  for i = 4, 1, -1 do
    if below[i] > 0 then
      below[i] = below[i] - 1
      break
    end
    below[i] = TOP - 1
  end
  return id_text(below)
end

-- Where the entry of a region is shown if a smaller region has one with this id; nil: nowhere. As StreamId.displaced.
local function displaced(id, region)
  if id[3] >= 256 then
    return nil
  end
  local sequence = id[3] * TOP + id[4]
  return {id[1], id[2], 2147483648 + math.floor(sequence / 512), sequence % 512 * 8388608 + region * 65536}
end

-- The region whose displaced entry has this id, which is above 'ms-2^63'; 0: it is none.
local function region_of(text)
  local sequence = match(text, '%-(%d+)$')
  local low = (tonumber(sequence:sub(1, -11)) % 8388608 * (10000000000 % 8388608) + tonumber(sequence:sub(-10))) % 8388608
  return low % 65536 == 0 and low / 65536 or 0
end

local function is_below(a, b)
  local a_ms, a_seq = match(a, '^(%d+)%-(%d+)$')
  local b_ms, b_seq = match(b, '^(%d+)%-(%d+)$')
  if a_ms ~= b_ms then
    return #a_ms < #b_ms or #a_ms == #b_ms and a_ms < b_ms
  end
  return #a_seq < #b_seq or #a_seq == #b_seq and a_seq < b_seq
end

local function encoded(strings)
  local out = {struct.pack('>I4', #strings)}
  for i = 1, #strings do
    out[#out + 1] = struct.pack('>I4', #strings[i])
    out[#out + 1] = strings[i]
  end
  return table.concat(out)
end

-- The entries in a value of StreamElements: region, encoded, strings.
local function decoded(value)
  local entries, from = {}, 1
  while from <= #value do
    local entry = {region = byte(value, from), strings = {}}
    local count, next_at = struct.unpack('>I4', value, from + 1)
    for i = 1, count do
      local length
      length, next_at = struct.unpack('>I4', value, next_at)
      entry.strings[i] = value:sub(next_at, next_at + length - 1)
      next_at = next_at + length
    end
    entry.encoded = value:sub(from + 1, next_at - 1)
    entries[#entries + 1] = entry
    from = next_at
  end
  return entries
end

-- What is shown of the entries that were given this id; nil, true: the key is of another type.
local function shown(key, id)
  local entries = {}
  local text = id_text(id)
  local found = try('XRANGE', key, text, text)
  if found.err then
    return nil, true
  end
  if found[1] then
    entries[1] = {id = text, region = 0, encoded = encoded(found[1][2])}
  end
  local from, to = displaced(id, 0), displaced(id, 127)
  if from then
    found = call('XRANGE', key, id_text(from), id_text(to))
    for i = 1, #found do
      local region = region_of(found[i][1])
      if region > 0 then
        entries[#entries + 1] = {id = found[i][1], region = region, encoded = encoded(found[i][2])}
      end
    end
  end
  return entries
end

local function content_of(entries)
  if not entries[1] then
    return nil
  end
  local parts = {}
  for i = 1, #entries do
    parts[2 * i - 1] = char(i == 1 and 0 or entries[i].region)
    parts[2 * i] = entries[i].encoded
  end
  return table.concat(parts)
end

local function fields_of(flat)
  local map = {}
  for i = 1, #flat, 2 do
    map[flat[i]] = flat[i + 1]
  end
  return map
end

local function groups_of(key)
  local groups = {}
  local all = try('XINFO', 'GROUPS', key)
  for i = 1, #all do
    local fields = fields_of(all[i])
    groups[i] = {name = fields['name'], delivered = fields['last-delivered-id']}
  end
  return groups
end

local function stream_settle()
  local open = repair
  repair = nil
  if not open then
    return
  end
  use(open.db)
  for i = open.at, #open.tail do
    try('XADD', open.key, open.tail[i][1], unpack(open.tail[i][2]))
  end
  local last = open.last
  if is_below(last, open.added) then
    last = open.added
  end
  if open.entries_added then
    try('XSETID', open.key, last, 'ENTRIESADDED', format('%.0f', open.entries_added + open.count), 'MAXDELETEDID', open.deleted)
  else
    try('XSETID', open.key, last)
  end
end

-- Adds a late entry to the stream whose repair is open, and tells the groups that have gone past it.
local function add_late(id, strings, moved)
  local open = repair
  local text = id_text(id)
  while open.at <= #open.tail and is_below(open.tail[open.at][1], text) do
    try('XADD', open.key, open.tail[open.at][1], unpack(open.tail[open.at][2]))
    open.at = open.at + 1
  end
  local added = try('XADD', open.key, text, unpack(strings))
  if failure(added) then
    return added.err
  end
  open.added = text
  open.count = open.count + 1
  for i = 1, #open.groups do
    local group = open.groups[i]
    if not moved and not is_below(group.delivered, text) then
      try('XCLAIM', open.key, group.name, LATE, 0, text, 'FORCE', 'JUSTID')
    end
  end
end

local function add_entry(key, at_key, id, strings, moved)
  if #strings > STRINGS_MAX then
    return 'TOOMANY an entry of so many fields cannot be added'
  end
  local text = id_text(id)
  local added = try('XADD', key, text, unpack(strings))
  if not failure(added) then
    return nil
  end
  local info = try('XINFO', 'STREAM', key)
  if info.err or not match(added.err, 'smaller') then
    return added.err
  end
  info = fields_of(info)
  local tail = call('XRANGE', key, '(' .. text, '+')
  local ids, far = {}, false
  for i = 1, #tail do
    if #tail[i][2] > STRINGS_MAX then
      return 'TOOMANY an entry of so many fields is in the way'
    end
    ids[i] = tail[i][1]
    far = far or #match(ids[i], '%d*$') >= 19
  end
  for i = 1, #ids, TOUCH_MAX do
    call('XDEL', key, unpack(ids, i, math.min(#ids, i + TOUCH_MAX - 1)))
  end
  local last, deleted = info['last-generated-id'], info['max-deleted-entry-id']
  if deleted then
    -- Some versions refuse an id below the highest deleted one, and none can be unset.
    deleted = deleted == '0-0' and '0-1' or deleted
    try('XSETID', key, last, 'ENTRIESADDED', format('%.0f', info['entries-added']), 'MAXDELETEDID', is_below(deleted, text) and deleted or '0-1')
  end
  try('XSETID', key, id_below(id))
  local known = {}
  for i = 1, #ids do
    known[ids[i]] = true
  end
  repair = {
    key = key, at_key = at_key, db = db, tail = tail, at = 1, known = known, far = far, last = last, added = '0-0', count = 0,
    deleted = deleted, entries_added = info['entries-added'], groups = groups_of(key)
  }
  local refused = add_late(id, strings, moved)
  if refused then
    stream_settle()
  end
  return refused
end

-- Takes an entry's pending references, to be given to the one it becomes.
local function take_pending(key, text)
  local taken = {}
  for _, group in ipairs(groups_of(key)) do
    local pending = try('XPENDING', key, group.name, text, text, 1)
    if pending[1] then
      taken[#taken + 1] = {group.name, pending[1][2]}
      try('XACK', key, group.name, text)
    end
  end
  return taken
end

local function put_entry(key, at_key, name, guard, expected, desired)
  local id = id_of(name, 2)
  if repair then
    -- Only puts of absent entries of the same stream come while a repair is open.
    local text = id_text(id)
    local wanted = decoded(desired)
    if is_below(repair.added, text) and not repair.far and not repair.known[text] and #wanted == 1
      and #wanted[1].strings <= STRINGS_MAX then
      return add_late(id, wanted[1].strings, false)
    end
    stream_settle()
  end
  local before, foreign = shown(key, id)
  if not holds(not foreign and content_of(before) or nil, guard, expected) then
    return 'guard'
  end
  if foreign then
    return desired and WRONG_TYPE or nil
  end
  local after = desired and decoded(desired) or {}
  local missing = {}
  for i = 1, #after do
    local wanted = after[i]
    for _, entry in ipairs(before) do
      if not entry.stays and entry.encoded == wanted.encoded and (i == 1 or entry.region == wanted.region) then
        entry.stays, wanted.is_there = true, true
        break
      end
    end
    if not wanted.is_there then
      wanted.id = i == 1 and id or displaced(id, wanted.region)
      missing[#missing + 1] = wanted
    end
  end
  for _, entry in ipairs(before) do
    if not entry.stays then
      for _, wanted in ipairs(missing) do
        if wanted.encoded == entry.encoded and not wanted.pending then
          wanted.pending = take_pending(key, entry.id)
          break
        end
      end
      call('XDEL', key, entry.id)
    end
  end
  for _, wanted in ipairs(missing) do
    stream_settle()
    local refused = wanted.id and add_entry(key, at_key, wanted.id, wanted.strings, wanted.pending ~= nil)
    if refused then
      return refused
    end
    for _, pending in ipairs(wanted.pending or {}) do
      try('XCLAIM', key, pending[1], pending[2], 0, id_text(wanted.id), 'FORCE', 'JUSTID')
    end
  end
  return nil
end

-- The owner expects '' when it knows from a probe that the group is there, not where: then nothing is set back.
local function put_group(key, name, expected, desired)
  local group = name:sub(2)
  if not desired then
    try('XGROUP', 'DESTROY', key, group)  -- an error: it is not there
    return nil
  end
  local text = id_text(id_of(desired, 3))
  local created = failure(try('XGROUP', 'CREATE', key, group, text, 'MKSTREAM'))
  if not created or not match(created, 'BUSYGROUP') then
    return created
  end
  for _, other in ipairs(groups_of(key)) do
    if other.name == group and other.delivered ~= text and (byte(desired, 2) == 1 and expected ~= '' or is_below(other.delivered, text)) then
      return failure(try('XGROUP', 'SETID', key, group, text))
    end
  end
  return nil
end

local function is_stream(key)
  return call('TYPE', key).ok == 'stream'
end

local function put_stream(key, desired)
  if not desired then
    if is_stream(key) and call('XLEN', key) == 0 and #groups_of(key) == 0 then
      call('DEL', key)
    end
    return nil
  end
  if call('EXISTS', key) == 0 then
    call('XGROUP', 'CREATE', key, LATE, '0', 'MKSTREAM')
    call('XGROUP', 'DESTROY', key, LATE)
  end
  return not is_stream(key) and WRONG_TYPE or nil
end

local ENTRY, GROUP = 101, 103           -- e g: first byte of the name, as in StreamElements

-- As read: the content or nil, and whether the key is of another type.
local function stream_read(key, name)
  local first = byte(name, 1)
  if first == ENTRY then
    local entries, foreign = shown(key, id_of(name, 2))
    return not foreign and content_of(entries) or nil, foreign
  elseif first == GROUP then
    for _, group in ipairs(groups_of(key)) do
      if group.name == name:sub(2) then
        return ''
      end
    end
    return nil
  end
  return is_stream(key) and '' or nil
end

local function stream_put(key, at_key, name, guard, expected, desired)
  local first = byte(name, 1)
  if first == ENTRY then
    return put_entry(key, at_key, name, guard, expected, desired)
  elseif first == GROUP then
    return put_group(key, name, expected, desired)
  end
  return put_stream(key, desired)
end
