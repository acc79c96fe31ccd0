"""Cases near to one: by words where there is text, by values where there are numbers.

Likeness of values is 1 minus Gower's distance (Gower 1971): numbers by their difference over the
range among the candidates, categories by being equal. Likeness of texts is rapidfuzz's
`token_set_ratio` ÷ 100, on candidates from the word index.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeGuard

import orjson

from app.model.case import Difference, SimilarCase
from app.model.prediction import Prediction
from db import controls, lists, search
from db.engine import Connection

# Candidates: values nearest in time; texts that share a rare word.
_VALUE_CANDIDATES = 1500
_TEXT_CANDIDATES = 300
_WORDS = re.compile(r"[^\W\d_]{4,}")
_SHOWN_DIFFERENCES = 4

Seen = Callable[[Connection, list[int]], list[int]]
Scored = tuple[float, Any, tuple[Difference, ...]]


def similar_cases(
    connection: Connection, row: Any, prediction: Prediction, hidden: bool, blind: bool, limit: int, seen: Seen
) -> list[SimilarCase]:
    """The nearest cases of the same queue, best first; the nearest opposite one is always among them.

    `hidden`: of this case nothing of the model's answer may be told, and `prediction` is without it; `blind`: nor of
    others that are not settled, since they are judged first as well. `seen`: those of some cases that the person sees.
    """

    def told(other: Any) -> bool:
        return not hidden and (not blind or other.verdict is not None)

    text = _text_of(prediction)
    scored = _by_text(connection, row, text, seen) if text else _by_values(connection, row, prediction, seen)
    # A copy of this case, or that of which it is one, would tell the outcome to who sees both.
    kin = controls.family(connection, {row.case_id})
    scored = [one for one in scored if one[1].case_id not in kin]
    scored.sort(key=lambda item: -item[0])
    chosen = scored[:limit]
    if not hidden:
        opposite = next((s for s in scored if told(s[1]) and _role(s[1], row, prediction) == "opposite"), None)
        if opposite and opposite not in chosen:
            chosen = [*chosen[: limit - 1], opposite]
    return [
        SimilarCase(
            case_id=other.case_id,
            id=other.external_id,
            likeness=round(likeness, 3),
            role=_role(other, row, prediction) if told(other) else None,
            label=other.predicted_label if told(other) else None,
            verdict=other.verdict if told(other) else None,
            excerpt=other.title,
            differences=differences,
        )
        for likeness, other, differences in chosen
    ]


def _role(other: Any, row: Any, prediction: Prediction) -> Any:
    """Same or opposite predicted label; where models give no label, the verdicts are compared."""
    mine = prediction.output.label
    if mine is None or other.predicted_label is None:
        return None
    return "same" if other.predicted_label == mine else "opposite"


def _text_of(prediction: Prediction) -> str:
    """The texts that may be seen of it, the output's first."""
    texts = [i.value for i in prediction.inputs if i.kind == "text" and isinstance(i.value, str)]
    if prediction.output.text:
        texts.insert(0, prediction.output.text)
    return "\n".join(texts)[:4000]


def _by_text(connection: Connection, row: Any, text: str, seen: Seen) -> list[Scored]:
    from rapidfuzz import fuzz

    counted = Counter(_WORDS.findall(text.casefold()))
    rare_first = sorted(counted, key=lambda word: (-len(word), word))[:12]
    ids = [i for i in search.containing_any(connection, rare_first, _TEXT_CANDIDATES) if i != row.case_id]
    ids = seen(connection, ids)
    bodies = search.bodies(connection, ids)
    known = lists.labels(connection, ids)
    folded = text.casefold()
    return [
        (fuzz.token_set_ratio(folded, bodies[i].casefold()[:4000]) / 100, known[i], ())
        for i in ids
        if i in known and i in bodies and known[i].queue == row.queue
    ]


def _by_values(connection: Connection, row: Any, prediction: Prediction, seen: Seen) -> list[Scored]:
    mine = {i.name: i.value for i in prediction.inputs if i.withheld is None and i.kind in ("number", "category")}
    near = lists.features(connection, row.queue, row.case_id, _VALUE_CANDIDATES)
    shown = set(seen(connection, [other.case_id for other in near])) - {row.case_id}
    candidates = [(other, orjson.loads(other.features)) for other in near if other.case_id in shown]
    if not mine or not candidates:
        return []
    ranges = {name: _range(name, value, candidates) for name, value in mine.items() if _is_number(value)}
    return [(1 - _distance(mine, theirs, ranges), other, _differences(mine, theirs)) for other, theirs in candidates]


def _range(name: str, value: float, candidates: list[tuple[Any, dict[str, Any]]]) -> float:
    values: list[float] = [v for _, theirs in candidates if _is_number(v := theirs.get(name))]
    return (max(*values, value) - min(*values, value)) if values else 0.0


def _distance(mine: dict[str, Any], theirs: dict[str, Any], ranges: dict[str, float]) -> float:
    total = 0.0
    for name, value in mine.items():
        other = theirs.get(name)
        width = ranges.get(name)
        if width and _is_number(other):
            total += abs(value - other) / width
        elif value != other:
            total += 1
    return total / len(mine)


def _differences(mine: dict[str, Any], theirs: dict[str, Any]) -> tuple[Difference, ...]:
    differing = [name for name, value in mine.items() if theirs.get(name) != value]
    shown = differing if len(differing) <= _SHOWN_DIFFERENCES else differing[:_SHOWN_DIFFERENCES]
    return tuple(Difference(name, str(mine[name]), str(theirs.get(name, "—"))) for name in shown)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
