"""Verdicts as a statement in somebody's database: an update of the row, or an insert."""

from __future__ import annotations

from pathlib import Path

from app.connecting import Secrets
from app.intake.sources.sql import SqlOptions
from app.model.connection import Delivery
from app.model.errors import SettingsError, Unavailable, Undelivered


class SqlSink:
    """Runs the statement `answer` for every verdict. An update by key does no harm when it is run twice."""

    Options = SqlOptions

    def __init__(self, options: SqlOptions, secrets: Secrets, _root: Path) -> None:
        if not options.answer:
            raise SettingsError("An SQL sink needs a statement `answer` that takes a verdict.")
        self._options = options
        self._database = options.database(secrets)

    def send(self, delivery: Delivery) -> None:
        """One verdict."""
        data = delivery.event["data"]
        row = {
            "key": delivery.reference.get("key"),
            "id": data["id"],
            "kind": delivery.kind,
            "decision_id": data["decision_id"],
            "sequence": int(delivery.event["sequence"]),
            **{name: data.get(name) for name in ("verdict", "label", "correction")},
        }
        try:
            self._database.run(self._options.answer, [row])
        except Unavailable as error:
            raise Undelivered(str(error)) from None

    def close(self) -> None:
        """Closes the connections."""
        self._database.close()
