"""`audit_verify`: verifying a long log, without and with decisions whose reviews are held against it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from app.audit.chain import GENESIS, canonical, commitment, link
from app.audit.checkpoint import Checkpoint, parse, sign
from app.audit.verify import COMMITTED, verify
from db.engine import Store, open_store, sqlite_url

from .figures import Bench, Figure, seconds
from .stores import settle_on_disk

_ROUNDS = 3
_START = 1_809_000_000_000
# Of ten entries one is a decision: the usual share, with claims, judgements, drafts and skips around it.
_EVERY = 10
_SALT = bytes(16)


def run(bench: Bench) -> Iterator[Figure]:
    """The best of three verifications; the baseline is hashing the same bytes (leaf, chain and tree) alone."""
    count = bench.size(1_000_000)
    for name, every in (("audit_verify", 0), ("audit_verify_reviews", _EVERY)):
        path = bench.folder(name) / "log.db"
        _fill(path, count, every)
        with closing(open_store(sqlite_url(path))) as store:
            point = _checkpoint(store)
            taken = min(seconds(_whole, store, point) for _ in range(_ROUNDS))
            bodies = _bodies(path)
            yield Figure(name, count, taken, "s", min(seconds(_hash, bodies) for _ in range(_ROUNDS)))


def _checkpoint(store: Store) -> Checkpoint:
    found = verify(store)
    return parse(sign(bytes(32), found.entries, bytes.fromhex(found.root)), "bench")


def _whole(store: Store, point: Checkpoint) -> None:
    found = verify(store, [point])
    if not found.ok:
        raise RuntimeError(found.problems[0])


def _fill(path: Path, count: int, every: int) -> None:
    """A log of `count` entries; of `every` entries one is a decision with its review and verdict (0: none is)."""
    open_store(sqlite_url(path)).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # What is lost with the run needs no journal.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", _entries(count, every))
        if every:
            _insert(connection, "reviews", map(_review, range(every, count + 1, every)))
            _insert(connection, "verdicts", map(_verdict, range(every, count + 1, every)))
        connection.execute("COMMIT")
    settle_on_disk(path)


def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        marks = ", ".join(f":{name}" for name in row)
        connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", row)


def _entries(count: int, every: int) -> Iterator[tuple[Any, ...]]:
    previous = GENESIS
    for seq in range(1, count + 1):
        if every and seq % every == 0:
            action, data = "decided", _decided(seq)
        else:
            action, data = "claimed", {"token": seq, "until": _START + seq + 900_000, "queue": "credit"}
        body = canonical(seq, _START + seq, "ada.lovelace", action, seq, data)
        previous = link(previous, body)
        yield seq, _START + seq, "ada.lovelace", action, seq, body, previous


def _decided(seq: int) -> dict[str, int | str]:
    review = _review(seq)
    content = orjson.dumps([review[name] for name in COMMITTED])
    return {
        "review": review["review_id"],
        "verdict": "upheld",
        "rubric": review["rubric_hash"],
        "commitment": commitment(_SALT, content),
    }


def _review(seq: int) -> dict[str, Any]:
    return {
        "review_id": f"{seq:032x}",
        "case_id": seq,
        "person": "ada.lovelace",
        "seq": seq,
        "lease_token": 1,
        "rubric_hash": "0" * 64,
        "answers": '{"support":"supported","harm":1,"label":"approve","rationale":"As the inputs say."}',
        "verdict": "upheld",
        "label": "approve",
        "correction": None,
        "reasons": "[]",
        "score": 1.0,
        "critical": "[]",
        "judged_label": None,
        "judged_confidence": None,
        "moved": None,
        "seconds": 12.5,
        "decided_at": _START + seq,
        "salt": _SALT,
    }


def _verdict(seq: int) -> dict[str, Any]:
    return {
        "case_id": seq,
        "review_id": f"{seq:032x}",
        "verdict": "upheld",
        "label": "approve",
        "correction": None,
        "reviewers": 1,
        "agreement": 1.0,
        "settled_at": _START + seq,
    }


def _bodies(path: Path) -> list[bytes]:
    with closing(sqlite3.connect(path)) as connection:
        return [body for (body,) in connection.execute("SELECT body FROM audit ORDER BY seq")]


def _hash(bodies: list[bytes]) -> None:
    """What cannot be saved: each entry's leaf, its link in the chain, and one node of the tree."""
    previous = GENESIS
    for body in bodies:
        leaf = sha256(b"\x00" + body).digest()
        previous = sha256(b"\x01" + previous + leaf).digest()
        sha256(b"\x01" + previous + leaf).digest()
