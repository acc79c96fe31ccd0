"""Many processes, and many threads, on one database: every case is handed out exactly once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from app.model.case import Draft, Filter
from app.model.errors import NothingToDo
from tests.contract.worlds import SqliteWorld, decide
from tests.crash.conftest import Workers
from tests.crash.worker import QUEUE

HANDS = 8


def done_by(out: str) -> list[int]:
    """The cases that a worker says it decided."""
    return [int(line.split()[2]) for line in out.splitlines() if line.startswith("done")]


def everything(world: SqliteWorld) -> list[int]:
    """The numbers of all cases."""
    numbers = [number for (number,) in world.query("SELECT case_id FROM cases")]
    assert len(numbers) == 800
    return numbers


def test_eight_processes_share_the_work(workers: Workers, world: SqliteWorld) -> None:
    started = [workers.start("decide", world.path, f"person-{n}") for n in range(HANDS)]
    results = [worker.communicate() for worker in started]
    assert [worker.returncode for worker in started] == [0] * HANDS, [err for _, err in results]
    decided = [case_id for out, _ in results for case_id in done_by(out)]
    assert Counter(decided) == Counter(everything(world))
    assert world.query("SELECT count(*), count(DISTINCT case_id) FROM reviews") == [(800, 800)]
    assert world.query("SELECT person, count(*) FROM reviews GROUP BY person ORDER BY person") == [
        (f"person-{n}", len(done_by(out))) for n, (out, _) in enumerate(results) if done_by(out)
    ]
    assert world.query("SELECT count(DISTINCT lease_token) > 1, sum(claims) FROM cases") == [(1, 0)]
    assert world.query("SELECT action, count(*) FROM audit WHERE action <> 'imported' GROUP BY action") == [
        ("claimed", 800),
        ("decided", 800),
    ]
    assert world.verify().ok


def test_four_processes_open_a_new_database_at_once(workers: Workers, tmp_path: Path) -> None:
    world = SqliteWorld(tmp_path)
    started = [workers.start("open", world.path) for _ in range(4)]
    for worker in started:
        out, err = worker.communicate()
        assert out == "ready\nend\n", err
    assert world.query("SELECT count(*) FROM alembic_version") == [(1,)]
    assert world.verify().ok


def test_two_imports_of_one_file_beside_reviewers(workers: Workers, world: SqliteWorld, file: Path) -> None:
    """The file's ids are held already, with other content in none of them."""
    importers = [workers.start("import", world.path, file) for _ in range(2)]
    reviewers = [workers.start("decide", world.path, f"person-{n}") for n in range(2)]
    for worker in (*importers, *reviewers):
        out, err = worker.communicate()
        assert out.endswith("end\n"), err
    assert world.query("SELECT count(*), count(DISTINCT external_id) FROM cases") == [(800, 800)]
    assert world.query("SELECT count(*) FROM quarantine") == [(0,)]
    assert world.query("SELECT count(*) FROM reviews") == [(800,)]
    assert world.verify().ok


def test_two_first_imports_admit_everything_once(workers: Workers, tmp_path: Path, file: Path) -> None:
    world = SqliteWorld(tmp_path)
    importers = [workers.start("import", world.path, file) for _ in range(3)]
    for worker in importers:
        out, err = worker.communicate()
        assert out.endswith("end\n"), err
    assert world.query("SELECT count(*), count(DISTINCT external_id) FROM cases") == [(400, 400)]
    assert world.query("SELECT count(*) FROM case_records") == [(400,)]
    assert world.verify().ok


def in_threads(acts: list[Callable[[], None]]) -> None:
    """Runs acts at once; raises what any of them raised."""
    failures: list[BaseException] = []

    def guarded(act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001  # handed to the test below
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_eight_threads_share_one_desk(world: SqliteWorld) -> None:
    world.clock.now = time.time_ns() // 1_000_000
    desk = world.desk("ada", queues=(QUEUE,))
    decided: list[int] = []

    def work() -> None:
        while True:
            try:
                claim = desk.claim(QUEUE)
            except NothingToDo:
                return
            decided.append(decide(desk, claim).case_id)

    in_threads([work] * HANDS)
    assert Counter(decided) == Counter(everything(world))
    assert world.query("SELECT count(*), count(DISTINCT case_id) FROM reviews") == [(800, 800)]
    assert desk.summary(0).decided == 800
    assert world.verify().ok


def test_reading_and_drafting_go_on_while_others_decide(world: SqliteWorld) -> None:
    desk = world.desk("ada", queues=(QUEUE,))
    last = list(desk.ids(Filter()))[-1]
    over = threading.Event()
    read: Counter[str] = Counter()

    def decides() -> None:
        for _ in range(60):
            decide(desk, desk.claim(QUEUE))

    def all_decide() -> None:
        try:
            in_threads([decides] * 3)
        finally:
            over.set()

    def reads() -> None:
        while not over.is_set():
            listed = desk.ids(Filter(), 30)
            assert len(desk.rows(listed)) == 30
            peeked = desk.peek(QUEUE)
            assert peeked is not None
            status = desk.backlog()[0]
            assert status.open + status.leased + status.settled == 800
            read["lists"] += 1

    def drafts() -> None:
        while not over.is_set():
            desk.save_draft(last, Draft({"rule": "none", "n": read["drafts"]}))
            read["drafts"] += 1

    in_threads([all_decide, reads, reads, drafts])
    assert read["lists"] > 5
    assert read["drafts"] > 5
    assert desk.claim_case(last).draft.answers["n"] == read["drafts"] - 1
    assert world.query("SELECT count(*) FROM reviews") == [(180,)]
    assert world.verify().ok
