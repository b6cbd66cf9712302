-- How a carrier does: the share of bad answers and the seconds an answer takes, the newest
-- counting most; what was seen long ago fades, so that a carrier is tried again.
-- KEYS: health of the carrier. ARGV: answers, bad ones, mean seconds, half-life
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1e6
local answers, bad = tonumber(ARGV[1]), tonumber(ARGV[2])
local seconds, half_life = tonumber(ARGV[3]), tonumber(ARGV[4])
local before = redis.call('HMGET', KEYS[1], 'bad', 'seconds', 'at')
local fade = 0.5 ^ (math.max(0, now - tonumber(before[3] or now)) / half_life)
local keep = 0.95 ^ answers
redis.call('HSET', KEYS[1],
    'bad', tostring(tonumber(before[1] or 0) * fade * keep + bad / answers * (1 - keep)),
    'seconds', tostring(tonumber(before[2] or 0) * fade * keep + seconds * (1 - keep)),
    'at', tostring(now))
redis.call('PEXPIRE', KEYS[1], 3600000)
return 0
