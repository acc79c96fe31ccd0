"""The lead's screen: what is late first, who holds what, and what to do about it."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from app.model.case import Filter
from app.model.errors import SecondlookError
from screens.ask import Choose, Write
from screens.clock import now_ms, span
from screens.overview import Overview, overview_lines
from screens.text import line
from screens.widgets.case_list import CaseList
from screens.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from app.desk.protocol import Desk
    from app.model.case import CaseRow, Note, Quality
    from app.shell import Shell


class _Section(NamedTuple):
    title: str
    wanted: Filter
    empty: str


_SECTIONS = (
    _Section("late", Filter(overdue=True), "Nothing is late."),
    _Section("held", Filter(state="leased"), "Nobody holds a case."),
    _Section("disputed", Filter(stage="adjudication"), "No reviews differ, and nothing was escalated."),
    _Section("parked", Filter(state="parked"), "Nothing is parked."),
    _Section("deferred", Filter(state="deferred"), "Nothing is deferred."),
    _Section("notes", Filter(noted=True), "No case has a note for the lead that was not seen yet."),
)
_DISPUTED, _NOTED = 2, 5
# Notes of the case under the cursor that are shown below the list.
_MOST_NOTES = 5
_REFRESH_SECONDS = 10.0


class LeadScreen(Screen[None]):
    """Cases that need a lead, with the backlog and the people aside."""

    CSS_PATH = "lead.tcss"
    HELP = (
        "For leads. 1 to 6 choose what is listed; below stands what people wrote about the case under the cursor. v "
        "shows the overview where the terminal is narrow. The acts are about the case under the cursor; most ask for a "
        "reason, which is kept with the case."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(n), f"section({n - 1})", f"List: {section.title}", id=f"lead.{section.title}")
            for n, section in enumerate(_SECTIONS, 1)
        ),
        Binding("t", "take_over", "Take over: you decide it", id="lead.take_over"),
        Binding("a", "assign", "Re-assign: somebody else decides it", id="lead.assign"),
        Binding("u", "unpark", "Put back: parked or deferred", id="lead.unpark"),
        Binding("s", "seen", "Seen: its notes need nothing more", id="lead.seen"),
        Binding("p", "pause", "Pause a queue, or let it go on", id="lead.pause"),
        Binding("v", "overview", "Overview, in place of the list", id="lead.overview"),
        Binding("R", "reload", "Read again", id="lead.reload"),
        Binding("escape,q", "back", "Back to the inbox", id="lead.back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._section = 0
        self._found: Overview | None = None
        self._rows: dict[int, CaseRow] = {}
        self._counts: dict[int, int] = {}

    @property
    def shell(self) -> Shell:
        """The application."""
        return cast("Shell", self.app)

    @property
    def desk(self) -> Desk:
        """The desk."""
        return self.shell.desk

    def compose(self) -> ComposeResult:
        """Head, sections, the list with the overview aside, status, keys."""
        yield Static(Content.styled("secondlook   lead", "bold $accent"), id="head", markup=False)
        yield Static(id="sections", markup=False)
        with Horizontal(id="middle"):
            yield CaseList(id="list")
            yield Static(id="none", markup=False)
            with VerticalScroll(id="overview", can_focus=False):
                yield Static(id="figures", markup=False)
        yield Static(id="notes", markup=False)
        yield Static("reading …", id="status", markup=False)
        yield KeyBar(
            ("lead.take_over", "take over"),
            ("lead.assign", "re-assign"),
            ("lead.unpark", "put back"),
            ("lead.seen", "seen"),
            ("lead.pause", "pause"),
            ("lead.back", "back"),
            ("app.help", "help"),
        )

    def on_mount(self) -> None:
        """Reads, and goes on reading while it is looked at."""
        self._draw_sections()
        self.query_one(CaseList).focus()
        self.set_interval(_REFRESH_SECONDS, self._again)

    def on_screen_resume(self) -> None:
        """Shown again: what changed is read."""
        self.reload()

    # -- reading --------------------------------------------------------------------------------

    def _again(self) -> None:
        if self.is_current:
            # How people agree is asked of all reviews there are: not every few seconds.
            self.reload(self._found.quality if self._found else None)

    def reload(self, quality: list[Quality] | None = None) -> None:
        """Reads the list, then the overview behind it; `quality` is taken as it is where it is given."""
        desk, section = self.desk, self._section

        def look() -> Overview:
            disputed, noted = (len(desk.ids(_SECTIONS[n].wanted)) for n in (_DISPUTED, _NOTED))
            agreement = desk.quality() if quality is None else quality
            return Overview(desk.backlog(), desk.ageing(), desk.paused(), desk.people(), agreement, disputed, noted)

        def show(ids: array[int]) -> None:
            self._show(section, ids)
            self.shell.in_thread(look, self._show_overview, self._failed, group="overview", exclusive=True)

        wanted = _SECTIONS[section].wanted
        self.shell.in_thread(lambda: desk.ids(wanted), show, self._failed, group="lead", exclusive=True)

    def _show(self, section: int, ids: array[int]) -> None:
        if section != self._section:
            return
        self.query_one(CaseList).set_ids(ids)
        self.set_class(not ids, "-nothing")
        self.query_one("#none", Static).update(line(_SECTIONS[section].empty))

    def _show_overview(self, found: Overview) -> None:
        self._found = found
        self.query_one("#figures", Static).update(Content("\n").join(overview_lines(found, now_ms())))
        late = sum(status.overdue for status in found.backlog)
        held = sum(status.leased for status in found.backlog)
        parked, deferred = (sum(getattr(s, name) for s in found.backlog) for name in ("parked", "deferred"))
        self._counts = dict(enumerate((late, held, found.disputed, parked, deferred, found.noted)))
        self._draw_sections()
        self._say(Content.styled(f"{late:,} late, {held:,} held", "$warning" if late else "$muted"))

    def _failed(self, error: SecondlookError) -> None:
        self._say(line(str(error), "$warning"))

    @on(CaseList.Wanted)
    def _fetch(self, message: CaseList.Wanted) -> None:
        desk, cases = self.desk, self.query_one(CaseList)

        def put(rows: dict[int, CaseRow]) -> None:
            self._rows.update(rows)
            cases.put_rows(rows)

        self.shell.in_thread(lambda: desk.rows(message.case_ids), put, group="rows")

    @on(CaseList.Moved)
    def _read_notes(self, message: CaseList.Moved) -> None:
        desk, case_id = self.desk, message.case_id
        if case_id is None:
            self._show_notes([])
            return
        self.shell.in_thread(lambda: desk.notes(case_id), self._show_notes, self._failed, group="notes", exclusive=True)

    def _show_notes(self, notes: list[Note]) -> None:
        drawn = [_note_line(note) for note in notes[:_MOST_NOTES]]
        if len(notes) > _MOST_NOTES:
            drawn.append(line(f"and {len(notes) - _MOST_NOTES} more: `secondlook notes ID`", "$muted"))
        self.query_one("#notes", Static).update(Content("\n").join(drawn))
        self.set_class(bool(notes), "-notes")

    # -- moving ---------------------------------------------------------------------------------

    def action_section(self, index: int) -> None:
        """Another list."""
        self._section = index
        self.remove_class("-overview")
        self.query_one(CaseList).action_first()
        self._draw_sections()
        self.reload()

    def action_overview(self) -> None:
        """The overview in place of the list, where there is one place."""
        self.toggle_class("-overview")

    def action_reload(self) -> None:
        """Reads everything again."""
        self.reload()

    def action_back(self) -> None:
        """To the inbox."""
        self.app.pop_screen()

    @on(CaseList.Opened)
    def _look_at(self, message: CaseList.Opened) -> None:
        def show(view: Any) -> None:
            self.shell.review.show_view(view)
            self.shell.push_screen("review")

        desk = self.desk
        self.shell.in_thread(lambda: desk.view(message.case_id), show, self._failed, group="claim")

    # -- acts -----------------------------------------------------------------------------------

    def action_take_over(self) -> None:
        """Takes the case under the cursor from whoever holds it."""
        case_id = self._current()
        if case_id is None:
            return

        def written(reason: str | None) -> None:
            if reason:
                desk = self.desk
                self.shell.in_thread(lambda: desk.take_over(case_id, reason), self._open, self._failed, group="claim")

        said = f"Take over {self._called(case_id)}. Who has it loses it; their answers stay as their draft. Why?"
        self.app.push_screen(Write(said, "the reason"), written)

    def _open(self, claim: Any) -> None:
        self.shell.review.show_claim(claim, None)
        self.shell.push_screen("review")

    def action_assign(self) -> None:
        """Keeps the case under the cursor for somebody."""
        case_id = self._current()
        if case_id is None:
            return
        names = [one.person for one in self._found.people] if self._found else []
        answers = [*names, "somebody else: write a name", "anybody"]

        def chosen(index: int | None) -> None:
            if index is None:
                return
            if index == len(names):
                self.app.push_screen(Write("Who shall decide it?", "the name they sign in with"), named)
            else:
                self._assign(case_id, names[index] if index < len(names) else None)

        def named(name: str | None) -> None:
            if name:
                self._assign(case_id, name)

        self.app.push_screen(Choose(f"Who shall decide {self._called(case_id)}?", answers), chosen)

    def _assign(self, case_id: int, person: str | None) -> None:
        self._with_reason(
            f"{self._called(case_id)} goes to {person or 'anybody'}; who holds it loses it. Why?",
            lambda reason: self.desk.assign(case_id, person, reason),
            f"kept for {person}" if person else "open to anybody",
        )

    def action_unpark(self) -> None:
        """Puts the case under the cursor back into its queue."""
        case_id = self._current()
        if case_id is not None:
            desk = self.desk
            self._act(lambda: desk.unpark(case_id), f"{self._called(case_id)} is back in its queue")

    def action_seen(self) -> None:
        """Takes the case under the cursor off the list of those with notes."""
        case_id = self._current()
        if case_id is not None:
            desk = self.desk
            self._act(lambda: desk.mark_seen(case_id), f"the notes of {self._called(case_id)} are seen")

    def action_pause(self) -> None:
        """Pauses a queue, or lets a paused one go on."""
        if self._found is None:
            return
        paused = {pause.queue for pause in self._found.paused}
        queues = [status.queue for status in self._found.backlog]
        answers = [f"{queue}: go on" if queue in paused else f"{queue}: pause" for queue in queues]

        def chosen(index: int | None) -> None:
            if index is None:
                return
            queue, desk = queues[index], self.desk
            if queue in paused:
                self._act(lambda: desk.resume(queue), f"{queue} goes on")
            else:
                self._with_reason(
                    f"Pause {queue}: no case of it is given out; who holds one may finish it. Why?",
                    lambda reason: desk.pause(queue, reason),
                    f"{queue} is paused",
                )

        self.app.push_screen(Choose("Which queue?", answers), chosen)

    def _with_reason(self, said: str, act: Callable[[str], None], done: str) -> None:
        def written(reason: str | None) -> None:
            if reason:
                self._act(lambda: act(reason), done)

        self.app.push_screen(Write(said, "the reason"), written)

    def _act(self, act: Callable[[], None], done: str) -> None:
        def finished(_nothing: None) -> None:
            self.reload()
            self.shell.notify(line(done).plain, markup=False)

        self.shell.in_thread(act, finished, self._failed, group="lead-act")

    def _current(self) -> int | None:
        found = self.query_one(CaseList).current
        if found is None:
            self._say(line("No case is listed here.", "$muted"))
        return found

    def _called(self, case_id: int) -> str:
        row = self._rows.get(case_id)
        return row.id if row else "this case"

    # -- drawing --------------------------------------------------------------------------------

    def _say(self, said: Content) -> None:
        self.query_one("#status", Static).update(said, layout=False)

    def _draw_sections(self) -> None:
        parts = []
        for n, section in enumerate(_SECTIONS):
            count = f" {self._counts[n]:,}" if n in self._counts else ""
            style = "bold $accent" if n == self._section else ""
            parts.append(Content.assemble((f"{n + 1} ", "bold"), (f"{section.title}{count}", style)))
        self.query_one("#sections", Static).update(Content("   ").join(parts), layout=False)


def _note_line(note: Note) -> Content:
    """Who wrote what, when, on one line."""
    seen = "  (seen)" if note.seen else ""
    return Content.assemble(
        line(f"{note.person}  ", "bold"),
        line(f"{note.kind}, {span(now_ms() - note.at)} ago{seen}  ", "$muted"),
        line(note.text),
    )
