"""LangGraph, the way back: a verdict resumes the thread that waits at its interrupt.

Upheld approves, overturned rejects with the reasons as message, corrected goes on with the edited arguments. The run
that resumes the thread carries the event's id: sending again does nothing, and somebody else's answer is told apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import orjson

from app.deliver.sinks.edited import edited_calls
from app.http import Http, check
from app.model.connection import Delivery
from app.model.errors import Undelivered
from app.model.policy import Strict
from app.model.words import Severity

# The key of a run's metadata that holds the event it was started with.
_EVENT = "secondlook_event"
_MOST_RUNS = 100


class LangGraphOptions(Strict):
    """`[sources.NAME]` with `type = "langgraph"`; the sink takes the same.

    `url` is the server's. `token_secret` names the secret sent as `token_header` (with "Bearer " before it where that
    is `authorization`). `assistant` resumes threads whose metadata name none. `metadata` narrows the search to threads
    with these metadata; `subject` names the key of a thread's metadata that says whom it is about; `messages` the key
    of the state that holds the conversation. `severity` is by tool, `other_severity` for all others. `rationale` names
    the criterion whose answer is sent along with a rejection. Interrupts of any other shape than tool calls are
    answered with `approve_value` or `reject_value`. `unresolvable`: what happens when nobody could tell.
    """

    url: str
    token_secret: str = ""
    token_header: str = "x-api-key"
    assistant: str = ""
    metadata: dict[str, Any] = {}
    subject: str = ""
    messages: str = "messages"
    severity: dict[str, Severity] = {}
    other_severity: Severity = "high"
    rationale: str = "rationale"
    approve_value: Any = True
    reject_value: Any = False
    unresolvable: Literal["reject", "leave"] = "reject"


def connect(options: LangGraphOptions, secrets: Callable[[str], str]) -> Http:
    """The connection to the server. Raises Unavailable where the secret is missing, SettingsError for a bad `url`."""
    headers = {}
    if options.token_secret:
        bearer = "Bearer " if options.token_header.lower() == "authorization" else ""
        headers[options.token_header] = bearer + secrets(options.token_secret)
    return Http(options.url, headers)


def digest(value: Any) -> str:
    """What tells one question of an interrupt from the next: LangGraph gives both the same id within one node."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def open_interrupts(thread: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    """The interrupts a thread waits at, each with `id` and `value`; None where the answer has no such shape."""
    by_task = thread.get("interrupts")
    if not isinstance(by_task, dict) or not all(isinstance(found, list) for found in by_task.values()):
        return None
    found = [one for task in sorted(by_task) for one in by_task[task]]
    return found if all(isinstance(one, dict) for one in found) else None


def tool_calls(value: Any) -> list[Mapping[str, Any]] | None:
    """The calls that wait for approval, each with `name` and `args`; None for an interrupt of another shape."""
    requests = value.get("action_requests") if isinstance(value, dict) else None
    if not isinstance(requests, list) or not requests:
        return None
    fits = all(
        isinstance(r, dict) and isinstance(r.get("name"), str) and isinstance(r.get("args"), dict) for r in requests
    )
    return requests if fits else None


class LangGraphSink:
    """Resumes threads."""

    Options = LangGraphOptions

    def __init__(self, options: LangGraphOptions, secrets: Callable[[str], str], root: Path) -> None:
        self._options = options
        self._http = connect(options, secrets)

    def send(self, delivery: Delivery) -> None:
        """Resumes the thread, if it still waits at this interrupt. Raises Undelivered."""
        reference = delivery.reference
        if not reference.get("thread_id") or not reference.get("interrupt_id"):
            raise Undelivered("This case did not come from LangGraph: there is no thread to resume.", final=True)
        if delivery.kind == "retracted":
            self._take_back(reference, str(delivery.event["data"].get("supersedes")))
            return
        waiting = self._waiting(reference, delivery.event_id)
        if waiting is None:
            self._check_answered(reference, delivery.event_id)
            return
        answer = self._answer(delivery.event["data"], waiting[0])
        if answer is not None:
            self._resume(reference, delivery.event_id, answer[0])

    def _waiting(self, reference: Mapping[str, Any], event_id: str) -> tuple[Any] | None:
        """The interrupt's value, if the thread waits for this answer; None: it has gone on. Raises Undelivered where
        another run than this event's is under way: it may be for another interrupt of the thread."""
        where = _thread_path(reference)
        answer = self._http.request("GET", where)
        if answer.status in (404, 410):
            raise Undelivered(
                f"Thread {reference['thread_id']} is not there any more: nobody waits for this verdict.", final=True
            )
        check(answer, self._http.base + where)
        thread = answer.json()
        status = thread.get("status") if isinstance(thread, dict) else None
        found = open_interrupts(thread) if status == "interrupted" else []
        if status is None or found is None:
            raise Undelivered(
                f"Thread {reference['thread_id']}: expected 'status' and 'interrupts', as LangGraph's threads have "
                "them. The verdict is kept.",
            )
        for one in found:
            if one.get("id") == reference["interrupt_id"] and digest(one.get("value")) == reference.get("digest"):
                return (one.get("value"),)
        if status == "busy" and not self._told(reference, event_id):
            raise Undelivered("The agent is at work on this thread just now.")
        return None

    def _told(self, reference: Mapping[str, Any], event_id: str) -> bool:
        """Whether a run of this thread was started with this event."""
        where = f"{_thread_path(reference)}/runs"
        runs = self._http.ask("GET", where, params={"limit": _MOST_RUNS, "select": "metadata"})
        given = [run.get("metadata") for run in runs if isinstance(run, dict)] if isinstance(runs, list) else []
        return any(metadata.get(_EVENT) == event_id for metadata in given if isinstance(metadata, dict))

    def _check_answered(self, reference: Mapping[str, Any], event_id: str) -> None:
        """Raises Undelivered where the thread went on, and not with this verdict."""
        if not self._told(reference, event_id):
            raise Undelivered(
                f"Thread {reference['thread_id']} was answered by somebody else before this verdict came: the agent "
                "went on without it. The verdict is kept here. Look at the thread, and put right what the agent did.",
                final=True,
            )

    def _take_back(self, reference: Mapping[str, Any], event_id: str) -> None:
        """Nothing where the agent was never told; raises Undelivered where it was."""
        if self._told(reference, event_id):
            raise Undelivered(
                "The agent went on when it got the verdict; that cannot be taken back. Look at thread "
                f"{reference['thread_id']}, and put right what the agent did.",
                final=True,
            )

    def _answer(self, data: Mapping[str, Any], value: Any) -> tuple[Any] | None:
        """What the interrupt is answered with; None leaves the thread waiting."""
        kind = _decision(data)
        if kind == "unresolvable":
            if self._options.unresolvable == "leave":
                return None
            kind = "reject"
        calls = tool_calls(value)
        if calls is None:
            if kind == "edit":
                return (_any_json(data.get("correction")),)
            return (self._options.approve_value if kind == "approve" else self._options.reject_value,)
        _check_allowed(kind, value, calls)
        if kind == "edit":
            edited = edited_calls(str(data.get("correction") or ""), calls, _schemas(value))
            return ({"decisions": [{"type": "edit", "edited_action": call} for call in edited]},)
        decision = {"type": kind} if kind == "approve" else {"type": kind, "message": self._message(data)}
        return ({"decisions": [decision for _ in calls]},)

    def _message(self, data: Mapping[str, Any]) -> str:
        """What the agent is told about a rejection."""
        unresolvable = data.get("verdict") == "unresolvable"
        start = (
            "Not approved: a reviewer could not tell whether it is right." if unresolvable else "Rejected by review."
        )
        reasons = ", ".join(str(reason) for reason in data.get("reasons") or ())
        why = (data.get("answers") or {}).get(self._options.rationale)
        parts = [start, f"Reasons: {reasons}." if reasons else "", why if isinstance(why, str) else ""]
        return " ".join(part for part in parts if part)

    def _resume(self, reference: Mapping[str, Any], event_id: str, answer: Any) -> None:
        body = {
            "assistant_id": reference.get("assistant_id") or self._options.assistant,
            "command": {"resume": {reference["interrupt_id"]: answer}},
            # By this a later attempt tells its own run from somebody else's.
            "metadata": {_EVENT: event_id},
            # A run that has begun meanwhile is not disturbed: it may be this very answer.
            "multitask_strategy": "reject",
        }
        if not body["assistant_id"]:
            raise Undelivered(
                f"Thread {reference['thread_id']} names no assistant: set `assistant` in the settings, then replay.",
                final=True,
            )
        # Not `runs/wait`: how long the agent takes is not the verdict's business.
        said = self._http.request("POST", f"{_thread_path(reference)}/runs", json=body)
        if said.status in (409, 422) and self._waiting(reference, event_id) is None:
            self._check_answered(reference, event_id)
        elif not 200 <= said.status < 300:
            # What the server says is left out: it may repeat arguments that are withheld here.
            raise Undelivered(f"LangGraph answered {said.status} when thread {reference['thread_id']} was resumed.")

    def close(self) -> None:
        """Lets go of the connection."""
        self._http.close()


def _thread_path(reference: Mapping[str, Any]) -> str:
    return f"/threads/{quote(str(reference['thread_id']), safe='')}"


def _decision(data: Mapping[str, Any]) -> str:
    """approve, reject, edit or unresolvable."""
    verdict, label = data.get("verdict"), data.get("label")
    if verdict == "corrected" and label == "reject":
        raise Undelivered(
            "The verdict rejects the action and corrects its arguments: it cannot be both. The agent still waits: "
            "answer the thread in LangGraph.",
            final=True,
        )
    kind = {"upheld": "approve", "overturned": "reject", "corrected": "edit", "unresolvable": "unresolvable"}
    if verdict not in kind:
        raise Undelivered(f"'{verdict}' is no verdict that an agent can be told.", final=True)
    return kind[verdict]


def _any_json(text: Any) -> Any:
    try:
        return orjson.loads(text or "")
    except orjson.JSONDecodeError as error:
        raise Undelivered(
            f"The correction is no JSON ({error}): the agent was not resumed and still waits. Answer the thread in "
            "LangGraph.",
            final=True,
        ) from None


def _configs(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The agent's rules for the calls that wait."""
    configs = value.get("review_configs")
    return [config for config in configs if isinstance(config, dict)] if isinstance(configs, list) else []


def _schemas(value: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schemas of arguments by the tool's name, for tools that have one."""
    return {str(c.get("action_name")): c["args_schema"] for c in _configs(value) if c.get("args_schema")}


def _check_allowed(kind: str, value: Mapping[str, Any], calls: list[Mapping[str, Any]]) -> None:
    """Raises Undelivered where the agent's own rules do not allow this decision for one of the calls."""
    allowed = {c.get("action_name"): c.get("allowed_decisions") for c in _configs(value)}
    for call in calls:
        offered = allowed.get(call["name"])
        if isinstance(offered, list) and kind not in offered:
            raise Undelivered(
                f"The agent does not take '{kind}' for {call['name']} (it takes {', '.join(map(str, offered))}): it "
                "still waits. Answer the thread in LangGraph.",
                final=True,
            )
