-- Take-over and installation of one partition's marker.
--
-- KEYS  marker
-- ARGV  1 the epoch to raise the marker's to, together with its fx, which becomes 'epoch:0' so that it names the highest epoch
--         ever used, whatever becomes of the marker; the fx it had becomes its 'b' if it counts an effect
--       for an installation also: 2 fx to install ('epoch:number'), then field, value of everything the marker is to hold
--
-- Reply: fields and values of the marker: of a take-over as it was before, of an installation as it is afterwards; empty if
-- there was none to take over.
--
-- A marker is never deleted to be written anew: the stream would show capture a marker that a client took away.

local marker, epoch = KEYS[1], ARGV[1]

if redis.replicate_commands and not redis.REDIS_VERSION_NUM then
  redis.replicate_commands()            -- see effect-batch.lua
end

local function fx_of(text)
  local e, n = string.match(text or '', '^(%d+):(%d+)$')
  return tonumber(e), tonumber(n)
end

local held = redis.pcall('HMGET', marker, 'e', 'f', 'c', 'k')
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
  end
  redis.call('PERSIST', marker)         -- a client may have given it a deadline
end

if not ARGV[2] then
  if not present then
    return {}
  end
  local before = redis.call('HGETALL', marker)
  raise()
  return before
end

local e, n = fx_of(ARGV[2])
-- A marker of a later owner is left alone: the caller finds itself fenced.
if present and (held_epoch > tonumber(epoch) or held_e > e or (held_e == e and held_n >= n)) then
  raise()
  return redis.call('HGETALL', marker)
end

if held.err then
  redis.call('DEL', marker)             -- a client put another type in its place
end
local keep, wanted = {}, {}
for i = 3, #ARGV, 2 do
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
  if string.sub(field, 1, 2) == 'x:' and not keep[field] then
    redis.call('HDEL', marker, field)
  end
end
redis.call('PERSIST', marker)
return redis.call('HGETALL', marker)
