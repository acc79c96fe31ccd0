"""Whether a settled case was changed after people had judged it."""

from __future__ import annotations

from typing import Any

from app.protect.reported import MASKED
from db import audit, reviews
from db.engine import Connection


def masked_after(connection: Connection, row: Any) -> int | None:
    """When a reported leak was last masked in a settled case, if that was after its first review; `row` has the
    record."""
    if row.state != "settled" or MASKED not in row.record:
        return None
    first = min((review.seq for review in reviews.standing(connection, row.case_id)), default=0)
    masked = audit.last(connection, row.case_id, "leak_masked")
    return masked.at if masked is not None and masked.seq > first else None
