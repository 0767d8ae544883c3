// The operations of OwnerIndex, each an atomic script on the sessions of one owner, and by Redis's own clock.
//
//   KEYS[1]  the owner's sessions: a hash by the session's key. A value is when the session was added, and its description
//            as JSON, with a space between
//   KEYS[2]  until when to keep those that may be forgotten: a sorted set of the session's keys
//
// Times and durations are milliseconds. Both keys expire when the last session may be forgotten. Only a reader of all
// sessions waits for as many as there are.

/** How many sessions a script forgets at most, so that none holds up Redis for long. */
const FORGET_AT_ONCE = 1000;

const PROLOGUE = `
local index, expiries = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function forget(key)
  redis.call('HDEL', index, key)
  redis.call('ZREM', expiries, key)
end

for _, key in ipairs(redis.call('ZRANGEBYSCORE', expiries, '-inf', now, 'LIMIT', 0, ${FORGET_AT_ONCE})) do forget(key) end

local function count()
  return redis.call('HLEN', index)
end

local function expire()
  local last = redis.call('ZREVRANGE', expiries, 0, 0, 'WITHSCORES')[2]
  local keepsAll = count() > redis.call('ZCARD', expiries)
  for _, key in ipairs(KEYS) do
    if keepsAll then redis.call('PERSIST', key)
    elseif last then redis.call('PEXPIRE', key, string.format('%d', last - now)) end
  end
end

local function append(reply, except)
  local found = redis.call('HGETALL', index)
  for i = 1, #found, 2 do
    if found[i] ~= except then
      reply[#reply + 1] = found[i]
      reply[#reply + 1] = found[i + 1]
    end
  end
  return reply
end
`;

/**
 * ARGV: key, description, how long to keep it (0: for ever), how many the owner may have (-1: any number), whether to refuse
 * more. Replies `{ outcome, now, key, value, … }` with the other sessions, if there are more than that.
 */
export const ADD = `${PROLOGUE}
local key, description, keepFor, max = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local known = redis.call('HGET', index, key)
local isOver = max ~= -1 and count() - (known and 1 or 0) >= max
local outcome = known and 'known' or (isOver and ARGV[5] == '1' and 'full') or 'added'
local reply = { outcome, now }
if isOver then append(reply, key) end
if outcome ~= 'full' then
  description = known and string.match(known, '^%S+ (.*)$') or description
  redis.call('HSET', index, key, string.format('%d', now) .. ' ' .. description)
  if keepFor > 0 then redis.call('ZADD', expiries, string.format('%d', now + keepFor), key)
  else redis.call('ZREM', expiries, key) end
end
expire()
return reply
`;

/** Replies `{ now, key, value, … }`. */
export const LIST = `${PROLOGUE}
return append({ now })
`;

/** ARGV: leave what was added at this time or later (-1: leave nothing); the keys. */
export const REMOVE = `${PROLOGUE}
local addedBefore = tonumber(ARGV[1])
for i = 2, #ARGV do
  local value = redis.call('HGET', index, ARGV[i])
  local addedAt = value and tonumber(string.match(value, '^%d+')) or 0
  if value and (addedBefore == -1 or addedAt < addedBefore) then forget(ARGV[i]) end
end
expire()
return 1
`;
