"""Events: what is said of a case when it is settled, and when that is taken back.

An event is a CloudEvent (1.0, structured JSON). It is written in the transaction of the act it speaks of; its id
is the same however often it is sent. `sequence` counts the events of a case; a later one supersedes the earlier.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from app.model.policy import QueuePolicy
from db import connections, outbox
from db.engine import Connection

VERDICT = "io.secondlook.verdict.v1"
RETRACTED = "io.secondlook.verdict.retracted.v1"


@dataclass(frozen=True, slots=True)
class Routes:
    """Where verdicts go beside the sinks that a queue's policy names: back to sources that want them.

    `after_undo`: sources and sinks that get nothing before the undo of a decision is over.
    """

    replying: frozenset[str] = frozenset()
    after_undo: frozenset[str] = frozenset()

    def sinks(self, connection: Connection, case_id: int, policy: QueuePolicy) -> list[str]:
        """The names of those that get a case's verdict."""
        names = list(policy.deliver)
        if self.replying:
            source, _ = connections.origins(connection, [case_id]).get(case_id, ("", ""))
            if source in self.replying:
                names.append(source)
        return names

    def due(self, sink: str, now: int, policy: QueuePolicy) -> int:
        """When a verdict may go to a sink."""
        return now + round(policy.undo_minutes * 60_000) if sink in self.after_undo else now


def put_verdict(
    connection: Connection,
    routes: Routes,
    policy: QueuePolicy,
    case: Any,
    review: Mapping[str, Any],
    rubric: Any,
    event_id: str,
) -> None:
    """Writes the event of a verdict, if somebody waits for it. `case` is its row with the record, `review` the columns
    of the review that it follows and of the verdict, `rubric` the rubric it was made by, `event_id` the decision that
    settled the case."""
    sinks = routes.sinks(connection, case.case_id, policy)
    if not sinks:
        return
    before = outbox.newest(connection, case.case_id)
    data = {
        "id": case.external_id,
        "revision": case.revision,
        "queue": case.queue,
        "predicted_label": case.predicted_label,
        "predicted_score": case.predicted_score,
        "verdict": review["verdict"],
        "label": review["label"],
        "correction": review["correction"],
        "reasons": orjson.loads(review["reasons"]),
        "answers": orjson.loads(review["answers"]),
        "reviewers": review["reviewers"],
        "agreement": review["agreement"],
        "rubric": {"id": rubric.id, "version": rubric.version, "hash": rubric.hash},
        "decision_id": review["review_id"],
        "decided_at": _iso(review["settled_at"]),
        "supersedes": before.event_id if before else None,
    }
    _put(connection, routes, policy, case, sinks, event_id, "verdict", review["settled_at"], data, before)


def put_retraction(
    connection: Connection, routes: Routes, policy: QueuePolicy, case: Any, review_id: str, now: int
) -> None:
    """Takes a verdict's event back: to those who were not told nothing is sent, to the others that it is void."""
    before = outbox.newest(connection, case.case_id)
    if before is None or before.kind != "verdict":
        return
    told = outbox.cancel_unsent(connection, before.event_id)
    if told:
        data = {
            "id": case.external_id,
            "revision": case.revision,
            "queue": case.queue,
            "decision_id": review_id,
            "supersedes": before.event_id,
        }
        event_id = str(uuid.uuid4())
        _put(connection, routes, policy, case, told, event_id, "retracted", now, data, before)


def _put(
    connection: Connection,
    routes: Routes,
    policy: QueuePolicy,
    case: Any,
    sinks: list[str],
    event_id: str,
    kind: str,
    now: int,
    data: dict[str, Any],
    before: Any,
) -> None:
    sequence = before.sequence + 1 if before else 1
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/secondlook/queues/{case.queue}",
        "type": VERDICT if kind == "verdict" else RETRACTED,
        "subject": case.external_id,
        "time": _iso(now),
        "datacontenttype": "application/json",
        # The extension `sequence` of CloudEvents: a string that sorts.
        "sequence": f"{sequence:010d}",
        "data": data,
    }
    row = {
        "event_id": event_id,
        "case_id": case.case_id,
        "sequence": sequence,
        "kind": kind,
        "body": orjson.dumps(event).decode(),
        "at": now,
    }
    outbox.put(connection, row, [(sink, routes.due(sink, now, policy)) for sink in sinks])


def _iso(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
