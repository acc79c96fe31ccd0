"""Langfuse, the way back: a verdict becomes a score of the trace or observation, and its queue item is completed.

The score's id is made from the event's id: Langfuse overwrites a score of the same id, so sending twice doubles
nothing. Each score is its own request, since a batch that half arrived (207) cannot be repeated safely.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from app.http import Http, check
from app.model.connection import Delivery
from app.model.errors import Undelivered
from app.model.policy import Strict
from app.model.words import Severity

_IDS = uuid.UUID("9d3f4d0e-7a3e-5d8c-8a55-0f7f0c6a4f21")
# What a score hangs at, by the type of a queue's item.
_TARGETS = {"TRACE": "traceId", "OBSERVATION": "observationId", "SESSION": "sessionId"}


class LangfuseOptions(Strict):
    """`[sources.NAME]` with `type = "langfuse"`; the sink takes the same.

    `url` is the server's; `public_key_secret` and `secret_key_secret` name the secrets that hold the project's two
    keys; `queue_id` is the annotation queue. `task_type`, `labels`, `positive` and `question` say what is decided.
    `label_score` names the score that holds the model's label, `score` one between 0 and 1. `severity` is what each
    item is flagged with. Verdicts are scores called `verdict_name`, labels `label_name`, better texts
    `correction_name` (no such score where a name is empty). `rationale` names the criterion whose answer becomes the
    scores' comment.
    """

    url: str
    public_key_secret: str
    secret_key_secret: str
    queue_id: str
    task_type: Literal["binary", "multiclass", "generation", "action"] = "generation"
    labels: list[str] = ["good", "bad"]
    positive: str = "bad"
    question: str = ""
    label_score: str = ""
    score: str = ""
    severity: Severity = "medium"
    verdict_name: str = "verdict"
    label_name: str = "label"
    correction_name: str = "correction"
    rationale: str = "rationale"


def connect(options: LangfuseOptions, secrets: Callable[[str], str]) -> Http:
    """The connection to the server. Raises Unavailable where a secret is missing."""
    keys = f"{secrets(options.public_key_secret)}:{secrets(options.secret_key_secret)}"
    return Http(options.url, {"authorization": f"Basic {base64.b64encode(keys.encode()).decode()}"})


class LangfuseSink:
    """Writes scores."""

    Options = LangfuseOptions

    def __init__(self, options: LangfuseOptions, secrets: Callable[[str], str], root: Path) -> None:
        self._options = options
        self._http = connect(options, secrets)

    def send(self, delivery: Delivery) -> None:
        """Writes the scores and completes the item; for a verdict taken back, deletes them and opens it again."""
        if not delivery.reference.get("item_id") or delivery.reference.get("object_type") not in _TARGETS:
            raise Undelivered("This case did not come from a queue of Langfuse: there is nothing to score.", final=True)
        data = delivery.event["data"]
        if delivery.kind == "retracted":
            self._delete(str(data.get("supersedes")))
            self._mark(delivery.reference, "PENDING")
            return
        for name, value in self._scores(data):
            self._write(delivery, name, value)
        if data.get("supersedes"):
            self._delete(str(data["supersedes"]))
        self._mark(delivery.reference, "COMPLETED")

    def _scores(self, data: Mapping[str, Any]) -> list[tuple[str, str]]:
        options = self._options
        named = [
            (options.verdict_name, data.get("verdict")),
            (options.label_name, data.get("label")),
            (options.correction_name, data.get("correction")),
        ]
        return [(name, str(value)) for name, value in named if name and value]

    def _write(self, delivery: Delivery, name: str, value: str) -> None:
        data, reference = delivery.event["data"], delivery.reference
        score: dict[str, Any] = {
            "id": _score_id(delivery.event_id, name),
            "name": name,
            "value": value,
            "dataType": "CATEGORICAL",
            _TARGETS[reference["object_type"]]: reference["object_id"],
            "metadata": {"event": delivery.event_id, "reasons": list(data.get("reasons") or ())},
        }
        if reference["object_type"] == "OBSERVATION":
            # An observation is found within its trace.
            score["traceId"] = reference.get("trace_id")
        why = (data.get("answers") or {}).get(self._options.rationale)
        if isinstance(why, str) and why:
            score["comment"] = why
        answer = self._http.request("POST", "/api/public/scores", json=score)
        if answer.status in (400, 422):
            # What the server says is left out: it may repeat the reviewer's words, and errors are kept in the open.
            raise Undelivered(
                f"Langfuse refuses the score '{name}' ({answer.status}). Does the project have a score config of this "
                "name that takes other values? Mend it or name another score in the settings, then replay.",
                final=True,
            )
        check(answer, f"{self._http.base}/api/public/scores")

    def _delete(self, event_id: str) -> None:
        options = self._options
        for name in filter(None, (options.verdict_name, options.label_name, options.correction_name)):
            path = f"/api/public/scores/{_score_id(event_id, name)}"
            answer = self._http.request("DELETE", path)
            if answer.status != 404:
                check(answer, self._http.base + path)

    def _mark(self, reference: Mapping[str, Any], status: str) -> None:
        """Sets the state of the queue's item. An item that was taken from the queue needs none."""
        queue, item = quote(self._options.queue_id, safe=""), quote(str(reference["item_id"]), safe="")
        path = f"/api/public/annotation-queues/{queue}/items/{item}"
        answer = self._http.request("PATCH", path, json={"status": status})
        if answer.status != 404:
            check(answer, self._http.base + path)

    def close(self) -> None:
        """Lets go of the connection."""
        self._http.close()


def _score_id(event_id: str, name: str) -> str:
    return str(uuid.uuid5(_IDS, f"{event_id}|{name}"))
