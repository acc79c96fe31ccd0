"""A queue's policy: what is withheld, what is urgent, how long things take, how one reviews."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.model.prediction import Task
from app.model.words import Severity

Minutes = Annotated[float, Field(gt=0, le=525_600)]
Days = Annotated[float, Field(gt=0, le=36_500)]
Width = Annotated[float, Field(gt=0)]
Rate = Annotated[float, Field(ge=0, le=0.5)]
Tag = Annotated[str, Field(pattern=r"^\S{1,100}$")]
Beginning = Annotated[str, Field(pattern=r"^[1-9]\d? characters?$")]


class Strict(BaseModel):
    """A part of the settings: an unknown key is a typo and refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Priority(Strict):
    """Points that add up to a case's priority; more points come first.

    `score` points are given in proportion to how risky the score is (1 at the top),
    `near_threshold` in proportion to how close it is to the threshold; `flags` by flag code,
    `domains` by the domain that the record names.

    In a queue with a first judgement only `domains` count: all else would tell what the model said. There each case
    has the points of `medium` besides.
    """

    severity: dict[Severity, int] = {"low": 0, "medium": 100, "high": 200, "critical": 400}
    score: int = 50
    near_threshold: int = 30
    flags: dict[str, int] = {}
    domains: dict[str, int] = {}

    def blind_points(self, domain: str | None) -> int:
        """The points of a case whose model's answer must not show in its place."""
        return self.severity.get("medium", 0) + (self.domains.get(domain, 0) if domain is not None else 0)


class Due(Strict):
    """Minutes from the prediction's admission until it should be decided, by severity; `domains` says by domain which
    cases have less time than that.

    In a queue with a first judgement each case has the time of `medium`, or of its domain where `domains` names it.
    """

    low: Minutes = 7 * 1440
    medium: Minutes = 2 * 1440
    high: Minutes = 480
    critical: Minutes = 60
    domains: dict[str, Minutes] = {}

    def minutes(self, severity: Severity, domain: str | None = None) -> float:
        """Minutes for this severity, in this domain."""
        most = float(getattr(self, severity))
        return most if domain is None else min(most, self.domains.get(domain, most))

    def blind_minutes(self, domain: str | None) -> float:
        """Minutes for a case whose model's answer must not show in its due time."""
        return self.medium if domain is None else self.domains.get(domain, self.medium)


class Mapping(Strict):
    """How a flat table's columns become a record (`column = "field"`).

    Fields: `id`, `subject`, `created_at`, `label`, `score`, `threshold`, `text`, `flag`, `severity`,
    `detail`, `domain`, `model`, `model_version`, `probability`, `input`, `input:text`,
    `input:number`, `input:category`, `sensitive`, `ignore`.
    Columns that are not named become inputs.
    """

    columns: dict[str, str] = {}


class RevealPolicy(Strict):
    """Who may see withheld values again, and how long.

    `approval`: a second officer has to agree; `minutes` until the values are masked again; `daily`: how
    many reveals an officer may open within 24 hours.
    """

    approval: bool = True
    minutes: Annotated[float, Field(gt=0, le=15)] = 15
    daily: Annotated[int, Field(ge=1, le=1000)] = 10


class Retention(Strict):
    """After how many days what is kept goes; None keeps it.

    `settled_days` after a case was settled, the case goes; `sealed_days` after it came in, its sealed values;
    `quarantine_days` after it was held, a record that was not admitted.
    """

    settled_days: Days | None = None
    sealed_days: Days | None = None
    quarantine_days: Days | None = None


class Reviews(Strict):
    """How many people review a case, who they are, and how what they say becomes its outcome.

    `independent` people review each case without seeing each other's answers. Where they come to the same (`agreement`:
    all of them, or more than half), the case is settled; otherwise an adjudicator decides. `tags`: what everybody needs
    who reviews here. `route_by`: a case that names a domain (language) goes to people with the tag `domain:NAME`
    (`language:NAME`). `names`: whether reviewers see each other's names. `gold` and `repeats`: in which share of claims
    a case is given again to measure: one with a trusted outcome, or one that the person decided at least
    `repeat_hours` ago.
    """

    independent: Annotated[int, Field(ge=1, le=9)] = 1
    agreement: Literal["all", "majority"] = "all"
    tags: list[Tag] = []
    route_by: list[Literal["domain", "language"]] = []
    names: Literal["shown", "hidden"] = "shown"
    gold: Rate = 0.0
    repeats: Rate = 0.0
    repeat_hours: Annotated[float, Field(ge=0, le=8760)] = 24


class QueuePolicy(Strict):
    """Everything that is decided per queue.

    What happens to an input: `withhold` takes its value out, `pseudonymise` puts a token in its place,
    `band` a range (a width) or a beginning ("3 characters"), `show` makes an exception from the built-in list.
    `reveals` names inputs that give a withheld attribute away. `texts`, where it is given, names the free
    texts that may be seen; all others are withheld. `detect` says what is searched in texts: `identifiers`
    (e-mail, telephone, card, account and official numbers, addresses of machines), `all` (names, places,
    dates and links as well), `off`; `detectors` names more of them, from other packages. `seal` keeps
    withheld values for officers, once there is one. `deliver` names sinks to which every verdict goes.
    `provisional`: people judge first and see the model's answer then; until then nothing that they see depends on it.
    """

    rubric: str
    title: str = ""
    task: Task | None = None
    withhold: list[str] = []
    pseudonymise: list[str] = []
    band: dict[str, Width | Beginning] = {}
    show: list[str] = []
    reveals: dict[str, list[str]] = {}
    texts: list[str] | None = None
    detect: Literal["off", "identifiers", "all"] = "identifiers"
    detectors: list[str] = []
    deliver: list[str] = []
    seal: bool = True
    reveal: RevealPolicy = RevealPolicy()
    retain: Retention = Retention()
    reviews: Reviews = Reviews()
    provisional: bool = False
    lease_minutes: Minutes = 15
    undo_minutes: Annotated[float, Field(ge=0, le=525_600)] = 5
    max_claims: Annotated[int, Field(ge=1, le=1000)] = 5
    priority: Priority = Priority()
    due: Due = Due()
    csv: Mapping = Mapping()
