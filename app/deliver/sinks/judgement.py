"""What sinks that write a judgement beside a trace have in common: the words of an event, and what a refusal means."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from app.deliver.webhooks import retry_after
from app.http import Answer, Http
from app.model.connection import Delivery
from app.model.errors import Unavailable, Undelivered

# Refusals that may pass: by who asks, or when.
_PASSING = frozenset((401, 403, 408, 425, 429))
RETRACTED = "The decision was taken back."
_AGAIN = "The verdict is kept and tried again."
_DENIED = "The credentials are missing, wrong or expired, or may not write: set the secret anew."
_REFUSED = "The verdict stays in this workspace; trying again would not change the answer."
_STRANGE = "That is no answer of this kind of server: check `url` in the settings."


def asked(http: Http, method: str, path: str, final: Mapping[int, str] | None = None, **more: Any) -> Answer:
    """A good answer. Raises Undelivered; final for a refusal (4xx) in JSON that trying again cannot change. A refusal
    in anything else comes from something in between, or from another address. `final` says in words what these
    statuses mean at this request; a 404 that is not among them passes."""
    try:
        answer = http.request(method, path, **more)
    except Unavailable as error:
        raise Undelivered(f"{str(error).removesuffix(' It is tried again later.')} {_AGAIN}") from None
    if 200 <= answer.status < 300:
        return answer
    words = final or {}
    refused = 400 <= answer.status < 500 and answer.status not in _PASSING
    over = refused and _is_object(answer) and (answer.status != 404 or 404 in words)
    said = _meaning(answer, over, words)
    later = retry_after(answer.headers.get("retry-after", ""), time.time())
    # What the server says is left out: it may repeat the reviewer's words, and errors are kept in the open.
    raise Undelivered(f"{http.base}{path} answered {answer.status} to {method}. {said}", later, over)


def _meaning(answer: Answer, over: bool, words: Mapping[int, str]) -> str:
    """What a refusal means to a person, and what to do."""
    if over:
        return words.get(answer.status, _REFUSED)
    if answer.status in (401, 403):
        return f"{_DENIED} {_AGAIN}"
    if answer.status == 404 and _is_object(answer):
        return f"It is not there yet, or not any more. {_AGAIN}"
    # Servers that are overloaded, or behind a gateway, answer in HTML too.
    return f"{_STRANGE} {_AGAIN}" if answer.status < 500 and not _is_object(answer) else _AGAIN


def _is_object(answer: Answer) -> bool:
    """Whether an answer is a JSON object, as these servers' own refusals are."""
    try:
        return isinstance(answer.json(), dict)
    except Unavailable:
        return False


def json_of(answer: Answer) -> Any:
    """A good answer's JSON. Raises Undelivered."""
    try:
        return answer.json()
    except Unavailable as error:
        raise Undelivered(f"{str(error).removesuffix(' Nothing was taken.')} {_AGAIN}") from None


def data_of(delivery: Delivery) -> Mapping[str, Any]:
    """The event's data."""
    data = delivery.event.get("data")
    return data if isinstance(data, Mapping) else {}


def place_of(delivery: Delivery, key: str, server: str) -> str:
    """What the source gave to find the case again. Raises Undelivered (final) for a case of another source."""
    found = delivery.reference.get(key)
    if not isinstance(found, str) or not found:
        raise Undelivered(f"This case did not come from {server}: it has no {key} to answer to.", final=True)
    return found


def rationale_of(data: Mapping[str, Any]) -> str:
    """Why, in the reviewer's words; else the reasons' codes."""
    answers = data.get("answers") or {}
    said = answers.get("rationale") if isinstance(answers, Mapping) else None
    return str(said) if said else ", ".join(map(str, data.get("reasons") or ()))


def details_of(delivery: Delivery) -> dict[str, str]:
    """What else a verdict says, as texts: its event, queue, label, reasons, rubric, when, and what it supersedes."""
    data = data_of(delivery)
    rubric = data.get("rubric") or {}
    found = {
        "review_id": delivery.event_id,
        "queue": data.get("queue"),
        "decision_id": data.get("decision_id"),
        "decided_at": data.get("decided_at"),
        "label": data.get("label"),
        "correction": data.get("correction"),
        "reasons": ", ".join(map(str, data.get("reasons") or ())),
        "rubric": f"{rubric.get('id')} {rubric.get('version')}" if rubric else None,
        "supersedes": data.get("supersedes"),
    }
    return {key: str(value) for key, value in found.items() if value not in (None, "")}
