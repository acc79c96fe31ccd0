"""Retention: what a queue's policy lets go of after its days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.audit import log
from app.desk.erasing import erase_cases
from app.model.policy import QueuePolicy
from app.secrets import Keys
from db import erasing, quarantine, sealed
from db.engine import Store

_DAY_MS = 86_400_000
# Cases in one transaction: others get their turn in between.
_CHUNK = 500


@dataclass(slots=True)
class Let:
    """What goes, or went, in one queue: settled cases, sealed values of cases, quarantined records."""

    queue: str
    cases: int = 0
    sealed: int = 0
    quarantined: int = 0

    @property
    def anything(self) -> bool:
        """Whether anything goes."""
        return bool(self.cases or self.sealed or self.quarantined)


def due(store: Store, policies: Mapping[str, QueuePolicy], now: int) -> list[Let]:
    """What would go now; queues whose policy says nothing are left out."""
    found = []
    for queue, policy in policies.items():
        days = policy.retain
        let = Let(queue)
        with store.read() as connection:
            if days.settled_days is not None:
                let.cases = erasing.count_settled_before(connection, queue, _before(now, days.settled_days))
            if days.sealed_days is not None:
                let.sealed = sealed.count_older_than(connection, queue, _before(now, days.sealed_days))
            if days.quarantine_days is not None:
                let.quarantined = len(_held_before(store, queue, _before(now, days.quarantine_days)))
        if days != type(days)():
            found.append(let)
    return found


def retain(store: Store, keys: Keys, policies: Mapping[str, QueuePolicy], actor: str, now: int) -> list[Let]:
    """Lets go of what is due, in small transactions: stopping in between loses nothing and doubles nothing."""
    done = []
    for queue, policy in policies.items():
        days, let = policy.retain, Let(queue)
        if days.settled_days is not None:
            let.cases = _cases(store, keys, queue, actor, _before(now, days.settled_days), now)
        if days.sealed_days is not None:
            let.sealed = _sealed(store, queue, actor, _before(now, days.sealed_days), now)
        if days.quarantine_days is not None:
            let.quarantined = _quarantined(store, queue, actor, _before(now, days.quarantine_days), now)
        if days != type(days)():
            done.append(let)
    return done


def _before(now: int, days: float) -> int:
    return now - round(days * _DAY_MS)


def _cases(store: Store, keys: Keys, queue: str, actor: str, moment: int, now: int) -> int:
    gone = 0
    while True:
        with store.write() as connection:
            chunk = erasing.settled_before(connection, queue, moment, _CHUNK)
            if not chunk:
                return gone
            erase_cases(connection, keys, erasing.cases(connection, chunk), actor, now)
        gone += len(chunk)


def _sealed(store: Store, queue: str, actor: str, moment: int, now: int) -> int:
    gone = 0
    while True:
        with store.write() as connection:
            chunk = sealed.older_than(connection, queue, moment, _CHUNK)
            if not chunk:
                return gone
            sealed.drop(connection, chunk)
            log.append(connection, now, actor, "unsealed", None, {"queue": queue, "cases": len(chunk)})
        gone += len(chunk)


def _quarantined(store: Store, queue: str, actor: str, moment: int, now: int) -> int:
    doomed = _held_before(store, queue, moment)
    if doomed:
        with store.write() as connection:
            for quarantine_id in doomed:
                quarantine.close(connection, quarantine_id, "discarded")
            log.append(connection, now, actor, "discarded", None, {"queue": queue, "quarantined": len(doomed)})
    return len(doomed)


def _held_before(store: Store, queue: str, moment: int) -> list[int]:
    with store.read() as connection:
        return [held.quarantine_id for held in quarantine.held(connection, queue) if held.at < moment]
