"""Random valid predictions, as wild as the format allows, for hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from app.model.explanation import Part
from app.model.prediction import Prediction

# Words that mean something to the format, to the policy, or to nobody; some are each other's echo.
WORDS = st.sampled_from(
    [
        "sex", "race", "age", "name", "race_Quentin", "Quentin", "QUENTIN", "quentin inside", "month", "value", "kind",
        "text", "output", "inputs", "explanations", "label", "critical", "exact", "number", "trace", "start", "12345",
        "subject", "output.text", "note", "é\u0301ß", "\u200bx", "[withheld: sex]", "a b c d", "model", "reply_to",
        "extra", "items", "high", "url", "2 < age <= 4", "a__sex_x", "contribution", "withheld", "provenance",
    ]
) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)  # fmt: skip
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)
NUMBERS = st.integers(-10, 10) | st.just(12345) | st.floats(-1e6, 1e6)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=5
)
OFFSETS = st.none() | st.integers(-2, 40)
UNITS = st.sampled_from(["codepoint", "byte", "utf16"])


def _fields(part: type[Part]) -> set[str]:
    own = {field.alias or name for name, field in part.model_fields.items()}
    return own.union(*(_fields(child) for child in part.__subclasses__()))


# Keys with a type of their own somewhere: as an unknown key they would make a record invalid.
FORMAT_KEYS = _fields(Part) | {*Prediction.model_fields, "schema"}


def some(required: dict[str, Any], **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with these keys, those that may be there, and now and then one that nobody knows."""
    known = st.fixed_dictionaries(required, optional=optional)
    unknown = st.dictionaries(WORDS.filter(lambda word: word not in FORMAT_KEYS), VALUES, max_size=1)
    return st.builds(lambda base, more: more | base, known, unknown)


def _explanation(kind: str, item: Any, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    target = st.none() | st.fixed_dictionaries({}, optional={"input": WORDS, "label": WORDS})
    fidelity = st.fixed_dictionaries({"name": WORDS, "value": NUMBERS.map(float)})
    return some(
        {"kind": st.just(kind)}, items=st.lists(item, max_size=3), target=target, method=WORDS,
        fidelity=st.sampled_from(["exact", "human"]), fidelity_score=fidelity, base_value=NUMBERS, **more,
    )  # fmt: skip


_SPAN = some({}, start=OFFSETS, end=OFFSETS, text=TEXTS, contribution=NUMBERS, anchor=st.just("exact"))
_CHANGE = st.fixed_dictionaries(
    {"feature": WORDS}, optional={"from": VALUES, "to": VALUES, "actionable": st.booleans()}
)
EXPLANATIONS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    _explanation(
        "attribution",
        some(
            {"feature": WORDS | st.lists(WORDS, max_size=2), "contribution": NUMBERS},
            value=VALUES,
            reveals=st.lists(WORDS, max_size=2),
        ),
    ),
    _explanation("text_span", _SPAN, offset_unit=UNITS),
    _explanation("evidence", some({}, start=OFFSETS, end=OFFSETS, text=TEXTS, label=WORDS), offset_unit=UNITS),
    _explanation("image_region", some({}, x=NUMBERS, label=WORDS)),
    _explanation(
        "counterfactual", some({}, changes=st.lists(_CHANGE, max_size=3)), immutable=st.lists(WORDS, max_size=2)
    ),
    _explanation("example", some({}, ref=WORDS, values=st.dictionaries(WORDS, VALUES, max_size=3))),
    _explanation("rule", some({"feature": WORDS, "op": WORDS}, value=VALUES)),
    _explanation("trace", some({}, step=st.integers(0, 9) | WORDS, arguments=VALUES, risk=st.lists(WORDS, max_size=2))),
    _explanation("text", VALUES, text=TEXTS),
    _explanation("none", VALUES, reason=TEXTS),
)
_INPUT = some(
    {"name": WORDS},
    kind=st.sampled_from(["number", "category", "text", "chat", "reference", "json"]),
    value=VALUES | TEXTS,
    role=WORDS,
    reveals=WORDS | st.lists(WORDS, max_size=2),
)
_OUTPUT = some(
    {}, label=WORDS, score=st.floats(0, 1), scores=st.dictionaries(WORDS, st.floats(0, 1), max_size=2), text=TEXTS,
    baseline=VALUES,
)  # fmt: skip
PREDICTIONS: st.SearchStrategy[dict[str, Any]] = some(
    {
        "id": st.text(st.characters(codec="utf-8"), min_size=1, max_size=8),
        "task": some(
            {"type": st.sampled_from(["binary", "generation"])}, labels=st.lists(WORDS, max_size=2), question=TEXTS
        ),
        "inputs": st.lists(_INPUT, max_size=4),
        "output": _OUTPUT,
    },
    subject=st.none() | TEXTS,
    domain=WORDS,
    sensitive=st.none() | st.lists(some({"name": WORDS}, value=VALUES), max_size=3),
    flags=st.none()
    | st.lists(some({"code": WORDS}, severity=st.sampled_from(["low", "critical"]), detail=TEXTS), max_size=2),
    explanations=st.none() | st.lists(EXPLANATIONS, max_size=3),
    provenance=st.none() | some({}, model=st.dictionaries(WORDS, VALUES, max_size=2), model_card_uri=WORDS),
    sampling=st.none() | some({}, reason=WORDS, probability=st.floats(0.01, 1)),
    reply_to=st.none() | some({}, url=WORDS),
    extra=st.none() | st.dictionaries(WORDS, VALUES, max_size=2),
)
