"""A case's row under another id: what would tie it to the case that it is a copy of is replaced.

The id and the request's and trace's ids are replaced wherever they stand; the subject's pseudonym is another one, as it
is in every case; times are moved to those of the cases beside it.
"""

from __future__ import annotations

import math
import random
import re
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import orjson

from app.desk.id_traits import carried_offsets, passes_check_digits, time_in
from app.desk.invented import invent, like

# Shorter values may be words or figures elsewhere in the record.
_TELLING = 6
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
# Records on each side from which a copy takes its times.
_TIMES = 4
# Forms of ids in which every digit is drawn: trace ids, and UUIDs of version 4.
_RANDOM = tuple(
    re.compile(form)
    for form in (
        "[0-9a-f]{16}",
        "[0-9a-f]{32}",
        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    )
)
# How long before or after the prediction's own time a time belongs to its making.
_SAME_RUN = timedelta(days=1)


def disguised(row: dict[str, Any], near: list[str], place: int, chance: random.Random) -> dict[str, Any] | None:
    """A row as `db.controls.copy` takes it, with its new `external_id` and what hangs on it in the record and in the
    words for the index. `near`: records of cases in their order, before the one at `place` it comes to stand. None
    where a copy would stand out among them."""
    record, others = orjson.loads(row["record"]), [orjson.loads(one) for one in near]
    replaced = {}
    for key in ("request_id", "trace_id", "subject"):
        value, theirs = record.get(key), [one.get(key) for one in others]
        if isinstance(value, str):
            other = _another(value, theirs, place, chance)
            if other is None:
                return None
            replaced[value] = other
        elif theirs and all(isinstance(one, str) for one in theirs):
            return None
    if not passes_check_digits(row["external_id"], [one["id"] for one in others]):
        return None
    first = max(0, place - _TIMES)
    times = [one.get("created_at") for one in others[first : place + _TIMES]]
    own, fits = _time_of_id(row["external_id"], record, others, chance)
    if not fits:
        return None
    _move(record, times, place - first, chance, own)
    if any(_tells_time(replaced.get(record.get(key), ""), key, record, others) for key in ("request_id", "trace_id")):
        return None
    return _with(row, record, replaced)


def _time_of_id(
    name: str, record: dict[str, Any], others: list[Any], chance: random.Random
) -> tuple[datetime | None, bool]:
    """The record's time that its new id asks for, where ids carry the time (None where they do not), and whether there
    is one that fits."""
    offsets = carried_offsets([one["id"] for one in others], [_time(one.get("created_at")) for one in others])
    if not offsets:
        return None, True
    told, own = time_in(name), _time(record.get("created_at"))
    if told is None or own is None:
        return None, False
    time = told + timedelta(seconds=chance.choice(offsets))
    return time if own.tzinfo else time.replace(tzinfo=None), True


def _tells_time(value: str, key: str, record: dict[str, Any], others: list[Any]) -> bool:
    """Whether a request's or trace's id carries another time than the record, where those of others carry theirs."""
    known = [one for one in others if isinstance(one.get(key), str)]
    offsets = carried_offsets([one[key] for one in known], [_time(one.get("created_at")) for one in known])
    if not offsets or not value:
        return False
    mine = carried_offsets([value], [_time(record.get("created_at"))])
    return not mine or not min(offsets) <= mine[0] <= max(offsets)


def renamed(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its new `external_id` in the record and in the words for the index, and nothing else changed."""
    return _with(row, orjson.loads(row["record"]), {})


def _with(row: dict[str, Any], record: dict[str, Any], replaced: dict[str, str]) -> dict[str, Any]:
    old, new = record["id"], row["external_id"]
    record = _replaced(record, {old: new, **replaced})
    record["id"] = new
    words = row["search"]
    if words == old or words.startswith(f"{old}\n"):
        words = new + words[len(old) :]
    subject = replaced.get(row["subject"], row["subject"]) if row["subject"] else row["subject"]
    return {**row, "record": orjson.dumps(record).decode(), "search": words, "subject": subject}


def _another(value: str, others: list[Any], place: int, chance: random.Random) -> str | None:
    """A value as those of other records, at a place among them; the one that all have, where they have one. None where
    every other value would stand out."""
    known = [other for other in others if isinstance(other, str)]
    if len(known) > 1 and len(set(known)) == 1:
        return known[0]
    start = len("subj-") if value.startswith("subj-") else 0
    if start:
        # A pseudonym is Base32.
        return value[:start] + "".join(chance.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in value[start:])
    if len(known) > 1:
        before = sum(isinstance(other, str) for other in others[:place])
        found = invent(known, before, lambda name: name != value and name not in known, chance)
        if found is not None:
            return found
    return like(value, chance) if _is_random([value, *known]) else None


def _is_random(values: list[str]) -> bool:
    """Whether values are of one form in which every digit is drawn, however few they are."""
    return (
        any(all(form.fullmatch(value) for value in values) for form in _RANDOM)
        and len({value[:2] for value in values}) > len(values) // 2
    )


def _replaced(value: Any, words: dict[str, str]) -> Any:
    """Strings with these words in place of others. A text keeps its length: places in it are counted."""
    telling = {old: new for old, new in words.items() if len(old) >= _TELLING}
    pattern = "|".join(re.escape(old) for old in sorted(telling, key=len, reverse=True))
    if not pattern:
        return value
    found = re.compile(f"(?<![0-9A-Za-z])(?:{pattern})(?![0-9A-Za-z])")

    def text(match: re.Match[str]) -> str:
        old, new = match[0], telling[match[0]]
        return new if len(new) == len(old) or match.span() == (0, len(match.string)) else old

    def walk(part: Any) -> Any:
        if isinstance(part, str):
            return found.sub(text, part)
        if isinstance(part, list):
            return [walk(one) for one in part]
        return {key: walk(one) for key, one in part.items()} if isinstance(part, dict) else part

    return walk(value)


def _move(
    record: dict[str, Any], others: list[Any], place: int, chance: random.Random, to: datetime | None = None
) -> None:
    """Moves the record's time, and the times of the run that made it, to a moment, or among those of other records."""
    own, near = _time(record.get("created_at")), [_time(other) for other in others]
    times = [time for time in near if time is not None]
    if own is None or len(times) < len(near) or any((time.tzinfo is None) != (own.tzinfo is None) for time in times):
        return
    shift = (to or _among(times, place, own, chance)) - own

    def moved(match: re.Match[str]) -> str:
        time = _time(match[0])
        if time is None or own is None or (time.tzinfo is None) != (own.tzinfo is None):
            return match[0]
        return _written(time + shift, match) if abs(time - own) <= _SAME_RUN else match[0]

    record["created_at"] = _TIME.sub(moved, record["created_at"])
    for section in ("explanations", "inputs"):
        if record.get(section):
            record[section] = orjson.loads(_TIME.sub(moved, orjson.dumps(record[section]).decode()))


def _among(times: list[datetime], place: int, own: datetime, chance: random.Random) -> datetime:
    """A time as they are around a place: between the two beside it where times grow from case to case, else between any
    two that follow each other. As round as they all are, and the time of its own."""
    grows = all(one <= two for one, two in pairwise(times))
    ordered = times if grows else sorted(times)
    n = min(max(place, 1), len(ordered) - 1) if grows else chance.randint(1, max(1, len(ordered) - 1))
    low, high = ordered[n - 1], ordered[min(n, len(ordered) - 1)]
    unit = math.gcd(*((time - low) // timedelta(microseconds=1) for time in (*times, own)))
    steps = (high - low) // timedelta(microseconds=unit) if unit else 0
    return low + timedelta(microseconds=unit * chance.randint(0, steps))


def _time(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _written(time: datetime, model: re.Match[str]) -> str:
    """A time as another one is written: its separator, digits and zone."""
    text = time.strftime(f"%Y-%m-%d{model[0][10]}%H:%M:%S")
    digits = f"{time.microsecond:06d}"
    fraction = f".{digits[: len(model[1]) - 1].ljust(len(model[1]) - 1, '0')}" if model[1] else ""
    return text + fraction + (model[2] or "")
