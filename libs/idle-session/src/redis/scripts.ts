// The operations of ActivityStorage, each an atomic script on one partition, by Redis's own clock.
//
//   KEYS[1]  records: a hash of key -> record, packed as RECORD says; beside them, under '#', the count of changes and the
//            key of the last. The count begins at the time in microseconds, so that the count of another history, as
//            after a flush, is never near
//   KEYS[2]  deadlines: a sorted set of keys by when to look at them next, never later than one is due
//   KEYS[3]  changes: a list of the keys that ended or whose deadline moved back, newest first
//   ARGV[1]  retention in milliseconds
//   ARGV[2]  the channel on which changes are published too, or nothing
//
// What follows in ARGV is the operation's own. All times and durations are milliseconds.

/** How many changes a partition remembers: of the sign-outs of one `syncInterval`. */
const CHANGES_REMEMBERED = 1000;

/**
 * How a record is packed: its version; then lastActivityAt, idleTimeoutMs, startedAt, authenticatedAt, absoluteTimeoutMs (0:
 * none), lockAfterMs (0: none) and the time of its end (0: none), six bytes each; then the length of owner. Owner (empty: none)
 * follows, and last the session id, or for a record that ended the reason.
 */
const RECORD = { version: 1, format: '>BI6I6I6I6I6I6I6B', length: 44 };

const PROLOGUE = `
local records, deadlines, changes = KEYS[1], KEYS[2], KEYS[3]
local retention, channel = tonumber(ARGV[1]), ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function parse(value)
  if #value < ${RECORD.length} or string.byte(value) ~= ${RECORD.version} then return nil end
  local r, owned, at = {}, 0, 0
  local _
  _, r.last, r.idle, r.start, r.auth, r.absolute, r.lock, r.endedAt, owned, at = struct.unpack('${RECORD.format}', value)
  if at + owned > #value + 1 then return nil end
  r.owner, r.rest = string.sub(value, at, at + owned - 1), string.sub(value, at + owned)
  r.dropAt = retention + (r.endedAt > 0 and r.endedAt or r.last + r.idle)
  return r
end

-- How many values were in no known form: they count as no record.
local unreadable = 0

local function decode(value)
  local r = value and parse(value)
  if value and not r then unreadable = unreadable + 1 end
  return r or nil
end

local function encode(r)
  local fixed = struct.pack('${RECORD.format}', ${RECORD.version}, r.last, r.idle, r.start, r.auth, r.absolute, r.lock, r.endedAt, #r.owner)
  return fixed .. r.owner .. r.rest
end

local function new(idle, absolute, lock, owner, sessionId)
  return { last = now, idle = idle, start = now, auth = now, absolute = absolute, lock = lock, endedAt = 0,
    owner = owner, rest = sessionId, dropAt = now + idle + retention }
end

local function find(key)
  local r = decode(redis.call('HGET', records, key))
  if r and now < r.dropAt then return r end
end

-- What nobody uses any more goes by itself: records and deadlines, which both exist by now.
local function keepUntil(at)
  local needed = at - now
  if redis.call('PTTL', deadlines) >= needed then return end
  redis.call('PEXPIRE', records, string.format('%d', needed + retention))
  redis.call('PEXPIRE', deadlines, string.format('%d', needed + retention))
end

local function save(key, r)
  redis.call('HSET', records, key, encode(r))
  keepUntil(r.dropAt)
end

local function lookAt(key, at)
  redis.call('ZADD', deadlines, string.format('%d', at), key)
end

local function deadlineOf(r)
  if r.absolute == 0 then return r.last + r.idle end
  return math.min(r.last + r.idle, r.start + r.absolute)
end

-- How many changes there have been, and the key of the last.
local function parseChanges(value)
  local count, key = string.match(value or '', '^(-?%d+) (.*)$')
  return tonumber(count), key
end

-- Where the history of changes stands; as nothing else does where there is nothing that could change.
local function historyNow()
  local known = redis.call('HGET', records, '#')
  if known then return known end
  if redis.call('EXISTS', records) == 0 then return '-1 ' end
  local begun = string.format('%d ', time[1] * 1000000 + time[2])
  redis.call('HSET', records, '#', begun)
  return begun
end

local function changed(key)
  local count = parseChanges(historyNow())
  redis.call('HSET', records, '#', string.format('%d %s', count + 1, key))
  redis.call('LPUSH', changes, key)
  -- One more than can be missed: the one that a cursor ends with.
  redis.call('LTRIM', changes, 0, ${CHANGES_REMEMBERED})
  redis.call('PEXPIRE', changes, string.format('%d', retention))
  if channel ~= '' then redis.call('PUBLISH', channel, key) end
end

-- Notes activity at a time; true if it counted.
local function touch(key, r, idle, at)
  at = math.min(at, now)
  local deadline = r.last + r.idle
  if not ((at > r.last and at < deadline) or (at == r.last and now < deadline)) then return false end
  r.last, r.idle, r.dropAt = at, idle, at + idle + retention
  if at + idle < deadline then
    lookAt(key, at + idle)
    changed(key)
  end
  return true
end

local function finish(key, r, reason)
  r.endedAt, r.rest, r.dropAt = now, reason, now + retention
  lookAt(key, r.dropAt)
  save(key, r)
end

local function answer(done, r)
  if not r then return { done, unreadable, now } end
  local ended = r.endedAt > 0 and r.rest
  return { done, unreadable, now, r.start, r.auth, r.last, r.idle, r.absolute, r.lock, r.owner, ended }
end
`;

/**
 * ARGV: key. Replies `{ 0, unreadable, now, startedAt, authenticatedAt, lastActivityAt, idleTimeoutMs, absoluteTimeoutMs,
 * lockAfterMs, owner, ended }`, or `{ 0, unreadable, now }` without a record.
 */
export const READ = `${PROLOGUE}
return answer(0, find(ARGV[3]))
`;

/** ARGV: key, idle timeout, absolute timeout, lock limit, owner, session id. Replies as READ does, with 1 for "was done". */
export const START = `${PROLOGUE}
local key = ARGV[3]
local r = find(key)
if r then return answer(0, r) end
r = new(tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7], ARGV[8])
lookAt(key, deadlineOf(r))
save(key, r)
return answer(1, r)
`;

/** ARGV: key, idle timeout, time. Replies as READ does. */
export const TOUCH = `${PROLOGUE}
local key, idle, at = ARGV[3], tonumber(ARGV[4]), math.floor(tonumber(ARGV[5]))
local r = find(key)
if not r or r.endedAt > 0 or not touch(key, r, idle, at) then return answer(0, r) end
save(key, r)
return answer(1, r)
`;

/** ARGV: key, reason. Replies as READ does, with 1 for "was done". */
export const END = `${PROLOGUE}
local key, reason = ARGV[3], ARGV[4]
local r = find(key)
if r and (r.endedAt > 0 or (reason == 'idle' and now < r.last + r.idle)) then return answer(0, r) end
r = r or new(0, 0, 0, '', '')
finish(key, r, reason)
changed(key)
return answer(1, r)
`;

/**
 * Many touches at once. ARGV: the cursor of the last reply, or nothing; how many touches; the key of each, then the time of
 * each, then the idle timeout of each. Replies `{ now, cursor, whether what came since is known, key, … }`, with the keys
 * of what came since, of touches that were refused, and of those whose deadline moved back.
 *
 * The cursor is what '#' has: after a failover that lost some changes, the count alone would fit again once as many had
 * come.
 */
export const SYNC = `${PROLOGUE}
local known, lastKey = parseChanges(ARGV[3])
local count = tonumber(ARGV[4])
local found, values, keep = {}, {}, 0
if count > 0 then found = redis.call('HMGET', records, unpack(ARGV, 5, 4 + count)) end

local reply = { now, 0, 0 }
for i = 1, count do
  local key, at, idle = ARGV[4 + i], tonumber(ARGV[4 + count + i]), tonumber(ARGV[4 + 2 * count + i])
  local r = decode(found[i])
  if r and r.endedAt == 0 and now < r.dropAt and touch(key, r, idle, at) then
    values[#values + 1] = key
    values[#values + 1] = encode(r)
    keep = math.max(keep, r.dropAt)
  elseif not r or r.endedAt > 0 or r.last < at then
    reply[#reply + 1] = key
  end
end
if #values > 0 then
  redis.call('HSET', records, unpack(values))
  keepUntil(keep)
end

reply[2] = historyNow()
if reply[2] == ARGV[3] then
  reply[3] = 1
  return reply
end
local missed = known and parseChanges(reply[2]) - known
if missed and missed > 0 and missed <= ${CHANGES_REMEMBERED} then
  local keys = redis.call('LRANGE', changes, 0, missed)
  local isSameHistory = (table.remove(keys, missed + 1) or '') == lastKey
  if isSameHistory and #keys == missed then reply[3] = 1 end
  for _, key in ipairs(keys) do reply[#reply + 1] = key end
end
return reply
`;

/**
 * Ends what is due. ARGV: how many to look at. Replies `{ how many it looked at, unreadable, key, session id, reason,
 * endedAt, startedAt, lastActivityAt, owner, … }`.
 */
export const EXPIRE = `${PROLOGUE}
local due = redis.call('ZRANGEBYSCORE', deadlines, '-inf', now, 'LIMIT', 0, tonumber(ARGV[3]))
local reply = { #due, 0 }
for _, key in ipairs(due) do
  local r = decode(redis.call('HGET', records, key))
  if not r or (r.endedAt > 0 and now >= r.dropAt) then
    redis.call('HDEL', records, key)
    redis.call('ZREM', deadlines, key)
  elseif r.endedAt > 0 then
    lookAt(key, r.dropAt)
  elseif now < deadlineOf(r) then
    lookAt(key, deadlineOf(r))
  else
    local reason = deadlineOf(r) < r.last + r.idle and 'absolute' or 'idle'
    for _, field in ipairs({ key, r.rest, reason, now, r.start, r.last, r.owner }) do reply[#reply + 1] = field end
    finish(key, r, reason)
  end
end
reply[2] = unreadable
return reply
`;
