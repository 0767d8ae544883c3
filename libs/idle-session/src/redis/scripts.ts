// The operations of ActivityStorage, each an atomic script on one partition, by Redis's own clock.
//
//   KEYS[1]  records: a hash of key -> "lastActivityAt idleTimeoutMs ended startedAt rest", times in milliseconds, where
//            ended is the reason or -, and rest is the session id, or for a record that ended the time of its end; beside
//            them, under '#', the count of changes, which begins at the time in microseconds, so that the count of another
//            history, as after a flush, is never near
//   KEYS[2]  deadlines: a sorted set of when to look at records next, never later than one is due. Many records share a
//            member, and with it a time, which takes a quarter of the memory: '1key key … ' where no more fit in, '0key … '
//            where they do, and '2key ' for a record whose deadline moved back
//   KEYS[3]  changes: a list of the keys whose deadline moved back, as at a sign-out, newest first
//   ARGV[1]  retention in milliseconds
//   ARGV[2]  the channel on which changes are told too, or nothing
//
// What follows in ARGV is the operation's own.

/** How many changes a partition remembers: of the sign-outs of one `syncInterval`. */
const CHANGES_REMEMBERED = 1000;

/** How long a member of deadlines gets: some thirty keys. */
const MEMBER_LENGTH = 700;

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

-- What nobody uses any more goes by itself.
local function keepUntil(at)
  local needed = at - now
  if redis.call('PTTL', deadlines) >= needed then return end
  redis.call('PEXPIRE', records, string.format('%d', needed + retention))
  redis.call('PEXPIRE', deadlines, string.format('%d', needed + retention))
end

-- A record is in one member: at about its time, and again the closer it comes.
local function lookAt(key, r, at)
  local step = 1
  while 64 * step <= at - now do step = 4 * step end
  local time = string.format('%d', at - at % step)
  local member = redis.call('ZRANGEBYSCORE', deadlines, time, time, 'LIMIT', 0, 1)[1]
  if member and string.sub(member, 1, 1) == '0' then redis.call('ZREM', deadlines, member) else member = '0' end
  member = member .. key .. ' '
  if #member >= ${MEMBER_LENGTH} then member = '1' .. string.sub(member, 2) end
  redis.call('ZADD', deadlines, time, member)
  keepUntil(r.dropAt)
end

-- Before its turn, too; once, however often its deadline moves back.
local function lookAlsoAt(key, r, at)
  redis.call('ZADD', deadlines, string.format('%d', at), '2' .. key .. ' ')
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

local function finish(key, r, reason)
  r.ended, r.endedAt, r.dropAt = reason, now, now + retention
  redis.call('HSET', records, key, encode(r))
  keepUntil(r.dropAt)
end

-- Activity at a time; whether it was news.
local function touch(key, r, t, at)
  at = math.min(at, now)
  local deadline = r.l + r.t
  if not ((at > r.l and at < deadline) or (at == r.l and now < deadline)) then return false end
  r.l, r.t, r.dropAt = at, t, at + t + retention
  if at + t < deadline then
    lookAlsoAt(key, r, at + t)
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
r = { s = now, l = now, t = t, id = id, dropAt = now + t + retention }
redis.call('HSET', records, key, encode(r))
lookAt(key, r, now + t)
return answer(1, r)
`;

/** ARGV: key, idle timeout, time. Replies as READ does. */
export const TOUCH = `${PROLOGUE}
local key, t, at = ARGV[3], tonumber(ARGV[4]), math.floor(tonumber(ARGV[5]))
local r = find(key)
if not r or r.ended or not touch(key, r, t, at) then return answer(0, r) end
redis.call('HSET', records, key, encode(r))
keepUntil(r.dropAt)
return answer(1, r)
`;

/** ARGV: key, reason. Replies as READ does, with 1 for "was done". */
export const END = `${PROLOGUE}
local key, reason = ARGV[3], ARGV[4]
local r = find(key)
if r and (r.ended or (reason == 'idle' and now < r.l + r.t)) then return answer(0, r) end
local isNew = not r
r = r or { s = now, l = now, t = 0 }
finish(key, r, reason)
if isNew then lookAt(key, r, r.dropAt) end
changed(key)
return answer(1, r)
`;

/**
 * Many touches at once. ARGV: the changes that are known, or nothing; how many touches; the key of each, then the time of
 * each, then the idle timeout of each. Replies `{ now, changes, whether what came since is known, key, … }`, with the keys
 * of what came since, of touches that were refused, and of those whose deadline moved back.
 */
export const SYNC = `${PROLOGUE}
local cursor, count = tonumber(ARGV[3]), tonumber(ARGV[4])
local found, values, longest = {}, {}, 0
if count > 0 then found = redis.call('HMGET', records, unpack(ARGV, 5, 4 + count)) end

-- The usual case, without taking the record apart, or a number out of a text: alive, in time, and touched with the idle
-- timeout that it has. Texts of so many digits are in the order of their numbers.
local sub, latest, alive, oldest = string.sub, string.format('%013d', now), {}, {}
local function prepare(t)
  alive[t] = ' ' .. t .. ' - '
  oldest[t] = string.format('%013d', now - t)
  longest = math.max(longest, tonumber(t))
end
local function moved(value, t, at)
  local l = sub(value, 1, 13)
  local counts = sub(value, 14, 13 + #alive[t]) == alive[t] and l > oldest[t] and at > l
  if counts and at <= latest and #at == 13 then return at .. sub(value, 14) end
end

local reply = { now, 0, 0 }
for i = 1, count do
  local key, at, t = ARGV[4 + i], ARGV[4 + count + i], ARGV[4 + 2 * count + i]
  if not alive[t] then prepare(t) end
  local value = found[i] and moved(found[i], t, at)
  local r = not value and decode(found[i])
  if r and not r.ended and now < r.dropAt and touch(key, r, tonumber(t), tonumber(at)) then
    value = encode(r)
  end
  if value then
    values[#values + 1] = key
    values[#values + 1] = value
  elseif not r or r.ended or r.l < tonumber(at) then
    reply[#reply + 1] = key
  end
end
if #values > 0 then
  redis.call('HSET', records, unpack(values))
  keepUntil(now + longest + retention)
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
local due, isExtra, reply = {}, {}, {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', deadlines, '-inf', now, 'LIMIT', 0, limit)) do
  if #due == limit then break end
  redis.call('ZREM', deadlines, member)
  local rest = ''
  for key in string.gmatch(string.sub(member, 2), '%S+') do
    if #due == limit then
      rest = rest .. key .. ' '
    else
      due[#due + 1] = key
      isExtra[#due] = string.sub(member, 1, 1) == '2'
    end
  end
  if rest ~= '' then redis.call('ZADD', deadlines, now, '1' .. rest) end
end
reply[1] = #due
for i, key in ipairs(due) do
  local r = decode(redis.call('HGET', records, key))
  if not r or (r.ended and now >= r.dropAt) then
    redis.call('HDEL', records, key)
  elseif r.ended then
    if not isExtra[i] then lookAt(key, r, r.dropAt) end
  else
    local idleDeadline, absoluteDeadline = r.l + r.t, r.s + absolute
    local deadline = math.min(idleDeadline, absoluteDeadline)
    if now < deadline then
      local look = isExtra[i] and lookAlsoAt or lookAt
      look(key, r, deadline)
    else
      local reason = 'idle'
      if absoluteDeadline < idleDeadline then reason = 'absolute' end
      reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = key, r.id, reason
      finish(key, r, reason)
      if not isExtra[i] then lookAt(key, r, r.dropAt) end
      -- Another process may have another absolute limit; an idle end nobody has to be told of.
      if reason == 'absolute' then changed(key) end
    end
  end
end
return reply
`;
