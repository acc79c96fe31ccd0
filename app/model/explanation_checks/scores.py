"""Whether what an explanation comes to is what the model said.

`output_value` in the explanation's unit is turned into a probability and held against the score of its class. A
difference that rounding explains says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from app.model.explanation import Attribution, Explanation, ImageRegion, TextSpan
from app.model.explanation_checks.facts import Facts, is_surrogate, label_of
from app.model.explanation_checks.numbers import decimals, half_unit
from app.model.explanation_checks.units import Unit, in_unit, probability, softmax, unit_of
from app.model.explanation_checks.wording import number, pair, short
from app.model.explanation_warning import Found

# In probability. A model that is served twice, or in another precision, differs by less than the first; a difference
# of the second makes another case of it; a surrogate may be off by the third.
_NEGLIGIBLE = 0.002
_CONTRADICTION = 0.05
_SURROGATE_SLACK = 0.1
_EVEN = 0.5
_CERTAIN_DECIMALS = 2
_WHOLE: dict[Unit, float] = {"probability": 1.0, "percent": 100.0}


class Claim(NamedTuple):
    """What an explanation says the model said: a probability, and by how much rounding may have moved it."""

    share: float
    slack: float


def check(explanation: Explanation, facts: Facts) -> Iterator[Found]:
    """A probability that is none; a contradiction of the score; or why nothing could be compared."""
    unit, value = unit_of(explanation), explanation.output_value
    surrogate = is_surrogate(explanation)
    impossible = [v for v in (value, explanation.base_value) if v is not None and _impossible(v, unit)]
    if impossible:
        yield Found(
            "not_a_probability",
            "low" if surrogate else "critical",
            f"{number(impossible[0])} is given as a probability",
        )
        if value in impossible:
            return
    elif not surrogate:
        yield from _steps(explanation, unit)
    if value is not None:
        yield from _compared(value, unit, explanation, facts)
    elif isinstance(explanation, Attribution | TextSpan | ImageRegion) and explanation.items:
        yield _not_compared("it gives no output value")


def _steps(explanation: Explanation, unit: Unit) -> Iterator[Found]:
    """Contributions that are larger than any probability can change."""
    top = _WHOLE.get(unit)
    if top is None or not isinstance(explanation, Attribution | TextSpan | ImageRegion):
        return
    steps = [item.contribution for item in explanation.items if item.contribution is not None]
    largest = max(steps, key=abs, default=0.0)
    if abs(largest) > (1 + _NEGLIGIBLE) * top:
        text = f"{number(largest)} is given as a contribution to a probability, which changes by {top:g} at most"
        yield Found("not_a_probability", "high", text)


def _impossible(value: float, unit: Unit) -> bool:
    top = _WHOLE.get(unit)
    if top is not None:
        return not -_NEGLIGIBLE * top <= value <= (1 + _NEGLIGIBLE) * top
    return unit == "log-probability" and value > _NEGLIGIBLE


def _not_compared(why: str) -> Found:
    return Found("score_not_compared", "low", f"not checked against the score, because {why}")


def _compared(value: float, unit: Unit, explanation: Explanation, facts: Facts) -> Iterator[Found]:
    label = label_of(explanation)
    said = facts.probabilities(label)
    if label is not None and facts.labels and label not in facts.labels:
        yield _not_compared(f"the task does not know {short(label)}")
    elif facts.prediction.output.score is None and not facts.prediction.output.scores:
        yield _not_compared("the model gave none")
    elif unit in ("raw", "unknown"):
        yield _not_compared("its unit is the model's own" if unit == "raw" else "its unit is not known")
    elif not said:
        yield _not_compared(f"the model gave none for {short(label)}")
    elif unit == "not stated":
        yield from _without_unit(value, said, explanation)
    elif facts.several and unit == "log-odds":
        yield from _margin(value, said, explanation, facts)
    else:
        share = probability(value, unit)
        if share is not None:
            yield from _judged(Claim(share, _slack(value, unit, explanation)), said, unit, explanation, facts)


def _without_unit(value: float, said: tuple[float, ...], explanation: Explanation) -> Iterator[Found]:
    """It may be any: only what fits none is said."""
    readings: tuple[Unit, ...] = ("probability", "log-odds", "percent")
    for unit in readings:
        share = probability(value, unit)
        if share is not None and _fits(Claim(share, _slack(value, unit, explanation)), said):
            return
    if is_surrogate(explanation):
        yield _not_compared("a surrogate predicts by itself, and its unit is not stated")
        return
    text = f"its output {number(value)} is the score {number(said[0])} neither as a probability nor as log-odds"
    yield Found("contradicts_score", "high", text)


def _margin(value: float, said: tuple[float, ...], explanation: Explanation, facts: Facts) -> Iterator[Found]:
    """One of several classes' margins. With those of others softmax tells; alone it may still be log-odds against all
    others together."""
    if _fits(Claim(probability(value, "log-odds") or 0.0, _slack(value, "log-odds", explanation)), said):
        yield from _sigmoids(facts)
        return
    margins = facts.margins.get(explanation.method, {})
    label = label_of(explanation)
    shares = {one: found[0] for one in margins if (found := facts.probabilities(one))}
    whole = sum(shares.values())
    if label is None or label not in shares or len(shares) < 2 or whole <= 0:
        called_margin = "margin" in (explanation.target.space or "").casefold() if explanation.target else False
        text = f"a margin among {facts.classes} classes: its probability takes softmax over all, which are not given"
        yield Found("softmax_needed", "low" if called_margin else "medium", f"{text}. Not checked against the score")
        return
    softened = softmax({one: margins[one] for one in shares})
    # How a share moves with each margin: all of them were rounded.
    moves = [softened[one] * ((one == label) - softened[label]) * half_unit(margins[one], (value,)) for one in shares]
    claim = Claim(softened[label] * whole, sum(map(abs, moves)))
    yield from _judged(claim, (shares[label],), "log-odds", explanation, facts)


def _sigmoids(facts: Facts) -> Iterator[Found]:
    """Scores of classes that exclude each other and come to another sum than 1: sigmoids where softmax was needed."""
    scores = facts.prediction.output.scores or {}
    if facts.prediction.task.type != "multiclass" or not facts.labels or not set(facts.labels) <= set(scores):
        return
    whole = sum(scores[label] for label in facts.labels)
    if abs(whole - 1) > _CONTRADICTION:
        text = (
            f"the scores of {len(facts.labels)} classes come to {number(whole)}: sigmoids of margins, not their softmax"
        )
        yield Found("softmax_needed", "medium", text)


def _slack(value: float, unit: Unit, explanation: Explanation) -> float:
    """By how much rounding may have moved a probability: that of the value as it was printed."""
    items = getattr(explanation, "items", ())
    contributions = [c for item in items[:50] if isinstance(c := getattr(item, "contribution", None), float | int)]
    others = [v for v in (explanation.base_value, *contributions) if v is not None]
    off = half_unit(value, others)
    low, high = probability(value - off, unit), probability(value + off, unit)
    return 0.0 if low is None or high is None else abs(high - low) / 2


def _fits(claim: Claim, said: tuple[float, ...]) -> bool:
    return any(abs(claim.share - score) <= claim.slack + _score_slack(score) for score in said)


def _score_slack(score: float) -> float:
    """A score may have been rounded or cut off to percent."""
    places = max(decimals(round(score, 12)), _CERTAIN_DECIMALS)
    return float(max(10.0**-places, _NEGLIGIBLE))


def _judged(
    claim: Claim, said: tuple[float, ...], unit: Unit, explanation: Explanation, facts: Facts
) -> Iterator[Found]:
    if _fits(claim, said):
        return
    score = min(said, key=lambda one: abs(one - claim.share))
    mine, models = pair(claim.share, score)
    label = label_of(explanation)
    text = f"comes to {mine}{f' for {short(label)}' if label else ''}, the model said {models}"
    gap = abs(claim.share - score)
    if is_surrogate(explanation):
        if gap > _SURROGATE_SLACK:
            yield Found("surrogate_differs", "high", f"the surrogate differs from the model: {text}")
        return
    turned = _other_side(claim.share, score, label, facts)
    if gap <= _CONTRADICTION and not turned:
        yield Found("differs_from_score", "medium", text)
        return
    meant = _other_unit(explanation, unit, said)
    yield Found(
        "contradicts_score",
        "critical",
        f"{although_exact(explanation)}contradicts the score: {text}"
        f"{f'; {meant}' if meant else ', the other way round' if turned else ''}",
    )


def although_exact(explanation: Explanation) -> str:
    """The beginning of a sentence that an exact explanation could not deserve."""
    return "called exact, but " if explanation.fidelity == "exact" else ""


def _other_side(mine: float, score: float, label: str | None, facts: Facts) -> bool:
    """Whether the two lead to other decisions."""
    if facts.several:
        return False
    threshold = facts.prediction.output.threshold
    line = _EVEN if threshold is None else threshold
    if label is not None and facts.positive is not None and label != facts.positive:
        line = 1 - line
    return (mine >= line) != (score >= line)


def _other_unit(explanation: Explanation, unit: Unit, said: tuple[float, ...]) -> str:
    """Whether the value would fit in another unit than it is said to be in."""
    value = explanation.output_value
    others: tuple[Unit, ...] = ("probability", "log-odds", "percent")
    for other in others:
        share = probability(value, other) if value is not None and other != unit else None
        if share is not None and 0 <= share <= 1 and _fits(Claim(share, 0.0), said):
            return f"as {other} it would fit"
    return ""


def expected(explanation: Explanation, facts: Facts) -> tuple[float, float] | None:
    """What the output value should be by the score, in the explanation's unit, and how exact that is; None where the
    score does not tell."""
    unit, said = unit_of(explanation), facts.probabilities(label_of(explanation))
    if len(said) != 1 or label_of(explanation) is None or (facts.several and unit == "log-odds"):
        return None
    slack = _score_slack(said[0])
    value = in_unit(said[0], unit)
    ends = [end for share in (said[0] - slack, said[0] + slack) if (end := in_unit(share, unit)) is not None]
    if value is None or len(ends) < 2:
        return None
    return value, max(abs(value - end) for end in ends)
