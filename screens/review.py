"""The review screen: the case, what helps to judge it, and the rubric. One screen for case after case."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Static

from app.model.case import CaseView, Claim, Draft, Lease
from app.model.errors import SecondlookError, Unavailable
from screens.ask import Choose
from screens.clock import countdown, due, now_ms
from screens.span_picker import SpanPicker
from screens.team_acts import TeamActs
from screens.text import line, shorten
from screens.theme import SEVERITY_STYLES, severity_mark
from screens.widgets.criterion_field import CriterionField
from screens.widgets.key_bar import KeyBar
from screens.widgets.papers import Papers
from screens.widgets.rubric_form import RubricForm
from screens.widgets.unsent_line import UnsentLine
from screens.working import WARN_BEFORE_MS, Working

_SAVE_AFTER = 0.4
_KEYS = (
    ("case.submit", "submit"),
    ("case.next_tab", "papers"),
    ("case.skip", "skip"),
    ("case.defer", "defer"),
    ("case.undo", "undo"),
    ("app.help", "help"),
)
_AMONG_SEVERAL = (*_KEYS[:3], ("case.escalate", "escalate"), *_KEYS[4:])
_ADJUDICATING = (_KEYS[0], ("case.adopt", "begin with theirs"), *_KEYS[1:3], *_KEYS[4:])
# The next case is drawn once this one stands.
_AHEAD_AFTER = 0.05
_TICK = 5.0


class ReviewScreen(TeamActs):
    """Shows one case after the other."""

    CSS_PATH = "review.tcss"
    HELP = (
        "A case. Digits answer the marked question, enter submits when all is answered. "
        "[ ] turn the papers, J K and space scroll them. Where a first judgement is asked, "
        "the model's answer is shown after it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Submit, or go to what is missing", id="case.submit"),
        Binding("ctrl+s", "submit", "Submit from anywhere", id="case.submit_anywhere", priority=True),
        Binding("j,down,tab", "question(1)", "Next question", id="case.next_question"),
        Binding("k,up,shift+tab", "question(-1)", "Previous question", id="case.previous_question"),
        Binding("right_square_bracket", "turn(1)", "Next paper", id="case.next_tab"),
        Binding("left_square_bracket", "turn(-1)", "Previous paper", id="case.previous_tab"),
        Binding("w", "tab('why')", "Why: explanations", id="case.why"),
        Binding("m", "tab('similar')", "Similar cases", id="case.similar"),
        Binding("p", "tab('provenance')", "Provenance", id="case.provenance"),
        Binding("y", "tab('history')", "History", id="case.history"),
        Binding("v", "tab('reviews')", "Reviews, for an adjudicator", id="case.reviews"),
        Binding("c", "tab('case')", "The case itself", id="case.case"),
        Binding("J", "scroll(1)", "Scroll down", id="case.scroll_down"),
        Binding("K", "scroll(-1)", "Scroll up", id="case.scroll_up"),
        Binding("space,pagedown", "page(1)", "Page down", id="case.page_down"),
        Binding("b,pageup", "page(-1)", "Page up", id="case.page_up"),
        Binding("s", "skip", "Skip: somebody else may take it", id="case.skip"),
        Binding("d", "defer", "Defer: come back later", id="case.defer"),
        Binding("f", "flag", "Flag: a note for the lead", id="case.flag"),
        Binding("L", "leak", "Report a leak: mask a text at once", id="case.leak"),
        Binding("R", "reveal", "Reveal withheld values (officers)", id="case.reveal"),
        Binding("e", "escalate", "Escalate: an adjudicator decides", id="case.escalate"),
        Binding("I", "recuse", "Conflict of interest: somebody else decides", id="case.recuse"),
        Binding("a", "adopt", "Adjudicate: begin with a reviewer's answers", id="case.adopt"),
        Binding("x", "park", "Park: take it out of the queue", id="case.park"),
        Binding("u", "undo", "Undo your last decision", id="case.undo"),
        Binding("t", "take_again", "Claim again after a lost lease", id="case.take_again"),
        Binding("escape,q", "back", "Back to the inbox; the draft is kept", id="case.back"),
    ]

    def compose(self) -> ComposeResult:
        """Top line, papers beside the rubric, status, keys."""
        yield Static(id="top", markup=False)
        with Container(id="body"):
            yield Papers(id="papers")
            with Vertical(id="rubric-box"):
                yield Static(id="rubric-title", markup=False)
                yield RubricForm(id="form")
        yield UnsentLine()
        yield Static(id="status", markup=False)
        yield KeyBar(*_KEYS)

    async def on_mount(self) -> None:
        """Shows the case that was chosen before the screen stood."""
        self.set_interval(_TICK, self._tick)
        if self._working is not None:
            await self._present()

    # -- showing --------------------------------------------------------------------------------

    def show_claim(self, claim: Claim, queue: str | None) -> None:
        """Shows a case that was handed out; `queue` is where the next one comes from."""
        if self._leaves:
            self._leave_with(claim)
            return
        self._working = Working.claimed(claim, self.shell.idle_seconds, now_ms())
        self._queue, self._draft, self._busy = queue, claim.draft, True
        if self.is_mounted:
            self.call_later(self._present)

    def show_view(self, view: CaseView) -> None:
        """Shows a case to look at only."""
        if self._leaves:
            self._let_go()
            self._to_inbox()
            return
        self._working = Working.looked_at(view, self.shell.idle_seconds)
        self._draft = Draft()
        self.say(line("You look at this case; nothing can be changed. esc goes back.", "$muted"))
        if self.is_mounted:
            self.call_later(self._present)

    def _keys(self, working: Working) -> tuple[tuple[str, str], ...]:
        """The keys that matter most with this case."""
        if working.view.row.stage == "adjudication":
            return _ADJUDICATING
        return _AMONG_SEVERAL if self.desk.policy(working.view.row.queue).reviews.independent > 1 else _KEYS

    async def _present(self) -> None:
        """Puts the whole case on the screen at once."""
        working = self._working
        if working is None:
            return
        with self.app.batch_update():
            self._draw_top()
            self.query_one(KeyBar).show(*self._keys(working))
            self.papers.show(working.view)
            title = line(f"{working.view.rubric.title} v{working.view.rubric.version}")
            self.query_one("#rubric-title", Static).update(title, layout=False)
            self.query_one("#status", Static).update(self._said, layout=False)
            await self.form.show(working.view, self._draft, working.read_only)
            self._shown, self._busy = working, False
            self.form.show_hint()
        if not working.read_only:
            self.set_timer(_AHEAD_AFTER, lambda: self.papers.fetch_ahead(self._queue))

    def _draw_top(self) -> None:
        working = self._working
        if working is None:
            return
        row, now = working.view.row, now_ms()
        parts = [
            line(row.queue, "$muted"),
            Content.styled("adjudicate" if row.stage == "adjudication" else "", "bold $accent"),
            Content.styled(severity_mark(row.severity), SEVERITY_STYLES[row.severity]) if row.severity else Content(""),
            Content.styled(due(row.due_at, now), "bold $warning" if row.due_at < now else ""),
            self._lease_text(working, now),
        ]
        # However long its name, a case does not push the severity and the lease off the line.
        room = max(24, self.size.width - sum(part.cell_length + 3 for part in parts) - 2)
        name = line(row.id if row.revision == 1 else f"{shorten(row.id, room - 13)} (revision {row.revision})", "bold")
        parts.insert(1, name.truncate(room, ellipsis=True))
        self.query_one("#top", Static).update(Content("   ").join(p for p in parts if p.plain), layout=False)

    def _lease_text(self, working: Working, now: int) -> Content:
        if working.lost:
            return Content.styled("▲ lease lost, t claims again", "bold $warning")
        if working.lease is None:
            masked = " · masked after the decision" if working.view.masked_after is not None else ""
            return Content.styled(f"{working.view.row.verdict or 'only looking'}{masked}", "$muted")
        left = working.lease.until - now
        style = "bold $warning" if left < WARN_BEFORE_MS else "$muted"
        return Content.styled(f"{'▲ ' if left < WARN_BEFORE_MS else ''}lease {countdown(left)}", style)

    def say(self, said: Content) -> None:
        """One line below the papers."""
        self._said, self._nagging = said, False
        if self.is_mounted:
            self.query_one("#status", Static).update(said, layout=False)

    # -- papers ---------------------------------------------------------------------------------

    def action_tab(self, tab: str) -> None:
        """Turns to a paper."""
        self.say(Content(""))
        self.papers.turn_to(tab)

    def action_turn(self, by: int) -> None:
        """The next or previous paper."""
        self.say(Content(""))
        self.papers.turn(by)

    def action_scroll(self, by: int) -> None:
        """One line."""
        self.papers.scroll_lines(by)

    def action_page(self, by: int) -> None:
        """A screenful."""
        self.papers.page(by)

    def action_question(self, by: int) -> None:
        """The next or previous question."""
        self.form.move(by)

    # -- judging --------------------------------------------------------------------------------

    @on(RubricForm.Judged)
    def _judged(self, event: RubricForm.Judged) -> None:
        working = self._working
        if working is None or working.lease is None or self._busy:
            return
        lease = working.lease
        self._busy = True

        def refused(error: SecondlookError) -> None:
            self._busy = False
            self._refused(error)

        def show(view: CaseView) -> None:
            self._busy = False
            working.view = view
            with self.app.batch_update():
                self._draw_top()
                self.papers.show(view, another=False)
                self.form.reveal(view, event.label)

        self.shell.in_thread(lambda: self.desk.judge(lease, event.label, event.confidence), show, refused)

    @on(RubricForm.Complete)
    def _complete(self) -> None:
        self.action_submit()

    @on(RubricForm.Changed)
    def _changed(self) -> None:
        if self._nagging:
            self.nag()
        if self._saving is not None:
            self._saving.stop()
        self._saving = self.set_timer(_SAVE_AFTER, self._save)

    def _save(self) -> None:
        working = self._working
        if working is not None and working.lease is not None and not self._busy:
            case_id, draft = working.case_id, working.draft(self.form.answers)
            self.shell.in_thread(lambda: self.desk.save_draft(case_id, draft), lambda _done: None, group="draft")

    @on(CriterionField.SpansWanted)
    def _mark_spans(self, event: CriterionField.SpansWanted) -> None:
        working = self._working
        if working is None:
            return
        text = _text_of(working.view, event.field.criterion.text)
        picker = SpanPicker(event.field.criterion.title, text, event.field.value or [])
        self.app.push_screen(picker, lambda spans: None if spans is None else event.field.answer(spans or None))

    @on(CriterionField.Picked)
    def _pick(self, event: CriterionField.Picked) -> None:
        field, options = event.field, event.options

        def take(index: int | None) -> None:
            if index is not None:
                field._choose(options[index].id)

        self.app.push_screen(Choose(field.criterion.title, [o.title or o.id for o in options]), take)

    # -- the lease ------------------------------------------------------------------------------

    def touch(self) -> None:
        """A sign of life: time counts, and the lease is extended at most once a minute."""
        working, now = self._working, now_ms()
        if working is None:
            return
        working.time.touch()
        if working.wants_extension(now) and working.lease is not None:
            working.extended_at = now
            lease = working.lease

            def extended(longer: Lease) -> None:
                working.lease = longer
                self._draw_top()

            def refused(error: SecondlookError) -> None:
                # Of the case before nobody wants to know any more; and while the hub does not answer, a line says so.
                away = isinstance(error, Unavailable) and not self.desk.unsent().reachable
                if self._working is working and self._act is None and not away:
                    self._refused(error)

            self.shell.in_thread(lambda: self.desk.extend(lease), extended, refused, group="extend")

    def _tick(self) -> None:
        working = self._working
        if working is None or working.lease is None:
            return
        if not working.lost and working.lease.until <= now_ms():
            self._lose("The lease ran out. Your answers are kept; t claims the case again.")
        self._draw_top()

    def _lose(self, why: str) -> None:
        working = self._working
        if working is None:
            return
        working.lost = why
        case_id, draft = working.case_id, working.draft(self.form.answers)
        self.shell.in_thread(lambda: self.desk.save_draft(case_id, draft), lambda _done: None, lambda _error: None)
        for field in self.form.shown_fields:
            field.disabled = True
        self.say(line(why, "$warning"))
        self._draw_top()


def _text_of(view: CaseView, target: str) -> str:
    if target == "output.text":
        return view.prediction.output.text or ""
    name = target.removeprefix("inputs.")
    return next((i.value for i in view.prediction.inputs if i.name == name and isinstance(i.value, str)), "")
