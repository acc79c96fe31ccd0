"""The driver's backstop: what a careless widget writes reaches the terminal as pictures only."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from textual.drivers.headless_driver import HeadlessDriver

from app.settings import load_workspace
from app.shell import Shell
from screens.driver import guarded, harmless
from tests.hostile.hostile import corpus, harm_in
from tests.hostile.pseudo_terminal import PseudoTerminal, split

ROOT = Path(__file__).resolve().parents[2]
ESCAPES = [found.text for found in corpus() if found.kind in ("escape", "unicode")]
# What the driver cannot tell from Textual's own: colours and absolute moves.
_OWN = ("\x1b[nm", "\x1b[nH")
CARELESS = """
import json, sys
from pathlib import Path
from rich.segment import Segment
from textual.app import App
from textual.strip import Strip
from textual.widget import Widget
from screens.driver import guarded

class Careless(Widget):
    DEFAULT_CSS = "Careless { height: 1fr; }"
    def render_line(self, y):
        text = TEXTS[y] if y < len(TEXTS) else ""
        return Strip([Segment(text.replace("\\n", " ")[:60])])

class Desk(App):
    BINDINGS = [("q", "quit"), ("c", "copy")]
    def get_driver_class(self):
        return guarded(super().get_driver_class())
    def compose(self):
        yield Careless()
    def action_copy(self):
        self.copy_to_clipboard("copied by the person")

TEXTS = [json.loads(line)["text"] for line in Path(sys.argv[1]).read_text().splitlines()]
Desk().run()
"""


def test_a_careless_widget_reaches_the_terminal_as_pictures() -> None:
    texts = ROOT / "fixtures" / "hostile" / "texts.jsonl"
    environment = {**os.environ, "TERM": "xterm-256color"}
    with PseudoTerminal([sys.executable, "-c", CARELESS, str(texts)], ROOT, environment, (120, 60)) as terminal:
        terminal.until("␛]52;c;")
        terminal.press("c")
        terminal.press("q")
        terminal.finish()
    kinds, text = split(terminal.written)
    strange = [kind for kind in kinds if kind not in (*_OWN, "\r", "\n") and not kind.startswith("\x1b[?")]
    copied = "\x1b]52;c;Y29waWVkIGJ5IHRoZSBwZXJzb24=\x07"
    assert set(strange) - {"\x1b]22;default\x07"} == {"\x1b[>25u", "\x1b[<u", copied}
    assert {"\x1b[?1049l", "\x1b[?2004l", "\x1b[?1003l"} <= kinds
    assert "\x1b[?2026h" not in kinds
    assert [harm for harm in harm_in(text) if harm not in ("U+200D", "U+200C", "U+00AD") and harm[2:4] != "FE"] == []


@pytest.mark.parametrize("text", ESCAPES)
def test_in_a_frame_only_colours_and_moves_act(text: str) -> None:
    frame = f"\x1b[1;1H\x1b[1;38;2;1;2;3mtitle\x1b[0m\n\x1b[2;1H{text}\x1b[0m\x1b[3;1H"
    kinds, _ = split(harmless(frame).encode())
    assert kinds <= {*_OWN, "\n"}


@pytest.mark.parametrize(
    "data",
    [
        "\x1b[?1049h", "\x1b[?1049l\x1b[?25h", "\x1b[?2026$p", "\x1b[?2048$p", "\x1b[>25u", "\x1b[<u", "\x07",
        "\x1b]22;pointer\x07", "\x1b]52;c;QUJD\x07", "\x1b[?2026h", "", "plain größe 審査 👍🏽",
        "\x1b[1;1H\x1b[38;2;1;2;3;48;2;4;5;6;1;4mx\x1b[0m\n\n\x1b[2;1Hy\n",
    ],
)  # fmt: skip
def test_what_textual_writes_passes(data: str) -> None:
    assert harmless(data) == data


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("\x1b]52;c;?\x07", "␛]52;c;?␇"),
        ("\x1b]52;c;QUJD\x07\x1b[1;1H", "␛]52;c;QUJD␇\x1b[1;1H"),
        ("x\x1b[?1049l", "x␛[?1049l"),
        ("a\rb\nc", "a␍b␤c"),
        ("\x1b[H\x1b[2J", "␛[H␛[2J"),
        ("\x1b\x1b[0m", "␛\x1b[0m"),
        ("\x9b2J", "\ufffd2J"),
        ("a\u202eb\U000e0041", "a·b·"),
        ("\x1b[" + "1;" * 100 + "m", "␛[" + "1;" * 100 + "m"),
    ],
)
def test_what_it_does_not_write_becomes_a_picture(data: str, shown: str) -> None:
    assert harmless(data) == shown


def test_a_sequence_that_is_cut_between_two_calls_is_one() -> None:
    written: list[str] = []

    class Recorder(HeadlessDriver):
        def write(self, data: str) -> None:
            written.append(data)

    driver = object.__new__(guarded(Recorder))
    for data in ("\x1b[1;1Hab\x1b[38;2", ";1;2;3mx\x1b", "[2J", "\x1b", "\x1b[?2026l"):
        driver.write(data)
    assert "".join(written) == "\x1b[1;1Hab\x1b[38;2;1;2;3mx␛[2J␛\x1b[?2026l"


def test_the_shell_writes_through_it(tmp_path: Path) -> None:
    assert Shell(lambda: load_workspace(tmp_path), None).driver_class.__name__.startswith("Guarded")
