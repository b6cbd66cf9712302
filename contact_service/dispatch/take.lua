-- Tokens of one lane. All workers ask here, so what it grants holds over all of them.
-- KEYS: bucket, hold, shares of the channel's carriers, prefix of their health
-- ARGV: tokens a second, most tokens, tokens wanted, carrier, weight, slow seconds, half-life
-- Returns what is granted and in how many milliseconds to ask again.
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1e6
local rate, most, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local carrier, weight = ARGV[4], tonumber(ARGV[5])
local slow, half_life = tonumber(ARGV[6]), tonumber(ARGV[7])

local hold = redis.call('PTTL', KEYS[2])
if hold > 0 then return {0, hold} end

-- a bucket that was forgotten starts empty: a restart is no burst
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, since = tonumber(state[1] or 0), tonumber(state[2] or now)
tokens = math.min(most, tokens + math.max(0, now - since) * rate)
local function keep()
    redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', tostring(now))
    redis.call('PEXPIRE', KEYS[1], 3600000)
end

-- a tenth of a second's worth at least, lest every token be leased by itself
local least = math.min(wanted, math.max(1, math.floor(rate / 10)))
if tokens < least then
    keep()
    return {0, math.ceil((least - tokens) / rate * 1000)}
end
local granted = math.min(wanted, math.floor(tokens))

-- Carriers of one channel advance together, each by what it was granted over its weight, less
-- the worse it does. Who has tokens left and asked just now holds the others back to its part;
-- who is away, on hold, or as busy as it may be, does not.
local health = redis.call('HMGET', KEYS[4] .. carrier, 'bad', 'seconds', 'at')
local fade = 0.5 ^ (math.max(0, now - tonumber(health[3] or now)) / half_life)
local bad, seconds = tonumber(health[1] or 0) * fade, tonumber(health[2] or 0) * fade
local worth = math.max(0.02, (1 - bad) ^ 4)
if seconds > slow then worth = math.max(0.02, worth * (slow / seconds) ^ 2) end
local part = weight * worth

local mine, behind = tonumber(redis.call('HGET', KEYS[3], carrier) or 0), nil
local all = redis.call('HGETALL', KEYS[3])
local seen = {}
for i = 1, #all, 2 do
    local name = string.match(all[i], '^seen:(.*)$')
    if name then seen[name] = tonumber(all[i + 1]) end
end
for i = 1, #all, 2 do
    local other = all[i]
    if other ~= carrier and seen[other] and now - seen[other] < 1 then
        local place = tonumber(all[i + 1])
        if behind == nil or place < behind then behind = place end
    end
end
local spare = tokens - granted >= least
redis.call('HSET', KEYS[3], 'seen:' .. carrier, spare and tostring(now) or '0')
redis.call('PEXPIRE', KEYS[3], 3600000)
if behind ~= nil then
    -- nobody saves up more than a second's worth while away, nor pays for long for having
    -- been bad
    mine = math.min(math.max(mine, behind - most / part), behind + 2 * least / part)
    if mine > behind + least / part then
        redis.call('HSET', KEYS[3], carrier, tostring(mine))
        redis.call('HSET', KEYS[3], 'seen:' .. carrier, tostring(now))
        keep()
        return {0, 50}
    end
end
redis.call('HSET', KEYS[3], carrier, tostring(mine + granted / part))
tokens = tokens - granted
keep()
local wait = 0
if granted < wanted then wait = math.ceil(least / rate * 1000) end
return {granted, wait}
