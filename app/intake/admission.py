"""Admission: a stream into a queue, batch by batch, each batch one transaction.

A record that is held already with the same content is a duplicate; with other content it is
quarantined as changed. What cannot be used is quarantined with its reason. Stopping anywhere loses
and doubles nothing: what was committed is found again as duplicates.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson

from app.audit import log
from app.intake import route
from app.intake.anchor import anchor_spans
from app.intake.mapping import to_record
from app.intake.parse import parse_json, validate
from app.intake.read import Raw
from app.model.errors import BadInput, RecordError
from app.model.policy import QueuePolicy
from app.model.prediction import Prediction
from app.model.words import SEVERITIES
from app.protect.protector import Protector
from app.protect.seal import seal, unseal
from app.secrets import Keys
from db import cases, quarantine
from db.engine import Store
from db.quarantine import Held

BATCH = 1000


@dataclass(slots=True)
class Count:
    """What became of the records of one import."""

    admitted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, int]:
        """The three numbers."""
        return {"admitted": self.admitted, "duplicates": self.duplicates, "quarantined": self.quarantined}


@dataclass(slots=True)
class _Ready:
    """A record that passed every check, protected, with what the store needs."""

    raw: Raw
    external_id: str
    content: bytes
    row: dict[str, Any]


@dataclass(slots=True)
class _Bad:
    raw: Raw
    error: RecordError
    external_id: str | None = None


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
        self._policy = policy
        self._actor = actor
        self._columns = {**policy.csv.columns, **(columns or {})}
        self._clock = clock
        self._protector = Protector(policy, keys.pseudonym)
        self.count = Count()

    def run(self, items: Iterable[Raw], source: str) -> Iterator[Count]:
        """Admits everything; yields the running count after each committed batch."""
        stream = iter(items)
        broken: BadInput | None = None
        while broken is None:
            batch: list[Raw] = []
            try:
                for raw in islice(stream, BATCH):
                    batch.append(raw)  # noqa: PERF402  # what came before an error must stay in the batch
            except BadInput as error:
                # The source ends here for good; what it gave before is kept.
                broken = error
            if not batch:
                break
            self._admit([self._prepare(raw) for raw in batch], source)
            yield self.count
        if broken:
            raise broken

    def retry(self, held: Held, sealed: bytes, as_revision: bool) -> int:
        """Admits a quarantined record after all; returns its case_id.

        `as_revision` admits other content under a known id. Raises RecordError where it still fails.
        """
        raw = self._raw(held, unseal(self._keys.quarantine, sealed, _context(held.queue)))
        if held.code == "too_large":
            raise BadInput("Only the beginning of this record was kept. Split the original and import it again.")
        ready = self._prepare(raw)
        if isinstance(ready, _Bad):
            raise ready.error
        with self._store.write() as connection:
            known = cases.known_contents(connection, self._queue, [ready.external_id]).get(ready.external_id, [])
            if ready.content in known:
                raise BadInput(f"{ready.external_id} is held already with this content.")
            if known and not as_revision:
                raise BadInput(
                    f"{ready.external_id} is held already with other content. "
                    "Add --as-revision to admit this one beside it."
                )
            ready.row["revision"] = len(known) + 1
            first, _ = cases.admit(connection, [ready.row])
            quarantine.close(connection, held.quarantine_id, "retried")
            log.append(
                connection, self._clock(), self._actor, "retried", first,
                {"quarantine": held.quarantine_id, "revision": len(known) + 1},
            )  # fmt: skip
        return first

    def protected_view(self, held: Held, sealed: bytes) -> dict[str, Any] | None:
        """What may be shown of a quarantined record: protected, or None where it is no record at all."""
        raw = self._raw(held, unseal(self._keys.quarantine, sealed, _context(held.queue)))
        try:
            record = self._record(raw)
            anchor_spans(record)
            return self._protector.protect(record)
        except (RecordError, TypeError, KeyError, AttributeError, ValueError):
            return None

    def _raw(self, held: Held, data: bytes) -> Raw:
        row = orjson.loads(data) if held.form == "row" else None
        return Raw(held.line, data, row)

    def _record(self, raw: Raw) -> dict[str, Any]:
        record = parse_json(raw.data) if raw.row is None else to_record(raw.row, self._columns)
        validate(record, self._policy)
        return record

    def _prepare(self, raw: Raw) -> _Ready | _Bad:
        """Parses, validates, protects and routes one item."""
        if raw.problem:
            return _Bad(raw, raw.problem)
        external_id = None
        try:
            record = parse_json(raw.data) if raw.row is None else to_record(raw.row, self._columns)
            external_id = record.get("id") if isinstance(record.get("id"), str) else None
            prediction = validate(record, self._policy)
            record["id"] = prediction.id
            return self._ready(raw, record, prediction)
        except RecordError as error:
            return _Bad(raw, error, external_id)

    def _ready(self, raw: Raw, record: dict[str, Any], prediction: Prediction) -> _Ready:
        content = hmac.digest(self._keys.content, orjson.dumps(record, option=orjson.OPT_SORT_KEYS), "sha256")
        now = self._clock()
        subject = prediction.subject or prediction.id
        anchor_spans(record)
        kept = self._protector.protect(record)
        features, has_text = route.features(kept)
        output, sampling = kept["output"], prediction.sampling
        model = (kept.get("provenance") or {}).get("model") or {}
        row = {
            "queue": self._queue,
            "external_id": prediction.id,
            "revision": 1,
            "content_hash": content,
            "source": "file",
            "state": "open",
            "priority": route.priority(prediction, self._policy),
            "due_at": route.due_at(prediction, self._policy, now),
            "admitted_at": now,
            "severity": SEVERITIES.index(prediction.severity),
            "flag": route.worst_flag(kept),
            "title": route.title(kept, self._policy),
            "domain": kept.get("domain"),
            "subject": kept.get("subject"),
            "split_bucket": self._protector.bucket(subject),
            "predicted_label": output.get("label"),
            "predicted_score": output.get("score"),
            "model_name": _text(model.get("name")),
            "model_version": _text(model.get("version")),
            "sampling_reason": (kept.get("sampling") or {}).get("reason"),
            "sampling_probability": sampling.probability if sampling else None,
            "record": orjson.dumps(kept).decode(),
            "features": features.decode(),
            "has_text": int(has_text),
            "search": route.search_text(kept, self._policy),
        }
        return _Ready(raw, prediction.id, content, row)

    def _admit(self, prepared: list[_Ready | _Bad], source: str) -> None:
        """One batch in one transaction."""
        ready = [item for item in prepared if isinstance(item, _Ready)]
        bad = [item for item in prepared if isinstance(item, _Bad)]
        duplicates = 0
        new: list[_Ready] = []
        with self._store.write() as connection:
            known = cases.known_contents(connection, self._queue, [item.external_id for item in ready])
            for item in ready:
                held = known.setdefault(item.external_id, [])
                if item.content in held:
                    duplicates += 1
                elif held:
                    changed = RecordError("changed", "id", f"'{item.external_id}' is held already with other content")
                    bad.append(_Bad(item.raw, changed, item.external_id))
                else:
                    held.append(item.content)
                    new.append(item)
            data: dict[str, int | str] = {
                "queue": self._queue,
                "admitted": len(new),
                "duplicates": duplicates,
            }
            if new:
                first, last = cases.admit(connection, [item.row for item in new])
                data |= {"first": first, "last": last}
            quarantine.hold(connection, [self._quarantine_row(item, source) for item in bad])
            data["quarantined"] = len(bad)
            log.append(connection, self._clock(), self._actor, "imported", None, data)
        self._add_up(len(new), duplicates, bad)

    def _add_up(self, admitted: int, duplicates: int, bad: list[_Bad]) -> None:
        self.count.admitted += admitted
        self.count.duplicates += duplicates
        self.count.quarantined += len(bad)
        for item in bad:
            self.count.reasons[item.error.code] = self.count.reasons.get(item.error.code, 0) + 1

    def _quarantine_row(self, bad: _Bad, source: str) -> dict[str, Any]:
        return {
            "queue": self._queue,
            "source": source[:200],
            "line": bad.raw.line,
            "code": bad.error.code,
            "field": bad.error.field[:300],
            "expected": bad.error.expected[:1000],
            "external_id": bad.external_id[:200] if bad.external_id else None,
            "size": len(bad.raw.data),
            "form": "row" if bad.raw.row is not None and not bad.raw.problem else "line",
            "sealed": seal(self._keys.quarantine, bad.raw.data, _context(self._queue)),
            # Where nothing could be kept, the place tells one such record from the next.
            "digest": hmac.digest(self._keys.content, bad.raw.data or f"{source}|{bad.raw.line}".encode(), "sha256"),
            "state": "held",
            "at": self._clock(),
        }


def _context(queue: str) -> str:
    return f"quarantine|{queue}"


def _text(value: Any) -> str | None:
    return None if value is None else str(value)[:200]
