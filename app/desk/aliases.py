"""Names in place of people's where those are not shown: the same in the reviews and in the history of a case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def independent_reviews(standing: Sequence[Any]) -> list[Any]:
    """The independent reviews of a case in an order that tells nothing.

    It follows each review's salt: drawn with the review, never shown, and the same for every caller at any time.
    """
    return sorted((one for one in standing if one.stage == "review"), key=lambda one: bytes(one.salt))


def aliases(standing: Sequence[Any]) -> dict[str, str]:
    """Review id → `reviewer 1`, `reviewer 2`, … or `adjudicator`."""
    numbered = {one.review_id: f"reviewer {n}" for n, one in enumerate(independent_reviews(standing), 1)}
    return {one.review_id: numbered.get(one.review_id, "adjudicator") for one in standing}
