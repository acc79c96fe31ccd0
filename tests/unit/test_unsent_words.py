"""What is unsent, in words."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from app.desk.unsent_words import counted, left_unsent, state_of, why_kept
from app.model.case import Unsent


@pytest.mark.parametrize(
    ("decisions", "drafts", "said"),
    [(0, 0, ""), (1, 0, "1 decision"), (0, 2, "2 drafts"), (2, 1, "2 decisions and 1 draft")],
)
def test_counting(decisions: int, drafts: int, said: str) -> None:
    assert counted(decisions, drafts) == said


def test_the_state_in_one_line() -> None:
    since = 1_800_000_000_000
    clock = time.strftime("%H:%M", time.localtime(since / 1000))
    assert state_of(Unsent()) == left_unsent(Unsent()) == ""
    away = Unsent(decisions=2, drafts=1, since=since, reachable=False)
    assert state_of(away) == f"the hub does not answer since {clock}; 2 decisions and 1 draft kept here"
    assert len(state_of(away)) < 76
    nothing = Unsent(since=since, reachable=False)
    assert state_of(nothing) == f"the hub does not answer since {clock}; nothing unsent"
    assert why_kept(away) == "the hub does not answer"
    assert left_unsent(away).endswith("are not sent yet: they are sent when you open secondlook again.")


def test_a_token_that_ended() -> None:
    out = Unsent(decisions=1, since=1, signed_out=True)
    assert "`secondlook login`; 1 decision kept here" in state_of(out)
    assert why_kept(out) == "sign in again"
    assert (
        left_unsent(out)
        == "1 decision is not sent yet: after `secondlook login`, it is sent when you open secondlook again."
    )


def test_what_the_hub_could_not_take_yet() -> None:
    assert state_of(Unsent(decisions=1)) == "1 decision kept here: the hub could not take it yet"


@pytest.mark.parametrize("kept", [(0, 0), (999, 99)])
@pytest.mark.parametrize("how", [Unsent(), Unsent(reachable=False, since=1), Unsent(signed_out=True, since=1)])
def test_every_state_stands_on_a_line_of_80(kept: tuple[int, int], how: Unsent) -> None:
    assert len(state_of(replace(how, decisions=kept[0], drafts=kept[1]))) <= 76
