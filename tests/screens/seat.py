"""A seat at the desk for tests: the real shell on a real workspace with the sample cases."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from app.cli.workspace import make_workspace
from app.demo import fill
from app.desk.local import LocalDesk
from app.desk.open import open_local_desk
from app.settings import Workspace, load_workspace
from app.shell import Shell
from screens.inbox import InboxScreen
from screens.review import ReviewScreen
from screens.widgets.case_list import CaseList
from screens.widgets.criterion_field import AnswerArea

# Rounds of the event loop after which a condition counts as never met.
_ROUNDS = 1500


def make_template(root: Path) -> Path:
    """A workspace with all samples."""
    make_workspace(root)
    fill(load_workspace(root), "importer")
    return root


def copy_of(template: Path, root: Path, settings: str = "") -> Path:
    """A workspace of one's own; `settings` is added to its secondlook.toml."""
    shutil.copytree(template, root)
    path = root / "secondlook.toml"
    path.write_text(path.read_text() + settings)
    return root


class Seat:
    """Somebody in front of the desk."""

    def __init__(self, shell: Shell, pilot: Pilot[None], root: Path) -> None:
        self.shell = shell
        self.pilot = pilot
        self.root = root

    async def until(self, condition: Callable[[], bool]) -> None:
        """Lets the program run until the condition holds."""
        for _ in range(_ROUNDS):
            if condition():
                return
            await self.pilot.pause(0.005)
        raise AssertionError(f"never came true; on the screen:\n{self.text()}")

    async def press(self, *keys: str) -> None:
        """Presses keys."""
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Types text."""
        await self.pilot.press(*("space" if c == " " else c for c in text))

    def text(self) -> str:
        """What is on the screen, line by line."""
        screen = self.shell.screen
        width, height = screen.size
        strips = screen._compositor.render_strips()
        return "\n".join("".join(s.text for s in strip).ljust(width) for strip in strips[:height])

    def shows(self, *words: str) -> bool:
        """Whether all words are on the screen."""
        text = self.text()
        return all(word in text for word in words)

    @property
    def cases(self) -> CaseList:
        """The inbox's list."""
        inbox = next(s for s in self.shell.screen_stack if isinstance(s, InboxScreen))
        return inbox.query_one(CaseList)

    @property
    def review(self) -> ReviewScreen:
        """The review screen."""
        return self.shell.review

    @property
    def case(self) -> str:
        """The id of the case on the screen."""
        working = self.review._working
        return working.view.row.id if working else ""

    @property
    def writing(self) -> bool:
        """Whether keys go into a text."""
        return isinstance(self.shell.focused, AnswerArea)

    async def take_next(self, queue: str) -> str:
        """Chooses a queue in the inbox and takes its most urgent case."""
        inbox = next(s for s in self.shell.screen_stack if isinstance(s, InboxScreen))
        for _ in range(5):
            if inbox._chosen["queue"] == queue:
                break
            await self.press("c")
        await self.press("n")
        await self.until(lambda: self.shell.screen is self.review and bool(self.case) and not self.review._busy)
        await self.until(lambda: self.shows(self.case))
        return self.case

    async def next_after(self, case: str) -> str:
        """Waits until another case is on the screen."""
        await self.until(lambda: self.case not in ("", case) and not self.review._busy)
        return self.case

    def other_desk(self, person: str) -> LocalDesk:
        """Somebody else's desk on the same workspace."""
        return open_local_desk(self.workspace, person, session="elsewhere")

    @property
    def workspace(self) -> Workspace:
        """The workspace."""
        return load_workspace(self.root)


@asynccontextmanager
async def seated(root: Path, size: tuple[int, int] = (120, 40), person: str = "ada") -> AsyncIterator[Seat]:
    """Opens the desk and waits for the inbox."""
    shell = Shell(lambda: load_workspace(root), person)
    async with shell.run_test(size=size) as pilot:
        seat = Seat(shell, pilot, root)
        await seat.until(lambda: bool(shell.failure) or (shell._desk is not None and seat.cases.count > 0))
        yield seat
