"""Admission: a stream into a queue, batch by batch, each batch one transaction.

A record that is held already with the same content is a duplicate; with other content it is
quarantined as changed. What cannot be used is quarantined with its reason. Stopping anywhere loses
and doubles nothing: what was committed is found again as duplicates.
"""

from __future__ import annotations

import hmac
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePath
from typing import Any

import orjson

from app.audit import log
from app.desk.controls import make_way
from app.intake.ordering import put_in_order
from app.intake.parallel import Batch, Batches, Prepared, in_processes
from app.intake.prepare import Bad, Preparer, Ready, Recipe
from app.intake.read import Raw
from app.model.errors import BadInput, RecordError
from app.model.policy import QueuePolicy
from app.protect.envelope import OfficerKey
from app.protect.own_id import SEALED
from app.protect.seal import seal, unseal
from app.secrets import Keys
from db import cases, connections, erasures, ordering, quarantine, sealed
from db.engine import Connection, Store
from db.quarantine import Held

# Rows of a batch that leaves numbers free in every queue; smaller ones do where the policy measures reviewers.
_ROOM_FROM = 25
# From one number to the next: each number is taken with the same chance, whatever those before it are, so that one
# that is taken later looks like all others.
_TAKEN = 0.35
_STEPS = range(1, 25)
_WEIGHTS = [_TAKEN * (1 - _TAKEN) ** (step - 1) for step in _STEPS]


@dataclass(slots=True)
class Count:
    """What became of the records of one import. Of the duplicates, `erased` were erased here before: they are
    not taken again."""

    admitted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    erased: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    told_by_id: int = 0
    told_by_file: int = 0
    """Of the admitted ones, those whose id, or the name of whose file, holds a value that is withheld elsewhere."""

    def as_dict(self) -> dict[str, int]:
        """The three numbers."""
        return {"admitted": self.admitted, "duplicates": self.duplicates, "quarantined": self.quarantined}


class Admission:
    """Admits records to one queue."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        queue: str,
        policy: QueuePolicy,
        actor: str,
        columns: dict[str, str] | None = None,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._store = store
        self._keys = keys
        self._queue = queue
        self._actor = actor
        self._clock = clock
        self._given = dict(columns or {})
        put_in_order(store, {queue: policy}, actor, clock)
        with store.read() as connection:
            officers = tuple(OfficerKey(o.person, o.public_key) for o in sealed.officers(connection))
        self._recipe = Recipe(queue, policy, keys, {**policy.csv.columns, **(columns or {})}, officers)
        self.count = Count()

    @cached_property
    def _preparer(self) -> Preparer:
        return Preparer(self._recipe)

    def admit(self, items: list[Raw], source: str, prepare: Callable[[Recipe, Batch], Prepared]) -> Count:
        """Admits a few items in one transaction, made ready by `prepare`."""
        self._admit(prepare(self._recipe, Batch(items, self._clock())), source)
        return self.count

    def run(self, items: Iterable[Raw], source: str, workers: int = 0) -> Iterator[Count]:
        """Admits everything; yields the running count after each committed batch.

        With `workers` other processes prepare a long import, and this one writes. A source that breaks off raises
        its BadInput after what it gave before is kept.
        """
        self._recipe = replace(self._recipe, file=PurePath(source).name)
        self.__dict__.pop("_preparer", None)
        batches = Batches(self._with_known_columns(items), self._clock)
        prepared = in_processes(self._recipe, batches, workers) if workers else map(self._prepare, batches)
        for batch in prepared:
            self._admit(batch, source)
            yield self.count
        if batches.broken:
            raise batches.broken

    def _with_known_columns(self, items: Iterable[Raw]) -> Iterator[Raw]:
        """The items; of a table that lacks a mapped column, none."""
        for number, raw in enumerate(items):
            if number == 0 and raw.row:
                missing = [column for column in self._given if column not in raw.row]
                if missing:
                    raise BadInput(
                        f"There is no column '{missing[0]}', which --map names. Nothing was imported from it. "
                        f"Columns: {', '.join(map(str, raw.row))}."
                    )
            yield raw

    def _prepare(self, batch: Batch) -> Prepared:
        return [(raw, self._preparer.prepare(raw, batch.now)) for raw in batch.items]

    def try_out(self, raw: Raw) -> RecordError | None:
        """What would keep an item from being admitted; nothing is kept."""
        found = self._preparer.prepare(raw, self._clock())
        return found.error if isinstance(found, Bad) else None

    def retry(self, held: Held, sealed: bytes, as_revision: bool) -> int:
        """Admits a quarantined record after all; returns its case_id.

        `as_revision` admits other content under a known id. Raises RecordError where it still fails.
        """
        if held.code == "too_large":
            raise BadInput("Only the beginning of this record was kept. Split the original and import it again.")
        raw, preparer = self._opened(held, sealed)
        ready = preparer.prepare(raw, self._clock())
        if isinstance(ready, Bad):
            raise ready.error
        with self._store.write() as connection:
            self._check_order(connection)
            known = cases.known_contents(connection, self._queue, [ready.external_id]).get(ready.external_id, [])
            if ready.content in known:
                raise BadInput(f"{ready.external_id} is held already with this content.")
            if known and not as_revision:
                raise BadInput(
                    f"{ready.external_id} is held already with other content. "
                    "Add --as-revision to admit this one beside it."
                )
            ready.row["revision"] = len(known) + 1
            if self._erased(connection, [ready]):
                raise BadInput(f"{ready.external_id} was erased here; it is not taken again.")
            first, _ = cases.admit(connection, [ready.row])
            _keep_sealed(connection, [ready])
            _keep_origins(connection, [ready], held.source)
            quarantine.close(connection, held.quarantine_id, "retried")
            log.append(
                connection, self._clock(), self._actor, "retried", first,
                {"quarantine": held.quarantine_id, "revision": len(known) + 1},
            )  # fmt: skip
        return first

    def protected_view(self, held: Held, sealed: bytes) -> dict[str, Any] | None:
        """What may be shown of a quarantined record: protected, or None where it is no record at all."""
        raw, preparer = self._opened(held, sealed)
        return preparer.protected(raw)

    def _opened(self, held: Held, sealed: bytes) -> tuple[Raw, Preparer]:
        """A quarantined item as it came. A table's row is read by today's policy, mapped as it was when it came,
        unless it is mapped otherwise now."""
        data = unseal(self._keys.quarantine, sealed, quarantine_context(held.queue))
        reference = orjson.loads(held.reference) if held.reference else None
        if held.form != "row":
            return Raw(held.line, data, reference=reference), self._preparer
        kept = orjson.loads(data)
        columns = {**self._recipe.policy.csv.columns, **kept["columns"], **self._given}
        raw = Raw(held.line, orjson.dumps(kept["row"]), kept["row"], reference=reference)
        return raw, Preparer(replace(self._recipe, columns=columns))

    def _admit(self, prepared: Prepared, source: str) -> None:
        """One batch in one transaction."""
        bad = [(raw, item) for raw, item in prepared if isinstance(item, Bad)]
        ready = [(raw, item) for raw, item in prepared if isinstance(item, Ready)]
        duplicates = erased = 0
        new: list[Ready] = []
        with self._store.write() as connection:
            self._check_order(connection)
            gone = self._erased(connection, [item for _, item in ready])
            known = cases.known_contents(connection, self._queue, [item.external_id for _, item in ready])
            for raw, item in ready:
                if item.external_id in gone:
                    erased += 1
                    continue
                held = known.setdefault(item.external_id, [])
                if item.content in held:
                    duplicates += 1
                elif held and not make_way(connection, self._queue, item.external_id):
                    changed = RecordError("changed", "id", f"'{item.external_id}' is held already with other content")
                    bad.append((raw, Bad(changed, item.external_id)))
                else:
                    held.append(item.content)
                    new.append(item)
            data: dict[str, int | str] = {
                "queue": self._queue,
                "admitted": len(new),
                "duplicates": duplicates + erased,
            }
            if self._recipe.policy.provisional:
                # Senders sort by what the model said: in the numbers of cases that must not show.
                new.sort(key=lambda item: item.turn or 0)
            if new:
                first, last = cases.admit(connection, [item.row for item in new], self._steps(new))
                _keep_sealed(connection, new)
                _keep_origins(connection, new, source)
                data |= {"first": first, "last": last}
            quarantine.hold(connection, [self._quarantine_row(raw, item, source) for raw, item in bad])
            data["quarantined"] = len(bad)
            log.append(connection, self._clock(), self._actor, "imported", None, data)
        self.count.erased += erased
        self.count.told_by_id += sum(item.told_by_id for item in new)
        self.count.told_by_file += sum(item.told_by_file for item in new)
        self._add_up(len(new), duplicates + erased, [item for _, item in bad])

    def _check_order(self, connection: Connection) -> None:
        """Raises BadInput where the queue was put in another order since: these cases were made ready for the old one,
        which may tell what the model said."""
        if ordering.is_blind(connection, self._queue) != self._recipe.policy.provisional:
            raise BadInput(
                f"The settings of queue '{self._queue}' have changed (provisional) since this began to bring cases in. "
                "What came in before is kept; start it again, it goes on where it stopped."
            )

    def _steps(self, new: list[Ready]) -> list[int] | None:
        """From number to number: a batch leaves some free, where copies that measure reviewers find room. Which ones
        only the workspace's key tells, and the same import gives the same numbers."""
        rules = self._recipe.policy.reviews
        if len(new) < _ROOM_FROM and not (rules.gold or rules.repeats):
            return None
        seed = f"numbers|{self._queue}|{len(new)}|{new[0].external_id}".encode()
        drawn = random.Random(hmac.digest(self._keys.content, seed, "sha256"))
        return drawn.choices(_STEPS, _WEIGHTS, k=len(new))

    def _erased(self, connection: Connection, ready: list[Ready]) -> set[str]:
        """The ids of those that were erased before. Nothing is digested while nothing ever was."""
        if not erasures.any_yet(connection):
            return set()
        by_digest = {erased_digest(self._keys, self._queue, item.external_id): item.external_id for item in ready}
        return {by_digest[digest] for digest in erasures.known(connection, list(by_digest))}

    def _add_up(self, admitted: int, duplicates: int, bad: list[Bad]) -> None:
        self.count.admitted += admitted
        self.count.duplicates += duplicates
        self.count.quarantined += len(bad)
        for item in bad:
            self.count.reasons[item.error.code] = self.count.reasons.get(item.error.code, 0) + 1

    def _quarantine_row(self, raw: Raw, bad: Bad, source: str) -> dict[str, Any]:
        is_row = raw.row is not None and not raw.problem
        data = orjson.dumps({"columns": self._given, "row": raw.row}) if is_row else raw.data
        return {
            "queue": self._queue,
            "source": source[:200],
            "line": raw.line,
            "code": bad.error.code,
            "field": bad.error.field[:300],
            "expected": bad.error.expected[:1000],
            "external_id": bad.external_id[:200] if bad.external_id else None,
            "size": len(raw.data),
            "form": "row" if is_row else "line",
            "sealed": seal(self._keys.quarantine, data, quarantine_context(self._queue)),
            # Where nothing could be kept, the place tells one such record from the next.
            "digest": hmac.digest(self._keys.content, raw.data or f"{source}|{raw.line}".encode(), "sha256"),
            "state": "held",
            "at": self._clock(),
            "reference": orjson.dumps(raw.reference).decode() if raw.reference is not None else None,
        }


def erased_digest(keys: Keys, queue: str, external_id: str) -> bytes:
    """What is kept of an erased prediction: a keyed digest of its id."""
    return hmac.digest(keys.content, f"erased|{queue}|{external_id}".encode(), "sha256")


def _keep_sealed(connection: Connection, admitted: list[Ready]) -> None:
    """Keeps what was sealed of cases that have their numbers."""
    with_envelope = [(item.row["case_id"], item.envelope) for item in admitted if item.envelope]
    sealed.keep(
        connection,
        [{"case_id": i, "field": f, "sealed": s} for i, envelope in with_envelope for f, s in envelope.values.items()],
        [{"case_id": i, "key_id": k, "sealed": s} for i, envelope in with_envelope for k, s in envelope.keys.items()],
    )


def _keep_origins(connection: Connection, admitted: list[Ready], source: str) -> None:
    """Keeps where cases came from, if their source wants to hear of them."""
    connections.keep_origins(
        connection,
        [
            {"case_id": item.row["case_id"], "source": came, "reference": _reference(item)}
            for item in admitted
            if (came := _source(item, source)) is not None
        ],
    )


def _source(item: Ready, source: str) -> str | None:
    """The source that wants to hear of a case; nothing where only its sealed id has to be kept."""
    if item.reference is not None:
        return source
    return "" if item.sealed_id is not None else None


def _reference(item: Ready) -> str:
    """What a verdict needs to find its way back."""
    own_id = {SEALED: item.sealed_id} if item.sealed_id is not None else {}
    return orjson.dumps({**(item.reference or {}), **own_id}).decode()


def quarantine_context(queue: str) -> str:
    return f"quarantine|{queue}"
