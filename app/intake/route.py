"""From a record to its place in a queue: priority, due time, title, what search and export need."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from app.intake.drawn import Place
from app.model.policy import QueuePolicy
from app.model.prediction import Prediction
from app.model.words import SEVERITIES, Severity

_TITLE_LENGTH = 160
_SEARCH_LENGTH = 4000
_FLAT_KINDS = frozenset({"number", "category", "reference"})
_SHOWN_INPUTS = 4
_MINUTE_MS = 60_000


def place(prediction: Prediction, domain: str | None, admitted_at: int, policy: QueuePolicy) -> Place:
    """Where a case stands by the policy, in a queue that is not judged first."""
    severity = prediction.severity
    due_at = admitted_at + round(policy.due.minutes(severity, domain) * _MINUTE_MS)
    return Place(priority(prediction, severity, domain, policy), due_at, SEVERITIES.index(severity))


def priority(prediction: Prediction, severity: Severity, domain: str | None, policy: QueuePolicy) -> int:
    """Points by the policy: severity, how risky the score is, how close to the threshold, flag codes, domain."""
    rules = policy.priority
    points = rules.severity.get(severity, 0)
    score, threshold = prediction.output.score, prediction.output.threshold
    if score is not None:
        points += round(rules.score * score)
        if threshold is not None:
            points += round(rules.near_threshold * max(0.0, 1 - abs(score - threshold) / 0.25))
    if rules.flags:
        points += sum(rules.flags.get(flag.code, 0) for flag in prediction.flags or ())
    if domain is not None:
        points += rules.domains.get(domain, 0)
    return points


def worst_flag(record: dict[str, Any]) -> str:
    """The code of the gravest flag of a protected record."""
    worst = max(record.get("flags") or (), key=_grade, default=None)
    return str(worst["code"]) if worst else ""


def severity(record: dict[str, Any]) -> Severity:
    """The severity of the gravest flag of a protected record; `low` without any."""
    return SEVERITIES[max(map(_grade, record.get("flags") or ()), default=0)]


def _grade(flag: dict[str, Any]) -> int:
    return SEVERITIES.index(flag.get("severity", "medium"))


class Outline(NamedTuple):
    """What lists, search, likeness and export need of a protected record.

    `features`: the plain inputs as one flat JSON object; `has_text`: whether there are texts beside
    them. `title` and `search` hold nothing that a first judgement must not see.
    """

    features: bytes
    has_text: bool
    title: str
    search: str


def outline(record: dict[str, Any], policy: QueuePolicy) -> Outline:
    """One walk over the inputs."""
    flat: dict[str, Any] = {}
    words: list[str] = [record["id"]]
    shown: list[str] = []
    texts: list[str] = []
    for item in record["inputs"]:
        value, kind = item.get("value"), item.get("kind", "category")
        plain = kind in _FLAT_KINDS and type(value) not in (dict, list)
        if plain and not item.get("withheld"):
            flat[item["name"]] = value
        if value is None:
            continue
        words_of_value = "" if kind == "number" and plain else plain_text(value)
        if words_of_value:
            words.append(words_of_value)
        if not plain:
            texts.append(words_of_value)
        if len(shown) < _SHOWN_INPUTS:
            shown.append(f"{item['name']} {words_of_value or value}")
    output = "" if policy.provisional else record["output"].get("text") or ""
    if not policy.provisional:
        words += [flag["code"] for flag in record.get("flags") or ()]
        words += [output, record["output"].get("label") or ""]
    return Outline(
        features=orjson.dumps(flat),
        has_text=bool(texts or record["output"].get("text")),
        title=_title(output or next(filter(None, texts), "") or " · ".join(shown)),
        search="\n".join(filter(None, words))[:_SEARCH_LENGTH],
    )


def _title(text: str) -> str:
    return " ".join(text[: 2 * _TITLE_LENGTH].split())[:_TITLE_LENGTH]


def plain_text(value: Any) -> str:
    """A value's words: of a chat the contents, of an object its values."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(plain_text(v.get("content", v) if isinstance(v, dict) else v) for v in value)
    if isinstance(value, dict):
        return " ".join(plain_text(v) for v in value.values())
    return "" if value is None else str(value)
