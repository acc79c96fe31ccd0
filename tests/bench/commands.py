"""Command lines: the program as it is installed, and the least that Python and Textual need."""

from __future__ import annotations

import sys
from pathlib import Path

PROGRAM = (str(Path(sys.executable).with_name("secondlook")),)
BARE_PYTHON = (sys.executable, "-c", "pass")
# The tests' folder comes last: it must not hide the packages of the program.
_RUN_TRACED = "import sys; sys.path.append(sys.argv.pop(1)); from bench.traced import main; main()"
TRACED = (sys.executable, "-c", _RUN_TRACED)
# Says a word at once, and how many keys it has got.
EMPTY_APP = (
    sys.executable,
    "-c",
    """
from textual.app import App
from textual.widgets import Static

class Empty(App):
    def compose(self):
        yield Static("ready")
    def on_key(self, event):
        self.presses = getattr(self, "presses", 0) + 1
        self.query_one(Static).update(f"press-{self.presses:05d}")

Empty().run()
""",
)
