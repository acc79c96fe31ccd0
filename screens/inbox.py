"""The inbox: every case that waits, most urgent first; search and filters on top, the backlog aside."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input, Static

from app.model.words import SEVERITIES, STATES
from screens.aside import aside, troubles
from screens.clock import now_ms, span
from screens.text import Visible, line
from screens.widgets.case_list import CaseList
from screens.widgets.key_bar import KeyBar
from screens.widgets.unsent_line import UnsentLine

if TYPE_CHECKING:
    from app.desk.protocol import Desk
    from app.model.case import CaseRow, CaseView, Claim, ConnectionStatus, Filter, QueueStatus
    from app.model.errors import SecondlookError
    from app.shell import Shell

T = TypeVar("T")
Page = tuple["array[int]", "dict[int, CaseRow]"]
_FIRST_ROWS = 200
# While typing, a search starts when the fingers rest.
_TYPING_PAUSE = 0.12


class InboxScreen(Screen[None]):
    """The list of cases."""

    CSS_PATH = "inbox.tcss"
    HELP = "The inbox. n takes the most urgent case; enter the one under the cursor; / searches."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next_case", "Take the most urgent case", id="inbox.next"),
        Binding("slash", "search", "Search", id="inbox.search"),
        Binding("c", "cycle('queue')", "Next queue", id="inbox.queue"),
        Binding("t", "cycle('state')", "Next state", id="inbox.state"),
        Binding("v", "cycle('severity')", "Next severity", id="inbox.severity"),
        Binding("u", "undo", "Undo your last decision", id="inbox.undo"),
        Binding("T", "lead", "The lead's screen: what is late, who holds what", id="inbox.lead"),
        Binding("R", "reload", "Read again", id="inbox.reload"),
        Binding("escape", "clear", "Clear search and filters", id="inbox.clear"),
        Binding("q", "app.leave", "Quit", id="inbox.quit"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._chosen: dict[str, str | None] = {"queue": None, "state": None, "severity": None}
        self._text = ""
        self._backlog: list[QueueStatus] = []
        self._connections: list[ConnectionStatus] = []
        self._typing: Timer | None = None
        self._ready = False
        self._warm = False
        self._note = ""
        self._bringing = False

    @property
    def shell(self) -> Shell:
        """The application."""
        return cast("Shell", self.app)

    def compose(self) -> ComposeResult:
        """Filter line, search field, list with the backlog aside, status, keys."""
        yield Static(id="filters", classes="bar", markup=False)
        yield Input(id="search", placeholder="words, or a case's id; esc clears", compact=True, highlighter=Visible())
        with Horizontal(id="middle"):
            yield CaseList(id="list")
            yield Static(id="empty", markup=False)
            yield Static(id="side", markup=False)
        yield UnsentLine()
        yield Static("opening the workspace …", id="status", markup=False)
        yield KeyBar(
            ("inbox.next", "next case"),
            ("list.open", "open"),
            ("inbox.search", "search"),
            ("inbox.queue", "queue"),
            ("inbox.undo", "undo"),
            ("app.help", "help"),
        )

    def on_mount(self) -> None:
        """Draws the frame; the list comes when the desk is open."""
        self._draw_filters()
        self.query_one(CaseList).focus()

    def desk_opened(self, page: Page) -> None:
        """The desk can be asked now, and these are the first lines."""
        self._ready = True
        self._show_page(page)
        self.reload()

    def on_screen_resume(self) -> None:
        """Back from a case: what changed is read again."""
        if self._ready:
            self.reload()

    # -- reading --------------------------------------------------------------------------------

    def reload(self) -> None:
        """Reads the list again: the first rows at once, the whole vector behind them."""
        wanted = self._wanted()
        desk = self.shell.desk

        def show_backlog(found: tuple[list[QueueStatus], list[ConnectionStatus]]) -> None:
            self._show_backlog(found)
            if not self._warm:
                self._warm = True
                self.shell.warm_up()

        def show_rest(ids: array[int]) -> None:
            self._show(ids)
            self._read(lambda: (desk.backlog(), desk.connections()), show_backlog, "backlog")

        def show_first(page: Page) -> None:
            # One after the other: threads that read at the same time would only wait for each other.
            self._show_page(page)
            self._read(lambda: desk.ids(wanted), show_rest, "ids")

        if self.query_one(CaseList).count == 0:
            self._read(lambda: first_page(desk, wanted), show_first, "ids")
        else:
            self._read(lambda: desk.ids(wanted), show_rest, "ids")

    def _read(self, work: Callable[[], T], show: Callable[[T], None], group: str) -> None:
        def failed(error: SecondlookError) -> None:
            # While the hub does not answer, a line says so all the time; the list stays as it was.
            if self.shell.desk.unsent().reachable:
                self.shell.tell_error(error)

        self.shell.in_thread(work, show, failed, group=group, exclusive=True)

    def _wanted(self) -> Filter:
        from app.model.case import Filter

        return Filter(**self._chosen, text=self._text)  # type: ignore[arg-type]  # values come from the closed sets

    def _show(self, ids: array[int]) -> None:
        self.query_one(CaseList).set_ids(ids)
        self.set_class(not ids, "-nothing")
        self._draw_status()
        if not ids:
            self._explain_emptiness()

    def _show_page(self, page: Page) -> None:
        ids, rows = page
        self._show(ids)
        self.query_one(CaseList).put_rows(rows)

    def _show_backlog(self, found: tuple[list[QueueStatus], list[ConnectionStatus]]) -> None:
        self._backlog, self._connections = found
        self.query_one("#side", Static).update(aside(*found))
        self._draw_status()

    def cases_came(self) -> None:
        """A source brought cases in, or its health changed: the list is read again where it is looked at."""
        if self._ready and self.is_current:
            self.reload()

    @on(CaseList.Wanted)
    def _fetch(self, message: CaseList.Wanted) -> None:
        desk, cases = self.shell.desk, self.query_one(CaseList)
        self.shell.in_thread(lambda: desk.rows(message.case_ids), cases.put_rows, group="rows")

    # -- filters --------------------------------------------------------------------------------

    def action_cycle(self, name: str) -> None:
        """The next value of a filter; after the last, none."""
        if not self._ready:
            return
        values: tuple[str, ...] = {"queue": self.shell.desk.queues, "state": STATES, "severity": SEVERITIES[::-1]}[name]
        around = [None, *values]
        self._chosen[name] = around[(around.index(self._chosen[name]) + 1) % len(around)]
        self._filters_changed()

    def action_search(self) -> None:
        """Opens the search field."""
        self.add_class("-searching")
        self.query_one("#search", Input).focus()

    def action_clear(self) -> None:
        """Without search and filters."""
        self.remove_class("-searching")
        self.query_one(CaseList).focus()
        changed = bool(self._text) or any(self._chosen.values())
        self._chosen = dict.fromkeys(self._chosen)
        self._text = ""
        with self.prevent(Input.Changed):
            self.query_one("#search", Input).value = ""
        if changed and self._ready:
            self._filters_changed()

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        self._text = event.value.strip()
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(_TYPING_PAUSE, self._filters_changed)

    @on(Input.Submitted, "#search")
    def _search_done(self) -> None:
        self.query_one(CaseList).focus()

    def _filters_changed(self) -> None:
        self._note = ""
        self._draw_filters()
        if self._ready:
            self.query_one(CaseList).action_first()
            self.reload()

    def action_reload(self) -> None:
        """Reads everything again."""
        if self._ready:
            self.reload()

    # -- cases ----------------------------------------------------------------------------------

    def action_next_case(self) -> None:
        """Claims the most urgent case of the chosen queue."""
        if self._ready:
            self._note = ""
            desk, queue = self.shell.desk, self._chosen["queue"]
            self._claim(lambda: desk.claim(queue), self._nothing_to_do)

    @on(CaseList.Opened)
    def _open_one(self, message: CaseList.Opened) -> None:
        desk, case_id = self.shell.desk, message.case_id
        self._claim(lambda: desk.claim_case(case_id), lambda error: self._not_given(case_id, error))

    def _claim(self, claims: Callable[[], Claim], failed: Callable[[SecondlookError], None] | None = None) -> None:
        """Opens what is claimed."""
        self._bring(claims, self._open, failed)

    def _bring(
        self, asks: Callable[[], T], shows: Callable[[T], None], failed: Callable[[SecondlookError], None] | None = None
    ) -> None:
        """Brings a case to the review screen. One at a time: a key that is pressed twice takes no second one along."""
        if self._bringing:
            return
        self._bringing = True

        def came(found: T) -> None:
            self._bringing = False
            shows(found)

        def over(error: SecondlookError) -> None:
            self._bringing = False
            (failed or self.shell.tell_error)(error)

        self.shell.in_thread(asks, came, over, group="claim")

    def action_lead(self) -> None:
        """The lead's screen, for leads."""
        if not self._ready:
            return
        from screens.lead import LeadScreen

        # Who is no lead is told so, and stays here.
        self.shell.in_thread(self.shell.desk.people, lambda _people: self.shell.push_screen(LeadScreen()))

    def action_undo(self) -> None:
        """Takes the last decision back and opens its case."""
        if self._ready:
            self._claim(self.shell.desk.undo)

    def _open(self, claim: Claim) -> None:
        self._note = ""
        review = self.shell.review
        review.show_claim(claim, self._chosen["queue"])
        if self.shell.screen is not review:
            self.shell.push_screen("review")

    def _nothing_to_do(self, error: SecondlookError) -> None:
        self.tell(str(error))

    def _not_given(self, case_id: int, error: SecondlookError) -> None:
        """The case is held or settled: offers to look at it, or to move it here."""
        from screens.ask import Choose

        elsewhere = "another terminal" in str(error)
        answers = ["look at it without changing anything", "leave it"]
        if elsewhere:
            answers.insert(0, "take it over here")
        desk = self.shell.desk

        def answered(index: int | None) -> None:
            answer = answers[index] if index is not None else "leave it"
            if answer.startswith("take"):
                self._claim(lambda: desk.claim_case(case_id, take_over=True))
            elif answer.startswith("look"):
                self._bring(lambda: desk.view(case_id), self._look)

        self.shell.push_screen(Choose(str(error), answers), answered)

    def _look(self, view: CaseView) -> None:
        self.shell.review.show_view(view)
        if self.shell.screen is not self.shell.review:
            self.shell.push_screen("review")

    # -- drawing --------------------------------------------------------------------------------

    def _draw_filters(self) -> None:
        parts: list[Content] = [Content.styled("secondlook", "bold $accent"), Content("   ")]
        for name, key in (("queue", "c"), ("state", "t"), ("severity", "v")):
            value = self._chosen[name]
            shown = value or ("waiting" if name == "state" else "all")
            parts.append(
                Content.assemble((f"{key} ", "bold"), (f"{name} ", "$muted"), (f"{shown}   ", "bold" if value else ""))
            )
        if self._text:
            parts.append(Content.assemble(("/ ", "bold"), line(self._text, "bold")))
        self.query_one("#filters", Static).update(Content("").join(parts), layout=False)

    def tell(self, note: str) -> None:
        """Says why nothing came, until the next act."""
        self._note = note
        self._draw_status()

    def _draw_status(self) -> None:
        if self._note:
            self.query_one("#status", Static).update(line(self._note, "$warning"), layout=False)
            return
        n = self.query_one(CaseList).count
        late = sum(status.overdue for status in self._backlog)
        oldest = min((s.oldest_at for s in self._backlog if s.oldest_at is not None), default=None)
        parts = [Content.styled(f"{n:,} case{'' if n == 1 else 's'}", "bold")]
        if late:
            parts.append(Content.styled(f"   ▲ {late:,} overdue", "$warning"))
        if oldest is not None:
            parts.append(Content(f"   the oldest waits {span(now_ms() - oldest)}"))
        parts += [Content.styled(f"   ▲ {said}", "$warning") for said in troubles(self._connections)]
        parts.append(line(f"   {self.shell.desk.person}", "$muted"))
        self.query_one("#status", Static).update(Content("").join(parts), layout=False)

    def _explain_emptiness(self) -> None:
        queue = self._chosen["queue"]
        if self._chosen["severity"] and queue and self.shell.desk.policy(queue).provisional:
            said = f"'{queue}' is judged first: severity would tell what the model said. v shows all of its cases."
        elif self._text or any(self._chosen.values()):
            said = "No case matches. esc clears search and filters."
        else:
            said = "No case waits. `secondlook import FILE --queue Q` brings some in; t shows settled ones."
        self.query_one("#empty", Static).update(line(said))


def first_page(desk: Desk, wanted: Filter | None = None) -> Page:
    """The first lines of a list, without the rest of it."""
    from app.model.case import Filter

    ids = desk.ids(wanted or Filter(), _FIRST_ROWS)
    return ids, desk.rows(ids)
