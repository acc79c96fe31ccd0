"""Numbers, values and fidelity in words, the same in every kind of explanation."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable

from textual.content import Content

from app.model.explanation import ExplanationBase
from app.model.explanation_checks.facts import Facts
from app.model.explanation_checks.units import sigmoid, unit_of
from app.model.prediction import Prediction
from screens.text import join, line, shorten, value_text
from screens.widgets.explanations.layout import MUTED, NEGATIVE, POSITIVE, wrap

MINUS = "−"
NOT_ANCHORED = "[not anchored]"
MOVED = "~"
FOUND_BY_WORDS = f"{MOVED} found by its words"
WARNED = "$warning"
_MOST_PARTS = 40
_FIDELITY = {
    "exact": "exact",
    "approximation": "approximation",
    "surrogate": "surrogate model",
    "human": "made by people",
    "unverified": "unverified",
}


def decimals(values: Iterable[float]) -> int:
    """How many decimals show two digits of the largest value; at least two."""
    top = max((abs(value) for value in values), default=0.0)
    return max(2, 1 - math.floor(math.log10(top))) if top else 2


def number(value: float, places: int = 2) -> str:
    """A number with a true minus; scientific where it is huge, or the whole column tiny."""
    size = abs(value)
    scientific = size >= 1e6 or (size > 0 and places > 5)
    return (MINUS if value < 0 else "") + (f"{size:.2e}" if scientific else f"{size:.{min(places, 5)}f}")


def signed(value: float, places: int = 2) -> str:
    """Like `number`, with a plus where the value is above zero."""
    return ("+" if value > 0 else "") + number(value, places)


def sign_style(value: float | None) -> str:
    """The theme colour that goes with a sign; it always goes with a shape or a sign as well."""
    return POSITIVE if value and value > 0 else NEGATIVE if value else ""


def total(values: Iterable[float]) -> float:
    """A sum that stays finite."""
    most = sys.float_info.max
    return max(-most, min(most, sum(values)))


def probability(logit: float) -> str:
    """The sigmoid of a logit with two decimals; what rounds to 0 or 1 says so."""
    share = sigmoid(logit)
    return "<0.01" if share < 0.005 else ">0.99" if share > 0.995 else f"{share:.2f}"


def short(value: object, limit: int = 80) -> str:
    """A record's value on one line in at most `limit` characters, however large or deep it is."""
    return shorten(value_text(_pruned(value, 3), limit), limit)


def _pruned(value: object, depth: int) -> object:
    """The value with long collections cut and deep ones closed, so that writing it is cheap."""
    if isinstance(value, str):
        return value[:1_000]
    if isinstance(value, int) and value.bit_length() > 1_000:
        return f"about {MINUS if value < 0 else ''}10^{int(value.bit_length() * math.log10(2))}"
    if not isinstance(value, dict | list | tuple):
        return value
    if depth == 0:
        return "…"
    if isinstance(value, dict):
        return {shorten(str(k), 60): _pruned(v, depth - 1) for k, v in list(value.items())[:_MOST_PARTS]}
    return [_pruned(part, depth - 1) for part in value[:_MOST_PARTS]]


def count(n: int, one: str, many: str = "") -> str:
    """`1 span`, `2 spans`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def several_classes(prediction: Prediction) -> bool:
    """Whether one class's log-odds are a margin among several."""
    return Facts(prediction).several


def subject(explanation: ExplanationBase, prediction: Prediction, more: str = "▶", less: str = "◀") -> Content:
    """Of which class and in which unit contributions count, or that it is not stated."""
    label = explanation.target.label if explanation.target else None
    unit = unit_of(explanation)
    if unit == "unknown":
        space = explanation.target.space if explanation.target else ""
        said = line(f"unit “{shorten(space or '', 20)}” not known", WARNED)
    elif unit == "not stated":
        said = line(f"unit {unit}", WARNED)
    else:
        margin = unit == "log-odds" and several_classes(prediction)
        said = line("margin" if margin else "raw units" if unit == "raw" else unit, MUTED)
    if label is None:
        towards = join(line("class not stated", WARNED), line(f"   {more} raises  {less} lowers", MUTED))
    else:
        towards = line(f"{more} towards {short(label, 40)}  {less} away", MUTED)
    return join(said, Content("   "), towards)


def fidelity(explanation: ExplanationBase) -> str:
    """How faithful, made with what, and the score if there is one: `exact (shap.TreeExplainer)`."""
    words = _FIDELITY.get(explanation.fidelity or "", "fidelity not stated")
    method = f" ({shorten(explanation.method, 60)})" if explanation.method else ""
    score = explanation.fidelity_score
    return words + method + (f", {shorten(score.name, 20)} {number(score.value)}" if score else "")


def footer(explanation: ExplanationBase, width: int, lead: str = "") -> list[Content]:
    """The last line or lines: an optional lead, then the fidelity in words."""
    lead_content = line(lead + "  ") if lead else Content("")
    return wrap(lead_content + line(fidelity(explanation), MUTED), width)
