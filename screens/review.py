"""The review screen: the case, what helps to judge it, and the rubric. One screen for case after case."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from app.model.case import CaseView, Claim, Draft, Receipt
from app.model.errors import LeaseLost, RubricError, SecondlookError
from screens.ask import Choose, Write
from screens.clock import countdown, due, now_ms, span
from screens.reveal import RevealScreen
from screens.span_picker import SpanPicker
from screens.text import join, line, shorten
from screens.theme import SEVERITY_SHAPES, SEVERITY_STYLES
from screens.widgets.criterion_field import CriterionField
from screens.widgets.key_bar import KeyBar
from screens.widgets.papers import Papers
from screens.widgets.rubric_form import RubricForm
from screens.working import WARN_BEFORE_MS, Working

if TYPE_CHECKING:
    from app.desk.protocol import Desk
    from app.shell import Shell

_SAVE_AFTER = 0.4
# The next case is drawn once this one stands.
_AHEAD_AFTER = 0.05
_TICK = 5.0
_DEFERRALS = (
    ("15 minutes", 15),
    ("1 hour", 60),
    ("4 hours", 240),
    ("until tomorrow", 24 * 60),
    ("3 days", 3 * 24 * 60),
)


class ReviewScreen(Screen[None]):
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
        Binding("x", "park", "Park: take it out of the queue", id="case.park"),
        Binding("u", "undo", "Undo your last decision", id="case.undo"),
        Binding("t", "take_again", "Claim again after a lost lease", id="case.take_again"),
        Binding("escape,q", "back", "Back to the inbox; the draft is kept", id="case.back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._working: Working | None = None
        self._queue: str | None = None
        self._draft = Draft()
        self._busy = False
        self._said: Content = Content("")
        self._nagging = False
        self._saving: Timer | None = None

    @property
    def shell(self) -> Shell:
        """The application."""
        return cast("Shell", self.app)

    @property
    def desk(self) -> Desk:
        """The desk."""
        return self.shell.desk

    def compose(self) -> ComposeResult:
        """Top line, papers beside the rubric, status, keys."""
        yield Static(id="top", markup=False)
        with Container(id="body"):
            yield Papers(id="papers")
            with Vertical(id="rubric-box"):
                yield Static(id="rubric-title", markup=False)
                yield RubricForm(id="form")
        yield Static(id="status", markup=False)
        yield KeyBar(
            ("case.submit", "submit"),
            ("case.next_tab", "papers"),
            ("case.skip", "skip"),
            ("case.defer", "defer"),
            ("case.undo", "undo"),
            ("app.help", "help"),
        )

    async def on_mount(self) -> None:
        """Shows the case that was chosen before the screen stood."""
        self.set_interval(_TICK, self._tick)
        if self._working is not None:
            await self._present()

    @property
    def papers(self) -> Papers:
        """The case's papers."""
        return self.query_one("#papers", Papers)

    @property
    def form(self) -> RubricForm:
        """The rubric's form."""
        return self.query_one("#form", RubricForm)

    # -- showing --------------------------------------------------------------------------------

    def show_claim(self, claim: Claim, queue: str | None) -> None:
        """Shows a case that was handed out; `queue` is where the next one comes from."""
        self._working = Working.claimed(claim, self.shell.idle_seconds, now_ms())
        self._queue, self._draft = queue, claim.draft
        if self.is_mounted:
            self.call_later(self._present)

    def show_view(self, view: CaseView) -> None:
        """Shows a case to look at only."""
        self._working = Working.looked_at(view, self.shell.idle_seconds)
        self._draft = Draft()
        self.say(line("You look at this case; nothing can be changed. esc goes back.", "$muted"))
        if self.is_mounted:
            self.call_later(self._present)

    async def _present(self) -> None:
        """Puts the whole case on the screen at once."""
        working = self._working
        if working is None:
            return
        with self.app.batch_update():
            self._busy = False
            self._draw_top()
            self.papers.show(working.view)
            title = line(f"{working.view.rubric.title} v{working.view.rubric.version}")
            self.query_one("#rubric-title", Static).update(title, layout=False)
            self.query_one("#status", Static).update(self._said, layout=False)
            await self.form.show(working.view, self._draft, working.read_only)
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
            Content.styled(f"{SEVERITY_SHAPES[row.severity]} {row.severity}", SEVERITY_STYLES[row.severity]),
            Content.styled(due(row.due_at, now), "bold $warning" if row.due_at < now else ""),
            self._lease_text(working, now),
        ]
        # However long its name, a case does not push the severity and the lease off the line.
        room = max(12, self.size.width - sum(part.cell_length + 3 for part in parts) - 2)
        name = line(row.id if row.revision == 1 else f"{shorten(row.id, room - 13)} (revision {row.revision})", "bold")
        parts.insert(1, name.truncate(room, ellipsis=True))
        self.query_one("#top", Static).update(Content("   ").join(p for p in parts if p.plain), layout=False)

    def _lease_text(self, working: Working, now: int) -> Content:
        if working.lost:
            return Content.styled("▲ lease lost, t claims again", "bold $warning")
        if working.lease is None:
            return Content.styled(working.view.row.verdict or "only looking", "$muted")
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

        def show(view: CaseView) -> None:
            self._busy = False
            working.view = view
            with self.app.batch_update():
                self.papers.show(view, another=False)
                self.form.reveal(view, event.label)

        self.shell.in_thread(lambda: self.desk.judge(lease, event.label, event.confidence), show, self._refused)

    @on(RubricForm.Complete)
    def _complete(self) -> None:
        self.action_submit()

    @on(RubricForm.Changed)
    def _changed(self) -> None:
        if self._nagging and not self.form.missing():
            self.say(Content(""))
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

    # -- leaving the case -----------------------------------------------------------------------

    def action_submit(self) -> None:
        """Settles the case, or goes to the first question that is not answered."""
        working = self._working
        if working is None or self._busy:
            return
        if working.read_only:
            self.say(line(working.lost or "You only look at this case.", "$warning"))
            return
        missing = self.form.missing()
        if missing:
            titles = ", ".join(field.criterion.title for field in missing)
            self.say(line(f"still to answer: {titles}", "$warning"))
            self._nagging = True
            missing[0].begin()
            return
        self._busy = True
        decision = working.decision(dict(self.form.answers))
        self._then_next(lambda: self.desk.decide(decision))

    def action_skip(self) -> None:
        """Gives the case back and is not offered it again."""
        self._leave_by(
            lambda working: self.desk.skip(cast(Any, working.lease)), "skipped (enter in the inbox opens it again)"
        )

    def action_defer(self) -> None:
        """Takes the case out of the queue for a while."""
        if self._ready() is None:
            return

        def answered(index: int | None) -> None:
            if index is not None:
                words, minutes = _DEFERRALS[index]
                self._leave_by(lambda w: self.desk.defer(cast(Any, w.lease), minutes), f"deferred, {words}")

        self.app.push_screen(
            Choose("Defer this case. Your draft is kept.", [words for words, _ in _DEFERRALS]), answered
        )

    def action_park(self) -> None:
        """Takes the case out of the queue until somebody puts it back."""
        if self._ready() is None:
            return

        def written(reason: str | None) -> None:
            if reason:
                self._leave_by(lambda w: self.desk.park(cast(Any, w.lease), reason), "parked")

        self.app.push_screen(Write("Park this case. Why can nobody decide it now?", "the reason"), written)

    def action_flag(self) -> None:
        """Leaves a note for the lead; the case stays."""
        working = self._ready()
        if working is None:
            return
        case_id = working.case_id

        def written(note: str | None) -> None:
            if note:
                said = line("flagged for the lead", "$muted")
                self.shell.in_thread(lambda: self.desk.flag(case_id, note), lambda _done: self.say(said))

        self.app.push_screen(
            Write("A note for the lead. The case stays with you.", "what should the lead know?"), written
        )

    def action_leak(self) -> None:
        """Masks a text that should not be seen in every copy of the case."""
        working = self._working
        if working is None or self._busy:
            return
        draft = working.draft(self.form.answers)

        def work(text: str) -> tuple[int, Claim | CaseView]:
            if working.lease is None:
                return self.desk.report_leak(working.case_id, text), self.desk.view(working.case_id)
            self.desk.save_draft(working.case_id, draft)
            return self.desk.report_leak(working.case_id, text), self.desk.claim_case(working.case_id)

        def show(done: tuple[int, Claim | CaseView]) -> None:
            places, found = done
            self.papers.forget()
            if isinstance(found, Claim):
                self.show_claim(found, self._queue)
            else:
                self.show_view(found)
            where = "one place" if places == 1 else f"{places} places"
            self.say(line(f"masked in {where}; the report is in the log", "bold"))

        def written(text: str | None) -> None:
            if text:
                self._busy = True
                self.shell.in_thread(lambda: work(text), show, refused)

        def refused(error: SecondlookError) -> None:
            self._busy = False
            self.say(line(str(error), "$warning"))

        said = "Report a leak. What should not be visible? It is masked wherever it stands in this case, for good."
        self.app.push_screen(Write(said, "the name, number, … as it stands there"), written)

    def action_reveal(self) -> None:
        """Withheld values for an officer, over the case."""
        if self._working is not None:
            row = self._working.view.row
            self.app.push_screen(RevealScreen(row.case_id, row.id))

    def action_undo(self) -> None:
        """Takes the last decision back; the case at hand is given back with its draft."""
        if self._busy:
            return
        self._busy = True
        working, answers = self._working, dict(self.form.answers)

        def work() -> Claim:
            claim = self.desk.undo()
            if working is not None and working.lease is not None and working.case_id != claim.lease.case_id:
                self._put_back(working, answers)
            return claim

        def show(claim: Claim) -> None:
            self.say(line(f"{shorten(claim.view.row.id, 40)} is open again with your answers", "bold"))
            self.show_claim(claim, self._queue)

        self.shell.in_thread(work, show, self._refused)

    def action_take_again(self) -> None:
        """Claims the case again after its lease was lost; the answers are still there."""
        working = self._working
        if working is None or not working.lost:
            return
        case_id = working.case_id
        draft = working.draft(self.form.answers)

        def work() -> Claim:
            self.desk.save_draft(case_id, draft)
            return self.desk.claim_case(case_id)

        self.shell.in_thread(work, lambda claim: self.show_claim(claim, self._queue), self._refused)

    def action_back(self) -> None:
        """Back to the inbox: the case is given back, the draft kept."""
        working, answers = self._working, dict(self.form.answers)
        self._working = None
        self.say(Content(""))
        if working is not None and working.lease is not None:
            self.shell.in_thread(lambda: self._put_back(working, answers), lambda _done: self._to_inbox())
        else:
            self._to_inbox()

    def _to_inbox(self) -> None:
        if self.shell.screen is self:
            self.shell.pop_screen()

    def hand_back(self) -> None:
        """Gives the case back on leaving the program; may block, any thread."""
        working, self._working = self._working, None
        if working is not None and working.lease is not None:
            self._put_back(working, dict(self.form.answers))

    def _put_back(self, working: Working, answers: dict[str, Any]) -> None:
        if working.lease is not None:
            if answers:
                self.desk.save_draft(working.case_id, working.draft(answers))
            self.desk.release(working.lease)

    def _ready(self) -> Working | None:
        working = self._working
        return None if working is None or working.read_only or self._busy else working

    def _leave_by(self, act: Callable[[Working], None], said: str) -> None:
        working = self._ready()
        if working is None:
            return
        self._busy = True
        name, answers = shorten(working.view.row.id, 40), dict(self.form.answers)

        def work() -> Content:
            if answers:
                self.desk.save_draft(working.case_id, working.draft(answers))
            act(working)
            return line(f"{name} {said}")

        self._then_next(work)

    def _then_next(self, act: Callable[[], Receipt | Content]) -> None:
        """Does the act and claims the next case, in one go off the loop."""

        def work() -> tuple[Receipt | Content, Claim | None, str]:
            done = act()
            try:
                return done, self.desk.claim(self._queue), ""
            except SecondlookError as error:
                return done, None, str(error)

        self.shell.in_thread(work, self._done, self._refused)

    def _done(self, result: tuple[Receipt | Content, Claim | None, str]) -> None:
        done, claim, why = result
        said = _receipt(done) if isinstance(done, Receipt) else done
        if claim is not None:
            self._said = said
            self.show_claim(claim, self._queue)
            return
        self._busy, self._working = False, None
        self.say(Content(""))
        self._to_inbox()
        self.shell.inbox.tell(f"{said.plain.partition(' · ')[0]}. {why}")

    def _refused(self, error: SecondlookError) -> None:
        """Nothing was done: says so beside what is wrong, and keeps everything on the screen."""
        self._busy = False
        if isinstance(error, RubricError):
            self.form.complain(error.problems)
            self.say(line("not submitted: see the marked answers", "$warning"))
        elif isinstance(error, LeaseLost):
            self._lose(str(error))
        else:
            self.shell.tell_error(error)

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

            def extended(longer: Any) -> None:
                working.lease = longer
                self._draw_top()

            self.shell.in_thread(lambda: self.desk.extend(lease), extended, self._refused, group="extend")

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


def _receipt(receipt: Receipt) -> Content:
    """`german-00031 overturned → good · u to undo for 5 min`."""
    label = f" → {receipt.label}" if receipt.label and receipt.verdict != "upheld" else ""
    moved = " · you left your first judgement" if receipt.moved else ""
    left = receipt.undo_until - now_ms()
    undo = f" · u to undo for {span(left)}" if left > 0 else ""
    return join(
        line(f"{shorten(receipt.id, 40)} "), line(receipt.verdict + label, "bold"), line(moved + undo, "$muted")
    )


def _text_of(view: CaseView, target: str) -> str:
    if target == "output.text":
        return view.prediction.output.text or ""
    name = target.removeprefix("inputs.")
    return next((i.value for i in view.prediction.inputs if i.name == name and isinstance(i.value, str)), "")
