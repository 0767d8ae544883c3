// What all scripts know: where records are, how they are packed, and what happens to them. A script works on one partition
// and goes by Redis's own clock.
//
//   KEYS[1]  records: a hash of key -> record, packed as RECORD says. Beside them, under '#', the count of changes and the
//            key of the last. The count begins at the time in microseconds, so that the count of another history, as
//            after a flush, is never near. Under '#active', how many sessions have started and not ended
//   KEYS[2]  deadlines: a sorted set of keys by when to look at them next, never later than one is due
//   KEYS[3]  changes: a list of the keys that ended or were unlocked, or whose deadline moved back, newest first
//   KEYS[4]  untold: a sorted set of the keys that ended and whose event was not told yet, by the end of the lease of the
//            process that is to tell it
//   ARGV[1]  retention in milliseconds
//   ARGV[2]  the channel on which changes are published too, or nothing
//
// What follows in ARGV is the operation's own. All times and durations are milliseconds.

/** How many changes a partition remembers: of the sign-outs of one `syncInterval`. */
export const CHANGES_REMEMBERED = 1000;

/**
 * For how long one process alone is to tell of an end: longer than a process that lives takes for that, and short enough
 * for an audit log to be in order. After it, the process counts as dead, and another one tells.
 */
export const LEASE_MS = 30_000;

/**
 * How a record is packed: its version; then lastActivityAt, idleTimeoutMs, startedAt, authenticatedAt, absoluteTimeoutMs (0:
 * none), lockAfterMs (0: none) and the time of its end (0: none), six bytes each; then the length of owner. Owner (empty: none)
 * follows, and last the session id. For a record that ended it is the reason instead, and until the event was told, a space
 * and the session id.
 */
const RECORD = { version: 1, format: '>BI6I6I6I6I6I6I6B', length: 44 };

/** What every operation begins with. */
export const PROLOGUE = `
local records, deadlines, changes, untold = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local retention, channel = tonumber(ARGV[1]), ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function parse(value)
  if #value < ${RECORD.length} or string.byte(value) ~= ${RECORD.version} then return nil end
  local r, owned, at = {}, 0, 0
  local _
  _, r.last, r.idle, r.start, r.auth, r.absolute, r.lock, r.endedAt, owned, at = struct.unpack('${RECORD.format}', value)
  if at + owned > #value + 1 then return nil end
  r.owner, r.id = string.sub(value, at, at + owned - 1), string.sub(value, at + owned)
  if r.endedAt > 0 then r.reason, r.id = string.match(r.id, '^(%S*) ?(.*)$') end
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
  local reason = r.reason and (r.id == '' and r.reason or r.reason .. ' ') or ''
  return fixed .. r.owner .. reason .. r.id
end

local function new(idle, absolute, lock, owner, sessionId)
  return { last = now, idle = idle, start = now, auth = now, absolute = absolute, lock = lock, endedAt = 0,
    owner = owner, id = sessionId, dropAt = now + idle + retention }
end

-- The record; without one, whether there is one past its retention that counts as active, since no sweep came upon it.
local function find(key)
  local r = decode(redis.call('HGET', records, key))
  if r and now < r.dropAt then return r end
  return nil, r ~= nil and r.endedAt == 0
end

local function countActive(more)
  local active = (tonumber(redis.call('HGET', records, '#active')) or 0) + more
  redis.call('HSET', records, '#active', string.format('%d', math.max(0, active)))
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

-- Whether the idle deadline moved back.
local function move(key, r, at, idle)
  local isEarlier = at + idle < r.last + r.idle
  r.last, r.idle, r.dropAt = at, idle, at + idle + retention
  if isEarlier then lookAt(key, deadlineOf(r)) end
  return isEarlier
end

-- Notes activity at a time; true if it counted.
local function touch(key, r, idle, at)
  at = math.min(at, now)
  local deadline = r.last + (r.lock > 0 and math.min(r.idle, r.lock) or r.idle)
  if not ((at > r.last and at < deadline) or (at == r.last and now < deadline)) then return false end
  if move(key, r, at, idle) then changed(key) end
  return true
end

-- Leaves it to the process that is answered to tell of an end.
local function lease(key)
  redis.call('ZADD', untold, string.format('%d', now + ${LEASE_MS}), key)
  redis.call('PEXPIRE', untold, string.format('%d', retention))
end

local function finish(key, r, reason)
  r.endedAt, r.reason, r.dropAt = now, reason, now + retention
  lookAt(key, r.dropAt)
  save(key, r)
  lease(key)
end

local function answer(done, r)
  if not r then return { done, unreadable, now } end
    return { done, unreadable, now, r.start, r.auth, r.last, r.idle, r.absolute, r.lock, r.owner, r.reason }
end
`;
