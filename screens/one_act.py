"""One act with a case at a time, off the loop. Whoever wants to leave meanwhile leaves after it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, cast

from textual.screen import Screen

from app.model.errors import SecondlookError

if TYPE_CHECKING:
    from app.shell import Shell

T = TypeVar("T")


@dataclass
class Act:
    """Something that is being done with a case. Where it `succeeded`, the case is decided or given up."""

    over: threading.Event = field(default_factory=threading.Event)
    succeeded: bool = False


class OneAct(Screen[None]):
    """`_busy`: no key may begin anything; `_act`: what is under way; `_leaves`: the inbox comes after it."""

    def __init__(self) -> None:
        super().__init__()
        self._busy = False
        self._act: Act | None = None
        self._leaves = False
        self._shell: Shell | None = None

    @property
    def shell(self) -> Shell:
        """The application. Remembered: an act in a thread may ask for it when the screens are gone."""
        if self._shell is None:
            self._shell = cast("Shell", self.app)
        return self._shell

    def run_act(
        self, work: Callable[[], T], done: Callable[[T], None], refused: Callable[[SecondlookError], None]
    ) -> None:
        """Runs `work` in a thread; `done` and `refused` come back on the loop."""
        self._busy = True
        act = self._act = Act()

        def carefully() -> T:
            try:
                result = work()
                act.succeeded = True
                return result
            finally:
                act.over.set()

        def came(result: T) -> None:
            self._act = None
            done(result)

        def failed(error: SecondlookError) -> None:
            self._act, self._busy, self._leaves = None, False, False
            refused(error)

        self.shell.in_thread(carefully, came, failed)

    def gives_up(self, seconds: float) -> bool:
        """Whether what is under way settles what becomes of the case, as far as that shows in so many seconds."""
        act = self._act
        return act is not None and (not act.over.wait(seconds) or act.succeeded)
