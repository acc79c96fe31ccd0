"""Rows of the store as what crosses the Desk; what a first judgement must not see is left out here."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import ValidationError

from app.model.case import CaseRow, CaseView
from app.model.errors import Unavailable
from app.model.policy import QueuePolicy
from app.model.prediction import Input, Prediction, ReplyTo, Task
from app.model.provenance import Provenance
from app.model.rubric import Rubric
from app.model.words import Severity, Stage

_HOUR_MS = 3_600_000
# What may be seen of a record before a first judgement. The output is not among it; its text is, where that is what
# has to be judged.
_SEEN_FIRST = frozenset(
    (
        *("schema", "id", "request_id", "trace_id", "created_at", "domain", "language", "subject", "task", "inputs"),
        *("sensitive", "provenance", "reply_to"),
    )
)
# What the format defines in parts to which a sender may add keys. How an explainer was set up goes with what it said.
_DEFINED = {
    "task": frozenset(Task.model_fields),
    "inputs": frozenset(Input.model_fields),
    "provenance": frozenset(Provenance.model_fields) - {"explainer"},
    "reply_to": frozenset(ReplyTo.model_fields),
}
# Of what is sealed: names as `app.protect.protector` gives them.
_SEALED_FIRST = ("inputs.", "text.inputs.", "sensitive.", "subject")
_JUDGED_BY_TEXT = ("generation", "action")


def case_row(row: Any, hidden: bool, severity: Severity | None, holder: str | None, stage: Stage) -> CaseRow:
    """A line of the inbox; `holder` as this person calls them. While `hidden` it says nothing of what the model said,
    nor when exactly the case came in: senders sort what they send."""
    return CaseRow(
        case_id=row.case_id,
        id=row.external_id,
        revision=row.revision,
        queue=row.queue,
        state=row.state,
        severity=None if hidden else severity,
        priority=0 if hidden else row.priority,
        due_at=row.due_at,
        admitted_at=row.admitted_at // _HOUR_MS * _HOUR_MS if hidden else row.admitted_at,
        flag="" if hidden else row.flag,
        title=row.title,
        holder=holder,
        wake_at=row.wake_at,
        verdict=row.verdict,
        note=row.note,
        stage=stage,
    )


def case_view(row: Any, rubric: Rubric, hidden: bool, holder: str | None, stage: Stage) -> CaseView:
    """A case with its record; `holder` as this person calls them, `stage` as they may know it."""
    prediction = prediction_of(row, hidden)
    return CaseView(case_row(row, hidden, prediction.severity, holder, stage), prediction, rubric, hidden)


def prediction_of(row: Any, hidden: bool) -> Prediction:
    """The prediction of a row with its record; while `hidden` without the model's answer and all that tells it. Raises
    Unavailable where the record cannot be read."""
    try:
        if hidden:
            # Taken out before it is read: what the model said makes no error, and takes no time.
            return Prediction.model_validate_json(orjson.dumps(concealed(orjson.loads(row.record))))
        return Prediction.model_validate_json(row.record)
    except (ValidationError, ValueError):
        raise Unavailable(
            f"The record of {row.external_id} cannot be read any more. It is kept; park the case and tell whoever "
            "runs this workspace."
        ) from None


def concealed(record: dict[str, Any]) -> dict[str, Any]:
    """What may be seen of a protected record before a first judgement: no answer of the model, and nothing that tells
    it, such as flags, explanations, how it was sampled, unknown keys."""
    seen = {key: _of_format(key, value) for key, value in record.items() if key in _SEEN_FIRST}
    text = record["output"].get("text") if record["task"]["type"] in _JUDGED_BY_TEXT else None
    return {**seen, "output": {} if text is None else {"text": text}}


def _of_format(section: str, value: Any) -> Any:
    """A part of a record with the keys that the format defines there: others may tell what the model said."""
    keys = _DEFINED.get(section)
    if keys is None:
        return value
    parts = [{key: one[key] for key in one if key in keys} for one in (value if isinstance(value, list) else [value])]
    return parts if isinstance(value, list) else parts[0]


def seen_first(sealed: list[str], row: Any) -> list[str]:
    """Those of a case's sealed fields that lie in what may be seen before a first judgement."""
    by_text = orjson.loads(row.record)["task"]["type"] in _JUDGED_BY_TEXT
    return [name for name in sealed if name.startswith(_SEALED_FIRST) or (by_text and name.startswith("text.output"))]


def is_hidden(policy: QueuePolicy, state: str, judged: bool) -> bool:
    """Whether the model's answer is withheld until the person has judged."""
    return policy.provisional and not judged and state != "settled"
