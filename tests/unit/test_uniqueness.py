"""How unique records are, counted by hand on small tables."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from app.insight.uniqueness import Uniqueness, of_columns, singling_out

#            a a a b b b c
CITY = [0, 0, 0, 1, 1, 1, 2]
JOB = [0, 0, 1, 0, 1, 1, 0]


def test_counted_on_a_small_table() -> None:
    assert of_columns([], 7) == Uniqueness(7, 0, 0)
    assert of_columns([CITY], 7) == Uniqueness(7, 1, 7)
    assert of_columns([CITY, JOB], 7) == Uniqueness(7, 3, 7)
    assert of_columns([[0] * 5 + [1, 1]], 7) == Uniqueness(7, 0, 2)
    assert of_columns([], 0) == Uniqueness(0, 0, 0)
    assert of_columns([[0]], 1) == Uniqueness(1, 1, 1)


def test_the_few_columns_that_single_out() -> None:
    constant = [0] * 7
    assert singling_out({"constant": constant, "job": JOB, "city": CITY}, 7, 3) == [("city", 1), ("job", 3)]
    assert singling_out({"constant": constant, "id": list(range(7))}, 7, 3) == [("id", 7)]
    assert singling_out({}, 7, 3) == []


@given(st.integers(0, 30).flatmap(lambda n: st.lists(st.lists(st.integers(0, 3), min_size=n, max_size=n), min_size=1)))
def test_unique_is_what_a_plain_count_says(columns: list[list[int]]) -> None:
    n = len(columns[0])
    alike = Counter(zip(*columns, strict=True))
    found = of_columns(columns, n)
    assert found.unique == sum(count == 1 for count in alike.values())
    assert found.rare == sum(count for count in alike.values() if count < 5)
    # One more column never makes a record less unique.
    assert of_columns(columns[:-1], n).unique <= found.unique
