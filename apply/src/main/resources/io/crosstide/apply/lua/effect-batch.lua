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

local PUT, CHECK, ADD, PROBE, NOOP = 112, 99, 97, 63, 45                  -- p c a ? -
local STRING, FIELD, MEMBER, SCORE, DEADLINE = 115, 104, 109, 122, 100    -- s h m z d, as ElementKind's tags
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

-- Reads an element: its content or nil, and whether the key is of another type.
local function read(kind, key, name)
  local content
  if kind == STRING then
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

-- nil if the command went well, else the error.
local function failure(reply)
  return type(reply) == 'table' and reply.err or nil
end

local WRONG_TYPE = 'WRONGTYPE the key holds another type'

local function put(kind, key, name, guard, expected, want, desired)
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
  if op ~= NOOP then
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

    local digest, exception
    if count > 0 and (not heads or heads[key_digest_of(at_key)]) then
      digest = digest_of(at_key, kind, name)
      exception = exception_of(digest)
    end
    local missed
    if op == PROBE then
      use(db_of and db_of[at_key] or 0)
      local content = read(kind, key, name)
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
        if op == PUT then
          missed = put(kind, key, name, guard, expected, want, desired)
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
