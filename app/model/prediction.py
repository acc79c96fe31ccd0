"""The prediction record, `secondlook.prediction/1`: what a model service sends.

Only `id`, `task` (or the queue's default), `inputs` and `output` are required.
Scores are floats in [0, 1]; times are ISO 8601. Unknown keys are kept.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from app.model.explanation import Explanation, Part
from app.model.provenance import Provenance
from app.model.words import SEVERITIES, Severity

TaskType = Literal["binary", "multiclass", "generation", "action"]
InputKind = Literal["number", "category", "text", "chat", "reference", "json"]
# Characters at most: of an input's or attribute's name, of a flag's code.
NAME_LENGTH = 300
CODE_LENGTH = 200
Score = Annotated[float, Field(ge=0, le=1)]


class Task(Part):
    """What was asked of the model. `positive` is the label that counts as the risk."""

    type: TaskType
    labels: list[str] = []
    positive: str | None = None
    question: str | None = None


class Input(Part):
    """One input of the model, or context beside it.

    `withheld` names the attribute because of which `value` was taken out at the door.
    """

    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)]
    kind: InputKind = "category"
    value: Any = None
    role: str | None = None
    withheld: str | None = None


class SensitiveAttribute(Part):
    """A sensitive attribute. After intake `value` is always None."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)]
    value: Any = None


class Output(Part):
    """What the model said. `baseline` is what somebody would have said without it."""

    label: str | None = None
    score: Score | None = None
    threshold: Score | None = None
    scores: dict[str, float] | None = None
    text: str | None = None
    baseline: Any = None


class Flag(Part):
    """Why a prediction was flagged."""

    code: Annotated[str, Field(min_length=1, max_length=CODE_LENGTH)]
    severity: Severity = "medium"
    detail: str | None = None


class Sampling(Part):
    """How the prediction got into the queue; `probability` makes honest rates possible."""

    reason: str | None = None
    probability: Annotated[float, Field(gt=0, le=1)] | None = None


class ReplyTo(Part):
    """Where the verdict is awaited."""

    url: str | None = None


class Prediction(Part):
    """One flagged prediction."""

    schema_: str | None = Field(None, alias="schema")
    id: Annotated[str, Field(min_length=1, max_length=200, coerce_numbers_to_str=True, strict=False)]
    request_id: str | None = None
    trace_id: str | None = None
    created_at: str | None = None
    domain: str | None = None
    language: str | None = None
    subject: str | None = None
    task: Task
    inputs: list[Input]
    sensitive: list[SensitiveAttribute] | None = None
    output: Output
    flags: list[Flag] | None = None
    sampling: Sampling | None = None
    explanations: list[Explanation] | None = None
    provenance: Provenance | None = None
    reply_to: ReplyTo | None = None
    extra: dict[str, Any] | None = None

    @property
    def severity(self) -> Severity:
        """The worst severity among the flags; `low` without any."""
        return max((f.severity for f in self.flags or ()), key=SEVERITIES.index, default="low")
