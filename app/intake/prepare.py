"""Preparing: from an item as it came to a row that may be kept, or a reason why not.

This is most of an import's work, and none of it needs the database: it can be done in other processes.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from app.intake import drawn, route
from app.intake.anchor import anchor_spans
from app.intake.mapping import to_record
from app.intake.parse import parse_json, validate
from app.intake.read import Raw
from app.model.errors import RecordError
from app.model.policy import QueuePolicy
from app.model.prediction import Prediction
from app.protect.envelope import Envelope, OfficerKey, close, place
from app.protect.own_id import is_pseudonymised, sealed_id, token_of
from app.protect.protector import Protector
from app.secrets import Keys


@dataclass(slots=True)
class Ready:
    """A record that passed every check, protected: its keyed digest, its row as `db.cases.admit` takes it, and
    what was withheld, sealed to officers. `turn`: by which it gets its number in its batch, where that is drawn."""

    external_id: str
    content: bytes
    row: dict[str, Any]
    envelope: Envelope | None = None
    reference: Mapping[str, Any] | None = None
    sealed_id: str | None = None
    """The prediction's own id under the workspace's key, where `external_id` is a token."""
    told_by_id: bool = False
    told_by_file: bool = False
    turn: int | None = None


@dataclass(slots=True)
class Bad:
    """An item that cannot be admitted."""

    error: RecordError
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """What preparing depends on, small enough to hand to another process."""

    queue: str
    policy: QueuePolicy
    keys: Keys
    columns: dict[str, str]
    officers: tuple[OfficerKey, ...] = ()
    file: str = ""
    """The name of the file that the items come in."""


class Preparer:
    """Prepares the items of one queue."""

    def __init__(self, recipe: Recipe) -> None:
        self._queue = recipe.queue
        self._policy = recipe.policy
        self._keys = recipe.keys
        self._columns = recipe.columns
        self._officers = recipe.officers if recipe.policy.seal else ()
        self._protector = Protector(recipe.policy, recipe.keys.pseudonym)
        self._file = recipe.file
        self._hides_ids = is_pseudonymised(recipe.policy)

    def prepare(self, raw: Raw, now: int) -> Ready | Bad:
        """Parses, validates, protects and routes one item; `now` in milliseconds is when it comes in."""
        if raw.problem:
            return Bad(raw.problem)
        external_id = None
        try:
            record = self._record(raw)
            external_id = self._shown_id(record.get("id"))
            prediction = validate(record, self._policy)
            record["id"] = prediction.id
            ready = self._ready(record, prediction, now)
            ready.reference = raw.reference
            return ready
        except RecordError as error:
            return Bad(error, external_id)

    def protected(self, raw: Raw) -> dict[str, Any] | None:
        """What may be shown of an item: protected, or None where it is no record at all."""
        try:
            record = self._record(raw)
            validate(record, self._policy)
            anchor_spans(record)
            own_id, record["id"] = record["id"], self._shown_id(str(record["id"]))
            return self._protector.take_out(record, own_id if own_id != record["id"] else None)[0]
        except (RecordError, TypeError, KeyError, AttributeError, ValueError):
            return None

    def _record(self, raw: Raw) -> dict[str, Any]:
        if raw.row is None:
            return parse_json(raw.data)
        record = to_record(raw.row, self._columns)
        if not record.get("output"):
            expected = "no column gives label, score or text; name one in csv.columns, or with --map COLUMN=label"
            raise RecordError("csv", "output", expected)
        return record

    def _ready(self, record: dict[str, Any], prediction: Prediction, now: int) -> Ready:
        content = hmac.digest(self._keys.content, orjson.dumps(record, option=orjson.OPT_SORT_KEYS), "sha256")
        subject = prediction.subject or prediction.id
        anchor_spans(record)
        token, sealed = prediction.id, None
        if self._hides_ids:
            token = record["id"] = token_of(self._keys.pseudonym, self._queue, prediction.id)
            sealed = sealed_id(self._keys.quarantine, self._queue, token, prediction.id)
        kept, taken = self._protector.take_out(record, prediction.id if sealed else None, self._file)
        outline = route.outline(kept, self._policy)
        domain = kept.get("domain")
        turn = None
        if self._policy.provisional:
            lot = drawn.draw(self._keys.pseudonym, self._queue, prediction.id)
            turn = lot.number
            priority, due_at, severity = drawn.place(self._policy, domain, now, lot)
        else:
            priority, due_at, severity = route.place(prediction, domain, now, self._policy)
        output, sampling = kept["output"], prediction.sampling
        model = (kept.get("provenance") or {}).get("model") or {}
        row = {
            "queue": self._queue,
            "external_id": token,
            "revision": 1,
            "content_hash": content,
            "source": "file",
            "state": "open",
            "priority": priority,
            "due_at": due_at,
            "admitted_at": now,
            "severity": severity,
            "flag": route.worst_flag(kept),
            "title": outline.title,
            "domain": domain,
            "language": kept.get("language"),
            "subject": kept.get("subject"),
            "split_bucket": self._protector.bucket(subject),
            "predicted_label": output.get("label"),
            "predicted_score": output.get("score"),
            "model_name": _text(model.get("name")),
            "model_version": _text(model.get("version")),
            "sampling_reason": (kept.get("sampling") or {}).get("reason"),
            "sampling_probability": sampling.probability if sampling else None,
            "record": orjson.dumps(kept).decode(),
            "features": outline.features.decode(),
            "has_text": int(outline.has_text),
            "search": outline.search,
        }
        envelope = None
        if self._officers and taken:
            envelope = close(taken, self._officers, place(self._queue, token, content))
        told = self._protector.told_by_id, self._protector.told_by_file
        return Ready(token, content, row, envelope, None, sealed, *told, turn=turn)

    def _shown_id(self, own_id: Any) -> str | None:
        """What may be shown of a record's id."""
        if not isinstance(own_id, str):
            return None
        return token_of(self._keys.pseudonym, self._queue, own_id) if self._hides_ids else own_id


def _text(value: Any) -> str | None:
    return None if value is None else str(value)[:200]
