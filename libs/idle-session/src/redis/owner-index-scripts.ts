// The operations of OwnerIndex, each an atomic script on the sessions of one owner, and by Redis's own clock.
//
//   KEYS[1]  the owner's sessions: a sorted set by when they were added. A member is the session's key, when it may be
//            forgotten (0: never) and its description as JSON, with a space between
//
// Times and durations are milliseconds. The key expires when the last of its sessions may be forgotten.

/** As good as never, for sessions without an absolute timeout. */
const NEVER_MS = 100 * 365 * 24 * 60 * 60_000;

const PROLOGUE = `
local index = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- The sessions, in the order in which they were added; what may be forgotten is.
local function sessions()
  local found, all = redis.call('ZRANGEBYSCORE', index, '-inf', '+inf', 'WITHSCORES'), {}
  for i = 1, #found, 2 do
    local key, keepUntil, description = string.match(found[i], '^(%S+) (%d+) (.*)$')
    keepUntil = tonumber(keepUntil)
    if not key or (keepUntil > 0 and keepUntil <= now) then
      redis.call('ZREM', index, found[i])
    else
      all[#all + 1] = { member = found[i], key = key, keepUntil = keepUntil, description = description, addedAt = tonumber(found[i + 1]) }
    end
  end
  return all
end

local function append(reply, all)
  for _, s in ipairs(all) do
    reply[#reply + 1] = s.key
    reply[#reply + 1] = s.addedAt
    reply[#reply + 1] = s.description
  end
  return reply
end
`;

/**
 * ARGV: key, description, how long to keep it (0: for ever), how many the owner may have (-1: any number), whether to refuse
 * more. Replies `{ outcome, now, key, addedAt, description, … }` with the other sessions, if there are more than that.
 */
export const ADD = `${PROLOGUE}
local key, description, keepFor, max = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local others, known, last = {}, nil, 0
for _, s in ipairs(sessions()) do
  if s.key == key then known = s else others[#others + 1] = s end
  last = math.max(last, s.keepUntil == 0 and now + ${NEVER_MS} or s.keepUntil)
end

local isOver = max ~= -1 and #others >= max
local outcome = known and 'known' or (isOver and ARGV[5] == '1' and 'full') or 'added'
if outcome ~= 'full' then
  if known then
    redis.call('ZREM', index, known.member)
    description = known.description
  end
  local keepUntil = keepFor > 0 and now + keepFor or 0
  last = math.max(last, keepUntil == 0 and now + ${NEVER_MS} or keepUntil)
  redis.call('ZADD', index, string.format('%d', now), key .. ' ' .. string.format('%d', keepUntil) .. ' ' .. description)
  redis.call('PEXPIRE', index, string.format('%d', last - now))
end
return append({ outcome, now }, isOver and others or {})
`;

/** Replies `{ now, key, addedAt, description, … }`. */
export const LIST = `${PROLOGUE}
return append({ now }, sessions())
`;

/** ARGV: leave what was added at this time or later (-1: leave nothing); the keys. */
export const REMOVE = `${PROLOGUE}
local addedBefore = tonumber(ARGV[1])
local gone = {}
for i = 2, #ARGV do gone[ARGV[i]] = true end
for _, s in ipairs(sessions()) do
  if gone[s.key] and (addedBefore == -1 or s.addedAt < addedBefore) then redis.call('ZREM', index, s.member) end
end
return 1
`;
