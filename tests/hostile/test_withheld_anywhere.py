"""Withheld values in explanations of every kind and in any JSON under any key: short ones too, whatever names them.

The judge reads what is kept as text; it knows nothing of how values are found.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.intake.anchor import anchor_spans
from app.intake.parse import validate
from app.model.explanation import KINDS, Explanation
from app.model.prediction import Prediction
from app.protect.protector import Protector
from tests.builders import POLICY, admit, kept, opened, protector, record

# Short numbers and words that stand nowhere else in these records: no text is searched for the like of them.
AGE, TRIBE, INCOME = 67, "Vq", 8167
RAW = (str(AGE), TRIBE, str(INCOME))
BAND = {"income": 1000}
INPUTS = [
    {"name": "age", "kind": "number", "value": AGE},
    {"name": "tribe", "kind": "category", "value": TRIBE, "withheld": "tribe"},
    {"name": "income", "kind": "number", "value": INCOME},
    {"name": "amount", "kind": "number", "value": 2},
    {"name": "note", "kind": "text", "value": "said no"},
]
# How a feature may be called that comes from the input NAME.
PATTERNS = [
    "NAME", "amount & NAME", "NAME & amount", "log_NAME", "log(NAME)", "NAME^2", "amount*NAME", "num__NAME",
    "cat__NAME_x", "missingindicator_NAME", "NAME <= 3", "amount > 1 AND NAME <= 3", "amount NAME", "NAME_scaled",
    "I(NAME)", "NAME=VALUE", "NAME_VALUE", "VALUE <= NAME",
]  # fmt: skip
NAMED = [("age", AGE), ("tribe", TRIBE), ("income", INCOME)]
MINIMAL: dict[str, dict[str, Any]] = {
    "attribution": {"feature": "amount", "contribution": 0.5},
    "counterfactual": {"changes": [{"feature": "amount", "from": 2, "to": 3}]},
    "rule": {"feature": "amount", "op": "<"},
    "example": {"ref": "r", "values": {"amount": 3}},
}


def protect(made: dict[str, Any], **policy: Any) -> dict[str, Any]:
    made = copy.deepcopy(made)
    validate(made, POLICY)
    anchor_spans(made)
    guard: Protector = protector(band=BAND, **policy)
    once = guard.protect(made)
    Prediction.model_validate(orjson.loads(orjson.dumps(once)))
    again = guard.protect(copy.deepcopy(orjson.loads(orjson.dumps(once))))
    assert again == once
    return once


def assert_nowhere(value: Any, raw: tuple[str, ...] = RAW) -> None:
    text = orjson.dumps(value).decode()
    found = [one for one in raw if one in text]
    assert found == [], f"{found} in {text}"


def explained(kind: str, item: dict[str, Any], **more: Any) -> dict[str, Any]:
    explanation = {"kind": kind, "items": [item], **more}
    return record(inputs=copy.deepcopy(INPUTS), explanations=[explanation])


def test_every_kind_is_known() -> None:
    (union, _) = get_args(Explanation)
    assert {get_args(one.model_fields["kind"].annotation)[0] for one in get_args(union)} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_feature_of_a_withheld_or_banded_input_shows_no_value(kind: str) -> None:
    minimal = MINIMAL.get(kind, {})
    for pattern in PATTERNS:
        explanations: list[dict[str, Any]] = []
        for name, value in NAMED:
            feature = pattern.replace("NAME", name).replace("VALUE", str(value))
            named = {"feature": feature, "value": value}
            both = {"feature": feature, "value": [2, value]}
            for item in (named, both, {"arguments": named}, {"more": [both]}, {"arguments": {feature: value}}):
                explanations.append({"kind": kind, "items": [{**minimal, **item}]})
                explanations.append({"kind": kind, "items": [minimal], "more": item})
        assert_nowhere(protect(record(inputs=copy.deepcopy(INPUTS), explanations=explanations)))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_features_in_the_places_that_each_kind_has_for_them(pattern: str) -> None:
    for name, value in NAMED:
        feature = pattern.replace("NAME", name).replace("VALUE", str(value))
        places: list[dict[str, Any]] = [
            {"kind": "attribution",
             "items": [{"feature": [feature, "amount"], "value": [value, 2], "contribution": 1}]},
            {"kind": "counterfactual", "immutable": [feature],
             "items": [{"changes": [{"feature": feature, "from": value, "to": value, "was": value}]}]},
            {"kind": "rule", "items": [{"feature": feature, "op": f"<= {value}", "value": value, "text": value}]},
            {"kind": "example", "items": [{"values": {feature: value, "row": [value]}}]},
            {"kind": "trace", "items": [{"step": 1, "name": "f", "arguments": {"pairs": [[feature, value]]}}]},
            {"kind": "text_span", "target": {"input": "note", "row": [value]},
             "items": [{"text": "no", "contribution": 1, "feature": feature, "x": value}]},
            {"kind": "evidence", "target": {"input": "note"},
             "items": [{"text": "no", "source": {"uri": "u", "row": {feature: value}}}]},
        ]  # fmt: skip
        if name == "income" or "3" in pattern:
            # A threshold of an operator is no value of a record.
            places[2]["items"][0]["op"] = "<="
        assert_nowhere(protect(record(inputs=copy.deepcopy(INPUTS), explanations=places)))


def test_bounds_in_the_name_of_a_banded_feature_are_not_shown() -> None:
    features = ["8160.00 < income <= 8170.00", "income > 8160", "num__income_8167", "income_8167"]
    items = [{"feature": feature, "contribution": 0.1} for feature in features]
    found = protect(explained("attribution", items[0]) | {"explanations": [{"kind": "attribution", "items": items}]})
    assert [item["feature"] for item in found["explanations"][0]["items"]] == ["income"] * len(items)


def test_a_kind_that_nobody_knows_is_masked_where_it_is_held() -> None:
    made = explained("hologram", {"feature": "log_age", "value": AGE, "note": [INCOME, TRIBE]})
    assert_nowhere(protector(band=BAND).protect(made))


NAMES = st.sampled_from(
    [(p.replace("NAME", name).replace("VALUE", str(value)), value) for p in PATTERNS for name, value in NAMED]
)
KEYS = st.sampled_from(
    [
        "x",
        "value",
        "items",
        "data",
        "name",
        "label",
        "meta",
        "features",
        "row",
        "arguments",
        "text",
        "type",
        "role",
        "input",
    ]
)
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(0, 5), st.sampled_from(["a", "amount", "deny", "{", "[]"]))


# A case is small as it is drawn; making it smaller takes minutes.
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)


@st.composite
def telling(draw: st.DrawFn) -> Any:
    """JSON in which a name says what a value is of, in one of the ways that are usual."""
    name, value = draw(NAMES)
    shown = draw(st.sampled_from([value, str(value), [value], {"x": value}, [2, value]]))
    shape = draw(st.integers(0, 9))
    if shape == 0:
        return {name: shown}
    if shape == 1:
        return {draw(st.sampled_from(["feature", "variable", "column", "attribute"])): name, draw(KEYS): shown}
    if shape == 2:
        return {draw(st.sampled_from(["name", "key", "label", "question"])): name, "value": shown}
    if shape == 3:
        return [[name, shown]]
    if shape == 4:
        return {"columns": ["amount", name], "data": [[2, shown], [3, shown]]}
    if shape == 5:
        return {"feature_names": [name, "amount"], "values": [shown, 2]}
    if shape == 6:
        return [[name, "amount"], [shown, 2]]
    if shape == 7:
        return orjson.dumps({name: shown}).decode()
    if shape == 8:
        return [value, str(value)]
    return {"instance": {"amount": 2, name: shown}, "prediction": 0.5}


JSON = st.recursive(
    telling() | PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
SECTIONS = ("task", "output", "sampling", "reply_to", "provenance")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINKING)
@given(
    telling(),
    JSON,
    st.sampled_from(KINDS),
    st.sampled_from(SECTIONS),
    st.sampled_from(["debug", "raw_row", "features"]),
)
def test_no_raw_value_is_kept_of_any_json_under_any_key(
    tmp_path_factory: pytest.TempPathFactory, told: Any, more: Any, kind: str, section: str, key: str
) -> None:
    """Not in the database, its log of changes, nor anything else in the workspace."""
    item = {**MINIMAL.get(kind, {}), key: told, "more": more}
    made = explained(kind, item, **{key: more})
    made["inputs"] += [{"name": "blob", "kind": "json", "value": [told, more]}]
    made["flags"] = [{"code": "f", key: told}]
    made[key] = {"told": told, "more": more}
    if section != "provenance":
        # Numbers of models are not compared with those of people.
        made[section] = {**made.get(section, {}), key: told}
    elif not isinstance(told, list | str):
        made["provenance"] = {"model": {key: told}}
    folder: Path = tmp_path_factory.mktemp("anywhere")
    with opened(folder / "a.db") as store:
        count = admit(store, [made], band=BAND)
        assert count.admitted == 1, count.reasons
        assert_nowhere(list(kept(store).values()))
        with store.read() as connection:
            for column in ("title, flag, domain, language", "body", "features"):
                table = {"body": "case_texts", "features": "case_records"}.get(column, "cases")
                rows = connection.exec_driver_sql(f"SELECT {column} FROM {table}").all()
                assert_nowhere([list(row) for row in rows])
