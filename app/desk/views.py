"""Rows of the store as what crosses the Desk; what a first judgement must not see is left out here."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from app.model.case import CaseRow, CaseView
from app.model.errors import Unavailable
from app.model.policy import QueuePolicy
from app.model.prediction import Output, Prediction
from app.model.rubric import Rubric
from app.model.words import SEVERITIES, Stage


def case_row(row: Any, hidden: bool, holder: str | None, stage: Stage) -> CaseRow:
    """A line of the inbox; `holder` as this person calls them. The priority is hidden with the flag: points for the
    score are in it."""
    return CaseRow(
        case_id=row.case_id,
        id=row.external_id,
        revision=row.revision,
        queue=row.queue,
        state=row.state,
        severity=SEVERITIES[row.severity],
        priority=0 if hidden else row.priority,
        due_at=row.due_at,
        admitted_at=row.admitted_at,
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
    try:
        prediction = Prediction.model_validate_json(row.record)
    except ValidationError:
        raise Unavailable(
            f"The record of {row.external_id} cannot be read any more. It is kept; park the case and tell whoever "
            "runs this workspace."
        ) from None
    return CaseView(case_row(row, hidden, holder, stage), conceal(prediction) if hidden else prediction, rubric, hidden)


def conceal(prediction: Prediction) -> Prediction:
    """The prediction without the model's answer and everything that tells it: flags, explanations, extras."""
    text = prediction.output.text if prediction.task.type in ("generation", "action") else None
    update = {"output": Output(text=text), "flags": None, "explanations": None, "sampling": None, "extra": None}
    return prediction.model_copy(update=update)


def is_hidden(policy: QueuePolicy, state: str, judged: bool) -> bool:
    """Whether the model's answer is withheld until the person has judged."""
    return policy.provisional and not judged and state != "settled"
