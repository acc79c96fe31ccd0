"""Rubrics: versioned questionnaires, written in TOML.

A criterion asks one thing. On a scale with `reverse` the low end is the good one. `when` switches a
criterion on by what is known so far: `when = {verdict = ["overturned"]}`; several keys must all
hold. `role` says what an answer means beyond itself: `verdict`, `reasons` (reason codes),
`rationale`, `correction` (a better text).
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

CriterionKind = Literal["choice", "multi", "scale", "yes_no", "number", "text", "text_span", "label"]
Role = Literal["verdict", "reasons", "rationale", "correction"]
Verdict = Literal["upheld", "overturned", "corrected", "unresolvable"]
VERDICTS: tuple[Verdict, ...] = ("upheld", "overturned", "corrected", "unresolvable")

# The answer to a `label` criterion that says: nobody could tell from what is shown.
UNRESOLVABLE = "cannot tell"

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]


class Strict(BaseModel):
    """A part of a rubric: an unknown key is a typo and refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Option(Strict):
    """One answer of a choice: `id` is stored, `title` shown, `anchor` describes when it fits."""

    id: str
    title: str = ""
    anchor: str = ""
    score: Annotated[float, Field(ge=0, le=1)] | None = None


class Criterion(Strict):
    """One question of a rubric. `format`: what a text has to be; `begin`: the input with which the writing begins."""

    id: Identifier
    kind: CriterionKind
    title: Annotated[str, Field(min_length=1)]
    guidance: str = ""
    required: bool = True
    when: dict[str, list[Any]] = {}
    weight: Annotated[float, Field(ge=0)] = 0.0
    role: Role | None = None
    options: list[Option] = []
    critical: list[Any] = []
    min: float | None = None
    max: float | None = None
    anchors: dict[str, str] = {}
    min_length: Annotated[int, Field(ge=0)] = 0
    max_length: Annotated[int, Field(gt=0)] = 20_000
    text: str = "output.text"
    format: Literal["plain", "json"] = "plain"
    begin: str = ""
    unresolvable: bool = True
    reverse: bool = False

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind in ("choice", "multi") and len(self.options) < 2:
            raise ValueError(f"kind '{self.kind}' needs at least two options")
        ids = [option.id for option in self.options]
        if len(set(ids)) != len(ids):
            raise ValueError("two options have the same id")
        if self.kind == "scale":
            low, high = self.scale
            if not (0 <= low < high <= 9) or (low, high) != (self.min or low, self.max or high):
                raise ValueError("a scale needs whole numbers 0 ≤ min < max ≤ 9, so that one key answers")
            strange = [a for a in self.anchors if a not in {str(n) for n in range(low, high + 1)}]
            if strange:
                raise ValueError(f"anchor '{strange[0]}' lies outside the scale {low}–{high}")
            if self.anchors and not {str(low), str(high)} <= set(self.anchors):
                raise ValueError("describe at least both ends of the scale in anchors")
        offered = {option.id for option in self.choices([])}
        odd = [c for c in self.critical if self.kind != "label" and offered and _word(c) not in offered]
        if odd:
            raise ValueError(f"critical names '{odd[0]}', which is no answer to it ({', '.join(sorted(offered))})")
        if self.kind != "text" and (self.format != "plain" or self.begin):
            raise ValueError("format and begin are for kind 'text'")
        if self.role == "verdict" and not set(ids) <= set(VERDICTS):
            raise ValueError(f"options of a verdict must be among {', '.join(VERDICTS)}")
        return self

    @property
    def scale(self) -> tuple[int, int]:
        """Lowest and highest point of a scale."""
        return int(1 if self.min is None else self.min), int(5 if self.max is None else self.max)

    def choices(self, labels: list[str]) -> list[Option]:
        """What can be chosen, where this kind offers a choice; `labels` are the task's."""
        if self.kind == "label":
            offered = [Option(id=label, title=label) for label in labels]
            return [*offered, Option(id=UNRESOLVABLE, title=UNRESOLVABLE)] if self.unresolvable else offered
        if self.kind == "scale":
            low, high = self.scale
            return [Option(id=str(n), title=str(n), anchor=self.anchors.get(str(n), "")) for n in range(low, high + 1)]
        if self.kind == "yes_no":
            return [Option(id="yes", title="yes"), Option(id="no", title="no")]
        return self.options


class Rubric(Strict):
    """A questionnaire. `hash` pins its content, whatever `version` says."""

    id: Identifier
    version: str
    title: str
    guidance: str = ""
    criteria: Annotated[list[Criterion], Field(min_length=1)]

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        ids = [criterion.id for criterion in self.criteria]
        twice = {i for i in ids if ids.count(i) > 1}
        if twice:
            raise ValueError(f"criterion id '{min(twice)}' is used twice")
        for number, criterion in enumerate(self.criteria):
            for key, wanted in criterion.when.items():
                self._check_condition(criterion, key, wanted)
                if key != "verdict" and key not in ids[:number]:
                    raise ValueError(
                        f"criterion '{criterion.id}': when names '{key}', which is neither 'verdict' "
                        "nor a criterion before it"
                    )
        roles = [c.role for c in self.criteria if c.role]
        twice = {r for r in roles if roles.count(r) > 1}
        if twice:
            raise ValueError(f"two criteria have the role '{min(twice)}'")
        if sum(c.kind == "label" for c in self.criteria) > 1:
            raise ValueError("at most one criterion of kind 'label'")
        if not any(c.kind == "label" or c.role == "verdict" for c in self.criteria):
            raise ValueError("one criterion of kind 'label' or with role 'verdict' must say what is decided")
        return self

    def _check_condition(self, criterion: Criterion, key: str, wanted: list[Any]) -> None:
        asked = self.criterion(key)
        if asked and asked.kind not in ("label", "text", "number", "text_span"):
            offered = [option.id for option in asked.choices([])]
        else:
            offered = list(VERDICTS) if key == "verdict" else []
        strange = [w for w in wanted if offered and _word(w) not in offered]
        if strange:
            raise ValueError(
                f"criterion '{criterion.id}': when {key} is '{strange[0]}', which it never is ({', '.join(offered)})"
            )

    @cached_property
    def hash(self) -> str:
        """sha256 (hex) of the canonical content; comments and key order do not count."""
        body = orjson.dumps(self.model_dump(mode="json", exclude_defaults=True), option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(body).hexdigest()

    def criterion(self, criterion_id: str) -> Criterion | None:
        """The criterion with this id."""
        return next((c for c in self.criteria if c.id == criterion_id), None)

    @property
    def label_criterion(self) -> Criterion | None:
        """The criterion that asks for the corrected label."""
        return next((c for c in self.criteria if c.kind == "label"), None)

    def with_role(self, role: Role) -> Criterion | None:
        """The first criterion with this role."""
        return next((c for c in self.criteria if c.role == role), None)


def _word(value: Any) -> str:
    """A value as TOML may spell it, as the answer that is stored: true is "yes", 3 is "3"."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
