"""Association: figures that do not depend on how values are written, that are 1 for the same and 0 for chance."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise, permutations
from math import log
from statistics import mean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.insight.association import BINS, coded, expected_information, likeness, tie

COLUMNS = st.integers(1, 60).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 6), min_size=n, max_size=n) for _ in range(2)])
)
VALUES: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=3) | st.lists(st.integers())
)


def codes(values: list[Any]) -> list[int]:
    found = coded(values)
    assert found is not None
    return found


@given(COLUMNS)
def test_it_lies_between_nothing_and_everything_and_has_no_direction(columns: tuple[list[int], list[int]]) -> None:
    found, turned = tie(*columns), tie(columns[1], columns[0])
    assert 0 <= found.information <= 1
    assert 0 <= found.by_chance <= 1
    assert found.information == pytest.approx(turned.information)
    assert found.by_chance == pytest.approx(turned.by_chance)


@given(COLUMNS, st.randoms())
def test_order_and_names_of_values_make_no_difference(columns: tuple[list[int], list[int]], rng: random.Random) -> None:
    pairs = list(zip(*columns, strict=True))
    rng.shuffle(pairs)
    names = rng.sample(range(100), 7)
    turned = tie([names[a] for a, _ in pairs], [b for _, b in pairs])
    assert turned.information == pytest.approx(tie(*columns).information, abs=1e-9)


@given(st.lists(st.integers(0, 6), min_size=4, max_size=60).filter(lambda c: 1 < len(set(c)) < len(c) - 1))
def test_the_same_under_other_names_is_everything(column: list[int]) -> None:
    assert tie(column, [6 - value for value in column]).information == pytest.approx(1)


@pytest.mark.parametrize("values", [2, 50, 500, 1500])
def test_columns_without_a_tie_share_nothing(values: int) -> None:
    rng = random.Random(values)
    rounds = []
    for _ in range(20):
        attribute = [rng.choice("fm") for _ in range(1500)]
        rounds.append(tie([rng.randrange(values) for _ in range(1500)], codes(attribute)))
    assert mean(found.information for found in rounds) < 0.03


def test_a_column_of_ids_tells_nothing() -> None:
    assert tie(range(500), [n % 2 for n in range(500)]).information == 0


@pytest.mark.parametrize("values", [3, 40, 400])
def test_luck_is_told_from_a_tie(values: int) -> None:
    rng = random.Random(values)
    field = [rng.randrange(values) for _ in range(1000)]
    lucky = [tie(field, [rng.randrange(3) for _ in field]).by_chance for _ in range(200)]
    assert sum(p < 0.01 for p in lucky) <= 8
    tied = [value % 3 if rng.random() < 0.5 else rng.randrange(3) for value in field]
    assert tie(field, tied).by_chance < 0.001


@pytest.mark.parametrize("columns", [("aab", "xyy"), ("aabbc", "xxyyy"), ("aaaab", "xyxyz"), ("abcde", "xxxyy")])
def test_what_chance_shares_is_the_mean_over_all_orders(columns: tuple[str, str]) -> None:
    one, other = columns
    n = len(one)
    a, b = Counter(one), Counter(other)
    shared = [
        sum(k / n * log(k * n / (a[x] * b[y])) for (x, y), k in Counter(zip(one, order, strict=True)).items())
        for order in permutations(other)
    ]
    counts = [Counter(codes(list(column))) for column in columns]
    assert expected_information(counts[0], counts[1], n) == pytest.approx(mean(shared))


def test_a_known_figure() -> None:
    # Half of b's one bit: I = 0.3113 bits of H(a) = 0.8113 and H(b) = 1, before the correction for chance.
    a, b = [0, 0, 0, 1] * 1000, [0, 0, 1, 1] * 1000
    assert tie(a, b).information == pytest.approx(0.3113 / 0.8113, abs=1e-3)


@given(st.lists(VALUES, max_size=60))
def test_any_column_can_be_coded(values: list[Any]) -> None:
    found = coded(values)
    assert found is None or len(found) == len(values)


@given(st.lists(st.integers(-1000, 1000) | st.sampled_from([0, 7]), min_size=1, max_size=300))
def test_numbers_become_few_groups_in_their_order_with_ties_together(values: list[int]) -> None:
    found = codes(values)
    assert len(set(found)) <= max(BINS, len(values) // 10)
    groups = dict(zip(values, found, strict=True))
    assert [groups[value] for value in values] == found
    in_order = [groups[value] for value in sorted(groups)]
    assert len([1 for a, b in pairwise(in_order) if a != b]) == len(set(found)) - 1


def test_what_is_missing_is_a_value_of_its_own() -> None:
    assert codes([1, None, 2.5, None]) == [0, 1, 2, 1]
    assert len(set(codes([*range(100), None]))) == BINS + 1
    assert codes([1, 1.0, "1", True]) == [0, 0, 1, 2]


def test_numbers_that_are_codes_stay_apart() -> None:
    assert len(set(codes([n % 16 for n in range(400)]))) == 16
    assert len(set(codes([n % 64 for n in range(4000)]))) == BINS


def test_texts_that_are_nearly_all_distinct_are_left_out_unless_they_have_an_order() -> None:
    assert coded([f"name {n}" for n in range(100)]) is None
    assert len(set(codes([f"19{n:02}-05-0{n % 9 + 1}" for n in range(100)]))) == BINS
    assert len(set(codes([f"A{n % 40}" for n in range(100)]))) == 40


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("gndr", ["gender"]), ("GenderCode", ["gender"]), ("sex_code", ["sex"]), ("applicantSex", ["sex"]),
        ("ethn_grp", ["ethnic_group"]), ("gendr", ["gender"]), ("relgion", ["religion"]), ("birth_yr", ["birth_year"]),
        ("yob", ["year_of_birth"]), ("sx", ["sex"]), ("age_at_loan", ["age"]), ("maritl_stat", ["marital_status"]),
    ],
)  # fmt: skip
def test_names_that_look_like_an_attribute(name: str, others: list[str]) -> None:
    assert likeness(name, others) >= 0.75


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("agent", ["age"]), ("mileage", ["age"]), ("rate", ["race"]), ("trace", ["race"]), ("mail", ["marital_status"]),
        ("number_of_credits", ["phone_number", "account_number"]), ("region", ["religion"]), ("sender", ["gender"]),
        ("employment_status", ["immigration_status"]), ("company_name", ["name"]), ("", ["sex"]), ("sex", [""]),
    ],
)  # fmt: skip
def test_names_that_do_not(name: str, others: list[str]) -> None:
    assert likeness(name, others) < 0.75


@given(st.text(max_size=12), st.text(max_size=12))
def test_likeness_is_a_share_and_one_for_the_same(name: str, other: str) -> None:
    assert 0 <= likeness(name, [other]) <= 1
    assert likeness(f"a{name}", [f"a{name}"]) == 1
