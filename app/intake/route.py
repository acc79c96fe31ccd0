"""From a record to its place in a queue: priority, due time, title, what search and export need."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import orjson

from app.model.policy import QueuePolicy
from app.model.prediction import Prediction
from app.model.words import SEVERITIES

_TITLE_LENGTH = 160
_SEARCH_LENGTH = 4000
_FLAT_KINDS = frozenset({"number", "category", "reference"})
_SPACES = re.compile(r"\s+")


def priority(prediction: Prediction, policy: QueuePolicy) -> int:
    """Points by the policy: severity, how risky the score is, how close to the threshold, flag codes."""
    points = policy.priority.severity.get(prediction.severity, 0)
    score, threshold = prediction.output.score, prediction.output.threshold
    if score is not None:
        points += round(policy.priority.score * score)
        if threshold is not None:
            points += round(policy.priority.near_threshold * max(0.0, 1 - abs(score - threshold) / 0.25))
    return points + sum(policy.priority.flags.get(flag.code, 0) for flag in prediction.flags or ())


def due_at(prediction: Prediction, policy: QueuePolicy, now: int) -> int:
    """When it should be decided, in milliseconds: by severity, counted from its admission."""
    return now + round(policy.due.minutes(prediction.severity) * 60_000)


def created_at(prediction: Prediction) -> int | None:
    """The record's own time in milliseconds, None where it gives none that can be read."""
    try:
        return round(datetime.fromisoformat(prediction.created_at or "").timestamp() * 1000)
    except ValueError:
        return None


def worst_flag(record: dict[str, Any]) -> str:
    """The code of the gravest flag of a protected record."""
    flags = record.get("flags") or []
    worst = max(flags, key=lambda f: SEVERITIES.index(f.get("severity", "medium")), default=None)
    return str(worst["code"]) if worst else ""


def features(record: dict[str, Any]) -> tuple[bytes, bool]:
    """The plain inputs as one flat JSON object, and whether there are texts beside them."""
    flat: dict[str, Any] = {}
    has_text = bool(record["output"].get("text"))
    for item in record["inputs"]:
        if item.get("withheld"):
            continue
        if item.get("kind", "category") in _FLAT_KINDS and not isinstance(item.get("value"), dict | list):
            flat[item["name"]] = item.get("value")
        else:
            has_text = True
    return orjson.dumps(flat), has_text


def title(record: dict[str, Any], policy: QueuePolicy) -> str:
    """One line that tells the case from others, without what a first judgement must not see."""
    text = None if policy.provisional else record["output"].get("text")
    if not text:
        text = next(
            (t for i in record["inputs"] if i.get("kind") in ("text", "chat") and (t := plain_text(i.get("value")))),
            "",
        )
    if not text:
        shown = [i for i in record["inputs"] if i.get("value") is not None][:4]
        text = " · ".join(f"{i['name']} {plain_text(i['value'])}" for i in shown)
    return _SPACES.sub(" ", text[: 2 * _TITLE_LENGTH]).strip()[:_TITLE_LENGTH]


def search_text(record: dict[str, Any], policy: QueuePolicy) -> str:
    """What search may find: never the model's answer or the flags where a first judgement comes first."""
    words = [str(record["id"])]
    words += [
        plain_text(i.get("value")) for i in record["inputs"] if i.get("value") is not None and i.get("kind") != "number"
    ]
    if not policy.provisional:
        words += [flag["code"] for flag in record.get("flags") or ()]
        words += [record["output"].get("text") or "", record["output"].get("label") or ""]
    return "\n".join(word for word in words if word)[:_SEARCH_LENGTH]


def plain_text(value: Any) -> str:
    """A value's words: of a chat the contents, of an object its values."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(plain_text(v.get("content", v) if isinstance(v, dict) else v) for v in value)
    if isinstance(value, dict):
        return " ".join(plain_text(v) for v in value.values())
    return "" if value is None else str(value)
