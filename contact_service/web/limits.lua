-- Requests of one caller, over all processes: a bucket that holds two seconds' worth and starts full.
-- KEYS: bucket. ARGV: requests a second, how many are wanted. Returns how many are granted.
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1e6
local rate, wanted = tonumber(ARGV[1]), tonumber(ARGV[2])
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, since = tonumber(state[1] or 2 * rate), tonumber(state[2] or now)
tokens = math.min(2 * rate, tokens + math.max(0, now - since) * rate)
local granted = math.min(wanted, math.floor(tokens))
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - granted), 'at', tostring(now))
redis.call('PEXPIRE', KEYS[1], 5000)
return granted
