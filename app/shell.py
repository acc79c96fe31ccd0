"""The Textual application: wiring only. It paints first, then opens the workspace in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

import screens  # noqa: F401  # sets the frame rate before Textual reads it

# isort: split
from rich.segment import Segments
from rich.text import Text
from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.filter import LineFilter, Monochrome
from textual.screen import Screen

from app.desk.unsent_words import left_unsent
from app.leaving import LAST_SECONDS, Arrivals, farewell, last_act
from app.model.errors import SecondlookError
from app.protect.safe_text import safe_text
from screens.clock import now_ms
from screens.driver import guarded, terminal_is_gone
from screens.inbox import InboxScreen, Page, first_page
from screens.theme import DARK, LIGHT, NoColor

if TYPE_CHECKING:
    from app.background import Background
    from app.desk.protocol import Desk
    from app.model.case import Unsent
    from app.settings import Workspace
    from screens.review import ReviewScreen
    from screens.unsent import UnsentNews

T = TypeVar("T")
_TERMINAL_SECONDS = 2.0
_LAST_CHANCE_SECONDS = 5.0


class Shell(App[None]):
    """The desk. `farewell` holds the lines to print after it closed, `failure` why it could not open."""

    TITLE = "secondlook"
    CSS_PATH = "../screens/common.tcss"
    ENABLE_COMMAND_PALETTE = True
    HORIZONTAL_BREAKPOINTS = [
        (0, "-tiny"),
        (60, "-narrow"),
        (100, "-normal"),
        (160, "-wide"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", "Quit", id="app.quit", show=False, priority=True),
        Binding("question_mark", "help", "Help", id="app.help", show=False),
    ]

    def __init__(self, open_workspace: Callable[[], Workspace], person: str | None) -> None:
        """`open_workspace` is called in a thread after the first paint."""
        # Nothing is garbage while a program starts; `warm_up` turns the collector on again.
        gc.disable()
        super().__init__()
        self._open_workspace = open_workspace
        self._person = person
        self._desk: Desk | None = None
        self._review: ReviewScreen | None = None
        self._workspace: Workspace | None = None
        self._background: Background | None = None
        self._news: UnsentNews | None = None
        self._leaving = False
        self._arrivals = Arrivals()
        self._ended = threading.Event()
        self.idle_seconds = 60
        self.started = now_ms()
        self.farewell: list[str] = []
        self.failure: str = ""
        self.failure_code = 5
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name
        if self.no_color:
            self._filters: list[LineFilter] = [f for f in self._filters if not isinstance(f, Monochrome)] + [NoColor()]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """`$muted` for themes that do not name it: a grey that reads on dark and on light."""
        return {"muted": "#808a97"}

    def get_driver_class(self) -> type[Driver]:
        """The driver that Textual chooses for this terminal, with the backstop."""
        return guarded(super().get_driver_class())

    @property
    def desk(self) -> Desk:
        """The desk; only asked for by screens after it was opened."""
        if self._desk is None:
            raise RuntimeError("the desk is not open yet")
        return self._desk

    def on_mount(self) -> None:
        """Paints the inbox, then opens the workspace behind it."""
        self.push_screen(InboxScreen())
        self.call_after_refresh(self.in_thread, self._open, self._opened, self._cannot_open)
        for name in ("SIGHUP", "SIGTERM"):
            with contextlib.suppress(NotImplementedError, AttributeError, ValueError, RuntimeError):
                asyncio.get_running_loop().add_signal_handler(getattr(signal, name), self._hung_up)

        if not self.is_headless:
            threading.Thread(target=self._watch_terminal, args=(asyncio.get_running_loop(),), daemon=True).start()

    def _watch_terminal(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ends the desk once its terminal is gone, in a thread: what is written to such a terminal may never come
        back, and then the loop stands still."""
        while not self._ended.wait(_TERMINAL_SECONDS):
            if terminal_is_gone():
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(self._hung_up)
                self._ended.wait(_LAST_CHANCE_SECONDS)
                os._exit(129)

    def _open(self) -> tuple[Desk, Workspace, Page]:
        from app.desk.open import open_desk

        workspace = self._open_workspace()
        desk = open_desk(workspace, self._person)
        return desk, workspace, first_page(desk)

    def warm_up(self) -> None:
        """Imports and builds what the first case needs, in a thread, once the list stands."""

        def work() -> None:
            import screens.review
            from app.model.prediction import Prediction

            del screens
            Prediction.model_rebuild()

        def done(_nothing: None) -> None:
            self._connect()
            # What is here now stays for good; the collector need not walk through it with every case.
            gc.collect()
            gc.freeze()
            gc.enable()

        self.in_thread(work, done, group="warm")

    def _connect(self) -> None:
        """Begins to pull from sources and to send verdicts, behind the screens."""
        if self._workspace is not None and self._workspace.settings.connected:
            from app.background import Background

            changed = self.inbox.cases_came
            self._background = Background(self._workspace, lambda: self._back_on_loop(changed))
            self._background.start()

    def _opened(self, opened: tuple[Desk, Workspace, Page]) -> None:
        self._desk, workspace, page = opened
        self._workspace = workspace
        desk_settings = workspace.settings.desk
        self.idle_seconds = desk_settings.idle_seconds
        self.set_keymap(desk_settings.keys)
        if desk_settings.theme in self.available_themes:
            self.theme = desk_settings.theme
        else:
            self.tell(f"There is no theme '{desk_settings.theme}'. ctrl+p lists the themes.", "", "warning")
        self.inbox.desk_opened(page)
        from screens.unsent import UnsentNews

        self._news = UnsentNews(self, self._desk)

    def _cannot_open(self, error: SecondlookError) -> None:
        self.failure = str(error)
        self.failure_code = error.exit_code
        self.exit(return_code=error.exit_code)

    async def on_event(self, event: events.Event) -> None:
        """Every key and click is a sign of life for the case at hand, and says that somebody reads."""
        if isinstance(event, events.InputEvent):
            if self._review is not None:
                self._review.touch()
            if self._news is not None:
                self._news.somebody_is_there()
        await super().on_event(event)

    # -- for screens ----------------------------------------------------------------------------

    def in_thread(
        self,
        work: Callable[[], T],
        done: Callable[[T], Any],
        failed: Callable[[SecondlookError], Any] | None = None,
        group: str = "desk",
        exclusive: bool = False,
    ) -> None:
        """Runs `work` in a thread and hands its result to `done` on the event loop.

        An error meant for people goes to `failed`, or is shown as a notice. With `exclusive` an
        earlier call of the same group loses its say.
        """

        def act() -> None:
            from textual.worker import get_current_worker

            worker = get_current_worker()
            try:
                result = work()
            except SecondlookError as caught:
                error, tell = caught, failed or self.tell_error
                self._back_on_loop(lambda: tell(error))
                return
            arrived = self._arrivals.came(self._desk, result) if self._desk else []
            if not worker.is_cancelled:
                self._back_on_loop(lambda: done(result), lambda: self._arrivals.shown(arrived))

        self.run_worker(act, thread=True, group=group, exclusive=exclusive, exit_on_error=True)

    def _back_on_loop(self, act: Callable[[], Any], then: Callable[[], None] = lambda: None) -> None:
        # The application may have ended while the thread worked, or may end now.
        if not self.is_running:
            return
        with contextlib.suppress(RuntimeError, asyncio.CancelledError):
            self.call_from_thread(act)
            then()

    def tell_error(self, error: SecondlookError) -> None:
        """An error as a notice; the same one is not put up twice."""
        if not any(notice.message == safe_text(str(error)) for notice in self._notifications):
            self.tell(str(error), "Not done", "error")

    def tell(self, said: str, title: str, severity: Literal["warning", "error"]) -> None:
        """A notice. What it says may name a case or a setting, so it is made safe like all stored text."""
        self.notify(safe_text(said), title=title, severity=severity, timeout=10, markup=False)

    @property
    def unsent(self) -> Unsent | None:
        """What is kept on this machine until the hub takes it; None before the desk is open."""
        return None if self._desk is None else self._desk.unsent()

    def screens_of_cases(self) -> list[Screen[Any]]:
        """The inbox, and the review screen if it stands."""
        return [self.inbox, *([self._review] if self._review is not None and self._review.is_mounted else [])]

    @property
    def inbox(self) -> InboxScreen:
        """The inbox, at the bottom of the stack."""
        return next(screen for screen in self.screen_stack if isinstance(screen, InboxScreen))

    @property
    def review(self) -> ReviewScreen:
        """The review screen; there is one, used for case after case."""
        if self._review is None:
            from screens.review import ReviewScreen

            self._review = ReviewScreen()
            self.install_screen(self._review, "review")
        return self._review

    # -- actions --------------------------------------------------------------------------------

    def _fatal_error(self) -> None:
        """After an error that nobody expected: says where, without the values that Textual's traceback shows."""
        from app.crash import crash_report, wants_traceback

        error = sys.exception() or self._exception
        if error is None or wants_traceback():
            super()._fatal_error()
            return
        self.bell()
        self._exit_renderables.append(Segments(self.console.render(Text(safe_text(crash_report(error))))))
        self._close_messages_no_wait()

    def _hand_back(self, desk: Desk, review: ReviewScreen | None) -> None:
        """Gives back what this person has; may block, any thread."""
        self._arrivals.give_back(desk)
        if review is not None:
            review.hand_back()

    async def action_leave(self) -> None:
        """Gives the case back, keeps its draft, says what was done, and quits."""
        if self._desk is None:
            self.exit()
            return
        if self._leaving:
            return
        self._leaving = True
        desk, review = self._desk, self._review

        def wind_up() -> None:
            try:
                self._hand_back(desk, review)
                self.farewell = farewell(desk, self.started)
            finally:
                self._back_on_loop(self.exit)

        last_act(wind_up)
        self.set_timer(LAST_SECONDS, self.exit)

    def action_help(self) -> None:
        """Help for what has the focus."""
        from screens.help import HelpScreen, help_for

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(help_for(self.screen)))

    async def action_quit(self) -> None:
        """What the palette's Quit does."""
        await self.action_leave()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The palette: the screen's own commands, then the application's."""
        from screens.help import described_bindings

        for key in described_bindings(screen):
            yield SystemCommand(key.description, f"{key.keys}   {key.id}", key.run)
        yield from super().get_system_commands(screen)

    def on_unmount(self) -> None:
        """Ends what runs behind the screens, and closes the database."""
        self._ended.set()
        if self._background is not None:
            self._background.stop()
        if self._desk is not None:
            self._desk.close()
            left = left_unsent(self._desk.unsent())
            self.farewell += [left] if left else []

    def _hung_up(self) -> None:
        """The terminal is gone or we are told to stop: give the case back, then end."""
        if self._desk is not None:
            last_act(partial(self._hand_back, self._desk, self._review)).join(LAST_SECONDS)
            # What is on its way is kept before this process is ended.
            self._desk.close()
        self.exit(return_code=129)
        asyncio.get_running_loop().call_later(1.0, os._exit, 129)
