"""A queue's policy: what is withheld, what is urgent, how long things take, how one reviews."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.model.prediction import Task
from app.model.words import Severity

Minutes = Annotated[float, Field(gt=0, le=525_600)]


class Strict(BaseModel):
    """A part of the settings: an unknown key is a typo and refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Priority(Strict):
    """Points that add up to a case's priority; more points come first.

    `score` points are given in proportion to how risky the score is (1 at the top),
    `near_threshold` in proportion to how close it is to the threshold; `flags` by flag code.
    """

    severity: dict[Severity, int] = {"low": 0, "medium": 100, "high": 200, "critical": 400}
    score: int = 50
    near_threshold: int = 30
    flags: dict[str, int] = {}


class Due(Strict):
    """Minutes from the prediction's admission until it should be decided, by severity."""

    low: Minutes = 7 * 1440
    medium: Minutes = 2 * 1440
    high: Minutes = 480
    critical: Minutes = 60

    def minutes(self, severity: Severity) -> float:
        """Minutes for this severity."""
        return float(getattr(self, severity))


class Mapping(Strict):
    """How a flat table's columns become a record (`column = "field"`).

    Fields: `id`, `subject`, `created_at`, `label`, `score`, `threshold`, `text`, `flag`, `severity`,
    `detail`, `domain`, `model`, `model_version`, `probability`, `input`, `input:text`,
    `input:number`, `input:category`, `sensitive`, `ignore`.
    Columns that are not named become inputs.
    """

    columns: dict[str, str] = {}


class QueuePolicy(Strict):
    """Everything that is decided per queue."""

    rubric: str
    title: str = ""
    task: Task | None = None
    withhold: list[str] = []
    show: list[str] = []
    reveals: dict[str, list[str]] = {}
    provisional: bool = False
    lease_minutes: Minutes = 15
    undo_minutes: Annotated[float, Field(ge=0, le=525_600)] = 5
    max_claims: Annotated[int, Field(ge=1, le=1000)] = 5
    priority: Priority = Priority()
    due: Due = Due()
    csv: Mapping = Mapping()
