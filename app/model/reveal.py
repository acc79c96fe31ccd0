"""Break-glass: what is asked, and what is handed out to be opened. Times are milliseconds since 1970 UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

RevealState = Literal["asked", "approved", "declined", "opened", "expired", "erased"]


@dataclass(frozen=True, slots=True)
class RevealRequest:
    """A request to see withheld values of a case. `until` is when opened values are masked again.

    `id` is the prediction's own; empty where the case was erased.
    """

    reveal_id: int
    case_id: int
    id: str
    queue: str
    person: str
    fields: tuple[str, ...]
    reason: str
    state: RevealState
    asked_at: int
    approver: str | None
    until: int | None


@dataclass(frozen=True, slots=True)
class SealedAnswer:
    """Sealed values by field, the case's data key sealed to the officer's key `key_id`, what they are bound to
    (`place`), and until when they may be shown."""

    values: Mapping[str, bytes]
    key: bytes
    key_id: str
    place: str
    until: int
