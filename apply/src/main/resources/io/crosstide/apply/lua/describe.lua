-- Describes keys of the selected database: writes nothing.
--
-- KEYS   the keys
-- Reply: for each key its type ('none': no such key), its deadline in milliseconds since 1970 (-1: none), and its size: bytes
--        of a string, elements of a collection, 0 for other types

local call = redis.call
local SIZE = {string = 'STRLEN', hash = 'HLEN', set = 'SCARD', zset = 'ZCARD', list = 'LLEN', stream = 'XLEN'}

local function now()
  local t = call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

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

local reply = {}
for i, key in ipairs(KEYS) do
  local kind = call('TYPE', key).ok
  local size = SIZE[kind]
  local n = 3 * (i - 1)
  reply[n + 1] = kind
  reply[n + 2] = kind == 'none' and -1 or deadline_of(key)
  reply[n + 3] = size and call(size, key) or 0
end
return reply
