"""The atomic steps, in Lua: each verb that is more than a ping is one script, and so one step for everyone.

Every script gets the offset of the clock as its first argument and takes the time from Redis, so that no node's clock
decides anything. An entry is 16 digits, the microsecond it expires at, and the value. What Redis itself deletes after a
lifetime is garbage: it always outlives its expiry by a second. Lua's numbers are exact up to 2**53, which is the year
2255 in microseconds.
"""

import hashlib
from dataclasses import dataclass

_CLOCK = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2] + ARGV[1]
local function keep(key, text, lifetime)
    redis.call('SET', key, text, 'PX', math.ceil(lifetime / 1000) + 1000)
end
"""

_ENTRIES = (
    _CLOCK
    + """
local function live(key)
    local entry = redis.call('GET', key)
    return entry and tonumber(string.sub(entry, 1, 16)) > now and string.sub(entry, 17)
end
local function write(key, value, lifetime)
    lifetime = tonumber(lifetime)
    if lifetime > 0 then
        keep(key, string.format('%016.0f', now + lifetime) .. value, lifetime)
    else
        redis.call('DEL', key)
    end
end
"""
)

_RATES = (
    _CLOCK
    + """
local states = {}
local function state_of(key)
    if not states[key] then
        local state = {}
        for name, empty_at in string.gmatch(redis.call('GET', key) or '', '(%S+)=(%d+)') do
            empty_at = tonumber(empty_at)
            if empty_at > now then state[name] = empty_at end
        end
        states[key] = state
    end
    return states[key]
end
local function keep_states()
    for key, state in pairs(states) do
        local entries, last = {}, now
        for name, empty_at in pairs(state) do
            if empty_at > now then
                entries[#entries + 1] = name .. '=' .. string.format('%.0f', empty_at)
                last = math.max(last, empty_at)
            end
        end
        if last > now then keep(key, table.concat(entries, ' '), last - now) else redis.call('DEL', key) end
    end
end
local function each_limit(visit)
    local position = 2
    for charge, key in ipairs(KEYS) do
        local cost, limits = tonumber(ARGV[position]), tonumber(ARGV[position + 1])
        for limit = 1, limits do
            position = position + 3
            local name, burst, interval = ARGV[position - 1], ARGV[position], ARGV[position + 1]
            visit(state_of(key), name, burst * interval, interval * cost, charge, limit)
        end
        position = position + 2
    end
end
"""
)


@dataclass(frozen=True, slots=True)
class Script:
    """A script and the digest that Redis knows it by once it has seen it."""

    source: bytes
    digest: bytes


def _script(*parts: str) -> Script:
    source = "".join(parts).encode()
    return Script(source, hashlib.sha1(source, usedforsecurity=False).hexdigest().encode())


PUT = _script(_ENTRIES, "write(KEYS[1], ARGV[2], ARGV[3])")

ADD = _script(
    _ENTRIES,
    """
if live(KEYS[1]) then return 0 end
write(KEYS[1], ARGV[2], ARGV[3])
return 1
""",
)

GET = _script(_ENTRIES, "return live(KEYS[1])")

GET_ALL = _script(
    _ENTRIES,
    """
local values = {}
for position, key in ipairs(KEYS) do values[position] = live(key) end
return values
""",
)

TAKE = _script(
    _ENTRIES,
    """
local value = live(KEYS[1])
if value then redis.call('DEL', KEYS[1]) end
return value
""",
)

SWAP = _script(
    _ENTRIES,
    """
if live(KEYS[1]) ~= ARGV[2] then return 0 end
write(KEYS[1], ARGV[3], ARGV[4])
return 1
""",
)

DELETE = _script("redis.call('DEL', KEYS[1])")

INCREMENT = _script(
    _ENTRIES,
    """
local value = live(KEYS[1]) or '0'
if value ~= '0' and not string.find(value, '^-?[1-9]%d*$') then return false end
local count = value + ARGV[2]
write(KEYS[1], string.format('%.0f', count), ARGV[3])
return count
""",
)

# The same decision as `decide` in watchword/ephemeral/limits.py. Answers nothing, or which limit of which charge
# refuses and for how long.
CHARGE = _script(
    _RATES,
    """
local cut, longest, refusal = false, 0, false
each_limit(function(state, name, full)
    if state[name] and state[name] > now + full then
        state[name] = now + full
        cut = true
    end
end)
if cut then keep_states() end
each_limit(function(state, name, full, price, charge, limit)
    state[name] = (state[name] or now) + price
    local wait = state[name] - full - now
    if wait > longest then
        longest, refusal = wait, {charge - 1, limit - 1, wait}
    end
end)
if not refusal then keep_states() end
return refusal
""",
)

REFUND = _script(
    _RATES,
    """
each_limit(function(state, name, _, price)
    if state[name] then state[name] = state[name] - price end
end)
keep_states()
""",
)

# Renewed with each reading: where nobody has read it for so long, nothing else is left to belong to it either.
IDENTITY = _script(
    """
local identity = redis.call('GET', KEYS[1]) or ARGV[2]
redis.call('SET', KEYS[1], identity, 'PX', ARGV[3])
return identity
""",
)
