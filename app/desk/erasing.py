"""Erasing: everything that is kept of a case or a subject goes, everywhere we put it; the log stays whole.

Gone are the record, its words in the index, reviews, drafts, judgements, notes, sealed values and their keys,
the same in backups that we made, and quarantined records of the subject. What stays: entries of the log, which
hold no values, and a keyed digest of the prediction's id, so that it is not taken in again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from app.audit import log
from app.intake.admission import erased_digest, quarantine_context
from app.model.errors import BadInput, NothingToDo, Refused, SecondlookError, Unavailable
from app.model.policy import QueuePolicy
from app.protect.protector import Protector
from app.protect.seal import unseal
from app.secrets import Keys
from db import audit, backups, erasing, erasures, quarantine, search
from db.engine import Connection, Store
from db.erasing import Doomed, Export

RETRACTIONS = "retractions.jsonl"


@dataclass(slots=True)
class Plan:
    """What an erasure would take: cases, quarantined records, and datasets that hold them already."""

    cases: list[Doomed]
    quarantined: list[int]
    exports: dict[int, list[Export]] = field(default_factory=dict)

    @property
    def datasets(self) -> list[Export]:
        """The datasets that hold at least one of the cases."""
        return list({export.seq: export for found in self.exports.values() for export in found}.values())


@dataclass(slots=True)
class Erased:
    """What was done. `unreached` says in words what is left to be done by hand."""

    cases: int = 0
    reviews: int = 0
    quarantined: int = 0
    backups: int = 0
    retracted: list[Export] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)


def plan_subject(store: Store, keys: Keys, subject: str) -> Plan:
    """Every case and quarantined record of a subject. Raises NothingToDo without any."""
    protector = Protector(QueuePolicy(rubric="none"), keys.pseudonym)
    with store.read() as connection:
        found = [
            case
            for case in erasing.in_bucket(connection, protector.bucket(subject))
            if case.subject == protector.pseudonym(f"case:{case.external_id}", "subject", subject)
        ]
        found = erasing.with_copies(connection, found)
        held = _quarantined(connection, keys, subject)
        if not found and not held:
            raise NothingToDo(
                "Nothing is kept of this subject: no case and no quarantined record names it. Give it as records do."
            )
        return Plan(found, held, _exports(connection, found))


def plan_case(store: Store, case_id: int) -> Plan:
    """A prediction, in all its revisions."""
    with store.read() as connection:
        found = erasing.revisions(connection, case_id)
        if not found:
            raise BadInput("There is no such case.")
        return Plan(found, [], _exports(connection, found))


def erase(store: Store, keys: Keys | None, plan: Plan, actor: str, now: int, even_if_held: bool = False) -> Erased:
    """Carries a plan out: all of it in one transaction, then the copies. Raises Refused while somebody holds a case.

    Without the workspace's keys what is erased could be taken in again; `unreached` says so.
    """
    done = Erased()
    with store.write() as connection:
        there = erasing.cases(connection, [case.case_id for case in plan.cases])
        if not even_if_held:
            _refuse_held(there, now)
        done.reviews = erase_cases(connection, keys, there, actor, now)
        for quarantine_id in plan.quarantined:
            quarantine.close(connection, quarantine_id, "discarded")
        done.cases, done.quarantined = len(there), len(plan.quarantined)
        if plan.quarantined:
            log.append(connection, now, actor, "discarded", None, {"quarantined": len(plan.quarantined)})
        copies = backups.known(connection)
    if keys is None:
        done.unreached.append(
            "The workspace key is not here, so nothing was noted that keeps the erased predictions from being imported "
            "again."
        )
    if not store.truncate_log():
        done.unreached.append(
            "SQLite's write-ahead log still holds old pages, since others have the database open: they go when the "
            "last of them closes it, or with `secondlook erase --finish`."
        )
    for path, _ in copies:
        _erase_in_backup(keys, path, plan, actor, now, done)
    _retract(plan, now, done)
    return done


def copies(store: Store) -> list[Path]:
    """The backups that an erasure reaches or names."""
    with store.read() as connection:
        return [path for path, _ in backups.known(connection)]


def finish(store: Store) -> None:
    """Empties SQLite's write-ahead log. Raises Unavailable while others are reading it."""
    if not store.truncate_log():
        raise Unavailable("Others have the database open. Close the other terminals and do it again.")


def erase_cases(connection: Connection, keys: Keys | None, cases: Sequence[Doomed], actor: str, now: int) -> int:
    """Deletes cases and says so in the log; returns how many reviews went with them."""
    reviews = 0
    for case in cases:
        gone = erasing.erase(connection, case.case_id)
        reviews += gone["reviews"]
        log.append(
            connection, now, actor, "erased", case.case_id, {"reviews": gone["reviews"], "drafts": gone["drafts"]}
        )
    if keys is not None:
        erasures.note(connection, (erased_digest(keys, case.queue, case.external_id) for case in cases), now)
    if cases:
        search.merge(connection)
    return reviews


def _refuse_held(cases: Sequence[Doomed], now: int) -> None:
    for case in cases:
        if case.state == "leased" and case.until is not None and case.until > now:
            minutes = -(-(case.until - now) // 60_000)
            raise Refused(
                f"{case.holder} holds {case.external_id} for {minutes} more minutes. Nothing was erased. Wait, or add "
                "--even-if-held: what they have not submitted goes as well."
            )


def _quarantined(connection: Connection, keys: Keys, subject: str) -> list[int]:
    """Held records in which the subject occurs."""
    needles = {subject.encode(), orjson.dumps(subject)[1:-1]}
    found = []
    for held in quarantine.held(connection):
        one = quarantine.one(connection, held.quarantine_id)
        if one is not None:
            data = unseal(keys.quarantine, one[1], quarantine_context(held.queue))
            if any(needle in data for needle in needles):
                found.append(held.quarantine_id)
    return found


def _exports(connection: Connection, cases: Sequence[Doomed]) -> dict[int, list[Export]]:
    """The datasets that hold each case, told from the log: those written while it had a verdict with a label."""
    by_queue = {queue: erasing.exports(connection, queue) for queue in {case.queue for case in cases}}
    found = {}
    for case in cases:
        within = _labelled_between(connection, case.case_id)
        found[case.case_id] = [e for e in by_queue[case.queue] if any(a < e.seq < b for a, b in within)]
    return found


def _labelled_between(connection: Connection, case_id: int) -> list[tuple[float, float]]:
    """Between which entries of the log a case had a verdict with a label."""
    spans: list[tuple[float, float]] = []
    since: float | None = None
    for entry in reversed(audit.of_case(connection, case_id, limit=None)):
        if entry.action == "decided" and orjson.loads(entry.body)["data"].get("verdict") != "unresolvable":
            since = entry.seq
        elif entry.action == "undone" and since is not None:
            spans.append((since, entry.seq))
            since = None
    return [*spans, (since, float("inf"))] if since is not None else spans


def _erase_in_backup(keys: Keys | None, path: Path, plan: Plan, actor: str, now: int, done: Erased) -> None:
    if not path.exists():
        done.unreached.append(f"The backup {path} is not where it was written. If you moved it, erase there as well.")
        return
    try:
        copy = backups.opened(path)
        try:
            with copy.write() as connection:
                erase_cases(connection, keys, erasing.cases(connection, [c.case_id for c in plan.cases]), actor, now)
                for quarantine_id in plan.quarantined:
                    quarantine.close(connection, quarantine_id, "discarded")
            copy.truncate_log()
        finally:
            copy.close()
    except SecondlookError as error:
        done.unreached.append(f"The backup {path} could not be changed: {error}")
        return
    done.backups += 1


def _retract(plan: Plan, now: int, done: Erased) -> None:
    """Writes into each dataset's folder which rows must not be used any more."""
    for export in plan.datasets:
        rows = [
            {"id": case.external_id, "revision": case.revision, "dataset": export.sha256, "erased_at": now}
            for case in plan.cases
            if any(e.seq == export.seq for e in plan.exports[case.case_id])
        ]
        try:
            with (Path(export.folder) / RETRACTIONS).open("ab") as file:
                file.write(b"".join(orjson.dumps(row) + b"\n" for row in rows))
        except OSError as error:
            done.unreached.append(
                f"The dataset {export.folder}/{export.file} ({len(rows)} rows of it) could not get its "
                f"{RETRACTIONS}: {error.strerror}. Tell whoever has it."
            )
        else:
            done.retracted.append(export)
