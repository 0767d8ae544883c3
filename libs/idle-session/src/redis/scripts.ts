// One script per operation of ActivityStorage, each atomic for its one key.
//
//   KEYS[1]  the record: a hash of s(tartedAt), l(astActivityAt), t (idleTimeoutMs) and e(nded)
//   ARGV[1]  retention in milliseconds; what follows is the operation's own
//   reply    { done, now, s, l, t, e }

const PROLOGUE = `
local key, retention = KEYS[1], tonumber(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local s, l, t, e = unpack(redis.call('HMGET', key, 's', 'l', 't', 'e'))
if s then s, l, t = tonumber(s), tonumber(l), tonumber(t) end

local function answer(done)
  return { done, now, s, l, t, e }
end

local function write()
  redis.call('HSET', key, 's', string.format('%d', s), 'l', string.format('%d', l), 't', string.format('%d', t))
  if e then redis.call('HSET', key, 'e', e) end
  local neededFor = retention
  if not e then neededFor = retention + l + t - now end
  redis.call('PEXPIRE', key, string.format('%d', neededFor))
end
`;

export const READ = `${PROLOGUE}
return answer(0)
`;

export const START = `${PROLOGUE}
if s then return answer(0) end
s, l, t = now, now, tonumber(ARGV[2])
write()
return answer(1)
`;

export const TOUCH = `${PROLOGUE}
if not s or e then return answer(0) end
local at = math.min(tonumber(ARGV[3]), now)
local deadline = l + t
if (at > l and at < deadline) or (at == l and now < deadline) then
  l, t = at, tonumber(ARGV[2])
  write()
  return answer(1)
end
return answer(0)
`;

export const END = `${PROLOGUE}
local reason = ARGV[2]
if e or (s and reason == 'idle' and now < l + t) then return answer(0) end
if not s then s, l, t = now, now, 0 end
e = reason
write()
return answer(1)
`;
