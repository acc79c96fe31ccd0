"""Putting the cases of a queue in order again where its first judgement was switched on or off after they came in.

Opening a desk, a hub or an import sees to it, before anything is shown. Where nothing is to do, that is one short
query.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from app.audit import log
from app.intake import drawn, route
from app.model.policy import QueuePolicy
from app.model.prediction import Prediction
from db import ordering, search
from db.engine import Connection, Store

# Cases in one transaction: others get their turn in between.
_CHUNK = 500
# The desk has no workspace key. Nothing is lost: what is drawn from an id tells no more than the id, and the key only
# keeps senders from choosing ids that come first.
_NO_KEY = b"no key"
# By store the queues that were looked at, and whether nothing of what the model said was to be in their order.
_known: weakref.WeakKeyDictionary[Store, dict[str, bool]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def put_in_order(store: Store, policies: Mapping[str, QueuePolicy], actor: str, clock: Callable[[], int]) -> None:
    """Sees to it that the cases of these queues are in the order that their policies want: where people judge first,
    one with nothing of what the model said in it."""
    wanted = {queue: policy.provisional for queue, policy in policies.items()}
    with _lock:
        known = _known.setdefault(store, {})
        if wanted.items() <= known.items():
            return
    with store.read() as connection:
        blind = ordering.blind_queues(connection)
    for queue, policy in policies.items():
        if policy.provisional != (queue in blind):
            _put_in_order(store, queue, policy, actor, clock)
    with _lock:
        known.update(wanted)


def _put_in_order(store: Store, queue: str, policy: QueuePolicy, actor: str, clock: Callable[[], int]) -> None:
    """All cases of a queue, the settled ones too: their decisions may be taken back."""
    after, count = 0, 0
    while True:
        with store.write() as connection:
            found = ordering.misplaced(connection, queue, policy.provisional, after, _CHUNK)
            if not found:
                _note(connection, queue, policy, count, actor, clock())
                return
            ordering.place(connection, list(_placed(found, queue, policy)))
        after, count = found[-1].case_id, count + len(found)


def _note(connection: Connection, queue: str, policy: QueuePolicy, count: int, actor: str, now: int) -> None:
    if count:
        # The words that were searched before, among them the model's, leave the file.
        search.merge(connection)
        log.append(connection, now, actor, "reordered", None, {"queue": queue, "cases": count})
    ordering.note(connection, queue, policy.provisional, now)


def _placed(found: Iterable[Any], queue: str, policy: QueuePolicy) -> Iterable[dict[str, Any]]:
    for row in found:
        record = orjson.loads(row.record)
        domain = record.get("domain")
        if policy.provisional:
            place = drawn.place(policy, domain, row.admitted_at, drawn.draw(_NO_KEY, queue, row.external_id))
        else:
            place = route.place(Prediction.model_validate_json(row.record), domain, row.admitted_at, policy)
        outline = route.outline(record, policy)
        words = {"title": outline.title, "search": outline.search}
        yield {"case_id": row.case_id, **place._asdict(), **words}
