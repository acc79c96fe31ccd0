"""Work while the hub is away: kept on this machine, encrypted, and sent once."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from app.desk import erasing
from app.desk.journal import folder_of, journals_of
from app.desk.journal_key import EARLIER
from app.desk.remote import RemoteDesk
from app.hub.hub import Hub
from app.model.case import Draft
from app.model.errors import BadInput, LeaseLost, Refused, Unavailable
from app.signing_in import VARIABLE, keep_in_file, token_for
from db import tokens
from tests.builders import record
from tests.contract import hubs
from tests.contract.worlds import KEYS, SqliteWorld, agreeing, decide, decision, overturning
from tests.hub.line import Line, until
from tests.unit.test_secrets import Ring, use

Open = Callable[..., RemoteDesk]
SECRET = "Frau Grünwald kündigte, weil die Rechnung falsch war"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that a test can wait for."""
    monkeypatch.setattr("app.desk.retrying.FIRST_PAUSE", 0.05)
    monkeypatch.setattr("app.desk.retrying.LONGEST_PAUSE", 0.2)
    monkeypatch.setattr("app.desk.remote_keeping._PATIENCE", 0.6)
    monkeypatch.setattr("app.desk.remote_asking._AWAY_SECONDS", 0.6)


@pytest.fixture
def line(address: str) -> Iterator[Line]:
    made = Line(address)
    yield made
    made.cut()


@pytest.fixture
def token(hub: Hub) -> str:
    return hubs.sign_in(hub, "ada", "reviewer")


@pytest.fixture
def terminal(hub: Hub, line: Line, token: str) -> Iterator[Open]:
    """Terminals through the line; without a token they are ada's."""
    made = []

    def opened(shown: str = "") -> RemoteDesk:
        made.append(RemoteDesk(line.url, shown or token))
        return made[-1]

    yield opened
    for desk in made:
        desk.close()


def reviews(world: SqliteWorld) -> list[tuple[int, int]]:
    """How many reviews each case has."""
    return [(int(c), int(n)) for c, n in world.query("SELECT case_id, count(*) FROM reviews GROUP BY 1 ORDER BY 1")]


def drafts(world: SqliteWorld) -> dict[int, dict[str, object]]:
    """The answers of the drafts that the hub has."""
    return {case: orjson.loads(body)["answers"] for case, body in world.query("SELECT case_id, body FROM drafts")}


def test_what_is_done_meanwhile_is_sent_later(terminal: Open, line: Line, world: SqliteWorld) -> None:
    ada = terminal()
    changes: list[object] = []
    ada.watch_unsent(lambda: changes.append(ada.unsent()))
    first, second = ada.claim("credit"), ada.claim("credit")
    line.cut()
    ada.save_draft(second.lease.case_id, Draft({"support": "partly"}, seconds=3.0))
    receipt = ada.decide(decision(first))
    assert (receipt.sent, receipt.verdict, receipt.id) == (False, "kept", first.view.row.id)
    found = ada.unsent()
    assert (found.decisions, found.drafts, found.reachable) == (1, 1, False) and found.since
    with pytest.raises(Unavailable, match="does not answer"):
        ada.claim()
    assert reviews(world) == []
    line.mend()
    until(lambda: ada.unsent().reachable and not ada.unsent().decisions)
    assert (ada.unsent().sent, ada.unsent().since) == (2, None)
    assert reviews(world) == [(first.lease.case_id, 1)]
    assert drafts(world) == {second.lease.case_id: {"support": "partly"}}
    assert journals_of(line.url) == [] and changes
    assert world.verify().ok


def test_the_latest_draft_wins_and_a_decision_ends_it(terminal: Open, line: Line, world: SqliteWorld) -> None:
    ada = terminal()
    first, second = ada.claim("credit"), ada.claim("credit")
    line.cut()
    for n in range(250):
        ada.save_draft(first.lease.case_id, Draft({"rationale": f"version {n}"}))
    ada.save_draft(second.lease.case_id, Draft({"support": "partly"}))
    ada.decide(decision(second))
    assert (ada.unsent().drafts, ada.unsent().decisions) == (1, 1)
    (path,) = journals_of(line.url)
    assert path.stat().st_size < 40_000
    line.mend()
    until(lambda: ada.unsent().sent == 2)
    assert drafts(world) == {first.lease.case_id: {"rationale": "version 249"}}


def test_what_arrived_unheard_counts_once(terminal: Open, line: Line, world: SqliteWorld) -> None:
    ada = terminal()
    claim = ada.claim("credit")
    line.deaf = True
    assert not ada.decide(decision(claim)).sent
    until(lambda: reviews(world) == [(claim.lease.case_id, 1)])
    line.mend()
    until(lambda: ada.unsent().sent == 1)
    assert reviews(world) == [(claim.lease.case_id, 1)]
    assert world.query("SELECT count(*) FROM audit WHERE action = 'decided'") == [(1,)]


def test_a_hub_that_hangs_keeps_nobody(terminal: Open, line: Line, world: SqliteWorld) -> None:
    ada = terminal()
    claim = ada.claim("credit")
    line.hangs = True
    begun = time.monotonic()
    assert not ada.decide(decision(claim)).sent
    assert time.monotonic() - begun < 2.0
    line.mend()
    until(lambda: ada.unsent().sent == 1)
    assert reviews(world) == [(claim.lease.case_id, 1)]


def test_closing_ends_every_wait_and_keeps_what_is_on_its_way(
    terminal: Open, line: Line, world: SqliteWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.desk.remote_keeping._PATIENCE", 60.0)
    ada = terminal()
    claim = ada.claim("credit")
    line.hangs = True
    working = threading.Thread(target=lambda: ada.decide(decision(claim)))
    working.start()
    time.sleep(0.2)
    begun = time.monotonic()
    ada.close()
    working.join(2.0)
    assert time.monotonic() - begun < 3.0 and not working.is_alive()
    assert ada.unsent().decisions == 1
    line.mend()
    assert terminal().unsent().sent == 1
    assert reviews(world) == [(claim.lease.case_id, 1)]


def test_nothing_can_be_read_in_the_file(terminal: Open, line: Line, token: str) -> None:
    ada = terminal()
    claim = ada.claim("credit")
    line.cut()
    ada.save_draft(claim.lease.case_id, Draft({"rationale": SECRET}))
    ada.decide(decision(claim, {**overturning(claim.view), "rationale": SECRET}))
    (path,) = journals_of(line.url)
    content = path.read_bytes()
    words = [SECRET, claim.view.row.id, '"ada"', "decline", "rationale", "decision", line.url, token, token[4:20]]
    assert not [word for word in words if word.encode() in content]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert all(stat.S_IMODE(folder.stat().st_mode) == 0o700 for folder in (path.parent, path.parent.parent))


def test_where_it_cannot_be_kept_either_that_is_said(
    terminal: Open, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = terminal()
    claim = ada.claim("credit")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    line.cut()
    with pytest.raises(Unavailable, match="could not be kept here either"):
        ada.decide(decision(claim))


# -- what goes wrong with the file -------------------------------------------------------------------


def left(terminal: Open, line: Line, many: int) -> list[int]:
    """Leaves so many decisions in a journal; returns their cases."""
    ada = terminal()
    claims = [ada.claim("credit") for _ in range(many)]
    line.cut()
    for claim in claims:
        ada.decide(decision(claim))
    ada.close()
    line.mend()
    return [claim.lease.case_id for claim in claims]


def test_a_torn_last_line_is_dropped(terminal: Open, line: Line, world: SqliteWorld) -> None:
    cases = left(terminal, line, 2)
    (path,) = journals_of(line.url)
    path.write_bytes(path.read_bytes()[:-9])
    ada = terminal()
    assert (ada.unsent().sent, ada.unsent().refused) == (1, ())
    assert reviews(world) == [(cases[0], 1)]
    assert journals_of(line.url) == []


def test_wherever_a_crash_cuts_what_was_before_is_kept(terminal: Open, line: Line, token: str) -> None:
    from app.desk.journal_file import JournalFile
    from app.desk.journal_key import JournalKeys

    left(terminal, line, 3)
    (path,) = journals_of(line.url)
    content, keys = path.read_bytes(), JournalKeys(line.url, token)
    ends = [at + 1 for at, byte in enumerate(content) if byte == ord("\n")]
    for cut in range(ends[1], len(content) + 1):
        path.write_bytes(content[:cut])
        opened = JournalFile.open(path, line.url, keys)
        assert opened is not None
        file, records = opened
        file.append({"do": "seen"})
        file.close()
        assert len(records) == sum(end <= cut for end in ends[2:]) and not file.bad
        again = JournalFile.open(path, line.url, keys)
        assert again is not None and len(again[1]) == len(records) + 1
        again[0].close()
    # A file that was begun and no more holds nothing.
    for cut in (0, 5, ends[0] - 1, ends[0], ends[1] - 1):
        path.write_bytes(content[:cut])
        assert JournalFile.open(path, line.url, keys) is None and not path.exists()


@pytest.mark.parametrize("harm", ["a flipped bit", "two lines swapped", "a line doubled", "a line of another file"])
def test_a_line_that_does_not_open_is_set_aside_and_said(
    harm: str, terminal: Open, line: Line, world: SqliteWorld
) -> None:
    cases = left(terminal, line, 3)
    (path,) = journals_of(line.url)
    lines = path.read_bytes().splitlines(keepends=True)
    if harm == "a flipped bit":
        lines[3] = lines[3][:40] + bytes([lines[3][40] ^ 1]) + lines[3][41:]
        sent = [cases[0], cases[2]]
    elif harm == "two lines swapped":
        lines[3], lines[4] = lines[4], lines[3]
        sent = [cases[0], cases[2]]
    elif harm == "a line doubled":
        lines.append(lines[3])
        sent = cases
    else:
        path.rename(path.with_suffix(".elsewhere"))
        left(terminal, line, 0)
        other = terminal()
        claim = other.claim("credit")
        line.cut()
        other.decide(decision(claim))
        other.close()
        line.mend()
        (path,) = journals_of(line.url)
        alien, lines = lines[2], path.read_bytes().splitlines(keepends=True)
        lines.append(b"2" + alien[1:])
        sent = [claim.lease.case_id]
    path.write_bytes(b"".join(lines))
    ada = terminal()
    assert [case for case, _ in reviews(world)] == sorted(sent)
    (told,) = ada.unsent().refused
    assert "1 line of what was kept here cannot be read" in told.why
    (aside,) = folder_of(line.url).glob("*.unreadable")
    assert str(aside) in told.why and aside.stat().st_size > 100
    ada.close()
    # It is told until it was seen.
    ada = terminal()
    assert ada.unsent().refused == (told,)
    ada.seen_refused()
    assert ada.unsent().refused == () and journals_of(line.url) == []


def test_a_file_whose_beginning_is_damaged_stays_and_is_said(terminal: Open, line: Line, world: SqliteWorld) -> None:
    left(terminal, line, 1)
    (path,) = journals_of(line.url)
    path.write_bytes(b"x" + path.read_bytes())
    ada = terminal()
    assert "its beginning is damaged" in ada.unsent().refused[0].why and path.exists()
    assert ada.claim("credit") and reviews(world) == []


# -- refused later -----------------------------------------------------------------------------------


def test_a_decision_whose_lease_ran_out_becomes_a_draft_and_is_told(
    terminal: Open, line: Line, world: SqliteWorld
) -> None:
    ada = terminal()
    claim = ada.claim("credit")
    case_id = claim.lease.case_id
    line.cut()
    made = decision(claim, overturning(claim.view))
    ada.decide(made)
    world.clock.forward(minutes=20)
    ben = world.desk("ben")
    ben.decide(decision(ben.claim_case(case_id)))
    line.mend()
    until(lambda: bool(ada.unsent().refused))
    (told,) = ada.unsent().refused
    assert (told.case_id, told.id) == (case_id, claim.view.row.id)
    assert "settled already" in told.why and "kept as a draft" in told.why
    assert drafts(world)[case_id] == made.answers
    assert world.query("SELECT person FROM reviews") == [("ben",)]
    ada.close()
    ada = terminal()
    assert ada.unsent().refused == (told,)
    ada.seen_refused()
    ada.close()
    assert terminal().unsent().refused == ()


def test_answers_that_do_not_fit_become_a_draft_and_are_told(terminal: Open, line: Line, world: SqliteWorld) -> None:
    ada = terminal()
    claim = ada.claim("credit")
    line.cut()
    ada.decide(decision(claim, {"support": "nonsense"}))
    line.mend()
    until(lambda: bool(ada.unsent().refused))
    assert "Your answers are its draft" in ada.unsent().refused[0].why
    assert drafts(world) == {claim.lease.case_id: {"support": "nonsense"}}


def test_what_is_refused_for_good_says_what_was_answered(terminal: Open, line: Line, world: SqliteWorld) -> None:
    ada = terminal()
    claim = ada.claim("credit")
    line.deaf = True
    ada.decide(decision(claim))
    until(lambda: len(reviews(world)) == 1)
    # In another terminal the decision that had arrived was taken back.
    world.desk("ada", "second").undo(claim.lease.case_id)
    line.mend()
    until(lambda: bool(ada.unsent().refused))
    why = ada.unsent().refused[0].why
    assert "was taken back" in why and f"label = {agreeing(claim.view)['label']}" in why


def test_an_undo_never_takes_back_the_one_before(terminal: Open, line: Line, world: SqliteWorld) -> None:
    ada = terminal()
    ada.decide(decision(ada.claim("credit")))
    claim = ada.claim("credit")
    line.cut()
    ada.decide(decision(claim))
    with pytest.raises(Unavailable, match="Nothing was taken back"):
        ada.undo()
    line.mend()
    assert ada.undo().lease.case_id == claim.lease.case_id
    assert len(reviews(world)) == 2


def test_of_an_erased_case_nothing_is_kept(terminal: Open, line: Line, world: SqliteWorld) -> None:
    subject = "customer Quastenflosser-7781"
    world.admit("credit", [record(id="of-a-subject", subject=subject)])
    ada = terminal()
    claim = ada.claim_case(ada.find("of-a-subject"))
    held = ada.claim("credit")
    line.cut()
    ada.decide(decision(claim, {"support": SECRET}))
    ada.save_draft(held.lease.case_id, Draft({"support": "partly"}))
    with world.store() as store:
        plan = erasing.plan_subject(store, KEYS, subject)
        erasing.erase(store, KEYS, plan, "dpo", world.clock(), True)
    line.mend()
    until(lambda: bool(ada.unsent().refused))
    (told,) = ada.unsent().refused
    assert "erased" in told.why and SECRET not in told.why
    assert drafts(world) == {held.lease.case_id: {"support": "partly"}}


# -- tokens and keys ---------------------------------------------------------------------------------


def revoke(hub: Hub) -> None:
    """Ends all tokens."""
    with hub.store.write() as connection:
        for (token_id,) in connection.exec_driver_sql("SELECT token_id FROM tokens").fetchall():
            tokens.revoke(connection, token_id, hub.clock())


@pytest.mark.parametrize("keyring", [True, False])
def test_a_revoked_token_loses_nothing(
    keyring: bool, terminal: Open, line: Line, hub: Hub, world: SqliteWorld, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = Ring()
    if keyring:
        use(monkeypatch, ring)
    monkeypatch.setattr("app.hub.hub._TOKEN_SECONDS", 0.0)
    ada = terminal()
    claim = ada.claim("credit")
    revoke(hub)
    assert not ada.decide(decision(claim)).sent
    assert (ada.unsent().signed_out, ada.unsent().reachable, ada.unsent().decisions) == (True, True, 1)
    with pytest.raises(Refused, match="does not know this token"):
        ada.claim()
    ada.close()
    with pytest.raises(Refused, match="1 decision that is not sent yet"):
        terminal()
    anew = hubs.sign_in(hub, "ada", "reviewer")
    ada = terminal(anew)
    if not keyring:
        assert EARLIER in ada.unsent().refused[0].why and ada.unsent().sent == 0
        ada.close()
        monkeypatch.setenv(EARLIER, token)
        ada = terminal(anew)
    assert (ada.unsent().sent, ada.unsent().refused) == (1, ())
    assert reviews(world) == [(claim.lease.case_id, 1)]
    assert [name for _, name in ring.kept] == ([f"journal:{line.url}"] if keyring else [])


def test_a_claim_whose_answer_is_lost_comes_with_the_next_one(
    terminal: Open, line: Line, hub: Hub, world: SqliteWorld, token: str
) -> None:
    ada, elsewhere = terminal(), terminal()
    others = elsewhere.claim("credit")
    line.deaf = True
    with pytest.raises(Unavailable):
        ada.claim("credit")
    line.mend()
    held = "SELECT case_id FROM cases WHERE state = 'leased' ORDER BY case_id"
    (lost,) = [case_id for (case_id,) in world.query(held) if case_id != others.lease.case_id]
    claim = ada.claim("credit")
    assert claim.lease.case_id == lost
    decide(ada, claim)
    # From then on claims are claims.
    following = ada.claim("credit")
    assert following.lease.case_id not in (lost, others.lease.case_id)
    assert world.query(held) == [(one,) for one in sorted((others.lease.case_id, following.lease.case_id))]
    assert elsewhere.held_lease(others.lease.case_id).token == others.lease.token


def test_the_token_before_is_found_beside_the_file_of_tokens(
    terminal: Open, hub: Hub, world: SqliteWorld, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.hub.hub._TOKEN_SECONDS", 0.0)
    file = tmp_path / "token"
    monkeypatch.setenv(f"{VARIABLE}_FILE", str(file))
    keep_in_file(file, token)
    ada = terminal(token_for(""))
    claim = ada.claim("credit")
    revoke(hub)
    assert not ada.decide(decision(claim)).sent
    ada.close()
    # Several times, before the desk is opened again.
    for _ in range(2):
        keep_in_file(file, hubs.sign_in(hub, "ada", "reviewer"))
        keep_in_file(file, file.read_text().strip())
    assert sorted(one.name for one in tmp_path.iterdir() if "token" in one.name) == ["token", "token.before"]
    assert {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.glob("token*")} == {0o600}
    assert terminal(token_for("")).unsent().sent == 1
    assert reviews(world) == [(claim.lease.case_id, 1)]


def test_somebody_else_on_this_machine_sends_nothing_of_it(
    terminal: Open, line: Line, hub: Hub, world: SqliteWorld
) -> None:
    cases = left(terminal, line, 1)
    ben = terminal(hubs.sign_in(hub, "ben", "reviewer"))
    assert (ben.unsent().sent, ben.unsent().refused) == (0, ())
    assert reviews(world) == []
    assert terminal().unsent().sent == 1 and reviews(world) == [(cases[0], 1)]


# -- terminals ---------------------------------------------------------------------------------------


def test_two_terminals_keep_apart_and_the_next_one_takes_up_both(
    terminal: Open, line: Line, world: SqliteWorld
) -> None:
    one, two = terminal(), terminal()
    claims = [one.claim("credit"), two.claim("credit")]
    line.cut()
    for desk, claim in zip((one, two), claims, strict=True):
        desk.decide(decision(claim))
    files = journals_of(line.url)
    assert len(files) == 2
    one._retrying.stop()
    two._retrying.stop()
    line.mend()
    # What living terminals keep is theirs.
    three = terminal()
    assert three.unsent().sent == 0
    one.close()
    two.close()
    three.close()
    with pytest.raises(Unavailable, match="2 decisions that are not sent yet"):
        line.cut()
        terminal()
    line.mend()
    assert terminal().unsent().sent == 2
    assert reviews(world) == sorted((claim.lease.case_id, 1) for claim in claims)
    assert journals_of(line.url) == []


CHILD = """
import sys, time
from app.desk.remote import RemoteDesk
from app.model.case import Draft
from tests.contract.worlds import decision
desk = RemoteDesk(sys.argv[1], sys.argv[2])
claim, other = desk.claim("credit"), desk.claim("credit")
print(claim.lease.case_id, other.lease.case_id, flush=True)
sys.stdin.readline()
desk.save_draft(other.lease.case_id, Draft({"support": "partly"}))
print(desk.decide(decision(claim)).sent, flush=True)
time.sleep(60)
"""


def test_a_killed_terminal_loses_nothing(terminal: Open, line: Line, token: str, world: SqliteWorld) -> None:
    command = [sys.executable, "-c", CHILD, line.url, token]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None and child.stdout is not None
        cases = [int(number) for number in child.stdout.readline().split()]
        line.cut()
        child.stdin.write("go on\n")
        child.stdin.flush()
        assert child.stdout.readline() == "False\n"
        os.kill(child.pid, signal.SIGKILL)
    line.mend()
    assert terminal().unsent().sent == 2
    assert terminal().unsent().sent == 0
    assert reviews(world) == [(cases[0], 1)]
    assert drafts(world) == {cases[1]: {"support": "partly"}}


def test_the_lease_is_what_decides_not_the_terminal(terminal: Open, line: Line, world: SqliteWorld) -> None:
    ada = terminal()
    claim = ada.claim("credit")
    line.cut()
    ada.decide(decision(claim))
    ada.close()
    # The same person took the case over elsewhere meanwhile: that one counts, and its draft stays.
    elsewhere = world.desk("ada", "elsewhere")
    elsewhere.claim_case(claim.lease.case_id, take_over=True)
    elsewhere.save_draft(claim.lease.case_id, Draft({"support": "partly"}))
    line.mend()
    (told,) = terminal().unsent().refused
    assert "took" in told.why and "You had answered" in told.why
    assert drafts(world) == {claim.lease.case_id: {"support": "partly"}}
    with pytest.raises(LeaseLost):
        world.desk("ada").decide(decision(claim))


def test_a_decision_id_is_kept_for_one_decision_only(terminal: Open, line: Line, world: SqliteWorld) -> None:
    ada = terminal()
    first, second = ada.claim("credit"), ada.claim("credit")
    line.cut()
    kept = decision(first, decision_id="once")
    ada.decide(kept)
    assert not ada.decide(replace(kept, answers=dict(reversed(list(kept.answers.items()))), seconds=9.0)).sent
    for other in (replace(kept, answers=overturning(first.view)), decision(second, decision_id="once")):
        with pytest.raises(BadInput, match="kept here with another case or other answers"):
            ada.decide(other)
    assert ada.unsent().decisions == 1
    line.mend()
    until(lambda: ada.unsent().sent == 1)
    assert world.query("SELECT case_id, verdict FROM reviews") == [(first.lease.case_id, "upheld")]
    with pytest.raises(BadInput, match="sent before with other answers"):
        ada.decide(replace(kept, answers=overturning(first.view)))
