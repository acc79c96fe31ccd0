"""Records, rubrics and workspaces for tests: the smallest that are valid, with what a test adds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from app.intake.admission import Admission, Count
from app.intake.read import Raw
from app.model.policy import QueuePolicy
from app.protect.protector import Protector
from app.secrets import Keys
from db.engine import Store, open_store, sqlite_url

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
KEYS = Keys.derive(bytes(range(32)))
POLICY = QueuePolicy(rubric="adverse-credit-decision")
NOW = 1_780_000_000_000


def record(**more: Any) -> dict[str, Any]:
    """A valid record; every call gives a new one."""
    base: dict[str, Any] = {
        "id": "case-1",
        "task": {"type": "binary", "labels": ["approve", "decline"], "positive": "decline"},
        "inputs": [{"name": "month", "kind": "number", "value": 48}],
        "output": {"label": "decline", "score": 0.74, "threshold": 0.5},
    }
    return json.loads(json.dumps(base | more))  # type: ignore[no-any-return]


def lines(records: Iterable[Any]) -> Iterator[Raw]:
    """Records, or bytes as they are, as the lines of a file."""
    for number, item in enumerate(records, 1):
        yield Raw(number, item if isinstance(item, bytes) else orjson.dumps(item))


def protector(**policy: Any) -> Protector:
    """A protector for a policy with these settings."""
    return Protector(POLICY.model_copy(update=policy), KEYS.pseudonym)


def samples(name: str) -> list[dict[str, Any]]:
    """The records of a sample file."""
    path = FIXTURES / "samples" / f"{name}.jsonl"
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    """The database at a path, closed afterwards."""
    store = open_store(sqlite_url(path))
    try:
        yield store
    finally:
        store.close()


def admission(store: Store, queue: str = "credit", **policy: Any) -> Admission:
    """Admission to a queue whose policy has these settings."""
    return Admission(store, KEYS, queue, POLICY.model_copy(update=policy), "tester", clock=lambda: NOW)


def admit(store: Store, records: Iterable[Any], **policy: Any) -> Count:
    """Admits all records; returns what became of them."""
    door = admission(store, **policy)
    for _ in door.run(lines(records), "test"):
        pass
    return door.count


def kept(store: Store) -> dict[str, dict[str, Any]]:
    """The stored records by their id; of several revisions the last."""
    with store.read() as connection:
        rows = connection.exec_driver_sql("SELECT record FROM case_records ORDER BY case_id").scalars()
        return {found["id"]: found for found in map(orjson.loads, rows)}
