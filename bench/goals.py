"""What was promised: ratios to the peer in throughput, by scenario and pair of stores."""

from bench.contender import Name
from bench.scenarios import (
    DISCOVERY,
    INTROSPECTION,
    JWKS,
    LOGIN_ES256,
    LOGIN_RS256,
    OWN_JWT,
    OWN_OPAQUE,
    REFRESH_ES256,
    REFRESH_RS256,
    USERINFO,
)

# Ours, the peer, and what ours must reach of the peer's operations per second.
GOALS: tuple[tuple[Name, Name, dict[str, float]], ...] = (
    (
        Name.EMBEDDED,
        Name.NODE_MEMORY,
        {
            DISCOVERY: 2.0,
            JWKS: 1.1,
            OWN_JWT: 1.5,
            OWN_OPAQUE: 1.3,
            USERINFO: 2.0,
            INTROSPECTION: 2.0,
            REFRESH_RS256: 1.1,
            REFRESH_ES256: 1.3,
            LOGIN_RS256: 1.3,
            LOGIN_ES256: 1.5,
        },
    ),
    (Name.EMBEDDED, Name.FLASK, {LOGIN_RS256: 6.0}),
    (
        Name.NETWORKED,
        Name.NODE_REDIS,
        {
            DISCOVERY: 2.0,
            JWKS: 1.1,
            OWN_JWT: 1.5,
            OWN_OPAQUE: 1.5,
            USERINFO: 1.6,
            INTROSPECTION: 1.6,
            REFRESH_RS256: 1.2,
            REFRESH_ES256: 1.4,
            LOGIN_RS256: 1.4,
            LOGIN_ES256: 1.6,
        },
    ),
)

SLOWEST = 1.0
"""The p99 at most, as a ratio to the peer's."""
IDLE_MEGABYTES = 90.0
"""Resident memory of an idle worker, at most."""
GROWN_MEGABYTES = 15.0
"""What a worker may grow by under load: flat, but for caches and the allocator."""
COLD_START_SECONDS = 0.6
"""From the process's spawn to its first answer, at most."""
STORE_MEGABYTES = 160.0
"""What 100,000 sessions may take in the stores."""
SCALE = 1.3
"""What an operation may cost with a million accounts, as a ratio to its cost with a thousand."""
