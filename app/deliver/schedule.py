"""When a delivery that failed is tried again."""

from __future__ import annotations

import random
from collections.abc import Callable

_SECOND = 1000
_HOUR = 3_600_000
# Milliseconds to wait after the first, second, … failed attempt. After one more it is dead.
WAITS = (
    5 * _SECOND,
    300 * _SECOND,
    1800 * _SECOND,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
ATTEMPTS = len(WAITS) + 1
# A receiver may not put us off for longer.
LONGEST = 24 * _HOUR
# Up to so much is added to each wait, so that what failed together does not come back together.
_JITTER = 0.2


def next_at(
    attempt: int, now: int, retry_after: float | None = None, chance: Callable[[], float] = random.random
) -> int | None:
    """When to try again after the attempt of this number (from 1) failed; None: never. `retry_after` (seconds): what
    the receiver asked for; it is waited for if it is longer than our own wait. `chance` gives 0…1."""
    if attempt >= ATTEMPTS:
        return None
    wait = WAITS[max(attempt, 1) - 1]
    if retry_after is not None:
        wait = max(wait, min(round(max(retry_after, 0.0) * _SECOND), LONGEST))
    return now + wait + round(wait * _JITTER * chance())
