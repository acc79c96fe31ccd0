"""How several people's reviews of a case become its outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


class Said(Protocol):
    """What a review came to; a row of the store has this form."""

    verdict: str
    label: str | None
    correction: str | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """The outcome that a case gets: that of the review at `index`. `share` of the reviews in (0, 1] say the same."""

    index: int
    share: float


def settle(reviews: Sequence[Said], rule: Literal["all", "majority"]) -> Settlement | None:
    """The outcome on which enough reviews agree: `all` of them, or more than half (`majority`); None: they differ.

    Reviews say the same where verdict, label and better text are equal. The oldest of those that agree stands for them.
    A tie is no majority.
    """
    said = [(one.verdict, one.label, (one.correction or "").strip()) for one in reviews]
    if not said:
        return None
    most, count = Counter(said).most_common(1)[0]
    enough = count == len(said) if rule == "all" else count * 2 > len(said)
    return Settlement(said.index(most), count / len(said)) if enough else None


def share(reviews: Sequence[Said], outcome: Said) -> float:
    """Which share of reviews, in [0, 1], came to an outcome."""
    wanted = (outcome.verdict, outcome.label, (outcome.correction or "").strip())
    same = sum((one.verdict, one.label, (one.correction or "").strip()) == wanted for one in reviews)
    return same / len(reviews) if reviews else 1.0
