"""Recovering an attribute from columns: what is known to leak is found, noise is not, and intervals hold."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.insight.auc import Auc, of_folds
from app.insight.bits import Bits, bits_of, records_of, set_of
from app.insight.forest import Growth
from app.insight.recovery import Effort, Table, folds_of

EFFORT = Effort(Growth(10, 20, 5, 2), 50)
Columns = Mapping[str, Sequence[Any]]


def table(columns: Columns, answers: Sequence[int]) -> tuple[Table, int, int]:
    bits = {name: found for name, values in columns.items() if (found := bits_of(values))}
    having = set_of([at for at, answer in enumerate(answers) if answer], len(answers))
    return Table(columns, bits, folds_of(answers)), having, (1 << len(answers)) - 1


def together(columns: Columns, answers: Sequence[int]) -> Auc:
    found, having, known = table(columns, answers)
    auc = found.of_all(list(columns), having, known, EFFORT)
    assert auc is not None
    return auc


def alone(columns: Columns, answers: Sequence[int]) -> dict[str, float]:
    found, having, known = table(columns, answers)
    return {name: auc.auc for name in found.columns if (auc := found.of_column(name, having, known))}


def noise(rng: random.Random, n: int, columns: int) -> Columns:
    """Numbers and categories in turns."""
    return {
        f"c{at}": [rng.gauss(0, 1) if at % 2 else rng.choice("abcd") for _ in range(n)] for at in range(columns)
    }  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=40))
def test_auc_is_the_share_of_pairs_in_order(cases: list[tuple[int, bool]]) -> None:
    groups = [(float(score), int(has), int(not has)) for score, has in cases]
    having, lacking = [s for s, has in cases if has], [s for s, has in cases if not has]
    found = of_folds([groups])
    if not having or not lacking:
        assert found is None
        return
    pairs = [1.0 if one > other else 0.5 if one == other else 0.0 for one, other in product(having, lacking)]
    assert found is not None
    assert found.auc == pytest.approx(sum(pairs) / len(pairs))
    assert 0 <= found.low <= found.auc <= found.high <= 1
    mirrored = of_folds([[(-score, p, n) for score, p, n in groups]])
    assert mirrored is not None
    assert mirrored.auc == pytest.approx(1 - found.auc)
    assert mirrored.low == pytest.approx(1 - found.high)


def test_the_interval_is_delongs_times_what_folds_share() -> None:
    # Four cases with the attribute, three without: the share of the others that each is ranked rightly against.
    groups = [(1.0, 0, 1), (2.0, 1, 0), (3.0, 0, 1), (4.0, 1, 0), (5.0, 0, 1), (6.0, 1, 0), (7.0, 1, 0)]
    found = of_folds([groups])
    assert found is not None
    ten, one = [1 / 3, 2 / 3, 1, 1], [1, 3 / 4, 1 / 2]
    auc = sum(ten) / 4
    variance = sum((v - auc) ** 2 for v in ten) / 3 / 4 + sum((v - auc) ** 2 for v in one) / 2 / 3
    width = 1.959964 * math.sqrt(2.25 * variance) / (auc * (1 - auc))
    assert found.auc == pytest.approx(0.75)
    assert math.log(found.high / (1 - found.high)) == pytest.approx(math.log(3) + width, rel=1e-5)
    assert math.log(found.low / (1 - found.low)) == pytest.approx(math.log(3) - width, rel=1e-5)


def test_perfect_order_is_not_certainty() -> None:
    found = of_folds([[(0.0, 0, 10), (1.0, 10, 0)]])
    assert found is not None
    assert (found.auc, found.high) == (1, 1)
    assert 0.6 < found.low < 0.8


@given(st.lists(st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(-1, 1), st.sampled_from("abc"))))
def test_a_column_is_parted_into_sets(values: list[Any]) -> None:
    bits = bits_of(values)
    assert bits is not None
    assert sum(bits.bins) == (1 << len(values)) - 1
    assert sum(records.bit_count() for records in bits.bins) == len(values)
    assert all(0 < test.bit_count() < len(values) for test in bits.tests())


@given(st.sets(st.integers(0, 300)))
def test_sets_of_records(records: set[int]) -> None:
    assert list(records_of(set_of(records, 301))) == sorted(records)


def test_numbers_keep_their_order() -> None:
    bits = bits_of([5, 1, 3, 1, None])
    assert bits == Bits((0b01010, 0b00100, 0b00001, 0b10000), 3)


def test_what_a_column_tells_alone() -> None:
    rng = random.Random(1)
    answers = [rng.randrange(2) for _ in range(600)]
    # Of each ten the value is right nine times: AUC .9.
    told = [answer if rng.random() < 0.9 else 1 - answer for answer in answers]
    # A number that is shifted by one standard deviation: AUC Φ(1/√2) = .760.
    shifted = [answer + rng.gauss(0, 1) for answer in answers]
    shape = [rng.choice([-2, 2]) if answer else 0 for answer in answers]
    found = alone({"told": told, "shifted": shifted, "shape": shape, "id": [f"x{n}" for n in range(600)]}, answers)
    assert found["told"] == pytest.approx(0.9, abs=0.03)
    assert found["shifted"] == pytest.approx(0.76, abs=0.04)
    assert found["shape"] == 1
    assert "id" not in found


def test_exclusive_or_is_found_together_and_not_alone() -> None:
    rng = random.Random(2)
    columns = noise(rng, 500, 10)
    answers = [int((one > 0) != (other > 0)) for one, other in zip(columns["c1"], columns["c3"], strict=True)]
    assert max(alone(columns, answers).values()) < 0.6
    assert together(columns, answers).low > 0.85


def test_many_weak_columns_add_up() -> None:
    rng = random.Random(3)
    columns = noise(rng, 500, 12)
    total = [sum(columns[f"c{at}"][n] for at in range(1, 12, 2)) for n in range(500)]
    answers = [int(value > 0) for value in total]
    assert max(alone(columns, answers).values()) < 0.75
    assert together(columns, answers).low > 0.85


def test_an_attribute_comes_back_from_a_score_and_the_inputs_it_was_computed_from() -> None:
    rng = random.Random(4)
    inputs = {f"c{at}": [rng.gauss(0, 1) for _ in range(400)] for at in range(6)}
    age = [rng.gauss(0, 1) for _ in range(400)]
    logits = [sum(inputs[f"c{at}"][n] for at in range(6)) + 0.6 * age[n] for n in range(400)]
    columns = {**inputs, "score": [1 / (1 + math.exp(-logit)) for logit in logits]}
    answers = [int(value > 0) for value in age]
    assert max(alone(columns, answers).values()) < 0.68
    assert together(inputs, answers).low < 0.5
    assert together(columns, answers).low > 0.9


def test_noise_is_not_marked_and_its_interval_holds_a_half() -> None:
    found = []
    for seed in range(25):
        rng = random.Random(seed)
        answers = [int(rng.random() < 0.35) for _ in range(160)]
        found.append(together(noise(rng, 160, 6), answers))
    # 95 % of 25 are 24; fewer than 21 would be so one time in a hundred.
    assert sum(auc.low <= 0.5 <= auc.high for auc in found) >= 21
    assert 0.47 < sum(auc.auc for auc in found) / 25 < 0.53
    assert not any(auc.by_chance < 0.001 and auc.auc >= 0.6 for auc in found)


def test_the_interval_holds_a_known_auc() -> None:
    held = 0
    for seed in range(60):
        rng = random.Random(seed)
        answers = [n % 2 for n in range(200)]
        # Right four times of five: AUC .8.
        told = [answer if rng.random() < 0.8 else 1 - answer for answer in answers]
        found, having, known = table({"told": told}, answers)
        auc = found.of_column("told", having, known)
        assert auc is not None
        held += auc.low <= 0.8 <= auc.high
    assert held >= 56


def test_equal_columns_give_equal_figures() -> None:
    rng = random.Random(5)
    columns, answers = noise(rng, 120, 4), [rng.randrange(2) for _ in range(120)]
    assert together(columns, answers) == together(columns, answers)


VALUES = st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.integers(), st.sampled_from("ab"))


@settings(max_examples=40, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_any_columns_can_be_measured(values: list[Any], rng: random.Random) -> None:
    columns = {name: rng.choices(values, k=60) for name in ("one", "other")} | {"constant": [1] * 60}
    found, having, known = table(columns, [n % 2 for n in range(60)])
    auc = found.of_all(list(columns), having, known & ~1, Effort(Growth(2, 4, 3, 1), 10))
    assert auc is not None
    assert 0 <= auc.low <= auc.auc <= auc.high <= 1
