"""Whatever an intruder does to the log at random, verification finds it: alone, or with a checkpoint kept elsewhere."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.audit import log
from app.audit.chain import GENESIS, canonical, leaf_hash, link
from app.audit.checkpoint import Checkpoint, parse, sign
from app.audit.tree import Tree
from app.audit.verify import Verification, examine, verify
from app.model.errors import Unavailable
from db.engine import Connection, Store
from tests.builders import opened

SEED = b"s" * 32
ENTRIES = 240
COLUMNS = ("seq", "at", "actor", "action", "case_id", "body", "hash")
# How many entries the checkpoint covers; those after it have the chain alone.
SIGNED = 230


def fill(store: Store) -> None:
    """Entries of several kinds, with and without a case."""
    chance = random.Random(5)
    with store.write() as connection:
        for number in range(ENTRIES):
            actor, action = chance.choice(("ada", "bén")), chance.choice(("claimed", "parked", "imported"))
            case_id = None if action == "imported" else number % 40
            log.append(connection, 1_800_000_000_000 + number, actor, action, case_id, {"reason": "odd", "n": number})


@contextmanager
def at_the_file(store: Store) -> Iterator[tuple[Connection, sqlite3.Connection, Checkpoint]]:
    """An intruder, without triggers, in a transaction that is taken back; and a checkpoint from before."""
    found = signed_at(store, SIGNED)
    with pytest.raises(InterruptedError), store.write() as connection:
        driver = connection.connection.dbapi_connection
        assert isinstance(driver, sqlite3.Connection)
        for (name,) in driver.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            driver.execute(f"DROP TRIGGER {name}")
        yield connection, driver, found
        raise InterruptedError


def signed_at(store: Store, size: int) -> Checkpoint:
    """The checkpoint that was signed when the log had `size` entries."""
    with store.read() as connection:
        bodies = connection.exec_driver_sql(f"SELECT body FROM audit ORDER BY seq LIMIT {size}").scalars().all()
    return parse(sign(SEED, size, Tree(leaf_hash(body) for body in bodies).root()), "kept")


# -- what an intruder does; each returns False where chance made it change nothing --------------------

Act = Callable[[random.Random, sqlite3.Connection], bool]


def flip(chance: random.Random, connection: sqlite3.Connection) -> bool:
    """One bit of one column of one row."""
    seq, column = chance.randint(1, ENTRIES), chance.choice(COLUMNS)
    value, kind = connection.execute(f"SELECT {column}, typeof({column}) FROM audit WHERE seq = ?", (seq,)).fetchone()
    if kind == "null":
        flipped: Any = chance.randrange(40)
    elif kind == "integer":
        flipped = value ^ 1 << chance.randrange(62)
    else:
        flipped = bytearray(value.encode() if kind == "text" else value)
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    cast = "CAST(? AS TEXT)" if kind == "text" else "?"
    try:
        connection.execute(f"UPDATE audit SET {column} = {cast} WHERE seq = ?", (flipped, seq))
    except sqlite3.IntegrityError:
        # Another entry has this number.
        return False
    return True


def swap(chance: random.Random, connection: sqlite3.Connection) -> bool:
    """Two entries change places, whole, or all but their hashes."""
    one, two = chance.sample(range(1, ENTRIES + 1), 2)
    fields = COLUMNS[1:] if chance.random() < 0.5 else COLUMNS[1:-1]
    names = ", ".join(fields)
    rows = {n: connection.execute(f"SELECT {names} FROM audit WHERE seq = ?", (n,)).fetchone() for n in (one, two)}
    change = f"UPDATE audit SET {', '.join(f'{name} = ?' for name in fields)} WHERE seq = ?"
    connection.execute(change, (*rows[two], one))
    connection.execute(change, (*rows[one], two))
    return True


def drop(chance: random.Random, connection: sqlite3.Connection) -> bool:
    """One entry that was signed, or that others follow; sometimes the gap is closed."""
    seq = chance.randint(1, ENTRIES - 1)
    connection.execute("DELETE FROM audit WHERE seq = ?", (seq,))
    if chance.random() < 0.5:
        connection.execute("UPDATE audit SET seq = -seq WHERE seq > ?", (seq,))
        connection.execute("UPDATE audit SET seq = -seq - 1 WHERE seq < 0")
    return True


def make_room(connection: sqlite3.Connection, seq: int) -> None:
    """Entries from `seq` on move one up."""
    connection.execute("UPDATE audit SET seq = -seq WHERE seq >= ?", (seq,))
    connection.execute("UPDATE audit SET seq = 1 - seq WHERE seq < 0")


def double(chance: random.Random, connection: sqlite3.Connection) -> bool:
    """An entry a second time, elsewhere; what follows moves up."""
    seq, place = chance.randint(1, ENTRIES), chance.randint(1, ENTRIES + 1)
    row = connection.execute("SELECT * FROM audit WHERE seq = ?", (seq,)).fetchone()
    make_room(connection, place)
    connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", (place, *row[1:]))
    return True


def forge(chance: random.Random, connection: sqlite3.Connection) -> bool:
    """An entry of the intruder's that follows from the one before it; what stands after it does not."""
    place = chance.randint(1, ENTRIES)
    before = connection.execute("SELECT hash FROM audit WHERE seq = ?", (place - 1,)).fetchone()
    body = canonical(place, 1, "eve", "claimed", 3, {"n": chance.randrange(99)})
    make_room(connection, place)
    row = (place, 1, "eve", "claimed", 3, body, link(before[0] if before else GENESIS, body))
    connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return True


def replace(chance: random.Random, connection: sqlite3.Connection) -> bool:
    """An entry with another one's hash as its own, or two heads: the newest hash stands at an older entry, too."""
    seq, other = chance.sample(range(1, ENTRIES + 1), 2)
    connection.execute("UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = ?) WHERE seq = ?", (other, seq))
    return True


ALONE: dict[str, Act] = {
    "flip": flip,
    "swap": swap,
    "drop": drop,
    "duplicate": double,
    "insert": forge,
    "other hash": replace,
}


def cut_off(chance: random.Random, connection: sqlite3.Connection) -> bool:
    """Everything from some entry on that was signed."""
    connection.execute("DELETE FROM audit WHERE seq > ?", (chance.randrange(SIGNED),))
    return True


def rewrite(chance: random.Random, connection: sqlite3.Connection) -> bool:
    """A signed part is changed, then all is numbered, repeated in columns and chained anew: a log without a flaw."""
    bodies = [body for (body,) in connection.execute("SELECT body FROM audit ORDER BY seq")]
    # The last signed entry, doubled, would stand after what was signed.
    place = chance.randrange(SIGNED - 1)
    match chance.choice(("edit", "drop", "double", "swap")):
        case "edit":
            bodies[place] = bodies[place].replace(b'"reason":"odd"', b'"reason":"even"')
        case "drop":
            del bodies[place]
        case "double":
            bodies.insert(place, bodies[place])
        case _:
            other = chance.choice([n for n in range(SIGNED) if n != place])
            bodies[place], bodies[other] = bodies[other], bodies[place]
    connection.execute("DELETE FROM audit")
    connection.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", chained(bodies))
    return True


def chained(bodies: list[bytes]) -> Iterator[tuple[Any, ...]]:
    """Rows of a sound log with the acts of these entries."""
    previous = GENESIS
    for seq, entry in enumerate(map(orjson.loads, bodies), 1):
        fields = (entry["at"], entry["actor"], entry["action"], entry.get("case"))
        body = canonical(seq, *fields, entry["data"])
        previous = link(previous, body)
        yield seq, *fields, body, previous


SIGNED_ONLY: dict[str, Act] = {"cut off": cut_off, "rewritten": rewrite}


def attempts(path: Path, count: int) -> Counter[str]:
    """Tries so many random acts, each on the log as it was; returns how many of each kind were found."""
    chance, found = random.Random(20261121), Counter[str]()
    acts = ALONE | SIGNED_ONLY
    with opened(path) as store:
        fill(store)
        with at_the_file(store) as (connection, driver, point):
            assert examine(connection, [point]).ok
            while found.total() < count:
                name = chance.choice(list(acts))
                driver.execute("SAVEPOINT attempt")
                if acts[name](chance, driver):
                    assert_found(examine(connection, [point]), name, found.total())
                    found[name] += 1
                driver.execute("ROLLBACK TO attempt")
                driver.execute("RELEASE attempt")
            assert examine(connection, [point]).ok
        assert verify(store, [point]).ok
    return found


def assert_found(result: Verification, name: str, number: int) -> None:
    """A whole log is found to be another one; any other is found not to be whole."""
    assert not result.ok, (name, number)
    if name in SIGNED_ONLY:
        (problem,) = result.problems
        assert problem.startswith("checkpoint kept: "), (name, number, problem)
    else:
        assert any(problem.startswith("entry ") for problem in result.problems), (name, number)


def test_random_changes_are_all_found(tmp_path: Path) -> None:
    found = attempts(tmp_path / "log.db", 1500)
    assert set(found) == set(ALONE | SIGNED_ONLY)


@pytest.mark.heavy
def test_ten_thousand_random_changes_are_all_found(tmp_path: Path) -> None:
    assert attempts(tmp_path / "log.db", 10_000).total() == 10_000


def test_text_that_is_no_utf8_is_a_problem_not_an_error(tmp_path: Path) -> None:
    with opened(tmp_path / "log.db") as store:
        fill(store)
        with at_the_file(store) as (connection, driver, _):
            driver.execute("UPDATE audit SET actor = CAST(x'ff61' AS TEXT) WHERE seq = 3")
            assert examine(connection).problems == ("entry 3: its columns differ from what was logged",)
            with pytest.raises(sqlite3.OperationalError):
                driver.execute("SELECT actor FROM audit WHERE seq = 3").fetchall()


@pytest.mark.parametrize("size", [0, 1, 2, 128, 239, 240])
def test_a_checkpoint_of_any_size_fits_the_log_it_was_made_of(tmp_path: Path, size: int) -> None:
    with opened(tmp_path / "log.db") as store:
        fill(store)
        assert verify(store, [signed_at(store, size), signed_at(store, 7)]).ok


def test_a_log_that_went_on_another_way_is_not_the_signed_one(tmp_path: Path) -> None:
    """Two logs with a common beginning, as after a restored backup: the checkpoint of one does not fit the other."""
    with opened(tmp_path / "log.db") as store, opened(tmp_path / "other.db") as other:
        for place in (store, other):
            fill(place)
        for place, actor in ((store, "ada"), (other, "ben")):
            with place.write() as connection:
                log.append(connection, 1, actor, "claimed", 1, {})
        assert verify(other).ok
        assert verify(other, [signed_at(store, ENTRIES)]).ok
        assert verify(other, [signed_at(store, ENTRIES + 1)]).problems == (
            "checkpoint kept: entries 1…241 are not those that were signed",
        )


def test_the_program_itself_can_only_append(tmp_path: Path) -> None:
    statements = (
        "UPDATE audit SET actor = 'eve'",
        "DELETE FROM audit WHERE seq = 240",
        "INSERT OR REPLACE INTO audit SELECT seq, 1, actor, action, case_id, body, hash FROM audit WHERE seq = 3",
        "REPLACE INTO audit SELECT seq, 1, actor, action, case_id, body, hash FROM audit WHERE seq = 240",
    )
    with opened(tmp_path / "log.db") as store:
        fill(store)
        for statement in statements:
            with pytest.raises(Unavailable, match="can only be added to"), store.write() as connection:
                connection.exec_driver_sql(statement)
        assert verify(store).ok


def test_replacing_beside_the_program_is_refused_or_found(tmp_path: Path) -> None:
    """Without `recursive_triggers`, SQLite's REPLACE passes by the trigger that forbids deleting."""
    with opened(tmp_path / "log.db") as store:
        fill(store)
        beside = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
        try:
            beside.execute(
                "INSERT OR REPLACE INTO audit SELECT seq, 1, actor, action, case_id, body, hash FROM audit WHERE seq=3"
            )
            replaced = True
        except sqlite3.IntegrityError:
            replaced = False
        finally:
            beside.close()
        assert verify(store).ok is not replaced
