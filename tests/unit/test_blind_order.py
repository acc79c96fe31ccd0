"""Cases that are judged first stand where nothing of what the model said puts them."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake import drawn, route
from app.intake.prepare import Preparer, Ready, Recipe
from app.intake.read import Raw
from app.model.policy import Due, Priority, QueuePolicy
from app.model.prediction import Prediction
from app.model.words import UNTOLD
from tests.builders import KEYS, NOW, POLICY, record
from tests.said import answered, asked

BLIND = POLICY.model_copy(update={"provisional": True})
# What the columns of a case say that no list, order, due time, search or likeness is made of: they are for exports,
# and for people who have judged.
_FOR_LATER = frozenset(
    (
        *("content_hash", "record", "flag", "predicted_label", "predicted_score", "sampling_reason"),
        *("sampling_probability", "has_text"),
    )
)
_MINUTE_MS = 60_000


def prepared(item: dict[str, Any], policy: QueuePolicy = BLIND, now: int = NOW) -> Ready:
    """A record as it would be kept."""
    found = Preparer(Recipe("credit", policy, KEYS, {})).prepare(Raw(1, orjson.dumps(item)), now)
    assert isinstance(found, Ready), found
    return found


def listed(item: dict[str, Any], policy: QueuePolicy = BLIND) -> tuple[dict[str, Any], int | None]:
    """What lists, order, search and likeness have of a record, and its turn in its batch."""
    found = prepared(item, policy)
    return {name: value for name, value in found.row.items() if name not in _FOR_LATER}, found.turn


@given(number=st.integers(0, 40), one=st.integers(0, 10**6), other=st.integers(0, 10**6))
def test_what_the_model_said_is_in_no_column_that_lists_are_made_of(number: int, one: int, other: int) -> None:
    first, second = (answered(asked(number), random.Random(seed)) for seed in (one, other))
    assert listed(first) == listed(second)


def test_all_that_lists_are_made_of_is_compared() -> None:
    """The columns above are compared by leaving out: one that is new is compared until somebody looks at it."""
    ordinary = prepared(answered(asked(1), random.Random(1))).row.keys()
    assert ordinary > _FOR_LATER
    first, second = (listed(answered(asked(1), random.Random(seed)), POLICY) for seed in (1, 2))
    assert first != second


def at(now: int, domain: str | None = None, **due: Any) -> drawn.Place:
    """The place of a case that comes in at a moment."""
    policy = BLIND.model_copy(update={"due": Due(**due), "priority": Priority(domains={"icu": 500})})
    return drawn.place(policy, domain, now, drawn.draw(b"key", "credit", f"case-{now}"))


@given(
    st.floats(0.5, 100_000),
    st.integers(1_600_000_000_000, 2_000_000_000_000),
    st.none() | st.sampled_from(["icu", "x"]),
)
def test_a_case_is_due_no_later_than_its_policy_says_and_has_half_of_its_time(
    minutes: float, now: int, domain: str | None
) -> None:
    due = {"medium": minutes, "domains": {"icu": minutes / 2}}
    span = (minutes / 2 if domain == "icu" else minutes) * _MINUTE_MS
    found = at(now, domain, **due).due_at - now
    assert span / 2 - 2 <= found <= span + 1
    assert found >= span - 2 * 60 * _MINUTE_MS - 2


def test_who_came_an_hour_and_a_minute_sooner_comes_first() -> None:
    for n in range(50):
        assert at(NOW + n).due_at < at(NOW + n + 121 * _MINUTE_MS).due_at


def test_a_domain_may_be_more_urgent() -> None:
    assert at(NOW, "icu").priority == at(NOW).priority + 500
    assert at(NOW, "icu", domains={"icu": 60}).due_at <= NOW + 60 * _MINUTE_MS < at(NOW).due_at


def test_a_domain_counts_beside_severity_where_the_answer_is_shown_at_once() -> None:
    policy = POLICY.model_copy(update={"due": Due(domains={"icu": 90}), "priority": Priority(domains={"icu": 7})})
    item = record(flags=[{"code": "x", "severity": "high"}], domain="icu")
    plain = prepared(item, POLICY).row
    found = prepared(item, policy).row
    assert found["priority"] == plain["priority"] + 7
    assert (plain["due_at"] - NOW, found["due_at"] - NOW) == (480 * _MINUTE_MS, 90 * _MINUTE_MS)
    critical = prepared(record(flags=[{"code": "x", "severity": "critical"}], domain="icu"), policy).row
    assert critical["due_at"] - NOW == 60 * _MINUTE_MS


def test_a_copy_beside_a_case_could_be_any_case_of_its_hour() -> None:
    chance = random.Random(1)
    policy = BLIND.model_copy(update={"due": Due(medium=600)})
    places = [drawn.place(policy, None, NOW, drawn.draw(b"k", "credit", str(n))).due_at for n in range(200)]
    beside = [drawn.due_beside(policy, None, due_at, chance) for due_at in places]
    assert min(places) // 3_600_000 == max(places) // 3_600_000
    assert {due_at // 3_600_000 for due_at in beside} == {due_at // 3_600_000 for due_at in places}
    assert len(set(beside)) > 190


@pytest.mark.parametrize("flags", [None, [], [{"code": "a"}], [{"code": "a", "severity": "low"}, {"code": "b"}]])
def test_the_severity_of_a_record_is_that_of_the_prediction(flags: Any) -> None:
    item = record(flags=flags)
    assert route.severity(item) == Prediction.model_validate(item).severity


def test_lots_differ_by_key_queue_and_id_and_are_the_same_each_time() -> None:
    lots = [drawn.draw(key, queue, name) for key in (b"a", b"b") for queue in ("q", "r") for name in ("1", "2")]
    assert len({lot.due for lot in lots}) == len({lot.number for lot in lots}) == len(lots)
    assert lots[0] == drawn.draw(b"a", "q", "1")
    assert prepared(record()).row["severity"] == UNTOLD
