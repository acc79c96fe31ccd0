"""Feature names and the inputs behind them; what a reader is shown of an explainer's items."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.explanation import AttributionItem, Change
from app.model.explanation_checks.features import Features
from app.model.explanation_checks.folding import folded, real_changes
from app.model.prediction import Input

INPUTS = [
    Input(name="net income (€)", kind="number", value=2540),
    Input(name="income", kind="number", value=1977),
    Input(name="missed payments, 24 months", kind="number", value=2),
    Input(name="purpose", value="car"),
    Input(name="owner", value=True),
    Input(name="sex", withheld="sex"),
]
FEATURES = Features(INPUTS)


@pytest.mark.parametrize(
    ("name", "form", "inputs"),
    [
        ("income", "plain", ["income"]),
        ("Net Income (€)", "plain", ["net income (€)"]),
        ("net_income", "plain", ["net income (€)"]),
        ("num__income", "encoded", ["income"]),
        ("prep__num__net_income", "encoded", ["net income (€)"]),
        ("cat__purpose_car", "one_hot", ["purpose"]),
        ("purpose=radio/tv", "one_hot", ["purpose"]),
        ("purpose[T.car]", "one_hot", ["purpose"]),
        ("owner_True", "one_hot", ["owner"]),
        ("income & net income (€)", "pair", ["income", "net income (€)"]),
        ("income × purpose", "pair", ["income", "purpose"]),
        ("income*purpose", "pair", ["income", "purpose"]),
        ("1950.00 < income <= 2000.00", "condition", ["income"]),
        ("missed payments, 24 months > 1", "condition", ["missed payments, 24 months"]),
        ("log_income", "derived", ["income"]),
        ("income_per_month", "derived", ["income"]),
        ("income^2", "derived", ["income"]),
        ("[withheld: age] & income", "masked", []),
        ("incomes", "unknown", []),
        ("Feature 3", "unknown", []),
        ("", "unknown", []),
        ("x" * 10_000, "unknown", []),
    ],
)
def test_what_stands_behind_a_name(name: str, form: str, inputs: list[str]) -> None:
    found = FEATURES.find(name)
    assert (found.form, [item.name for item in found.inputs]) == (form, inputs)


def test_the_category_of_a_column() -> None:
    names = (
        "purpose_radio/tv",
        "purpose=radio/tv",
        "purpose[T.radio/tv]",
        "cat__purpose_radio/tv",
        "C(purpose)[T.radio/tv]",
    )
    assert {FEATURES.find(name).level for name in names} == {"radio/tv"}


def items(*given: tuple[str | list[str], Any, float]) -> list[AttributionItem]:
    return [AttributionItem(feature=feature, value=value, contribution=amount) for feature, value, amount in given]


def lines(*given: tuple[str | list[str], Any, float]) -> list[tuple[str, Any, float]]:
    return [(" × ".join(one.names), one.value, round(one.amount, 6)) for one in folded(items(*given), FEATURES)]


def test_one_hot_columns_are_one_line_with_the_inputs_value() -> None:
    assert lines(("cat__purpose_car", 1.0, 0.2), ("cat__purpose_repair", 0.0, -0.15), ("num__income", -0.3, 0.1)) == [
        ("purpose", "car", 0.05),
        ("income", 1977, 0.1),
    ]


def test_both_halves_of_a_pair_are_one_and_the_diagonal_is_the_feature() -> None:
    assert lines(
        (["income", "purpose"], [1977, "car"], 0.2), (["purpose", "income"], ["car", 1977], 0.2),
        ("income & purpose", None, 0.1), (["income", "income"], [1977, 1977], 0.4), ("income", 1977, 0.1),
    ) == [("income × purpose", [1977, "car"], 0.5), ("income", 1977, 0.5)]  # fmt: skip


def test_repeats_are_one_and_what_was_derived_stays_by_itself() -> None:
    assert lines(("purpose", "car", 0.2), ("purpose", "car", 0.1), ("log_income", 7.6, 0.3), ("income", 1977, 0.1)) == [
        ("purpose", "car", 0.3),
        ("log_income", 7.6, 0.3),
        ("income", 1977, 0.1),
    ]


NAMES = st.sampled_from(["income", "num__income", "purpose_car", "purpose_boat", "log_income", "sex_f", "age & x", "x"])


@given(
    st.lists(st.tuples(NAMES | st.lists(NAMES, min_size=1, max_size=2), st.just(None), st.floats(-5, 5)), max_size=9)
)
def test_folding_keeps_the_sum(given: list[tuple[str | list[str], None, float]]) -> None:
    total = sum(one.amount for one in folded(items(*given), FEATURES))
    assert total == pytest.approx(sum(amount for _, _, amount in given))


def changes(*given: tuple[str, Any, Any]) -> list[tuple[str, Any, Any]]:
    listed = [Change.model_validate({"feature": name, "from": before, "to": after}) for name, before, after in given]
    return [(one.feature, one.from_, one.to) for one in real_changes(listed, FEATURES)]


def test_changes_that_change_nothing_are_left_out() -> None:
    kept = [("income", 1977, 1978), ("net income (€)", "2500–2550", "2500–2550"), ("[withheld: sex]", None, None)]
    assert changes(*kept, ("income", 1977, 1976.9999), ("purpose", "car", "car"), ("owner", True, True)) == kept


def test_columns_of_a_category_are_one_change() -> None:
    switched = [("cat__purpose_car", 1, 0), ("income", 1977, 2500), ("cat__purpose_repair", 0, 1)]
    assert changes(*switched) == [("purpose", "car", "repair"), ("income", 1977, 2500)]
    # Half of it says nothing of the other half.
    assert changes(("purpose_car", 1, 0)) == [("purpose_car", 1, 0)]
