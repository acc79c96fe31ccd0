"""LangGraph: threads that wait at an interrupt. Each interrupt becomes a case, and its verdict resumes the thread.

LangGraph has nothing to acknowledge: an interrupt is found at every pull until it is answered. So a record holds
nothing that changes while the thread waits (no times, no ids of runs), and is found to be held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from app.deliver.sinks.langgraph import LangGraphOptions, connect, digest, open_interrupts, tool_calls
from app.model.connection import Batch, Item
from app.model.errors import Unavailable
from app.model.words import SEVERITIES

_MOST_THREADS = 100
_MOST_HISTORY = 100
_ROLES = {"human": "user", "ai": "assistant"}
# Calls that are shown as one: name and arguments.
Call = Mapping[str, Any]


class LangGraphSource:
    """Pulls interrupts."""

    Options = LangGraphOptions

    def __init__(self, options: LangGraphOptions, secrets: Callable[[str], str], root: Path) -> None:
        self._options = options
        self._http = connect(options, secrets)
        # What this process has handed over already: not asked for again while the thread waits.
        self._kept: set[str] = set()

    def pull(self, limit: int, cursor: str) -> Batch:
        """The interrupts of the next threads; after the last it begins again. The cursor counts threads.

        A thread with several interrupts gives them all, even where that is more than `limit`.
        """
        start = int(cursor) if cursor.isdecimal() else 0
        asked = max(1, min(limit, _MOST_THREADS))
        body: dict[str, Any] = {"status": "interrupted", "limit": asked, "offset": start}
        body |= {"sort_by": "created_at", "sort_order": "asc"}
        if self._options.metadata:
            body["metadata"] = self._options.metadata
        threads = self._http.ask("POST", "/threads/search", json=body)
        if not isinstance(threads, list):
            raise Unavailable("LangGraph's /threads/search answered no list of threads. Nothing was taken.")
        items = [item for thread in threads for item in self._items(thread)]
        return Batch(items, cursor=str(start + len(threads)) if len(threads) == asked else "0")

    def acknowledge(self, batch: Batch) -> None:
        """Remembers what is kept, as LangGraph cannot be told."""
        self._kept.update(item.receipt for item in batch.items if item.receipt)

    def close(self) -> None:
        """Lets go of the connection."""
        self._http.close()

    def _items(self, thread: Any) -> list[Item]:
        thread_id = thread.get("thread_id") if isinstance(thread, dict) else None
        if not isinstance(thread_id, str) or not thread_id:
            return [_unusable(thread, "thread_id: a text was expected at each thread of /threads/search")]
        found = open_interrupts(thread)
        if found is None:
            return [_unusable(thread, f"interrupts: expected {{task: [{{id, value}}]}} at thread {thread_id}")]
        items = []
        for one in found:
            if not isinstance(one.get("id"), str) or "value" not in one:
                items.append(_unusable(one, f"interrupts: 'id' and 'value' were expected at thread {thread_id}"))
                continue
            # Short enough to be typed; the thread's id is in it, so that people find the thread.
            case_id = f"{thread_id}:{digest([one['id'], one['value']])[:8]}"
            if case_id not in self._kept:
                items.append(self._item(case_id, thread, one["id"], one["value"]))
        return items

    def _item(self, case_id: str, thread: Mapping[str, Any], interrupt_id: str, value: Any) -> Item:
        wrong = _wrong_shape(value)
        if wrong or len(case_id) > 200:
            wrong = wrong or "thread_id: at most 190 characters were expected"
            return _unusable({"thread_id": thread["thread_id"], "id": interrupt_id, "value": value}, wrong, case_id)
        given = thread.get("metadata")
        metadata: Mapping[str, Any] = given if isinstance(given, dict) else {}
        reference = {
            "thread_id": thread["thread_id"],
            "interrupt_id": interrupt_id,
            "assistant_id": self._options.assistant or metadata.get("assistant_id") or metadata.get("graph_id") or "",
            "digest": digest(value),
        }
        record = self._record(case_id, thread, metadata, value)
        return Item(orjson.dumps(record, option=orjson.OPT_SORT_KEYS), reference=reference, receipt=case_id)

    def _record(
        self, case_id: str, thread: Mapping[str, Any], metadata: Mapping[str, Any], value: Any
    ) -> dict[str, Any]:
        calls = tool_calls(value)
        pending: Sequence[Call] = calls or [{"name": "interrupt", "args": value}]
        severity = max((self._severity(call["name"]) for call in pending), key=SEVERITIES.index)
        tools = ", ".join(call["name"] for call in pending)
        record: dict[str, Any] = {
            "schema": "secondlook.prediction/1",
            "id": case_id,
            "request_id": thread["thread_id"],
            "task": {
                "type": "action",
                "labels": ["approve", "reject"],
                "positive": "approve",
                "question": f"May the agent go on with {tools}?"[:300],
            },
            "inputs": self._inputs(thread, pending),
            # Arguments stand among the inputs, not here: what is withheld is known by its key, and a text has none.
            "output": {"label": "approve", "text": value if isinstance(value, str) and value else tools},
            "flags": [{"code": "agent_action", "severity": severity, "detail": f"waits for approval: {tools}"[:300]}],
            "sampling": {"reason": "flag", "probability": 1.0},
            "explanations": [{"kind": "trace", "method": "langgraph", "items": self._steps(thread, pending)}],
        }
        if metadata.get("graph_id"):
            record["provenance"] = {"model": {"name": str(metadata["graph_id"])}}
        if self._options.subject and metadata.get(self._options.subject) is not None:
            record["subject"] = str(metadata[self._options.subject])
        return record

    def _severity(self, tool: str) -> Any:
        return self._options.severity.get(tool, self._options.other_severity)

    def _inputs(self, thread: Mapping[str, Any], pending: Sequence[Call]) -> list[dict[str, Any]]:
        inputs: list[dict[str, Any]] = []
        for number, call in enumerate(pending, 1):
            of = f" {number}" if len(pending) > 1 else ""
            inputs.append({"name": f"tool{of}", "kind": "category", "value": call["name"], "role": "feature"})
            kind = "text" if isinstance(call["args"], str) else "json"
            inputs.append({"name": f"arguments{of}", "kind": kind, "value": call["args"], "role": "feature"})
            about = _description(call)
            if about:
                inputs.append({"name": f"description{of}", "kind": "text", "value": about, "role": "context"})
        turns = [_turn(message) for message in self._messages(thread)]
        if turns:
            inputs.append({"name": "conversation", "kind": "chat", "value": turns, "role": "context"})
        return inputs

    def _messages(self, thread: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        values = thread.get("values")
        messages = values.get(self._options.messages) if isinstance(values, dict) else None
        return [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []

    def _steps(self, thread: Mapping[str, Any], pending: Sequence[Call]) -> list[dict[str, Any]]:
        """The steps so far, then the calls that wait, marked as risky."""
        messages = self._messages(thread)
        steps = _called(messages, pending) if messages else self._visited(thread["thread_id"])
        for call in pending:
            risk = [f"{self._severity(call['name'])} risk", "waits for approval"]
            steps.append({"name": call["name"], "arguments": call["args"], "status": "pending", "risk": risk})
        return [{"step": number, **step} for number, step in enumerate(steps, 1)]

    def _visited(self, thread_id: str) -> list[dict[str, Any]]:
        """The nodes that ran before, oldest first: for a state without messages."""
        where = f"/threads/{quote(thread_id, safe='')}/history"
        history = self._http.ask("POST", where, json={"limit": _MOST_HISTORY})
        states = [state for state in reversed(history) if isinstance(state, dict)] if isinstance(history, list) else []
        tasks = [t for state in states for t in state.get("tasks") or () if isinstance(t, dict)]
        done = [
            t for t in tasks if not t.get("interrupts") and t.get("name") != "__start__" and t.get("result") is not None
        ]
        return [{"name": str(t.get("name")), "status": "failed" if t.get("error") else "success"} for t in done]


def _description(call: Call) -> str:
    """What the agent says of a call, without the arguments that HumanInTheLoopMiddleware writes below by itself: in a
    text they would not be withheld."""
    given = call.get("description")
    return given.partition("\n\nTool: ")[0].strip() if isinstance(given, str) else ""


def _unusable(found: Any, problem: str, receipt: str | None = None) -> Item:
    return Item(orjson.dumps(found, option=orjson.OPT_SORT_KEYS), problem=problem, receipt=receipt)


def _wrong_shape(value: Any) -> str:
    """What is wrong with an interrupt that looks like tool calls and is none; "" for all others."""
    if not isinstance(value, dict | list) or not value:
        return ""
    if isinstance(value, dict) and "action_requests" in value and tool_calls(value) is None:
        return "action_requests: expected [{name, args}], with a text and an object, as HumanInTheLoopMiddleware gives"
    first = value[0] if isinstance(value, list) else value
    if isinstance(first, dict) and "action_request" in first:
        return "action_request: the older form of an interrupt; expected 'action_requests' (HumanInTheLoopMiddleware)"
    return ""


def _called(messages: Sequence[Mapping[str, Any]], pending: Sequence[Call]) -> list[dict[str, Any]]:
    """The tool calls of a conversation with what became of them, but for those that wait."""
    answers = {m.get("tool_call_id"): m for m in messages if m.get("type") == "tool"}
    waiting = [(call["name"], call["args"]) for call in pending]
    steps = []
    for message in messages:
        calls = message.get("tool_calls") if message.get("type") == "ai" else None
        for call in calls if isinstance(calls, list) else ():
            if not isinstance(call, dict):
                continue
            answer = answers.get(call.get("id"))
            if answer is None and (call.get("name"), call.get("args")) in waiting:
                continue
            status = "waiting" if answer is None else str(answer.get("status") or "success")
            steps.append({"name": str(call.get("name")), "arguments": call.get("args"), "status": status})
    return steps


def _turn(message: Mapping[str, Any]) -> dict[str, str]:
    """One message of a conversation as a turn of a chat; of calls the tool's name: the trace has their arguments."""
    kind = str(message.get("type") or message.get("role") or "?")
    given = message.get("tool_calls")
    calls = [call for call in given if isinstance(call, dict)] if isinstance(given, list) else []
    called = [f"→ {call.get('name')}" for call in calls]
    said = [_words(message.get("content")), *called]
    role = f"tool {message['name']}" if kind == "tool" and message.get("name") else _ROLES.get(kind, kind)
    return {"role": role, "content": "\n".join(part for part in said if part)}


def _words(content: Any) -> str:
    """A message's content: a text, or the texts of its blocks; other blocks by their type."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else [] if content is None else [content]
    return "\n".join(
        block if isinstance(block, str) else str(block.get("text") or f"({block.get('type', 'block')})")
        for block in blocks
        if isinstance(block, str | dict)
    )
