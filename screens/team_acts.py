"""What a person does with a case that concerns others: escalate it, declare a conflict of interest, adjudicate."""

from __future__ import annotations

from typing import Any, cast

from app.model.case import Draft, Lease, Peers
from screens.ask import Choose, Write
from screens.case_acts import CaseActs
from screens.text import line


class TeamActs(CaseActs):
    """The acts; `ReviewScreen` shows the case they act on."""

    def action_escalate(self) -> None:
        """Gives the case to an adjudicator."""
        if self._ready() is None:
            return

        def written(reason: str | None) -> None:
            if reason:
                self._leave_by(lambda w: self.desk.escalate(cast(Lease, w.lease), reason), "escalated")

        said = "Escalate this case: an adjudicator decides. What should they look at?"
        self.app.push_screen(Write(said, "the reason"), written)

    def action_recuse(self) -> None:
        """Declares a conflict of interest; the case never comes back to this person."""
        if self._ready() is None:
            return

        def written(reason: str | None) -> None:
            if reason:
                self._leave_by(lambda w: self.desk.recuse(cast(Lease, w.lease), reason), "given to somebody else")

        said = "Declare a conflict of interest. The case goes to somebody else and does not come back to you."
        self.app.push_screen(Write(said, "what it is, in a few words"), written)

    def action_adopt(self) -> None:
        """Fills the form with what one of the reviewers answered."""
        working = self._ready()
        peers = self.papers.peers
        if working is None or peers is None or not peers.reviews:
            self.say(line("There are no reviews to adopt: an adjudicator has some.", "$muted"))
            return
        names = [f"{one.name}: {one.verdict}{f' → {one.label}' if one.label else ''}" for one in peers.reviews]

        def answered(index: int | None) -> None:
            if index is not None:
                self._adopt(peers, index)

        self.app.push_screen(
            Choose("Begin with whose answers? You can change them before you submit.", names), answered
        )

    def _adopt(self, peers: Peers, index: int) -> None:
        working = self._ready()
        if working is None:
            return
        answers: dict[str, Any] = dict(peers.reviews[index].answers)
        self._draft = Draft(answers, working.judgement, working.time.seconds)
        self.say(line(f"as {peers.reviews[index].name} answered; enter submits", "bold"))
        self.call_later(self._present)

    async def _present(self) -> None:
        """Puts the whole case on the screen at once."""
        raise NotImplementedError
