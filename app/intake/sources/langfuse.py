"""Langfuse: the pending items of an annotation queue, each a trace or an observation.

An item stays pending until its verdict is back, so it is found again at every pull. What this process handed over is
not asked for again; another process finds it held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from app.deliver.sinks.langfuse import LangfuseOptions, connect
from app.http import check
from app.model.connection import Batch, Item
from app.model.errors import Unavailable

_MOST_ITEMS = 100
_STATUS = {"ERROR": "failed", "WARNING": "warning"}


class LangfuseSource:
    """Pulls queue items."""

    Options = LangfuseOptions

    def __init__(self, options: LangfuseOptions, secrets: Callable[[str], str], root: Path) -> None:
        self._options = options
        self._http = connect(options, secrets)
        self._kept: set[str] = set()

    def pull(self, limit: int, cursor: str) -> Batch:
        """A page of pending items; after the last it begins again. The cursor is size and number of the next page."""
        size, page = _place(cursor, max(1, min(limit, _MOST_ITEMS)))
        path = f"/api/public/annotation-queues/{quote(self._options.queue_id, safe='')}/items"
        said = self._http.ask("GET", path, params={"status": "PENDING", "page": page, "limit": size})
        found = said.get("data") if isinstance(said, dict) else None
        if not isinstance(found, list):
            raise Unavailable(f"Langfuse's {path} answered no 'data'. Nothing was taken.")
        items = [self._item(one) for one in found if not isinstance(one, dict) or one.get("id") not in self._kept]
        total = (said.get("meta") or {}).get("totalItems")
        more = len(found) == size
        lag = max(0, total - page * size) if isinstance(total, int) else None
        return Batch(items, cursor=f"{size}:{page + 1}" if more else "", lag=lag)

    def acknowledge(self, batch: Batch) -> None:
        """Remembers what is kept: an item is completed only by its verdict."""
        self._kept.update(item.receipt for item in batch.items if item.receipt)

    def close(self) -> None:
        """Lets go of the connection."""
        self._http.close()

    def _item(self, entry: Any) -> Item:
        problem = _problem(entry)
        if problem:
            return _unusable(entry, problem)
        kind = "observations" if entry["objectType"] == "OBSERVATION" else "traces"
        path = f"/api/public/{kind}/{quote(entry['objectId'], safe='')}"
        answer = self._http.request("GET", path)
        if answer.status == 404:
            return _unusable(entry, f"objectId: Langfuse has no such {kind[:-1]} (any more)")
        check(answer, self._http.base + path)
        found = answer.json()
        if not isinstance(found, dict) or "output" not in found or "input" not in found:
            return _unusable(entry, f"{kind[:-1]}: an object with 'input' and 'output' was expected from {path}")
        reference = {"item_id": entry["id"], "object_id": entry["objectId"], "object_type": entry["objectType"]}
        if kind == "observations":
            reference["trace_id"] = found.get("traceId")
        record = self._record(entry, found)
        return Item(orjson.dumps(record, option=orjson.OPT_SORT_KEYS), reference=reference, receipt=entry["id"])

    def _record(self, entry: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
        options = self._options
        task: dict[str, Any] = {"type": options.task_type, "labels": options.labels, "positive": options.positive}
        if options.question:
            task["question"] = options.question
        trace_id = found.get("traceId") if entry["objectType"] == "OBSERVATION" else entry["objectId"]
        record: dict[str, Any] = {
            "schema": "secondlook.prediction/1",
            "id": f"langfuse-{entry['id']}",
            "trace_id": trace_id if isinstance(trace_id, str) else None,
            "created_at": found.get("timestamp") or found.get("startTime"),
            "task": task,
            "inputs": _inputs(found),
            "output": self._output(found),
            "flags": [{"code": "langfuse", "severity": options.severity}],
            "explanations": _trace(found.get("observations")),
        }
        model = found.get("model")
        if isinstance(model, str) or found.get("version") is not None:
            named = {"name": model, "version": found.get("version")}
            record["provenance"] = {"model": {key: str(value) for key, value in named.items() if value is not None}}
        if found.get("userId"):
            record["subject"] = str(found["userId"])
        return record

    def _output(self, found: Mapping[str, Any]) -> dict[str, Any]:
        output: dict[str, Any] = {}
        said = _said(found["output"])
        if said is not None:
            output["text"] = said
        for score in found.get("scores") or ():
            if not isinstance(score, dict):
                continue
            value = score.get("value")
            if score.get("name") == self._options.label_score:
                output["label"] = str(score.get("stringValue") or value)
            if score.get("name") == self._options.score and isinstance(value, int | float) and 0 <= value <= 1:
                output["score"] = float(value)
        return output


def _place(cursor: str, size: int) -> tuple[int, int]:
    """Size and number of the page to ask for. With another size than before one begins again."""
    before, _, page = cursor.partition(":")
    return size, int(page) if before == str(size) and page.isdecimal() else 1


def _unusable(entry: Any, problem: str) -> Item:
    return Item(orjson.dumps(entry, option=orjson.OPT_SORT_KEYS), problem=problem)


def _problem(entry: Any) -> str:
    """What is missing in a queue's item, in words."""
    if not isinstance(entry, dict):
        return "data: objects were expected among the queue's items"
    for key in ("id", "objectId", "objectType"):
        if not isinstance(entry.get(key), str) or not entry[key]:
            return f"{key}: a text was expected at each item of the queue"
    if entry["objectType"] not in ("TRACE", "OBSERVATION"):
        return f"objectType: TRACE or OBSERVATION was expected, not {entry['objectType'][:40]}"
    if len(entry["id"]) > 180:
        return "id: at most 180 characters were expected"
    return ""


def _inputs(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What went in: a chat where it is a list of messages, a text, or an object."""
    given = found.get("input")
    messages = given.get("messages") if isinstance(given, dict) else given
    if isinstance(messages, list) and messages and all(isinstance(m, dict) and "role" in m for m in messages):
        turns = [{"role": str(m["role"]), "content": _text(m.get("content") or "")} for m in messages]
        shown: dict[str, Any] = {"name": "conversation", "kind": "chat", "value": turns, "role": "feature"}
    else:
        kind = "text" if isinstance(given, str) else "json"
        shown = {"name": "input", "kind": kind, "value": given, "role": "feature"}
    inputs = [shown]
    if found.get("output") is not None and _said(found["output"]) is None:
        # With its keys, and not as a text: by them it is known what is to be withheld.
        inputs.append({"name": "output", "kind": "json", "value": found["output"], "role": "context"})
    if isinstance(found.get("metadata"), dict) and found["metadata"]:
        inputs.append({"name": "metadata", "kind": "json", "value": found["metadata"], "role": "context"})
    return inputs


def _said(value: Any) -> str | None:
    """A text as it is, or a message's content; None for anything else."""
    content = value.get("content") if isinstance(value, dict) else value
    return content if isinstance(content, str) else None


def _text(value: Any) -> str:
    """What was said; anything else as readable JSON."""
    said = _said(value)
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() if said is None else said


def _trace(observations: Any) -> list[dict[str, Any]]:
    """The observations of a trace as its steps, in the order of their beginnings."""
    steps: Sequence[Any] = observations if isinstance(observations, list) else ()
    known = [s for s in steps if isinstance(s, dict)]
    known.sort(key=lambda s: (str(s.get("startTime") or ""), str(s.get("id") or "")))
    items = [_step(number, step) for number, step in enumerate(known, 1)]
    return [{"kind": "trace", "method": "langfuse", "items": items}] if items else []


def _step(number: int, step: Mapping[str, Any]) -> dict[str, Any]:
    level = str(step.get("level") or "DEFAULT")
    item: dict[str, Any] = {"step": number, "name": str(step.get("name") or step.get("type") or "step")}
    item |= {"arguments": step.get("input"), "status": _STATUS.get(level, "success")}
    if level in _STATUS:
        item["risk"] = [str(step.get("statusMessage") or level.lower())]
    # Seconds, in Langfuse.
    if isinstance(step.get("latency"), int | float):
        item["duration_ms"] = float(step["latency"]) * 1000
    return item
