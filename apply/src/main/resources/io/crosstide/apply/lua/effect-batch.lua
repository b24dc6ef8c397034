-- The effect batch: moves one partition's marker and applies the effects behind it, whole or not at all.
--
-- Order of what Redis does, and so of what the replication stream shows:
--   1. read the marker; refuse without having written anything (P2, P3)
--   2. touch every key, so that lazy expiry stands before the marker in the stream (P5)
--   3. write the marker: the first write, and one that deny-oom refuses, so that a full, read-only or otherwise unwilling
--      Redis refuses the batch whole
--   4. the effects in order, each behind its guard; an error counts as the effect's miss
--   5. write the exceptions that the misses left or the passes removed (P9)
-- After step 3 nothing may raise an error: Redis does not roll back, and the marker would claim what was not applied.
--
-- KEYS  marker, then the distinct keys of the batch, those of one database together
-- ARGV  1 epoch      2 first number      3 last number      4 context after the batch
--       5 the context before each group, joined by ';' ('*': the one the marker holds)
--       6 '1' if the batch holds a probe, else '0'
--       7 highest stamp merged, packed
--       8 how many databases, then for each its number and how many of the keys are in it
--       then the effects, each as
--         shape     eight bytes, see the loop of step 4
--         name      field or member, for the kinds that have one
--         expected  for the guards '=' (a value) and '#' (the SHA-1 of one, in hex)
--         desired   if a value is to be written; the delta of an add
--         knows     if there is one: the number of the miss the effect was planned with
--         place     of put and check on an element of a list: where to find it, see the section on lists
--       or, of a message, as shape, channel, message
--
-- Reply: {'N'} no marker; {'E', marker's epoch, fx} epoch differs; {'D'} applied before; {'G', marker's epoch, fx} gap; or
-- {'A', m, number, reason (m times), number, 'a' | 'v' | 's', content, exception (for each probe)}

local call, try = redis.call, redis.pcall
local sha1, byte, char, format, match = redis.sha1hex, string.byte, string.char, string.format, string.match
local KEYS, ARGV = KEYS, ARGV

if redis.replicate_commands and not redis.REDIS_VERSION_NUM then
  redis.replicate_commands()            -- before 7.0 a setting could make the stream show this call instead of its effects
end

-- Step 1: may the batch be applied?

local marker, epoch = KEYS[1], ARGV[1]
local first, last = tonumber(ARGV[2]), tonumber(ARGV[3])

local held = try('HMGET', marker, 'e', 'f', 'c', 'k')
if held.err or not (held[1] and held[2] and held[3] and held[4]) then
  return {'N'}                          -- none, or what a client left of it
end
if held[1] ~= epoch then
  return {'E', held[1], held[2]}
end
local fx_epoch, fx_number = match(held[2], '^(%d+):(%d+)$')
if not fx_epoch then
  return {'N'}
end
fx_number = tonumber(fx_number)
if fx_epoch == epoch then
  if fx_number >= last then
    return {'D'}
  end
  if fx_number ~= first - 1 then
    return {'G', held[1], held[2]}
  end
elseif tonumber(fx_epoch) > tonumber(epoch) or first ~= 1 then
  return {'G', held[1], held[2]}
end

-- Step 2: touch the keys. db_of stays nil when all are in database 0.

local db = 0
local function use(wanted)
  if wanted ~= db then
    call('SELECT', wanted)
    db = wanted
  end
end

local TOUCH_MAX = 1000                  -- bounded by Lua's C stack
local at = 9
local db_of
do
  local databases = tonumber(ARGV[8])
  local from = 2
  for _ = 1, databases do
    local number, keys = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
    at = at + 2
    if databases > 1 or number ~= 0 then
      db_of = db_of or {}
      for i = from, from + keys - 1 do
        db_of[i] = number
      end
    end
    use(number)
    local to = from + keys - 1
    while from <= to do
      local upto = math.min(to, from + TOUCH_MAX - 1)
      call('EXISTS', unpack(KEYS, from, upto))
      from = upto + 1
    end
  end
  use(0)
end

-- Step 3: the marker.

local fx = epoch .. ':' .. ARGV[3]
if ARGV[6] == '1' then
  call('HSET', marker, 'f', fx, 'c', ARGV[4], 'k', held[4], 'h', ARGV[7], 'p', fx)
else
  call('HSET', marker, 'f', fx, 'c', ARGV[4], 'k', held[4], 'h', ARGV[7])
end

-- Exceptions by element digest: '<fx> <context>', or false for none. While there are few, all are read at once, and then only
-- elements of keys that have one cost a second SHA-1; else each is read when needed. Written back in step 5.

local PRELOAD_MAX = 128
local count = tonumber(held[4])
local exceptions, changed = {}, {}
local heads                             -- the keys, by digest, that have exceptions; nil: not known
local key_digests = {}

if count <= PRELOAD_MAX then
  heads = {}
  if count > 0 then
    local fields = call('HGETALL', marker)
    for i = 1, #fields, 2 do
      local digest = match(fields[i], '^x:(.*)$')
      if digest then
        exceptions[digest] = fields[i + 1]
        heads[digest:sub(1, 20)] = true
      end
    end
  end
end

local function key_digest_of(at_key)
  local head = key_digests[at_key]
  if not head then
    head = sha1((db_of and db_of[at_key] or 0) .. ':' .. KEYS[at_key]):sub(1, 20)
    key_digests[at_key] = head
  end
  return head
end

local function digest_of(at_key, kind, name)
  return key_digest_of(at_key) .. sha1(char(kind) .. (name or '')):sub(1, 20)
end

local function exception_of(digest)
  local exception = exceptions[digest]
  if exception == nil then
    exception = false
    if not heads then
      use(0)
      exception = call('HGET', marker, 'x:' .. digest)
    end
    exceptions[digest] = exception
  end
  return exception
end

local function set_exception(digest, exception)
  if exception and not exceptions[digest] then
    count = count + 1
    if heads then
      heads[digest:sub(1, 20)] = true
    end
  elseif not exception and exceptions[digest] then
    count = count - 1
  end
  exceptions[digest] = exception
  changed[digest] = true
end

local function is_newer(exception, knows)
  local e, n = match(exception, '^(%d+):(%d+)')
  local known_e, known_n = match(knows or '0:0', '^(%d+):(%d+)')
  e, known_e = tonumber(e), tonumber(known_e)
  return e > known_e or (e == known_e and tonumber(n) > tonumber(known_n))
end

local contexts
local function context_before(group)
  if not contexts then
    contexts = {}
    for context in (ARGV[5] .. ';'):gmatch('([^;]*);') do
      contexts[#contexts + 1] = context
    end
  end
  local context = contexts[group]
  return context == '*' and held[3] or context
end

-- Step 4: the effects. The letters of the shape:

local PUT, CHECK, ADD, PROBE, NOOP, PUBLISH = 112, 99, 97, 63, 45, 33     -- p c a ? - !
local STRING, FIELD, MEMBER, SCORE, DEADLINE, LIST, STREAM = 115, 104, 109, 122, 100, 108, 120    -- s h m z d l x, as ElementKind's tags
local ABSENT, VALUE = 48, 61                                              -- 0 =; the guard's third is # for a SHA-1

local SCORE_MAX = 9007199254740992      -- integers below it are exact in a double
local DEADLINE_AHEAD_MIN = 20           -- milliseconds; nearer ones could pass before PEXPIREAT runs, which would then delete

local function holds(actual, guard, expected)
  if guard == ABSENT then
    return not actual
  end
  if not actual then
    return false
  end
  if guard == VALUE then
    return actual == expected
  end
  return sha1(actual) == expected
end

local function now()
  local t = call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- The key's deadline in milliseconds since 1970; -1: it has none; -2: no such key.
local function deadline_of(key)
  if redis.REDIS_VERSION_NUM then
    return call('PEXPIRETIME', key)
  end
  -- Before 7.0 only the time left can be asked for: it is exact when the clock did not tick meanwhile.
  for _ = 1, 1000 do
    local before = now()
    local left = call('PTTL', key)
    if left < 0 then
      return left
    end
    if now() == before then
      return before + left
    end
  end
  return now() + call('PTTL', key)
end

-- nil if the command went well, else the error.
local function failure(reply)
  return type(reply) == 'table' and reply.err or nil
end

local WRONG_TYPE = 'WRONGTYPE the key holds another type'

--@include effect-stream.lua

-- Reads an element: its content or nil, and whether the key is of another type.
local function read(kind, key, name)
  local content
  if kind == STREAM then
    return stream_read(key, name)
  elseif kind == STRING then
    content = try('GET', key)
  elseif kind == FIELD then
    content = try('HGET', key, name)
  elseif kind == SCORE then
    content = try('ZSCORE', key, name)
  elseif kind == MEMBER then
    content = try('SISMEMBER', key, name)
    if content == 1 then
      return ''
    elseif content == 0 then
      return nil
    end
  else
    content = deadline_of(key)
    return content >= 0 and format('%.0f', content) or nil
  end
  if type(content) == 'table' then
    return nil, true
  end
  return content or nil
end

local function put(kind, key, at_key, name, guard, expected, want, desired)
  if kind == STREAM then
    return stream_put(key, at_key, name, guard, expected, desired)
  end
  if kind == MEMBER then
    if want == VALUE and guard == ABSENT then
      local added = try('SADD', key, name)
      return added == 0 and 'guard' or failure(added)
    end
    if want == ABSENT and guard == VALUE then
      return try('SREM', key, name) ~= 1 and 'guard' or nil
    end
    return (read(MEMBER, key, name) ~= nil) ~= (guard == VALUE) and 'guard' or nil
  end

  if kind == DEADLINE then
    local actual = deadline_of(key)
    if want == ABSENT and actual < 0 then
      return nil                          -- nothing left to clear: a key that vanished took its deadline along
    end
    if guard == ABSENT and actual >= 0 or guard ~= ABSENT and (actual < 0 or actual ~= tonumber(expected)) then
      return 'guard'
    end
    if want == ABSENT then
      return failure(try('PERSIST', key))
    end
    if actual == -2 then
      return 'NOKEY there is no key to give a deadline'
    end
    local earliest = now() + DEADLINE_AHEAD_MIN
    if tonumber(desired) < earliest then
      desired = format('%.0f', earliest)
    end
    return failure(try('PEXPIREAT', key, desired))
  end

  local actual, foreign = read(kind, key, name)
  if kind == SCORE then
    if actual and guard ~= ABSENT then
      if tonumber(actual) ~= tonumber(expected) then
        return 'guard'
      end
    elseif actual or guard ~= ABSENT then
      return 'guard'
    end
  elseif not holds(actual, guard, expected) then
    return 'guard'
  end
  if want == ABSENT then
    if not actual then
      return nil
    end
    if kind == STRING then
      return failure(try('DEL', key))
    elseif kind == FIELD then
      return failure(try('HDEL', key, name))
    end
    return failure(try('ZREM', key, name))
  end
  if foreign then
    return WRONG_TYPE
  end
  if kind == STRING then
    return failure(try('SET', key, desired, 'KEEPTTL'))
  elseif kind == FIELD then
    return failure(try('HSET', key, name, desired))
  end
  return failure(try('ZADD', key, desired, name))
end

local function check(kind, key, name, guard, expected)
  if kind == STREAM and byte(name, 1) ~= ENTRY then
    if byte(name, 1) ~= GROUP and guard == ABSENT then
      put_stream(key, nil)                -- entries may have made it again since it was to go
    end
    return nil                            -- Redis cannot say
  end
  local actual = read(kind, key, name)
  if kind == MEMBER then
    return (actual ~= nil) ~= (guard == VALUE) and 'guard' or nil
  end
  if (kind == SCORE or kind == DEADLINE) and actual and guard ~= ABSENT then
    return tonumber(actual) ~= tonumber(expected) and 'guard' or nil
  end
  return not holds(actual, guard, expected) and 'guard' or nil
end

local function add(kind, key, name, delta)
  if kind == STRING then
    return failure(try('INCRBY', key, delta))
  elseif kind == FIELD then
    return failure(try('HINCRBY', key, name, delta))
  end
  local actual, foreign = read(SCORE, key, name)
  if foreign then
    return WRONG_TYPE
  end
  local before, step = tonumber(actual or 0), tonumber(delta)
  local after = before + step
  if before % 1 ~= 0 or math.abs(before) >= SCORE_MAX or math.abs(step) >= SCORE_MAX or math.abs(after) >= SCORE_MAX then
    return 'NOTINTEGER the score before or after is no integer below 2^53'
  end
  return failure(try('ZINCRBY', key, delta, name))
end

-- Lists. Their elements have no names: which one is meant follows from its content and from those around it (class ListPlace;
-- ListSemantics does the same in Java). An effect's place is
--   effort '0' to '3', '<' or '>' (it leans to the right), how many neighbours before and after it (a digit each), the hint and
--   a space, then the neighbours, the nearest first, each as a byte for its length and its bytes; of length 40: SHA-1 in hex
-- Before each change the marker tells capture which element is meant: 'l' is
--   'i' | 'r' | 's' (inserted, removed, set) or 'p' (asked), the database, the index (negative: from the tail), the key's
--   length, then key and position
-- What is changed is the shorter side of the list, or one node of it: the cost does not grow with its length.

local tell, list_put, list_check
do
  local REACH = {[0] = 8, 64, 512}      -- from the hint, by effort; else the whole list
  local GAP_LEAST = {[0] = 2, 2, 1, 1}  -- the least grade that is taken
  local ELEMENT_LEAST = {[0] = 3, 3, 2, 1}
  local OCCURRENCES_MAX = 1000
  local CHUNK = 1000
  local SPLICE_MAX = 64                 -- elements taken off and put back, in a list longer than
  local SPLICE_FROM = 1000              -- this; a shorter one is searched faster

  tell = function(op, at_key, index, name)
    local key = KEYS[at_key]
    use(0)
    local number = db_of and db_of[at_key] or 0
    try('HSET', marker, 'l', op .. ' ' .. number .. ' ' .. format('%.0f', index) .. ' ' .. #key .. ' ' .. key .. name)
    use(number)
  end

  local function parse(place)
    local effort, lean, befores, afters, hint, from = match(place, '^(%d)([<>])(%d)(%d)(%-?%d*) ()')
    local function neighbours(n)
      local these = {}
      for i = 1, n do
        local length = byte(place, from)
        these[i] = place:sub(from + 1, from + length)
        from = from + 1 + length
      end
      return these
    end
    local before = neighbours(tonumber(befores))
    return {
      effort = tonumber(effort), right = lean == '>', hint = tonumber(hint),
      before = before, after = neighbours(tonumber(afters))
    }
  end

  local function is_neighbour(actual, expected)
    if not actual then
      return false
    end
    if #expected == 40 then
      return #actual > 20 and sha1(actual) == expected
    end
    return actual == expected
  end

  -- How much of the place is found at an index; at(i) reads the list.
  local function grade(p, at, index, gap)
    local left, right = true, true
    for i, expected in ipairs(p.before) do
      left = left and is_neighbour(at(index - i), expected)
    end
    for i, expected in ipairs(p.after) do
      right = right and is_neighbour(at(index + i - (gap and 1 or 0)), expected)
    end
    if left and right then
      return 3
    end
    left = left and #p.before > 0
    right = right and #p.after > 0
    if not gap then
      return (left or right) and 2 or 1
    end
    if p.right and right or not p.right and left then
      return 2
    end
    return (left or right) and 1 or 0
  end

  -- Reads a part of the list; what is outside of it is nil.
  local function part(key, from, to)
    if from < 0 then
      from = 0
    end
    local values = to >= from and try('LRANGE', key, from, to) or {}
    return function(index)
      return index >= from and values[index - from + 1] or nil
    end
  end

  local function better(best, g, distance, index)
    local wins = g > best.grade
    if g == best.grade and best.index then
      wins = distance < best.distance or distance == best.distance and index < best.index
    end
    if wins then
      best.grade, best.distance, best.index = g, distance, index
    end
  end

  -- Where values that accepts() takes are, the first ones; plain: it takes this one only.
  local function occurrences(key, n, plain, accepts)
    if plain then
      return try('LPOS', key, plain, 'COUNT', OCCURRENCES_MAX)
    end
    local found = {}
    for from = 0, n - 1, CHUNK do
      for i, value in ipairs(try('LRANGE', key, from, from + CHUNK - 1)) do
        if accepts(value) and #found < OCCURRENCES_MAX then
          found[#found + 1] = from + i - 1
        end
      end
    end
    return found
  end

  local function hinted(p, last)
    if not p.hint then
      return nil
    end
    local index = p.hint < 0 and last + 1 + p.hint or p.hint
    return math.max(0, math.min(last, index))
  end

  -- The best candidate within reach, or nil. accepts: what the element holds; nil for a gap.
  local function nearest(key, n, p, accepts, plain)
    local gap = not accepts
    local last = gap and n or n - 1
    local hint = hinted(p, last)
    local best = {grade = (gap and GAP_LEAST or ELEMENT_LEAST)[p.effort] - 1, distance = 0}
    local function try_at(at, index)
      if gap or accepts(at(index)) then
        better(best, grade(p, at, index, gap), math.abs(index - (hint or 0)), index)
      end
    end
    if hint then
      local at = part(key, hint - 2, hint + 2)
      if (gap or accepts(at(hint))) and grade(p, at, hint, gap) == 3 then
        return hint                     -- as mostly
      end
    end
    local reach = REACH[p.effort]
    if hint and reach then
      local at = part(key, hint - reach - 2, hint + reach + 2)
      for index = math.max(0, hint - reach), math.min(last, hint + reach) do
        try_at(at, index)
      end
      return best.index
    end
    local function try_all(shift, value, accepting)
      for _, index in ipairs(occurrences(key, n, value, accepting)) do
        index = index + shift
        try_at(part(key, index - 2, index + 2), index)
      end
    end
    if not gap then
      try_all(0, plain, accepts)
      return best.index
    end
    if #p.before == 0 and #p.after == 0 then
      return hint or 0
    end
    for shift, expected in pairs({[1] = p.before[1] or false, [0] = p.after[1] or false}) do
      if expected then
        try_all(shift, #expected ~= 40 and expected, function(value)
          return is_neighbour(value, expected)
        end)
      end
    end
    return best.index
  end

  local function none_of(key, n, side)
    for _, expected in ipairs(side) do
      local function accepts(value)
        return is_neighbour(value, expected)
      end
      if #occurrences(key, n, #expected ~= 40 and expected, accepts) > 0 then
        return false
      end
    end
    return true
  end

  local function gap_for(key, n, p)
    if n == 0 or not p.right and #p.before == 0 and p.hint == 0 then
      return 0
    end
    if p.right and #p.after == 0 and p.hint == -1 then
      return n
    end
    local found = nearest(key, n, p)
    if found then
      return found
    end
    local hint, reach = hinted(p, n), REACH[p.effort]
    local side = p.right and p.after or p.before
    local all = not hint or not reach or hint <= reach and hint + reach >= n
    if all and #side > 0 and none_of(key, n, side) then
      return p.right and n or 0         -- those beside it have been taken off this end
    end
    return p.effort == 3 and (hint or n) or nil
  end

  local function token()
    return 'crosstide ' .. sha1(fx .. ARGV[4])        -- nobody's value
  end

  local function is_spliced(distance, n)
    return distance <= 2 or distance <= SPLICE_MAX and n > SPLICE_FROM
  end

  -- Takes what is on one side off, and puts it back with what is to come between.
  local function splice(key, n, left, right, between)
    if left <= right then
      local off = left > 0 and try('LPOP', key, left) or {}
      if not between then
        try('LPOP', key)
      end
      local back = {between}
      for i = #off, 1, -1 do
        back[#back + 1] = off[i]
      end
      return #back > 0 and failure(try('LPUSH', key, unpack(back))) or nil
    end
    local off = right > 0 and try('RPOP', key, right) or {}
    if not between then
      try('RPOP', key)
    end
    local back = {between}
    for i = #off, 1, -1 do
      back[#back + 1] = off[i]
    end
    return #back > 0 and failure(try('RPUSH', key, unpack(back))) or nil
  end

  local function insert(at_key, n, gap, name, value)
    local key = KEYS[at_key]
    local left, right = gap, n - gap
    tell('i', at_key, left <= right and left or -1 - right, name)
    if is_spliced(math.min(left, right), n) then
      return splice(key, n, left, right, value)
    end
    local beside, mark = try('LINDEX', key, gap), token()
    try('LSET', key, gap, mark)
    local inserted = try('LINSERT', key, 'BEFORE', mark, value)
    return failure(try('LSET', key, gap + 1, beside)) or failure(inserted)
  end

  local function remove(at_key, n, index, name)
    local key = KEYS[at_key]
    local left, right = index, n - 1 - index
    tell('r', at_key, left <= right and left or -1 - right, name)
    if is_spliced(math.min(left, right), n) then
      return splice(key, n, left, right, nil)
    end
    local mark = token()
    return failure(try('LSET', key, index, mark)) or failure(try('LREM', key, 1, mark))
  end

  -- The element's index, or nil.
  local function find(key, n, guard, expected, place)
    return nearest(key, n, parse(place), function(value)
      return value and holds(value, guard, expected)
    end, guard == VALUE and expected)
  end

  list_put = function(at_key, name, guard, expected, want, desired, place)
    local key = KEYS[at_key]
    local n = try('LLEN', key)
    if type(n) == 'table' then
      return guard == ABSENT and (want ~= ABSENT and WRONG_TYPE or nil) or guard ~= ABSENT and 'guard' or nil
    end
    if guard == ABSENT then
      if want == ABSENT then
        return nil
      end
      local gap = gap_for(key, n, parse(place))
      return not gap and 'guard' or gap and insert(at_key, n, gap, name, desired)
    end
    local index = n > 0 and find(key, n, guard, expected, place)
    if not index then
      return 'guard'
    end
    if want == ABSENT then
      return remove(at_key, n, index, name)
    end
    tell('s', at_key, index <= n - 1 - index and index or index - n, name)
    return failure(try('LSET', key, index, desired))
  end

  list_check = function(at_key, guard, expected, place)
    if guard == ABSENT then
      return nil
    end
    local key = KEYS[at_key]
    local n = try('LLEN', key)
    return (type(n) == 'table' or n == 0 or not find(key, n, guard, expected, place)) and 'guard' or nil
  end
end

-- Keys whose string was not the one expected: its deadline is neither set nor cleared, that was meant for another.
local other_strings = {}

local reply = {'A', 0}
local answers
local group = 0

for number = first, last do
  -- The shape: what to do, to which kind of element, its guard, what is desired, flags (1: a new group begins here, 2: knows
  -- follows), and the key's place in KEYS in three bytes.
  local op, kind, guard, want, flags, k1, k2, k3 = byte(ARGV[at], 1, 8)
  at = at + 1
  if flags % 2 == 1 then
    group = group + 1
  end
  if op == PUBLISH then
    local channel, message = ARGV[at], ARGV[at + 1]
    at = at + 2
    local refused = failure(try(kind == STRING and 'SPUBLISH' or 'PUBLISH', channel, message))
    if refused and kind == STRING then
      refused = failure(try('PUBLISH', channel, message)) -- before 7.0 there are no others
    end
    if refused then
      local n = #reply
      reply[2] = reply[2] + 1
      reply[n + 1], reply[n + 2] = number, refused
    end
  elseif op ~= NOOP then
    local at_key = k1 * 65536 + k2 * 256 + k3
    local key = KEYS[at_key]
    local name, expected, desired, knows
    if kind ~= STRING and kind ~= DEADLINE then
      name = ARGV[at]
      at = at + 1
    end
    if kind ~= MEMBER then
      if guard ~= ABSENT then
        expected = ARGV[at]
        at = at + 1
      end
      if want ~= ABSENT then
        desired = ARGV[at]
        at = at + 1
      end
    end
    if flags >= 2 then
      knows = ARGV[at]
      at = at + 1
    end
    local place
    if kind == LIST and op ~= PROBE then
      place = ARGV[at]
      at = at + 1
    end

    if repair and not (kind == STREAM and op == PUT and guard == ABSENT and at_key == repair.at_key and byte(name, 1) == ENTRY) then
      stream_settle()
    end
    local digest, exception
    if count > 0 and (not heads or heads[key_digest_of(at_key)]) then
      digest = digest_of(at_key, kind, name)
      exception = exception_of(digest)
    end
    local missed
    if op == PROBE then
      use(db_of and db_of[at_key] or 0)
      local content
      if kind == LIST then
        tell('p', at_key, 0, name)        -- capture answers
      else
        content = read(kind, key, name)
      end
      local form = 'a'
      if content then
        form = 'v'
        if #content > 64 then
          form, content = 's', sha1(content)
        end
      end
      answers = answers or {}
      local n = #answers
      answers[n + 1], answers[n + 2], answers[n + 3] = number, form, content or ''
      answers[n + 4] = exception and match(exception, '^[^ ]*') or ''
    else
      if exception and is_newer(exception, knows) then
        missed = 'exception'
      elseif kind == DEADLINE and op == PUT and other_strings[at_key] then
        missed = 'string'
      else
        if db_of then
          use(db_of[at_key])
        end
        if kind == LIST then
          if op == PUT then
            missed = list_put(at_key, name, guard, expected, want, desired, place)
          elseif op == CHECK then
            missed = list_check(at_key, guard, expected, place)
          else
            missed = 'NOTINTEGER nothing can be added to an element of a list'
          end
        elseif op == PUT then
          missed = put(kind, key, at_key, name, guard, expected, want, desired)
        elseif op == CHECK then
          missed = check(kind, key, name, guard, expected)
        else
          missed = add(kind, key, name, desired)
        end
      end
      if missed then
        if kind == STRING then
          other_strings[at_key] = true
        end
        if not digest then
          digest = digest_of(at_key, kind, name)
        end
        local context = exception and match(exception, ' (.*)$') or context_before(group)
        set_exception(digest, epoch .. ':' .. format('%.0f', number) .. ' ' .. context)
        local n = #reply
        reply[2] = reply[2] + 1
        reply[n + 1], reply[n + 2] = number, missed
      elseif exception then
        set_exception(digest, false)
        if kind == STRING then
          other_strings[at_key] = nil     -- this effect was planned with that miss
        end
      end
    end
  end
end

stream_settle()

-- Step 5: the exceptions that changed.

if next(changed) then
  use(0)
  local set, gone = {'k', format('%.0f', count)}, {}
  for digest in pairs(changed) do
    local exception = exceptions[digest]
    if exception then
      set[#set + 1], set[#set + 2] = 'x:' .. digest, exception
    else
      gone[#gone + 1] = 'x:' .. digest
    end
    if #set >= TOUCH_MAX then
      call('HSET', marker, unpack(set))
      set = {'k', format('%.0f', count)}
    end
    if #gone >= TOUCH_MAX then
      call('HDEL', marker, unpack(gone))
      gone = {}
    end
  end
  call('HSET', marker, unpack(set))
  if #gone > 0 then
    call('HDEL', marker, unpack(gone))
  end
else
  use(0)
end

if answers then
  local n = #reply
  for i = 1, #answers do
    reply[n + i] = answers[i]
  end
end
return reply
