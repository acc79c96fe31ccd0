"""Spans of a trace, as MLflow 3 and Phoenix give them, read into one neutral shape. Neither server promises its shape
for ever: what is missing is named, with what stands there instead."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson


class Misfit(Exception):
    """Something of a server's answer is not what it was. The message says which key was expected where."""


@dataclass(frozen=True, slots=True)
class Span:
    """One step of a trace. `id` and `parent` in hexadecimal digits (`parent` empty for the root), `kind` in capitals
    (LLM, RETRIEVER, TOOL, …), times in nanoseconds since 1970 (0: unknown), `status` ok, error or unset."""

    id: str
    trace_id: str
    parent: str
    name: str
    kind: str
    start: int
    end: int
    status: str
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def duration_ms(self) -> float | None:
        """How long it took, in milliseconds."""
        return round((self.end - self.start) / 1e6, 3) if 0 < self.start <= self.end else None


@contextmanager
def readable(where: str) -> Iterator[None]:
    """Turns what a part of another shape leads to into a Misfit. The error's own words may repeat somebody's data."""
    try:
        yield
    except (TypeError, ValueError, AttributeError, KeyError, IndexError, RecursionError, OverflowError) as error:
        raise Misfit(f"{where}: a part has another shape than was expected ({type(error).__name__})") from None


def expect(value: Any, key: str, kind: type | tuple[type, ...], where: str) -> Any:
    """`value[key]`, which must be of a kind. Raises Misfit naming the keys that are there."""
    found = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(found, kind):
        return found
    kinds = kind if isinstance(kind, tuple) else (kind,)
    wanted = " or ".join(_WORDS.get(one, one.__name__) for one in kinds)
    if not isinstance(value, Mapping):
        there = f"there is {_WORDS.get(type(value), type(value).__name__)}"
    elif key in value:
        there = f"it is {_WORDS.get(type(found), type(found).__name__)}"
    else:
        there = f"there is {', '.join(sorted(map(str, value))[:12]) or 'nothing'}"
    raise Misfit(f"{where}: expected '{key}' ({wanted}); {there}"[:900])


_WORDS: dict[type, str] = {
    dict: "an object", list: "an array", str: "a string", int: "a number", float: "a number", bool: "true or false",
    type(None): "null",
}  # fmt: skip


def root_of(spans: Sequence[Span], where: str) -> Span:
    """The span that has no parent here. Raises Misfit where there is none."""
    ids = {span.id for span in spans}
    roots = [span for span in spans if not span.parent] or [span for span in spans if span.parent not in ids]
    if not roots:
        raise Misfit(f"{where}: expected a span without 'parent_span_id'; there are {len(spans)} spans, none of them")
    return min(roots, key=lambda span: span.start)


def below(root: Span, spans: Sequence[Span]) -> list[Span]:
    """The spans under one, in the order in which they began."""
    children: dict[str, list[Span]] = {}
    for span in spans:
        children.setdefault(span.parent, []).append(span)
    found: dict[str, Span] = {}
    waiting = [root]
    while waiting:
        for span in children.get(waiting.pop().id, ()):
            if span.id not in found and span.id != root.id:
                found[span.id] = span
                waiting.append(span)
    return sorted(found.values(), key=lambda span: span.start)


# -- MLflow: OTLP in JSON ----------------------------------------------------------------------------


def from_mlflow(raw: Any, where: str) -> Span:
    """A span of `traces/get`. Raises Misfit."""
    # Without attributes the key is left out.
    pairs = expect(raw, "attributes", list, where) if isinstance(raw, Mapping) and raw.get("attributes") else []
    attributes = {str(expect(pair, "key", str, f"{where}.attributes")): _plain(pair.get("value")) for pair in pairs}
    kind = attributes.get("mlflow.spanType") or attributes.get("openinference.span.kind")
    code = (raw.get("status") or {}).get("code") if isinstance(raw, Mapping) else None
    return Span(
        id=_hex(expect(raw, "span_id", str, where)),
        trace_id=_hex(expect(raw, "trace_id", str, where)),
        parent=_hex(raw.get("parent_span_id") or ""),
        name=str(expect(raw, "name", str, where)),
        kind=str(decoded(kind) or "UNKNOWN").upper(),
        start=_whole(raw.get("start_time_unix_nano")),
        end=_whole(raw.get("end_time_unix_nano")),
        status=_status(code),
        attributes={key: decoded(value) for key, value in attributes.items()},
    )


def _plain(value: Any) -> Any:
    """The value inside OTLP's wrapping: `{"string_value": "x"}` → `"x"`, lists and mappings likewise."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    ((kind, inner),) = value.items()
    match str(kind).replace("V", "_v").lower():
        case "array_value":
            return [_plain(one) for one in (inner or {}).get("values") or ()]
        case "kvlist_value":
            return {str(one.get("key")): _plain(one.get("value")) for one in (inner or {}).get("values") or ()}
        case "int_value":
            return _whole(inner)
        case _:
            return inner


def decoded(value: Any) -> Any:
    """What a string of JSON holds (older servers, and OpenInference, write objects so); anything else as it is."""
    if not isinstance(value, str) or value[:1] not in ("{", "[", '"'):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def _hex(identifier: str) -> str:
    """OTLP's JSON at MLflow writes ids in base64 (8 or 16 bytes); others in hexadecimal digits."""
    if len(identifier) in (12, 24):
        try:
            return base64.b64decode(identifier, validate=True).hex()
        except (binascii.Error, ValueError):
            return identifier
    return identifier.removeprefix("0x")


def _whole(value: Any) -> int:
    try:
        return int(value or 0)
    except (TypeError, ValueError):
        return 0


def _status(code: Any) -> str:
    word = str(code or "").rpartition("_")[2].lower()
    return {"ok": "ok", "error": "error", "1": "ok", "2": "error"}.get(word, "unset")


# -- Phoenix: OpenInference, its keys with dots ------------------------------------------------------


def from_phoenix(raw: Any, where: str) -> Span:
    """A span of `projects/{p}/spans`. Raises Misfit."""
    context = expect(raw, "context", dict, where)
    return Span(
        id=str(expect(context, "span_id", str, f"{where}.context")),
        trace_id=str(expect(context, "trace_id", str, f"{where}.context")),
        parent=str(raw.get("parent_id") or ""),
        name=str(expect(raw, "name", str, where)),
        kind=str(raw.get("span_kind") or "UNKNOWN").upper(),
        start=nanoseconds(expect(raw, "start_time", str, where), f"{where}.start_time"),
        end=nanoseconds(expect(raw, "end_time", str, where), f"{where}.end_time"),
        status=_status(raw.get("status_code")),
        attributes=nested(expect(raw, "attributes", dict, where)),
    )


def nanoseconds(moment: str, where: str) -> int:
    """An ISO 8601 time as nanoseconds since 1970; without a zone it is UTC. Raises Misfit."""
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        raise Misfit(f"{where}: expected a time (ISO 8601), it is another text") from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    since = found - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def iso(moment: int) -> str:
    """Nanoseconds since 1970 as ISO 8601 in UTC, to the microsecond."""
    seconds, rest = divmod(moment, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000).isoformat().replace("+00:00", "Z")


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes with dots as a tree: `{"a.0.b": 1}` → `{"a": {"0": {"b": 1}}}`; each is there under its own name as
    well, unless the tree has that name."""
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        place = tree
        *folders, last = key.split(".")
        for folder in folders:
            inner = place.get(folder)
            if not isinstance(inner, dict):
                inner = place[folder] = {}
            place = inner
        if isinstance(place.get(last), dict) and isinstance(value, dict):
            place[last] |= value
        else:
            place.setdefault(last, dict(value) if isinstance(value, dict) else value)
    return {**flat, **tree}


def listed(value: Any) -> list[Any]:
    """A list, or a mapping with the keys "0", "1", … in their order."""
    if isinstance(value, list):
        return value
    if isinstance(value, Mapping) and value and all(str(key).isdigit() for key in value):
        return [value[key] for key in sorted(value, key=lambda key: int(key))]
    return []


def look_up(value: Any, path: str) -> Any:
    """What stands at a dotted path in mappings and lists, or None."""
    for part in path.split(".") if path else ():
        if isinstance(value, list):
            value = value[int(part)] if part.isdigit() and int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, Mapping) else None
    return value
