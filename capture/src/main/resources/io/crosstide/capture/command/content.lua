-- Puts a key's content into the replication stream: see ContentScript.
-- KEYS: reserved key, reserved key for a value, reserved key for elements, the key to read
-- ARGV: database, longest value in bytes
local head, value, elements, key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local longest = tonumber(ARGV[2])
redis.call('SELECT', ARGV[1])

-- Pieces of about this many bytes and elements; more than 7000 words are too many for one call.
local PIECE_BYTES, PIECE_WORDS = 262144, 2000

-- Before anything is written: an expired key's DEL belongs before its content.
local kind = redis.call('TYPE', key).ok
if kind == 'string' and redis.call('STRLEN', key) > longest then
  kind = 'long'
end
local deadline = '0'
if kind ~= 'none' then
  local left = redis.call('PTTL', key)
  if left >= 0 then
    local at = redis.pcall('PEXPIRETIME', key)
    if type(at) == 'table' then -- Redis before 7.0
      local now = redis.call('TIME')
      at = now[1] * 1000 + math.floor(now[2] / 1000) + left
    end
    deadline = string.format('%.0f', at)
  end
end

-- The first write decides whether Redis has memory for it; later ones are not refused.
redis.call('HSET', head, 'key', key, 'type', kind, 'deadline', deadline)
if kind == 'string' then
  redis.call('SET', value, redis.call('GET', key))
end

local words, bytes = {}, 0
local function write()
  if #words > 0 then
    redis.call('HSET', elements, unpack(words))
    redis.call('DEL', elements)
    words, bytes = {}, 0
  end
end
local function add(element, content)
  words[#words + 1] = element
  words[#words + 1] = content
  bytes = bytes + #element + #content
  if bytes >= PIECE_BYTES or #words >= PIECE_WORDS then
    write()
  end
end

if kind == 'list' then
  local at, count = 0, 10
  repeat
    local found = redis.call('LRANGE', key, at, at + count - 1)
    local before = 0
    for i = 1, #found do
      before = before + #found[i]
      add(string.format('%.0f', at + i - 1), found[i])
    end
    at = at + #found
    if before < PIECE_BYTES / 4 then
      count = math.min(1000, count * 2)
    elseif before > PIECE_BYTES then
      count = math.max(1, math.floor(count / 2))
    end
  until #found == 0
  write()
end

local scan = ({hash = 'HSCAN', set = 'SSCAN', zset = 'ZSCAN'})[kind]
if scan then
  local cursor, count = '0', 10
  repeat
    local page = redis.call(scan, key, cursor, 'COUNT', count)
    local found = page[2]
    local before = 0
    cursor = page[1]
    if kind == 'set' then
      for i = 1, #found do
        before = before + #found[i]
        add(found[i], '')
      end
    else
      for i = 1, #found, 2 do
        before = before + #found[i] + #found[i + 1]
        add(found[i], found[i + 1])
      end
    end
    -- Elements may be of any length, and all that one page shows are in memory at once.
    if before < PIECE_BYTES / 4 then
      count = math.min(1000, count * 2)
    elseif before > PIECE_BYTES then
      count = math.max(1, math.floor(count / 2))
    end
  until cursor == '0'
  write()
end
redis.call('HSET', head, 'end', '1')
redis.call('DEL', head, value)
return redis.status_reply('OK')
