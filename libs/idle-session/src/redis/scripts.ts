// The operations of ActivityStorage, each an atomic script on one partition. What follows the first two in ARGV is its own.

import { CHANGES_REMEMBERED, PROLOGUE } from './script-prologue.js';

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
local r, isCounted = find(key)
if r then return answer(0, r) end
if not isCounted then countActive(1) end
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

/** ARGV: key, idle timeout. Replies as READ does, with 1 for "was done". */
export const UNLOCK = `${PROLOGUE}
local key, idle = ARGV[3], tonumber(ARGV[4])
local r = find(key)
local isLocked = r and r.lock > 0 and r.endedAt == 0 and now >= r.last + r.lock and now < deadlineOf(r)
if not isLocked then return answer(0, r) end
move(key, r, now, idle)
save(key, r)
changed(key)
return answer(1, r)
`;

/** ARGV: key, reason. Replies as READ does, with 1 for "was done" and the session id behind it. */
export const END = `${PROLOGUE}
local key, reason = ARGV[3], ARGV[4]
local r, isCounted = find(key)
local isInTime = reason == 'idle' and r and now < r.last + r.idle
if r and (r.endedAt > 0 or isInTime or reason == 'lost') then return answer(0, r) end
if r or isCounted then countActive(-1) end
r = r or new(0, 0, 0, '', '')
finish(key, r, reason)
changed(key)
local reply = answer(1, r)
reply[#reply + 1] = r.id
return reply
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
 * Ends what is due, and hands out again the ends that were not told in time. ARGV: how many to look at of each. Replies
 * `{ of how many it looked at most, unreadable, key, session id, reason, endedAt, startedAt, lastActivityAt, owner, … }`.
 */
export const EXPIRE = `${PROLOGUE}
local limit = tonumber(ARGV[3])
local lapsed = redis.call('ZRANGEBYSCORE', untold, '-inf', now, 'LIMIT', 0, limit)
local due = redis.call('ZRANGEBYSCORE', deadlines, '-inf', now, 'LIMIT', 0, limit)
local reply, ended = { math.max(#lapsed, #due), 0 }, 0
local function handOut(key, r)
  for _, field in ipairs({ key, r.id, r.reason, r.endedAt, r.start, r.last, r.owner }) do reply[#reply + 1] = field end
end

for _, key in ipairs(lapsed) do
  local r = find(key)
  if r and r.endedAt > 0 then
    lease(key)
    handOut(key, r)
  else
    redis.call('ZREM', untold, key)
  end
end
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
    finish(key, r, deadlineOf(r) < r.last + r.idle and 'absolute' or 'idle')
    ended = ended + 1
    handOut(key, r)
  end
end
if ended > 0 then countActive(-ended) end
reply[2] = unreadable
return reply
`;

/** Notes that the events of ends were told. ARGV: the keys. */
export const TOLD = `${PROLOGUE}
for i = 3, #ARGV do
  local key = ARGV[i]
  redis.call('ZREM', untold, key)
  local r = find(key)
  if r and r.endedAt > 0 and r.id ~= '' then
    r.id = ''
    redis.call('HSET', records, key, encode(r))
  end
end
return #ARGV - 2
`;

/** Replies how many sessions have started and not ended. */
export const COUNT = `${PROLOGUE}
return redis.call('HGET', records, '#active') or 0
`;
