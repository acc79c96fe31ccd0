"""Answers to a rubric: which questions are asked, whether the answers fit, what they decide."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from app.model.errors import RubricError
from app.model.prediction import Output, Task
from app.model.rubric import UNRESOLVABLE, Criterion, Rubric, Verdict

Answers = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a set of answers decides.

    `label` is the correction (None: unresolvable, or a verdict without a label), `text` a better
    output text, `score` the weighted mean of the scored criteria in [0, 1] (None: none scored),
    `critical` the ids of criteria answered with a critical fail.
    """

    verdict: Verdict
    label: str | None
    text: str | None
    reasons: tuple[str, ...]
    score: float | None
    critical: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """The criteria that are asked given some answers, the answers to those, and the verdict so far."""

    criteria: tuple[Criterion, ...]
    answers: dict[str, Any]
    verdict: Verdict | None

    @property
    def missing(self) -> list[Criterion]:
        """Required criteria without an answer, in the rubric's order."""
        return [c for c in self.criteria if c.required and c.id not in self.answers]


def asked(rubric: Rubric, answers: Answers, task: Task, output: Output) -> Asked:
    """Which criteria are asked. An answer to one that is not asked decides nothing, wherever it came from.

    The verdict: an explicit verdict criterion wins. Otherwise the chosen label decides: "cannot tell" is
    unresolvable, a better text is a correction, another label than the model's overturns. Where the
    model gave no label (generated text), the label that counts as the risk (`task.positive`) overturns.
    A `when` on the verdict looks at the verdict before and after a better text was given.
    """
    first = _pass(rubric, answers, None)
    verdict = _verdict(rubric, first.answers, task, output, None)
    second = _pass(rubric, answers, (verdict,))
    corrected = _verdict(rubric, second.answers, task, output, _text_correction(rubric, second.answers))
    if corrected == verdict:
        return Asked(second.criteria, second.answers, verdict)
    third = _pass(rubric, answers, (verdict, corrected))
    return Asked(third.criteria, third.answers, corrected)


def _pass(rubric: Rubric, answers: Answers, verdicts: tuple[Verdict | None, ...] | None) -> Asked:
    """One walk in the rubric's order; without `verdicts`, what depends on the verdict is left out."""
    criteria: list[Criterion] = []
    kept: dict[str, Any] = {}
    for criterion in rubric.criteria:
        if "verdict" in criterion.when and verdicts is None:
            continue
        if all(_holds(key, wanted, kept, verdicts or ()) for key, wanted in criterion.when.items()):
            criteria.append(criterion)
            if answers.get(criterion.id) not in (None, "", []):
                kept[criterion.id] = answers[criterion.id]
    return Asked(tuple(criteria), kept, None)


def _holds(key: str, wanted: list[Any], answers: Answers, verdicts: tuple[Verdict | None, ...]) -> bool:
    given = answers.get(key)
    values = verdicts if key == "verdict" else given if isinstance(given, list) else [given]
    return any(_same(value, want) for value in values for want in wanted)


def _verdict(rubric: Rubric, answers: Answers, task: Task, output: Output, better_text: str | None) -> Verdict | None:
    explicit = rubric.with_role("verdict")
    if explicit and answers.get(explicit.id):
        return answers[explicit.id]  # type: ignore[no-any-return]  # its options are limited to verdicts
    criterion = rubric.label_criterion
    label = answers.get(criterion.id) if criterion else None
    if not label:
        return None
    if label == UNRESOLVABLE:
        return "unresolvable"
    if better_text:
        return "corrected"
    if output.label is not None:
        return "upheld" if label == output.label else "overturned"
    return "overturned" if label == task.positive else "upheld"


def check(rubric: Rubric, answers: Answers, task: Task, output: Output) -> tuple[dict[str, Any], Outcome]:
    """The answers in their stored form, and what they decide.

    Answers to criteria that are not asked are left out. Raises RubricError with every problem,
    each naming the criterion and what was expected.
    """
    problems = [
        f"{key}: no such criterion in rubric '{rubric.id}' (it has {', '.join(c.id for c in rubric.criteria)})"
        for key in answers
        if rubric.criterion(key) is None
    ]
    clean: dict[str, Any] = {}
    for criterion in rubric.criteria:
        given = answers.get(criterion.id)
        if given in (None, "", []):
            continue
        try:
            clean[criterion.id] = normal(criterion, given, task.labels)
        except ValueError as error:
            problems.append(f"{criterion.id}: {error}")
    if problems:
        raise RubricError(problems)
    now = asked(rubric, clean, task, output)
    if now.missing or now.verdict is None:
        raise RubricError([f"{c.id}: an answer is required{_because(c)}" for c in now.missing] or ["no verdict given"])
    return now.answers, _outcome(rubric, now.answers, now.verdict)


def normal(criterion: Criterion, value: Any, labels: list[str]) -> Any:
    """One answer in its stored form. Raises ValueError saying what was expected."""
    offered = [option.id for option in criterion.choices(labels)]
    match criterion.kind:
        case "choice" | "label":
            if not labels and criterion.kind == "label" and isinstance(value, str) and value.strip():
                return value.strip()
            return _one_of(value, offered)
        case "yes_no":
            return _one_of({True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value, offered)
        case "multi":
            chosen = [_one_of(v, offered) for v in (value if isinstance(value, list) else [value])]
            return [option for option in offered if option in chosen]
        case "scale":
            return int(_one_of(str(int(value)) if _is_whole(value) else value, offered))
        case "number":
            return _number(criterion, value)
        case "text":
            return _text(criterion, value)
        case "text_span":
            return [_span(v) for v in (value if isinstance(value, list) else [value])]


def _one_of(value: Any, offered: list[str]) -> str:
    if not isinstance(value, str) or value not in offered:
        raise ValueError(f"expected one of {', '.join(offered)}, got {value!r}")
    return value


def _is_whole(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _number(criterion: Criterion, value: Any) -> float | int:
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        number = None
    if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) < math.inf:
        raise ValueError(f"expected a number, got {value!r}")
    low, high = criterion.min, criterion.max
    if (low is not None and number < low) or (high is not None and number > high):
        bounds = f"{'−∞' if low is None else f'{low:g}'} to {'∞' if high is None else f'{high:g}'}"
        raise ValueError(f"expected a number from {bounds}, got {value}")
    return number


def _text(criterion: Criterion, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected text, got {type(value).__name__}")
    text = value.strip()
    if len(text) < criterion.min_length:
        raise ValueError(f"expected at least {criterion.min_length} characters, got {len(text)}")
    if len(text) > criterion.max_length:
        raise ValueError(f"expected at most {criterion.max_length} characters, got {len(text)}")
    if criterion.format == "json":
        _check_json(text)
    return text


def _check_json(text: str) -> None:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"expected JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    if not isinstance(found, dict | list):
        raise ValueError('expected a JSON object, such as {"amount": 20}')


def _span(value: Any) -> dict[str, Any]:
    if isinstance(value, list) and len(value) == 2:
        value = {"start": value[0], "end": value[1]}
    start, end = (value.get("start"), value.get("end")) if isinstance(value, dict) else (None, None)
    if not (_is_whole(start) and _is_whole(end) and 0 <= start < end):  # type: ignore[operator]
        raise ValueError('expected spans {"start": …, "end": …} in code points with start < end')
    return {**value, "start": int(start), "end": int(end)}  # type: ignore[arg-type]


def _same(value: Any, wanted: Any) -> bool:
    value, wanted = ({True: "yes", False: "no"}[v] if isinstance(v, bool) else v for v in (value, wanted))
    if isinstance(value, int | float) and isinstance(wanted, int | float):
        return value == wanted
    return value is not None and str(value) == str(wanted)


def _because(criterion: Criterion) -> str:
    if not criterion.when:
        return ""
    parts = [f"{key} is {' or '.join(str(v) for v in values)}" for key, values in criterion.when.items()]
    return " when " + " and ".join(parts)


def _text_correction(rubric: Rubric, answers: Answers) -> str | None:
    criterion = rubric.with_role("correction")
    return (answers.get(criterion.id) if criterion else None) or None


def _outcome(rubric: Rubric, answers: Answers, verdict: Verdict) -> Outcome:
    criterion = rubric.label_criterion
    label = answers.get(criterion.id) if criterion else None
    reasons = rubric.with_role("reasons")
    given = answers.get(reasons.id, []) if reasons else []
    weighed = [
        (c.weight, score)
        for c in rubric.criteria
        if c.weight and c.id in answers and (score := _score(c, answers[c.id])) is not None
    ]
    total = sum(weight for weight, _ in weighed)
    return Outcome(
        verdict=verdict,
        label=None if label == UNRESOLVABLE else label,
        text=_text_correction(rubric, answers),
        reasons=tuple(given if isinstance(given, list) else [given]),
        score=sum(w * s for w, s in weighed) / total if total else None,
        critical=tuple(c.id for c in rubric.criteria if c.id in answers and _is_critical(c, answers[c.id])),
    )


def _is_critical(criterion: Criterion, answer: Any) -> bool:
    given = answer if isinstance(answer, list) else [answer]
    return any(_same(value, bad) for value in given for bad in criterion.critical)


def _score(criterion: Criterion, answer: Any) -> float | None:
    """An answer's score in [0, 1]: an option's own, a scale's position, yes = 1."""
    if criterion.kind == "scale":
        low, high = criterion.scale
        position = (int(answer) - low) / (high - low)
        return 1 - position if criterion.reverse else position
    if criterion.kind == "yes_no":
        return 1.0 if answer == "yes" else 0.0
    if criterion.kind == "choice":
        return next((o.score for o in criterion.options if o.id == answer), None)
    return None
