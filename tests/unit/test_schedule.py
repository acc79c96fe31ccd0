"""When a failed delivery is tried again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.deliver.schedule import ATTEMPTS, LONGEST, WAITS, next_at

NOW = 1_809_000_000_000
HOUR = 3_600_000


def test_the_waits_are_those_of_the_docs() -> None:
    waits = [next_at(attempt, NOW, chance=lambda: 0.0) for attempt in range(1, ATTEMPTS + 1)]
    hours = (2, 5, 10, 14, 20, 24)
    assert waits == [*(NOW + ms for ms in (5_000, 300_000, 1_800_000)), *(NOW + h * HOUR for h in hours), None]


@given(st.integers(1, len(WAITS)), st.floats(0, 1), st.none() | st.floats(-10, 10**12))
def test_it_never_comes_too_early_nor_much_later(attempt: int, chance: float, asked: float | None) -> None:
    due = next_at(attempt, NOW, asked, lambda: chance)
    assert due is not None
    wait = max(WAITS[attempt - 1], min((asked or 0) * 1000, LONGEST))
    assert NOW + wait - 1 <= due <= NOW + wait * 1.2 + 1


@given(st.integers(ATTEMPTS, 1000), st.none() | st.floats(0, 10**6))
def test_after_the_last_attempt_it_is_dead_whatever_was_asked(attempt: int, asked: float | None) -> None:
    assert next_at(attempt, NOW, asked) is None
