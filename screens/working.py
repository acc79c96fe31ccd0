"""The case at hand: its lease, its draft, and how long somebody has really worked on it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.model.case import CaseView, Claim, Decision, Draft, Judgement, Lease

# A lease is extended by activity, at most this often.
EXTEND_EVERY_MS = 60_000
WARN_BEFORE_MS = 120_000


class ActiveTime:
    """Adds up the time between signs of life; a pause longer than `idle_seconds` does not count."""

    def __init__(self, idle_seconds: float, so_far: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._idle = idle_seconds
        self._clock = clock
        self._seconds = so_far
        self._last = clock()

    def touch(self) -> None:
        """A sign of life."""
        now = self._clock()
        gap = now - self._last
        if gap <= self._idle:
            self._seconds += gap
        self._last = now

    @property
    def seconds(self) -> float:
        """Active time until now, in seconds."""
        gap = self._clock() - self._last
        return self._seconds + (gap if gap <= self._idle else 0.0)


@dataclass
class Working:
    """A case on the screen. Without a lease it is only looked at."""

    view: CaseView
    lease: Lease | None
    time: ActiveTime
    judgement: Judgement | None = None
    decision_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    extended_at: int = 0
    lost: str = ""

    @classmethod
    def claimed(cls, claim: Claim, idle_seconds: float, now: int) -> Working:
        """A case that was handed out."""
        active = ActiveTime(idle_seconds, claim.draft.seconds)
        return cls(claim.view, claim.lease, active, claim.draft.judgement, extended_at=now)

    @classmethod
    def looked_at(cls, view: CaseView, idle_seconds: float) -> Working:
        """A case that is only looked at."""
        return cls(view, None, ActiveTime(idle_seconds))

    @property
    def read_only(self) -> bool:
        """Whether nothing can be decided here."""
        return self.lease is None or bool(self.lost)

    @property
    def case_id(self) -> int:
        """Our number of the case."""
        return self.view.row.case_id

    def draft(self, answers: dict[str, Any]) -> Draft:
        """The answers as a draft."""
        return Draft(answers, self.judgement, round(self.time.seconds, 1))

    def decision(self, answers: dict[str, Any]) -> Decision:
        """The answers as a decision; the same id however often it is sent."""
        token = self.lease.token if self.lease else None
        return Decision(self.decision_id, self.case_id, token, answers, round(self.time.seconds, 1))

    def wants_extension(self, now: int) -> bool:
        """Whether activity now should give the lease more time."""
        return self.lease is not None and not self.lost and now - self.extended_at >= EXTEND_EVERY_MS
