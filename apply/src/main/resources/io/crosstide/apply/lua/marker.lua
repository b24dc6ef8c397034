-- Take-over and installation of one partition's marker.
--
-- KEYS  marker
-- ARGV  1 the epoch to raise the marker's to, together with its fx, which becomes 'epoch:0' so that it names the highest epoch
--         ever used, whatever becomes of the marker; the fx it had becomes its 'b' if it counts an effect
--       2 the token: a take-over that finds no marker leaves it in its place, in the field 't', where capture meets it in the
--         stream and reports what the marker held up to there; an installation writes only where it still stands
--       3 fx ('epoch:number'): a marker behind it is an old one brought back, and counts as none. It is left as it is, since
--         it says what a Redis that was restored from a backup holds
--       of an installation also: field, value of everything the marker is to hold
--
-- Reply: fields and values of the marker: of a take-over as it was before, of an installation as it is afterwards; empty if
-- there was none to take over, or neither a marker nor the token.

local marker, epoch, token = KEYS[1], ARGV[1], ARGV[2]

if redis.replicate_commands and not redis.REDIS_VERSION_NUM then
  redis.replicate_commands()            -- see effect-batch.lua
end

local function fx_of(text)
  local e, n = string.match(text or '', '^(%d+):(%d+)$')
  return tonumber(e), tonumber(n)
end

local held = redis.pcall('HMGET', marker, 'e', 'f', 'c', 'k', 't')
local held_epoch = not held.err and held[1] and tonumber(held[1])
local held_e, held_n = fx_of(not held.err and held[2] or nil)
local present = held_epoch and held_e and held[3] and held[4] and true or false

local function raise()
  if held_epoch < tonumber(epoch) then
    if held_n > 0 then
      redis.call('HSET', marker, 'e', epoch, 'f', epoch .. ':0', 'b', held[2])
    else
      redis.call('HSET', marker, 'e', epoch, 'f', epoch .. ':0')
    end
    if held[5] then
      redis.call('HDEL', marker, 't')   -- of an owner before this one, which must not write over it
    end
  end
  redis.call('PERSIST', marker)         -- a client may have given it a deadline
end

local least_e, least_n = fx_of(ARGV[3])
if present and (held_e < least_e or (held_e == least_e and held_n < least_n)) then
  present = false
end

if not ARGV[4] then
  if not present then
    if held.err then
      redis.call('DEL', marker)         -- a client put another type in its place
    end
    redis.call('HSET', marker, 't', token)
    return {}
  end
  local before = redis.call('HGETALL', marker)
  raise()
  return before
end

if held.err or held[5] ~= token then
  if not present then
    return {}
  end
  raise()                               -- a later owner's is left alone: the caller finds itself fenced
  return redis.call('HGETALL', marker)
end

-- The marker is never deleted to be written anew: the stream would show capture a marker that a client took away.
local keep, wanted = {}, {}
for i = 4, #ARGV, 2 do
  keep[ARGV[i]] = true
  wanted[#wanted + 1], wanted[#wanted + 2] = ARGV[i], ARGV[i + 1]
  if #wanted >= 1000 then
    redis.call('HSET', marker, unpack(wanted))
    wanted = {}
  end
end
if #wanted > 0 then
  redis.call('HSET', marker, unpack(wanted))
end
for _, field in ipairs(redis.call('HKEYS', marker)) do
  if field == 't' or (string.sub(field, 1, 2) == 'x:' and not keep[field]) then
    redis.call('HDEL', marker, field)
  end
end
redis.call('PERSIST', marker)
return redis.call('HGETALL', marker)
