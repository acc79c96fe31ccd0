"""The whole corpus on every screen of the real program, byte by byte, without the driver's backstop.

A twin workspace that says harmless words shows which control sequences the program writes by itself.
"""

from __future__ import annotations

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hostile.hostile import bundled, harm_in, storable
from tests.hostile.hostile_workspace import JUDGED_FIRST, PERSON, QUEUE, make_hostile
from tests.hostile.pseudo_terminal import PseudoTerminal, split

ROOT = Path(__file__).resolve().parents[2]
# `screens.driver` would make holes invisible here.
UNGUARDED = (
    "import sys, screens.driver as d; d.guarded = lambda driver: driver; from app.cli import main; sys.exit(main())"
)
# What Textual writes at the start, for frames and at the end.
OWN = re.compile(
    r"[\r\n]|\x1b\[nm|\x1b\[nH"
    r"|\x1b\[\?(?:7|25|1000|1003|1004|1006|1015|1049|2004|2026|2048)[hl]"
    r"|\x1b\[\?(?:2026|2048)\$p|\x1b\[>25u|\x1b\[<u|\x1b\]22;(?:default|pointer|text)\x07"
)
_ESC, _CTRL_P, _CTRL_Q, _ENTER = "\x1b", "\x10", "\x11", "\r"
_QUEUES = ["credit", "summaries", "moderation", QUEUE, JUDGED_FIRST]


def to_queue(name: str) -> list[str]:
    """The keys that choose a queue in the inbox without filters."""
    return ["c"] * (_QUEUES.index(name) + 1)


INBOX = ["j", "G", "/", "approved", _ENTER, _ESC, "t", "v", _ESC, "?", _ESC, _CTRL_P, "case", _ESC]
HELD = [*to_queue(QUEUE), "v", "t", "t", _ENTER, "1", " ", _ESC, _ESC]
PAPERS = ["c", *"    ", "b", "w", *"    ", "m", " ", "p", " ", "y", " ", "c"]
ANSWERS = ["2", "1", "j", "j", _ENTER, "k", " ", "l", " ", "l", " ", _ENTER, "j", "j", "i", "\x0amore", _ESC]
ASKING = ["f", "a note", _ENTER, "x", _ESC, "d", _ESC, "?", _ESC, _CTRL_P, "paper", _ESC]
FIRST = [_ESC, _ESC, *to_queue(JUDGED_FIRST), "n", *"  ", "m", "1", "j", _ENTER, "3", "w", "  "]
WALK = [*INBOX, *HELD, *to_queue(QUEUE), "n", *PAPERS, *ASKING, *ANSWERS, _ENTER, "u", "y", *FIRST, _ESC]

# Keys after which something is fetched: what comes with it.
AWAITED = {"n": "lease ", "f": "should the lead know", "y": "flagged", "u": "is open again"}


def walk(root: Path, size: tuple[int, int]) -> bytes:
    """Everything the program writes while somebody looks at everything."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SECONDLOOK_", "TEXTUAL"))}
    environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-c", UNGUARDED, "--workspace", str(root), "--as", PERSON]
    with PseudoTerminal(command, ROOT, environment, size) as terminal:
        terminal.until("000 ")
        terminal.press("")
        for keys in WALK:
            terminal.press(keys, AWAITED.get(keys, ""))
        terminal.press(_CTRL_Q)
        terminal.finish()
        return terminal.written


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What each run wrote. They run side by side."""
    folder = tmp_path_factory.mktemp("screens")
    texts = storable()
    plans = {
        "twin": (["plain words", "approved", "two\nlines", "größe 日本語"], (120, 40)),
        "wide": (bundled(texts, 5), (120, 40)),
        "small": (bundled(texts[::-1], 5), (80, 24)),
    }
    for name, (said, _) in plans.items():
        make_hostile(folder / name, said, 6)
    with ThreadPoolExecutor() as pool:
        found = {name: pool.submit(walk, folder / name, size) for name, (_, size) in plans.items()}
    return {name: run.result() for name, run in found.items()}


@pytest.mark.parametrize("name", ["wide", "small"])
def test_no_byte_of_the_corpus_acts_on_the_terminal(runs: dict[str, bytes], name: str) -> None:
    kinds, text = split(runs[name])
    assert {kind for kind in kinds if not OWN.fullmatch(kind)} == set()
    assert kinds <= split(runs["twin"])[0]
    assert harm_in(text) == []


@pytest.mark.parametrize("name", ["wide", "small"])
def test_the_corpus_was_on_the_screens(runs: dict[str, bytes], name: str) -> None:
    _, text = split(runs[name])
    for shown in ("␛]52;c;", "␛[2J", "␇", "␍", "\ufffd", "·", "[@click=app.quit]", "approved"):
        assert shown in text, shown
    words = ("hidden characters", "Why", "Provenance", "History", "Similar", "is open again", "Defer this case")
    assert [word for word in words if word not in text] == []
