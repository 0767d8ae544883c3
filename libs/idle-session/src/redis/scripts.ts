// The operations of ActivityStorage, each an atomic script on one partition, by Redis's own clock.
//
//   KEYS[1]  records: a hash of key -> "lastActivityAt idleTimeoutMs ended startedAt rest", times in milliseconds, where
//            ended is the reason or -, and rest is the session id, or for a record that ended the time of its end; beside
//            them, under '#', the count of changes, which begins at the time in microseconds, so that the count of another
//            history, as after a flush, is never near
//   KEYS[2]  deadlines: a sorted set of when to look at a record next, never later than it is due
//   KEYS[3]  changes: a list of the keys whose deadline moved back, as at a sign-out, newest first
//   ARGV[1]  retention in milliseconds
//   ARGV[2]  the channel on which changes are told too, or nothing
//
// What follows in ARGV is the operation's own.

/** How many changes a partition remembers: of the sign-outs of one `syncInterval`. */
const CHANGES_REMEMBERED = 1000;

const PROLOGUE = `
local records, deadlines, changes = KEYS[1], KEYS[2], KEYS[3]
local retention, channel = tonumber(ARGV[1]), ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function decode(value)
  if not value then return nil end
  local l, t, ended, s, rest = string.match(value, '^(%d+) (%d+) (%S+) (%d+) (.*)$')
  local r = { s = tonumber(s), l = tonumber(l), t = tonumber(t) }
  if ended == '-' then
    r.id, r.dropAt = rest, r.l + r.t + retention
  else
    r.ended, r.endedAt, r.dropAt = ended, tonumber(rest), rest + retention
  end
  return r
end

local function encode(r)
  local rest = r.id
  if r.ended then rest = string.format('%d', r.endedAt) end
  return string.format('%013d %d %s %d %s', r.l, r.t, r.ended or '-', r.s, rest)
end

local function find(key)
  local r = decode(redis.call('HGET', records, key))
  if r and now < r.dropAt then return r end
end

local function lookAt(key, at)
  redis.call('ZADD', deadlines, string.format('%d', at), key)
end

-- How many changes there have been, and may be now; -1 where there is nothing that could change.
local function countChanges(more)
  local known = redis.call('HGET', records, '#')
  if not known and redis.call('EXISTS', records) == 0 then return -1 end
  local count = (tonumber(known) or time[1] * 1000000 + time[2]) + more
  if more > 0 or not known then redis.call('HSET', records, '#', string.format('%d', count)) end
  return count
end

local function changed(key)
  countChanges(1)
  redis.call('LPUSH', changes, key)
  redis.call('LTRIM', changes, 0, ${CHANGES_REMEMBERED - 1})
  redis.call('PEXPIRE', changes, string.format('%d', retention))
  if channel ~= '' then redis.call('PUBLISH', channel, key) end
end

-- What nobody uses any more goes by itself.
local function keepUntil(at)
  local needed = at - now
  if redis.call('PTTL', deadlines) >= needed then return end
  redis.call('PEXPIRE', records, string.format('%d', needed + retention))
  redis.call('PEXPIRE', deadlines, string.format('%d', needed + retention))
end

local function finish(key, r, reason)
  r.ended, r.endedAt = reason, now
  redis.call('HSET', records, key, encode(r))
  lookAt(key, now + retention)
  keepUntil(now + retention)
end

-- Activity at a time; whether it was news.
local function touch(key, r, t, at)
  at = math.min(at, now)
  local deadline = r.l + r.t
  if not ((at > r.l and at < deadline) or (at == r.l and now < deadline)) then return false end
  r.l, r.t = at, t
  if at + t < deadline then
    lookAt(key, at + t)
    changed(key)
  end
  return true
end

local function answer(done, r)
  if not r then return { done, now } end
  return { done, now, r.s, r.l, r.t, r.ended or false }
end
`;

/** ARGV: key. Replies `{ 0, now, startedAt, lastActivityAt, idleTimeoutMs, ended }`, or `{ 0, now }` without a record. */
export const READ = `${PROLOGUE}
return answer(0, find(ARGV[3]))
`;

/** ARGV: key, idle timeout, session id. Replies as READ does, with 1 for "was done". */
export const START = `${PROLOGUE}
local key, t, id = ARGV[3], tonumber(ARGV[4]), ARGV[5]
local r = find(key)
if r then return answer(0, r) end
r = { s = now, l = now, t = t, id = id }
redis.call('HSET', records, key, encode(r))
lookAt(key, now + t)
keepUntil(now + t + retention)
return answer(1, r)
`;

/** ARGV: key, idle timeout, time. Replies as READ does. */
export const TOUCH = `${PROLOGUE}
local key, t, at = ARGV[3], tonumber(ARGV[4]), math.floor(tonumber(ARGV[5]))
local r = find(key)
if not r or r.ended or not touch(key, r, t, at) then return answer(0, r) end
redis.call('HSET', records, key, encode(r))
keepUntil(r.l + r.t + retention)
return answer(1, r)
`;

/** ARGV: key, reason. Replies as READ does, with 1 for "was done". */
export const END = `${PROLOGUE}
local key, reason = ARGV[3], ARGV[4]
local r = find(key)
if r and (r.ended or (reason == 'idle' and now < r.l + r.t)) then return answer(0, r) end
r = r or { s = now, l = now, t = 0 }
finish(key, r, reason)
changed(key)
return answer(1, r)
`;

/**
 * Many touches at once. ARGV: the changes that are known, or nothing; then in one argument "idleTimeoutMs at key" of each
 * touch, in lines. Replies `{ now, changes, whether what came since is known, key, … }`, with the keys of what came
 * since, of touches that were refused, and of those whose deadline moved back.
 */
export const SYNC = `${PROLOGUE}
local cursor = tonumber(ARGV[3])
local timeouts, times, keys = {}, {}, {}
local values, found, latest = {}, {}, now
for t, at, key in string.gmatch(ARGV[4], '(%d+) (%d+) ([^\\n]+)') do
  timeouts[#timeouts + 1], times[#times + 1], keys[#keys + 1] = t, at, key
end
if #keys > 0 then found = redis.call('HMGET', records, unpack(keys)) end

-- What becomes of a record in the usual case, without taking it apart: alive, and touched with the timeout that it has.
local function moved(value, t, at)
  if string.sub(value, 14, 17 + #t) ~= ' ' .. t .. ' - ' then return nil end
  local l, time = tonumber(string.sub(value, 1, 13)), tonumber(at)
  local counts = #at == 13 and time <= now and time > l and time < l + t and now < l + t + retention
  if counts then return at .. string.sub(value, 14) end
end

local reply = { now, 0, 0 }
for i, key in ipairs(keys) do
  local t, at = tonumber(timeouts[i]), tonumber(times[i])
  local value = found[i] and moved(found[i], timeouts[i], times[i])
  local r = not value and decode(found[i])
  if r and not r.ended and now < r.dropAt and touch(key, r, t, at) then
    value, at = encode(r), r.l
  end
  if value then
    values[#values + 1] = key
    values[#values + 1] = value
    latest = math.max(latest, at + t)
  elseif not r or r.ended or r.l < at then
    reply[#reply + 1] = key
  end
end
if #values > 0 then
  redis.call('HSET', records, unpack(values))
  keepUntil(latest + retention)
end

reply[2] = countChanges(0)
local missed = cursor and reply[2] - cursor
if missed and missed >= 0 and missed <= ${CHANGES_REMEMBERED} then
  local news = {}
  if missed > 0 then news = redis.call('LRANGE', changes, 0, missed - 1) end
  if #news == missed then reply[3] = 1 end
  for _, key in ipairs(news) do reply[#reply + 1] = key end
end
return reply
`;

/**
 * Ends what is due. ARGV: absolute timeout, or nothing; how many to look at. Replies `{ how many it looked at, key,
 * session id, reason, … }`.
 */
export const EXPIRE = `${PROLOGUE}
local absolute, limit = tonumber(ARGV[3]) or math.huge, tonumber(ARGV[4])
local due = redis.call('ZRANGEBYSCORE', deadlines, '-inf', now, 'LIMIT', 0, limit)
local reply = { #due }
if #due == 0 then return reply end
local found = redis.call('HMGET', records, unpack(due))
for i, key in ipairs(due) do
  local r = decode(found[i])
  if not r or (r.ended and now >= r.dropAt) then
    redis.call('HDEL', records, key)
    redis.call('ZREM', deadlines, key)
  elseif r.ended then
    lookAt(key, r.dropAt)
  else
    local idleDeadline, absoluteDeadline = r.l + r.t, r.s + absolute
    if now < math.min(idleDeadline, absoluteDeadline) then
      lookAt(key, math.min(idleDeadline, absoluteDeadline))
    else
      local reason = 'idle'
      if absoluteDeadline < idleDeadline then reason = 'absolute' end
      reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = key, r.id, reason
      finish(key, r, reason)
      -- Another process may have another absolute limit; an idle end nobody has to be told of.
      if reason == 'absolute' then changed(key) end
    end
  end
end
return reply
`;
