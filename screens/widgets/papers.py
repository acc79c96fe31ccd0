"""The papers of a case: the case itself, and beside it what helps and what proves.

In a wide terminal they lie side by side, below 100 columns they are tabs in one place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, cast

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Static

from app.model.case import CaseView, HistoryEntry, Peers, SimilarCase
from app.model.provenance import completeness
from screens.documents import case_document, history_document, provenance_document, similar_document, why_document
from screens.peers import peers_document
from screens.text import join
from screens.theme import SEVERITY_SHAPES
from screens.widgets.doc_pane import DocPane
from screens.widgets.explanations.badges import contradictions

if TYPE_CHECKING:
    from app.shell import Shell

TABS = ("case", "reviews", "why", "similar", "provenance", "history")
# As the breakpoint `-normal` of the application.
TWO_PANES_FROM = 100


class PaperKey(NamedTuple):
    """What a drawn paper depends on."""

    tab: str
    case_id: int
    hidden: bool
    width: int


class Papers(Container):
    """Shows one case's papers; draws the next case's ahead."""

    def __init__(self, *, id: str) -> None:  # noqa: A002  # Textual's own name for it
        super().__init__(id=id)
        self._view: CaseView | None = None
        self._tab = "why"
        self._similar: dict[tuple[int, bool], list[SimilarCase]] = {}
        self._history: dict[int, list[HistoryEntry]] = {}
        self._peers: tuple[int, Peers] | None = None
        self._drawn: dict[PaperKey, list[Content]] = {}

    @property
    def _shell(self) -> Shell:
        return cast("Shell", self.app)

    def compose(self) -> ComposeResult:
        """Tabs above where there is one place, else beside the case."""
        yield Static(id="tabs-above", classes="tabs", markup=False)
        yield DocPane(id="case")
        with Vertical(id="evidence-box"):
            yield Static(id="tabs", classes="tabs", markup=False)
            yield DocPane(id="evidence")

    def on_mount(self) -> None:
        """Papers scroll by the screen's keys; the focus stays with the questions."""
        for pane in self.query(DocPane):
            pane.can_focus = False

    # -- showing --------------------------------------------------------------------------------

    def show(self, view: CaseView, another: bool = True) -> None:
        """Shows a case; `another` begins with the case itself where there is one place."""
        self._view = view
        self._history.pop(view.row.case_id, None)
        if another and self._one_place:
            self._tab = "case"
        if another:
            self._begin_with_reviews(view)
        self.query_one("#case", DocPane).show(self._paper("case", view))
        self._draw_beside(view)
        self._fetch_similar(view.row.case_id, view.hidden)

    @property
    def peers(self) -> Peers | None:
        """What several people said of the case; None where this is not an adjudicator's case, or not known yet."""
        known = self._peers is not None and self._view is not None and self._peers[0] == self._view.row.case_id
        return self._peers[1] if known and self._peers else None

    def _begin_with_reviews(self, view: CaseView) -> None:
        """An adjudicator first looks at what the reviewers said; nobody else has that paper."""
        if view.row.stage == "adjudication":
            self._fetch_peers(view.row.case_id)
            if not self._one_place:
                self._tab = "reviews"
        elif self._tab == "reviews":
            self._tab = "why"

    def forget(self) -> None:
        """Drops everything that was drawn: the record is another one now."""
        self._drawn.clear()
        self._similar.clear()
        self._history.clear()

    def turn_to(self, tab: str) -> None:
        """Turns to a paper."""
        if tab == "reviews" and tab not in self._tabs:
            return
        self._tab = tab
        if self._view is None:
            return
        self._draw_beside(self._view)
        if tab == "history":
            self._fetch_history(self._view.row.case_id)

    def turn(self, by: int) -> None:
        """The next or previous paper."""
        tabs = self._tabs
        current = tabs.index(self._tab) if self._tab in tabs else 0
        self.turn_to(tabs[(current + by) % len(tabs)])

    def on_resize(self) -> None:
        """The tabs differ with the width."""
        if self._view is not None:
            self.call_after_refresh(self._draw_tabs, self._view)

    @property
    def _one_place(self) -> bool:
        return self.app.size.width < TWO_PANES_FROM

    @property
    def _tabs(self) -> list[str]:
        adjudicating = self._view is not None and self._view.row.stage == "adjudication"
        return [tab for tab in TABS if (self._one_place or tab != "case") and (adjudicating or tab != "reviews")]

    def _beside(self, view: CaseView) -> str:
        """The paper beside the case: explanations wait for the first judgement, similar cases do not."""
        tab = "why" if self._tab == "case" else self._tab
        return "similar" if tab == "why" and view.hidden and not self._one_place else tab

    def _draw_beside(self, view: CaseView, keep_place: bool = False) -> None:
        self.set_class(self._tab == "case", "-reading-case")
        self.set_class(self._tab != "case", "-reading-evidence")
        self.query_one("#evidence", DocPane).show(self._paper(self._beside(view), view), keep_place)
        self._draw_tabs(view)

    def _paper(self, tab: str, view: CaseView) -> Callable[[int], list[Content]]:
        """A function that draws a paper; what was drawn ahead is used again."""
        case_id = view.row.case_id
        found = self._similar.get((case_id, view.hidden))
        past = self._history.get(case_id)

        def draw(width: int) -> list[Content]:
            if tab == "similar":
                return similar_document(found, view.hidden, width)
            if tab == "reviews":
                return peers_document(self.peers, view.rubric, width)
            if tab == "history":
                return history_document(past, width)
            key = PaperKey(tab, case_id, view.hidden, width)
            if key not in self._drawn:
                self._drawn[key] = _draw_record(tab, view, width)
            return self._drawn[key]

        return draw

    def _draw_tabs(self, view: CaseView) -> None:
        found = completeness(view.prediction.provenance)
        names = {
            "case": "Case",
            "reviews": "Reviews",
            "why": f"Why {SEVERITY_SHAPES['critical']}" if contradictions(view.warnings) else "Why",
            "similar": "Similar",
            "provenance": f"Provenance {found.count('present')}/{found.applicable}",
            "history": "History",
        }
        current = self._tab if self._one_place else self._beside(view)
        parts = [
            Content.styled(f"▸{names[tab]}", "bold $accent") if tab == current else Content(f" {names[tab]}")
            for tab in self._tabs
        ]
        tabs = join(Content("  ").join(parts), Content.styled("   [ ]", "$muted"))
        self.query_one("#tabs-above" if self._one_place else "#tabs", Static).update(tabs, layout=False)

    # -- scrolling ------------------------------------------------------------------------------

    def scroll_lines(self, by: int) -> None:
        """Some lines of what is read."""
        self._pane().scroll_relative(y=by, animate=False)

    def page(self, by: int) -> None:
        """A screenful; forward goes on from the case into the evidence."""
        pane = self._pane()
        if by < 0:
            evidence, case = self.query_one("#evidence", DocPane), self.query_one("#case", DocPane)
            pane = evidence if evidence.scroll_offset.y > 0 and evidence.display else case
        pane.scroll_relative(y=by * max(1, pane.size.height - 2), animate=False)

    def _pane(self) -> DocPane:
        """What scrolls: the shown paper; the case where both are shown and it does not fit."""
        case = self.query_one("#case", DocPane)
        unread = case.display and case.max_scroll_y > 0 and case.scroll_offset.y < case.max_scroll_y
        if self._tab == "case" or (unread and not self._one_place):
            return case
        return self.query_one("#evidence", DocPane)

    # -- fetching -------------------------------------------------------------------------------

    def _fetch_similar(self, case_id: int, hidden: bool) -> None:
        if (case_id, hidden) in self._similar:
            return

        def show(found: list[SimilarCase]) -> None:
            self._similar[case_id, hidden] = found
            view = self._view
            if view and view.row.case_id == case_id and self._beside(view) == "similar":
                self._draw_beside(view, keep_place=True)

        desk = self._shell.desk
        self._shell.in_thread(lambda: desk.similar(case_id), show, lambda _error: None, group="similar")

    def _fetch_peers(self, case_id: int) -> None:
        def show(found: Peers) -> None:
            self._peers = (case_id, found)
            view = self._view
            if view and view.row.case_id == case_id and self._beside(view) == "reviews":
                self._draw_beside(view, keep_place=True)

        desk = self._shell.desk
        self._shell.in_thread(lambda: desk.peers(case_id), show, lambda _error: None, group="peers")

    def _fetch_history(self, case_id: int) -> None:
        if case_id in self._history:
            return

        def show(entries: list[HistoryEntry]) -> None:
            self._history[case_id] = entries
            if self._view and self._view.row.case_id == case_id:
                self._draw_beside(self._view, keep_place=True)

        desk = self._shell.desk
        self._shell.in_thread(lambda: desk.history(case_id), show, group="history")

    def fetch_ahead(self, queue: str | None) -> None:
        """Draws the next case while this one is read, so that it is there at once."""
        if self._view is None:
            return
        desk, keep = self._shell.desk, self._view.row.case_id
        widths = {pane.id: pane.text_width for pane in self.query(DocPane)}

        def prepare() -> dict[PaperKey, list[Content]]:
            view = desk.peek(queue, beside=keep)
            if view is None:
                return {}
            return {
                PaperKey(tab, view.row.case_id, view.hidden, width): _draw_record(tab, view, width)
                for tab, width in (("case", widths["case"]), ("why", widths["evidence"]))
            }

        def take(drawn: dict[PaperKey, list[Content]]) -> None:
            ours = {key: lines for key, lines in self._drawn.items() if key.case_id == keep}
            self._drawn = {**ours, **drawn}
            self._similar = {key: found for key, found in self._similar.items() if key[0] == keep}
            for case_id, hidden in {(key.case_id, key.hidden) for key in drawn}:
                self._fetch_similar(case_id, hidden)

        self._shell.in_thread(prepare, take, lambda _error: None, group="ahead", exclusive=True)


def _draw_record(tab: str, view: CaseView, width: int) -> list[Content]:
    """The papers that come from the record alone."""
    if tab == "case":
        return case_document(view, width)
    if tab == "provenance":
        return provenance_document(completeness(view.prediction.provenance), width)
    return why_document(view, width)
