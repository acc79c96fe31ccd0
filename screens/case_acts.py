"""What a person does with the case on the review screen: settle it, leave it in one way or another, report, reveal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from textual.content import Content
from textual.timer import Timer

from app.desk.unsent_words import why_kept
from app.model.case import CaseView, Claim, Draft, Receipt, Unsent
from app.model.errors import Gone, LeaseLost, RubricError, SecondlookError
from screens.ask import Choose, Write
from screens.clock import now_ms, span
from screens.one_act import OneAct
from screens.reveal import RevealScreen
from screens.text import join, line, shorten
from screens.widgets.papers import Papers
from screens.widgets.rubric_form import RubricForm
from screens.working import Working

if TYPE_CHECKING:
    from app.desk.protocol import Desk

# On leaving, an act that is under way gets so long.
_LAST_ACT_SECONDS = 1.0
_DEFERRALS = (
    ("15 minutes", 15),
    ("1 hour", 60),
    ("4 hours", 240),
    ("until tomorrow", 24 * 60),
    ("3 days", 3 * 24 * 60),
)


class CaseActs(OneAct):
    """The acts; `ReviewScreen` shows the case they act on."""

    def __init__(self) -> None:
        super().__init__()
        self._working: Working | None = None
        self._queue: str | None = None
        self._draft = Draft()
        # What the form shows; behind `_working` for a moment while a case is being drawn.
        self._shown: Working | None = None
        self._said: Content = Content("")
        self._nagging = False
        self._saving: Timer | None = None

    @property
    def desk(self) -> Desk:
        """The desk."""
        return self.shell.desk

    @property
    def papers(self) -> Papers:
        """The case's papers."""
        return self.query_one("#papers", Papers)

    @property
    def form(self) -> RubricForm:
        """The rubric's form."""
        return self.query_one("#form", RubricForm)

    def show_claim(self, claim: Claim, queue: str | None) -> None:
        """Shows a case that was handed out; `queue` is where the next one comes from."""
        raise NotImplementedError

    def show_view(self, view: CaseView) -> None:
        """Shows a case to look at only."""
        raise NotImplementedError

    def say(self, said: Content) -> None:
        """One line below the papers."""
        raise NotImplementedError

    def _lose(self, why: str) -> None:
        """The lease is over."""
        raise NotImplementedError

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
            self.nag()
            missing[0].begin()
            return
        decision = working.decision(dict(self.form.answers))
        self._then_next(lambda: self.desk.decide(decision))

    def nag(self) -> None:
        """Says what is still to answer, until nothing is."""
        missing = ", ".join(field.criterion.title for field in self.form.missing())
        self.say(line(f"still to answer: {missing}", "$warning") if missing else Content(""))
        self._nagging = bool(missing)

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
        """Reports a text that should not be seen."""
        working = self._working
        if working is None or self._busy:
            return
        draft = working.draft(self.form.answers)

        def work(text: str) -> Claim | CaseView:
            if working.lease is not None:
                self.desk.save_draft(working.case_id, draft)
            self.desk.report_leak(working.case_id, text)
            held = working.lease is not None
            return self.desk.claim_case(working.case_id) if held else self.desk.view(working.case_id)

        def show(found: Claim | CaseView) -> None:
            self.papers.forget()
            if isinstance(found, Claim):
                self.show_claim(found, self._queue)
            else:
                self.show_view(found)
            self.say(line("reported: masked where the case is yours to change, a lead sees the rest", "bold"))

        def written(text: str | None) -> None:
            if text:
                self.run_act(lambda: work(text), show, lambda error: self.say(line(str(error), "$warning")))

        said = (
            "Report a leak. What should not be visible? It is masked for good in a case that is yours to change; a "
            "lead decides about others, and about labels and names of inputs."
        )
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
        working, answers = self._working, self._answers()

        def work() -> Claim:
            claim = self.desk.undo()
            if working is not None and working.lease is not None and working.case_id != claim.lease.case_id:
                self._put_back(working, answers)
            return claim

        def show(claim: Claim) -> None:
            self.say(line(f"{shorten(claim.view.row.id, 40)} is open again with your answers", "bold"))
            self.show_claim(claim, self._queue)

        self.run_act(work, show, self._refused)

    def action_take_again(self) -> None:
        """Claims the case again after its lease was lost; the answers are still there."""
        working = self._working
        if working is None or not working.lost or self._busy:
            return
        case_id = working.case_id
        draft = working.draft(self.form.answers)

        def work() -> Claim:
            self.desk.save_draft(case_id, draft)
            return self.desk.claim_case(case_id)

        self.run_act(work, lambda claim: self.show_claim(claim, self._queue), self._refused)

    def action_back(self) -> None:
        """Back to the inbox: the case is given back, the draft kept."""
        if self._act is not None:
            self._leaves = True
            self.say(line("leaving after this", "$muted"))
            return
        working, answers = self._working, self._answers()
        self._working = None
        self.say(Content(""))
        if working is not None and working.lease is not None:
            self.shell.in_thread(
                lambda: self._put_back(working, answers), lambda _done: self._to_inbox(), self._not_put_back
            )
        else:
            self._to_inbox()

    def _let_go(self) -> None:
        """No case is at hand any more."""
        self._busy, self._leaves, self._working = False, False, None

    def _leave_with(self, claim: Claim) -> None:
        """To the inbox, without the case that came while this person was leaving."""
        self._let_go()
        desk = self.desk
        self.shell.in_thread(lambda: desk.release(claim.lease), lambda _done: self._to_inbox(), self._not_put_back)

    def _not_put_back(self, error: SecondlookError) -> None:
        """The case comes back by itself; the answers were kept before, or the error says that they could not be."""
        self._to_inbox()
        self.shell.inbox.tell(f"Not given back: {error} It comes back by itself when its lease ends.")

    def _to_inbox(self) -> None:
        if self.shell.screen is self:
            self.shell.pop_screen()

    def hand_back(self) -> None:
        """Gives the case back on leaving the program; may block, any thread."""
        if self.gives_up(_LAST_ACT_SECONDS):
            return
        answers = self._answers()
        working, self._working = self._working, None
        if working is not None and working.lease is not None:
            self._put_back(working, answers)

    def _answers(self) -> dict[str, Any]:
        """What was answered of this case. Until the form shows it, that is nothing: what stands there is another's."""
        return dict(self.form.answers) if self._working is not None and self._shown is self._working else {}

    def _put_back(self, working: Working, answers: dict[str, Any]) -> None:
        # Taken before anything that may last: the screens may be gone then.
        desk = self.desk
        if working.lease is not None:
            if answers:
                desk.save_draft(working.case_id, working.draft(answers))
            desk.release(working.lease)

    def _ready(self) -> Working | None:
        working = self._working
        return None if working is None or working.read_only or self._busy else working

    def _leave_by(self, act: Callable[[Working], None], said: str) -> None:
        working = self._ready()
        if working is None:
            return
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

        self.run_act(work, self._done, self._refused)

    def _done(self, result: tuple[Receipt | Content, Claim | None, str]) -> None:
        done, claim, why = result
        said = _receipt(done, self.desk.unsent()) if isinstance(done, Receipt) else done
        if claim is not None:
            self._said = said
            if self._leaves:
                self.shell.inbox.tell(f"{said.plain.partition(' · ')[0]}.")
            self.show_claim(claim, self._queue)
            return
        self._let_go()
        self.say(Content(""))
        self._to_inbox()
        if isinstance(done, Receipt) and not done.sent:
            why = "It is sent later."
        self.shell.inbox.tell(f"{said.plain.partition(' · ')[0]}. {why}")

    def _refused(self, error: SecondlookError) -> None:
        """Nothing was done: says so beside what is wrong, and keeps everything on the screen."""
        if isinstance(error, RubricError):
            self.form.complain(error.problems)
            self.say(line("not submitted: see the marked answers", "$warning"))
        elif isinstance(error, LeaseLost):
            self._lose(str(error))
        elif isinstance(error, Gone):
            self._working = None
            self._to_inbox()
            self.shell.inbox.tell(str(error))
        else:
            self.shell.tell_error(error)


def _receipt(receipt: Receipt, unsent: Unsent) -> Content:
    """`german-00031 overturned → good · u to undo for 5 min`."""
    if not receipt.sent:
        said = f"kept here, not sent: {why_kept(unsent)}" if unsent.decisions else "sent"
        return join(line(f"{shorten(receipt.id, 40)} "), line(said, "bold $warning"))
    label = f" → {receipt.label}" if receipt.label and receipt.verdict != "upheld" else ""
    moved = " · you left your first judgement" if receipt.moved else ""
    left = receipt.undo_until - now_ms()
    undo = f" · u to undo for {span(left)}" if left > 0 else ""
    return join(
        line(f"{shorten(receipt.id, 40)} "), line(receipt.verdict + label, "bold"), line(moved + undo, "$muted")
    )
