"""SIGKILL at any moment: what was acknowledged is kept once, what was not is kept once or not at all."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.contract.worlds import SqliteWorld, decide
from tests.crash.conftest import Workers, many
from tests.crash.worker import BATCH, QUEUE

KILLS = [pytest.param(6, id="6"), pytest.param(100, id="100", marks=pytest.mark.heavy)]
IMPORT_KILLS = [pytest.param(3, id="3"), pytest.param(50, id="50", marks=pytest.mark.heavy)]


def kill_while_deciding(workers: Workers, path: Path, chance: random.Random) -> list[str]:
    """Starts a worker, lets it decide for a moment, kills it; returns the lines it printed."""
    worker = workers.start("decide", path, "ada")
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    lines = [worker.stdout.readline() for _ in range(chance.randrange(6))]
    # The moment must be any: between two statements as well as inside a commit.
    time.sleep(chance.uniform(0, 0.012))
    worker.kill()
    # Not `communicate`: it passes over what `readline` has read ahead.
    out = worker.stdout.read()
    assert worker.wait() == -9
    # A last line without its end was cut off by the kill: it acknowledges nothing.
    return [line for line in [*lines, *out.splitlines(keepends=True)] if line.endswith("\n")]


@pytest.mark.parametrize("kills", KILLS)
def test_no_decision_is_lost_or_doubled(workers: Workers, world: SqliteWorld, kills: int) -> None:
    chance = random.Random(kills)
    tried: dict[str, int] = {}
    for _ in range(kills):
        before = {row[0] for row in world.query("SELECT review_id FROM reviews")}
        lines = [line.split() for line in kill_while_deciding(workers, world.path, chance)]
        tried |= {line[1]: int(line[2]) for line in lines if line[0] == "try"}
        after = {row[0] for row in world.query("SELECT review_id FROM reviews")}
        acknowledged = {line[1] for line in lines if line[0] == "done"}
        assert acknowledged <= after, "an acknowledged decision is gone"
        assert before <= after, "an older decision is gone"
        assert len(after - before - acknowledged) <= 1, "more than the one decision in flight is unacknowledged"
        assert world.verify().ok
    kept = world.query("SELECT review_id, case_id FROM reviews")
    assert len(kept) == len({case_id for _, case_id in kept}) == len({review_id for review_id, _ in kept})
    assert all(tried[review_id] == case_id for review_id, case_id in kept)
    assert len(kept) > kills
    assert all_can_still_be_decided(world) == 800


def all_can_still_be_decided(world: SqliteWorld) -> int:
    """Decides what is left once the leases of the dead have expired; returns how many are settled."""
    world.clock.now = time.time_ns() // 1_000_000 + 16 * 60_000
    desk = world.desk("ben", queues=(QUEUE,))
    for _ in range(desk.backlog()[0].open + desk.backlog()[0].leased):
        decide(desk, desk.claim(QUEUE))
    assert world.verify().ok
    return desk.backlog()[0].settled


@pytest.mark.parametrize("kills", IMPORT_KILLS)
def test_an_import_killed_half_way_is_finished_by_the_next(
    workers: Workers, tmp_path: Path, file: Path, kills: int
) -> None:
    chance = random.Random(kills)
    world = SqliteWorld(tmp_path)
    left: list[int] = []
    for number in range(kills):
        worker = workers.start("import", world.path, file)
        assert worker.stdout is not None
        # The first are killed early, also before the first line: while the tables are being made.
        for _ in range(min(number, chance.randrange(8))):
            worker.stdout.readline()
        time.sleep(chance.uniform(0, 0.02) if number else chance.uniform(0.2, 0.6))
        worker.kill()
        worker.communicate()
        made = world.query("SELECT count(*) FROM sqlite_master WHERE name = 'cases'") == [(1,)]
        left.append(world.query("SELECT count(*) FROM cases")[0][0] if made else 0)
    assert any(0 < n < 400 for n in left), "no kill came half-way"
    assert all(n % BATCH == 0 for n in left), "half a batch was kept"
    last = workers.start("import", world.path, file)
    out, err = last.communicate()
    assert out.endswith("end\n"), err

    ids = [row[0] for row in world.query("SELECT external_id FROM cases ORDER BY case_id")]
    assert ids == [record["id"] for record in many(400)]
    for table in ("case_records", "case_texts"):
        key = "case_id" if table == "case_records" else "rowid"
        kept = world.query(f"SELECT {key} FROM {table} ORDER BY 1")
        assert kept == world.query("SELECT case_id FROM cases ORDER BY 1")
    assert world.query("SELECT count(*) FROM quarantine") == [(0,)]
    admitted = "SELECT sum(json_extract(body, '$.data.admitted')) FROM audit WHERE action = 'imported'"
    assert world.query(admitted) == [(400,)]
    assert world.verify().ok
