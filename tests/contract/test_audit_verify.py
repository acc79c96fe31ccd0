"""Verification finds what was changed beside the program, by somebody who may write to the file."""

from __future__ import annotations

import hashlib
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from app.audit import log
from app.audit.chain import GENESIS, link
from app.audit.checkpoint import Checkpoint, parse, sign
from app.audit.verify import Verification, verify
from app.model.errors import Unavailable
from db.engine import open_store, sqlite_url
from tests.contract.worlds import SqliteWorld, decide, decision, overturning

Tamper = Callable[[sqlite3.Connection], object]


@pytest.fixture
def busy(sqlite: SqliteWorld) -> SqliteWorld:
    """A world with some forty entries: decisions of two people, one of them taken back and made anew."""
    ada, ben = sqlite.desk("ada"), sqlite.desk("ben")
    for desk in (ada, ben):
        for queue in ("credit", "summaries", "moderation"):
            for wrong in (False, True):
                claim = desk.claim(queue)
                decide(desk, claim, overturning(claim.view) if wrong else None)
                sqlite.clock.forward(ms=1500)
    decide(ada, ada.undo())
    ben.undo()
    ada.park(ada.claim("credit").lease, "odd")
    ada.close()
    ben.close()
    assert sqlite.verify().ok
    return sqlite


def tampered(world: SqliteWorld, act: Tamper) -> Verification:
    """The verification after an intruder, who took the triggers away first, was at the file."""
    connection = world.raw()
    try:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        act(connection)
    finally:
        connection.close()
    return world.verify()


def sql(*statements: str) -> Tamper:
    """Runs statements."""

    def act(connection: sqlite3.Connection) -> None:
        for statement in statements:
            before = connection.total_changes
            connection.execute(statement)
            assert connection.total_changes > before, f"changed nothing: {statement}"

    return act


def shift(after: int) -> tuple[str, str]:
    """Makes room for one entry after `after`."""
    return (
        f"UPDATE audit SET seq = -seq - 1 WHERE seq > {after}",
        f"UPDATE audit SET seq = -seq WHERE seq < 0 AND seq < -{after}",
    )


LOG: dict[str, Tamper] = {
    "actor column": sql("UPDATE audit SET actor = 'eve' WHERE seq = 7"),
    "action column": sql("UPDATE audit SET action = 'released' WHERE seq = 7"),
    "time column": sql("UPDATE audit SET at = at + 1 WHERE seq = 7"),
    "case column": sql("UPDATE audit SET case_id = case_id + 1 WHERE seq = 7"),
    "case column emptied": sql("UPDATE audit SET case_id = NULL WHERE seq = 7"),
    "number beyond the end": sql("UPDATE audit SET seq = 1000 WHERE seq = (SELECT max(seq) FROM audit)"),
    "body emptied": sql("UPDATE audit SET body = x'' WHERE seq = 7"),
    "body another JSON": sql("UPDATE audit SET body = CAST('[1, 2]' AS BLOB) WHERE seq = 7"),
    "body a JSON object": sql("UPDATE audit SET body = CAST('{}' AS BLOB) WHERE seq = 7"),
    "body as text": sql("UPDATE audit SET body = CAST(body AS TEXT) WHERE seq = 7"),
    "hash as text": sql("UPDATE audit SET hash = 'not a hash' WHERE seq = 7"),
    "hash emptied": sql("UPDATE audit SET hash = x'' WHERE seq = 7"),
    "first dropped": sql("DELETE FROM audit WHERE seq = 1"),
    "middle dropped": sql("DELETE FROM audit WHERE seq = 9"),
    "middle dropped, gap closed": sql(
        "DELETE FROM audit WHERE seq = 9", "UPDATE audit SET seq = seq - 1 WHERE seq > 9"
    ),
    "two swapped": sql(
        "UPDATE audit SET seq = -7 WHERE seq = 7",
        "UPDATE audit SET seq = 7 WHERE seq = 8",
        "UPDATE audit SET seq = 8 WHERE seq = -7",
    ),
    "contents swapped": sql(
        "UPDATE audit SET body = (SELECT body FROM audit b WHERE b.seq = 15 - audit.seq),"
        " hash = (SELECT hash FROM audit b WHERE b.seq = 15 - audit.seq) WHERE seq IN (7, 8)"
    ),
    "duplicated": sql(
        *shift(9), "INSERT INTO audit SELECT 10, at, actor, action, case_id, body, hash FROM audit WHERE seq = 9"
    ),
    "duplicated at the end": sql(
        "INSERT INTO audit SELECT seq + 1, at, actor, action, case_id, body, hash FROM audit ORDER BY seq DESC LIMIT 1"
    ),
    "inserted": sql(
        *shift(9),
        "INSERT INTO audit SELECT 10, at, 'eve', 'claimed', case_id, "
        'CAST(\'{"action":"claimed","actor":"eve","at":1,"case":1,"data":{},"seq":10}\' AS BLOB), hash '
        "FROM audit WHERE seq = 9",
    ),
    "all but the last dropped": sql("DELETE FROM audit WHERE seq < (SELECT max(seq) FROM audit)"),
}
# A review that stands.
STANDS = "(SELECT review_id FROM verdicts ORDER BY case_id LIMIT 1)"
REVIEWS: dict[str, Tamper] = {
    "answers": sql(f"UPDATE reviews SET answers = replace(answers, 'e', 'a') WHERE review_id = {STANDS}"),
    "label": sql(f"UPDATE reviews SET label = 'other' WHERE review_id = {STANDS}"),
    "label emptied": sql(f"UPDATE reviews SET label = NULL WHERE review_id = {STANDS}"),
    "verdict": sql(f"UPDATE reviews SET verdict = 'unresolvable' WHERE review_id = {STANDS}"),
    "correction": sql(f"UPDATE reviews SET correction = 'a better text' WHERE review_id = {STANDS}"),
    "reasons": sql(f"UPDATE reviews SET reasons = '[\"policy\"]' WHERE review_id = {STANDS}"),
    "person": sql(f"UPDATE reviews SET person = 'eve' WHERE review_id = {STANDS}"),
    "time": sql(f"UPDATE reviews SET decided_at = decided_at - 1 WHERE review_id = {STANDS}"),
    "case": sql(f"UPDATE reviews SET case_id = 96 WHERE review_id = {STANDS}"),
    "lease": sql(f"UPDATE reviews SET lease_token = 99 WHERE review_id = {STANDS}"),
    "rubric": sql(f"UPDATE reviews SET rubric_hash = 'other' WHERE review_id = {STANDS}"),
    "first judgement": sql(f"UPDATE reviews SET judged_label = 'x', moved = 1 WHERE review_id = {STANDS}"),
    "salt": sql(f"UPDATE reviews SET salt = randomblob(16) WHERE review_id = {STANDS}"),
    "answers as bytes": sql(f"UPDATE reviews SET answers = CAST(answers AS BLOB) WHERE review_id = {STANDS}"),
    "place": sql(f"UPDATE reviews SET seq = seq + 1 WHERE review_id = {STANDS}"),
    "answers no UTF-8": sql(f"UPDATE reviews SET answers = CAST(x'ff' AS TEXT) WHERE review_id = {STANDS}"),
    "name": sql(f"UPDATE reviews SET review_id = 'other' WHERE review_id = {STANDS}"),
    "deleted": sql(f"DELETE FROM reviews WHERE review_id = {STANDS}"),
    "deleted with its verdict": sql(
        f"DELETE FROM reviews WHERE review_id = {STANDS}",
        "DELETE FROM verdicts WHERE review_id NOT IN (SELECT review_id FROM reviews)",
    ),
    "added": sql(
        "INSERT INTO reviews SELECT 'forged', case_id, 'eve', seq, 99, rubric_hash, answers, verdict, label, "
        "correction, reasons, score, critical, judged_label, judged_confidence, moved, seconds, decided_at, "
        "salt, stage FROM reviews LIMIT 1"
    ),
    "taken back": sql(f"INSERT INTO retractions VALUES ({STANDS}, 'ada', 1)"),
    "taking back undone": sql("DELETE FROM retractions"),
    "stage": sql("UPDATE reviews SET stage = 'adjudication' WHERE seq = (SELECT max(seq) FROM reviews)"),
    "verdict's reviewers": sql("UPDATE verdicts SET reviewers = 3 WHERE case_id = (SELECT min(case_id) FROM verdicts)"),
    "verdict's label": sql("UPDATE verdicts SET label = 'other' WHERE case_id = (SELECT min(case_id) FROM verdicts)"),
    "verdict's word": sql("UPDATE verdicts SET verdict = 'unresolvable'"),
    "verdict's text": sql("UPDATE verdicts SET correction = 'x' WHERE case_id = (SELECT min(case_id) FROM verdicts)"),
    "verdict's review": sql("UPDATE verdicts SET review_id = 'none'"),
    "officer's key added": sql("INSERT INTO officers VALUES ('k', 'eve', x'00', 1, NULL)"),
    "verdict dropped": sql("DELETE FROM verdicts WHERE case_id = (SELECT min(case_id) FROM verdicts)"),
    "verdict added": sql(
        "INSERT INTO verdicts SELECT 96, review_id, verdict, label, correction, 1, 1.0, 1 FROM verdicts LIMIT 1"
    ),
}


@pytest.mark.parametrize("act", LOG.values(), ids=LOG)
def test_changes_of_the_log_are_found(busy: SqliteWorld, act: Tamper) -> None:
    found = tampered(busy, act)
    assert not found.ok
    assert any(problem.startswith("entry") for problem in found.problems)


@pytest.mark.parametrize("act", REVIEWS.values(), ids=REVIEWS)
def test_changes_beside_the_log_are_found(busy: SqliteWorld, act: Tamper) -> None:
    found = tampered(busy, act)
    assert not found.ok
    assert not any(problem.startswith("entry") for problem in found.problems)


def rechain(connection: sqlite3.Connection) -> None:
    """Computes all hashes anew: what somebody does who knows the format."""
    previous = GENESIS
    for seq, body in connection.execute("SELECT seq, body FROM audit ORDER BY seq").fetchall():
        previous = link(previous, body)
        connection.execute("UPDATE audit SET hash = ? WHERE seq = ?", (previous, seq))


def signed(world: SqliteWorld) -> Checkpoint:
    """A checkpoint of the log as it is now, kept elsewhere."""
    found = world.verify()
    return parse(sign(b"s" * 32, found.entries, bytes.fromhex(found.root)), "kept")


def against(world: SqliteWorld, *points: Checkpoint) -> tuple[str, ...]:
    """What verification finds with these checkpoints."""
    store = open_store(world.url)
    try:
        return verify(store, points).problems
    finally:
        store.close()


def test_a_log_that_was_rewritten_shows_against_a_checkpoint_kept_elsewhere(busy: SqliteWorld) -> None:
    kept, point = busy.verify(), signed(busy)

    def rewrite(connection: sqlite3.Connection) -> None:
        (body,) = connection.execute("SELECT body FROM audit WHERE action = 'parked'").fetchone()
        forged = body.replace(b'"actor":"ada"', b'"actor":"eve"')
        assert forged != body
        connection.execute("UPDATE audit SET body = ?, actor = 'eve' WHERE action = 'parked'", (forged,))
        rechain(connection)

    found = tampered(busy, rewrite)
    assert (found.ok, found.entries) == (True, kept.entries)
    assert found.head != kept.head
    assert against(busy, point) == (f"checkpoint kept: entries 1…{point.size} are not those that were signed",)


def test_an_end_that_was_cut_off_shows_against_a_checkpoint_kept_elsewhere(busy: SqliteWorld) -> None:
    kept, point = busy.verify(), signed(busy)
    found = tampered(busy, sql("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)"))
    assert (found.ok, found.entries, found.head == kept.head) == (True, kept.entries - 1, False)
    assert against(busy, point) == (
        f"checkpoint kept: the log was cut off: it has {found.entries} entries, the checkpoint says {point.size}",
    )


def test_a_log_that_went_on_still_fits_its_checkpoints(busy: SqliteWorld) -> None:
    early = signed(busy)
    ada = busy.desk("ada")
    decide(ada, ada.claim("credit"))
    assert against(busy, early, signed(busy)) == ()


def test_a_decision_cut_off_the_end_is_missed_by_its_review(sqlite: SqliteWorld) -> None:
    ada = sqlite.desk("ada")
    decide(ada, ada.claim("credit"))
    found = tampered(sqlite, sql("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)"))
    assert [p for p in found.problems if "is not in the log" in p]


def test_every_flipped_byte_is_found(busy: SqliteWorld) -> None:
    """Random bits of random bodies and hashes, each put back afterwards."""
    chance = random.Random(20261121)
    tampered(busy, lambda connection: None)
    connection = busy.raw()
    store = open_store(sqlite_url(busy.path))
    try:
        entries = connection.execute("SELECT seq, body, hash FROM audit").fetchall()
        for _ in range(400):
            seq, body, digest = chance.choice(entries)
            column, whole = chance.choice((("body", body), ("hash", digest)))
            place = chance.randrange(len(whole))
            flipped = bytearray(whole)
            flipped[place] ^= 1 << chance.randrange(8)
            connection.execute(f"UPDATE audit SET {column} = ? WHERE seq = ?", (bytes(flipped), seq))
            assert not verify(store).ok, (seq, column, place)
            connection.execute(f"UPDATE audit SET {column} = ? WHERE seq = ?", (whole, seq))
        assert verify(store).ok
    finally:
        connection.close()
        store.close()


def test_an_empty_log_is_whole(tmp_path: Path) -> None:
    store = open_store(sqlite_url(tmp_path / "empty.db"))
    try:
        assert verify(store) == Verification(0, 0, GENESIS.hex(), hashlib.sha256().hexdigest(), ())
    finally:
        store.close()


def test_many_problems_are_counted_not_listed(busy: SqliteWorld) -> None:
    found = tampered(busy, sql("UPDATE audit SET at = at + 1"))
    assert len(found.problems) == 21
    assert found.problems[-1] == f"… and {found.entries - 20} more"


# -- entries that speak of the rows beside the log ------------------------------------------------------


def append(world: SqliteWorld, action: str, case_id: int | None, **data: int | str) -> None:
    """Adds an entry as the program does."""
    store = open_store(world.url)
    try:
        with store.write() as connection:
            log.append(connection, world.clock(), "ada", action, case_id, data)
    finally:
        store.close()


def erase(world: SqliteWorld, case_id: int, *tables: str) -> None:
    """Removes what tables keep of a case."""
    of_case = f"review_id IN (SELECT review_id FROM reviews WHERE case_id = {case_id})"
    wheres = {"retractions": of_case, "reviews": f"case_id = {case_id}", "verdicts": f"case_id = {case_id}"}
    world.run(*(f"DELETE FROM {table} WHERE {wheres[table]}" for table in tables))


@pytest.fixture
def taken_back(busy: SqliteWorld) -> int:
    """A case with a review that was taken back, and one that stands."""
    return int(busy.query("SELECT case_id FROM retractions JOIN reviews USING (review_id) JOIN verdicts "
                          "USING (case_id)")[0][0])  # fmt: skip


def test_what_is_gone_of_an_erased_case_is_gone_on_purpose(busy: SqliteWorld, taken_back: int) -> None:
    erase(busy, taken_back, "retractions", "reviews", "verdicts")
    assert len(busy.verify().problems) == 4
    append(busy, "erased", taken_back)
    assert busy.verify().ok


def test_what_is_left_of_an_erased_case_is_a_problem(busy: SqliteWorld, taken_back: int) -> None:
    append(busy, "erased", taken_back)
    was_erased = f"case {taken_back}: was erased, but "
    problems = busy.verify().problems
    assert len(problems) == 4
    assert all(problem.startswith(was_erased) and problem.endswith("is still kept") for problem in problems)
    erase(busy, taken_back, "retractions", "verdicts")
    assert sum(problem.startswith(f"{was_erased}review ") for problem in busy.verify().problems) == 2
    erase(busy, taken_back, "reviews")
    assert busy.verify().ok


def test_an_erasure_excuses_nothing_that_came_after_it(busy: SqliteWorld) -> None:
    ada = busy.desk("ada")
    claim = ada.claim("credit")
    append(busy, "erased", claim.lease.case_id)
    decide(ada, claim)
    erase(busy, claim.lease.case_id, "reviews", "verdicts")
    review, verdict = busy.verify().problems
    assert review.endswith("is in the log but not kept")
    assert verdict == f"case {claim.lease.case_id}: its verdict is not what its reviews say"


def test_a_second_entry_cannot_change_what_a_review_was(busy: SqliteWorld) -> None:
    (review_id,) = busy.query(f"SELECT {STANDS}")[0]
    append(busy, "decided", 1, review=review_id, verdict="upheld", rubric="r", commitment="0" * 64)
    assert busy.verify().problems == (f"review {review_id}: is decided twice in the log",)


DIGEST = hashlib.sha256(b"public").hexdigest()


@pytest.mark.parametrize(
    ("entries", "row", "problem"),
    [
        ([("officer_added", DIGEST)], "('k', 'ada', CAST('public' AS BLOB), 1, NULL)", None),
        ([("officer_added", DIGEST), ("officer_retired", "")], "('k', 'ada', CAST('public' AS BLOB), 1, 2)", None),
        ([], "('k', 'ada', CAST('public' AS BLOB), 1, NULL)", "was added beside the log"),
        ([("officer_added", DIGEST)], "('k', 'eve', CAST('public' AS BLOB), 1, NULL)", "was added beside the log"),
        ([("officer_added", DIGEST)], "('k', 'ada', CAST('other' AS BLOB), 1, NULL)", "was added beside the log"),
        ([("officer_added", DIGEST)], "('k', 'ada', 'public', 1, NULL)", "was added beside the log"),
        (
            [("officer_added", DIGEST), ("officer_retired", "")],
            "('k', 'ada', CAST('public' AS BLOB), 1, NULL)",
            "was retired in the log but is in use",
        ),
        ([("officer_added", DIGEST)], "('k', 'ada', CAST('public' AS BLOB), 1, 2)", "was retired beside the log"),
        ([("officer_retired", "")], "('k', 'ada', CAST('public' AS BLOB), 1, 2)", "was added beside the log"),
        ([("officer_added", DIGEST)], None, "is in the log but not kept"),
    ],
)
def test_officers_keys_are_held_against_the_log(
    sqlite: SqliteWorld, entries: list[tuple[str, str]], row: str | None, problem: str | None
) -> None:
    for action, digest in entries:
        append(sqlite, action, None, key="k", person="ada", public=digest)
    if row:
        sqlite.run(f"INSERT INTO officers VALUES {row}")
    assert sqlite.verify().problems == ((f"officer key k: {problem}",) if problem else ())


# -- no entry, no act ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hurt",
    [
        "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no more room'); END",
        "ALTER TABLE audit RENAME TO audit_elsewhere",
    ],
    ids=["refuses", "missing"],
)
def test_where_the_log_cannot_be_written_nothing_is_decided(sqlite: SqliteWorld, hurt: str) -> None:
    desk = sqlite.desk("ada")
    claims = [desk.claim(queue) for queue in ("credit", "summaries", "moderation")]
    tables = ("reviews", "verdicts", "cases", "rubrics", "drafts")
    before = {table: sqlite.query(f"SELECT * FROM {table}") for table in tables}
    sqlite.run(hurt)
    for number in range(1000):
        with pytest.raises(Unavailable):
            desk.decide(decision(claims[number % 3]))
    assert before == {table: sqlite.query(f"SELECT * FROM {table}") for table in tables}
