"""The part of `RemoteDesk` for work that several people share."""

from __future__ import annotations

from app.desk import wire
from app.desk.remote_asking import Asking
from app.model.case import Ageing, Claim, LeakReport, Lease, Note, PausedQueue, Peers, PersonStatus, Quality
from app.model.errors import BadInput


class RemoteTeam(Asking):
    """What several people said, escalation, and a lead's acts, through the hub."""

    def ageing(self) -> list[Ageing]:
        """What waits, by queue, severity and age."""
        return wire.load(list[Ageing], self._get("/ageing"))

    def escalate(self, lease: Lease, reason: str) -> None:
        """Gives a case to an adjudicator."""
        self._post(f"/cases/{lease.case_id}/escalate", {"token": lease.token, "reason": reason})

    def recuse(self, lease: Lease, reason: str) -> None:
        """Declares a conflict of interest: the case goes to somebody else, for good."""
        self._post(f"/cases/{lease.case_id}/recuse", {"token": lease.token, "reason": reason})

    def peers(self, case_id: int) -> Peers:
        """What several people said of a case."""
        return wire.load(Peers, self._get(f"/cases/{case_id}/peers"))

    def notes(self, case_id: int) -> list[Note]:
        """What people wrote about a case, as far as this person may read it."""
        return wire.load(list[Note], self._get(f"/cases/{case_id}/notes"))

    def mark_seen(self, case_id: int) -> None:
        """Takes a case off the list of those with notes for the lead."""
        self._post(f"/cases/{case_id}/seen", None)

    def quality(self) -> list[Quality]:
        """How decisions compare: this person's, for a lead everybody's."""
        return wire.load(list[Quality], self._get("/quality"))

    def people(self) -> list[PersonStatus]:
        """Who works here and what they have on their hands."""
        return wire.load(list[PersonStatus], self._get("/people"))

    def take_over(self, case_id: int, reason: str) -> Claim:
        """Takes a case that somebody else holds."""
        return wire.load(Claim, self._post(f"/cases/{case_id}/take-over", {"reason": reason}))

    def assign(self, case_id: int, person: str | None, reason: str) -> None:
        """Keeps a case for one person, or for nobody in particular."""
        self._post(f"/cases/{case_id}/assign", {"person": person, "reason": reason})

    def trust(self, case_id: int, trusted: bool = True) -> None:
        """Says that a settled case's outcome is right, or takes that back."""
        self._post(f"/cases/{case_id}/trust", {"trusted": trusted})

    def leak_reports(self) -> list[LeakReport]:
        """Reported leaks that wait for a lead."""
        return wire.load(list[LeakReport], self._get("/leaks"))

    def dismiss_leaks(self, case_id: int) -> None:
        """Forgets what was reported of a case."""
        self._post(f"/cases/{case_id}/leaks/dismiss", None)

    def paused(self) -> list[PausedQueue]:
        """The queues that give out no cases now."""
        return wire.load(list[PausedQueue], self._get("/paused"))

    def pause(self, queue: str, reason: str) -> None:
        """Gives out no more cases of a queue."""
        self._post(f"/queues/{_name(queue)}/pause", {"reason": reason})

    def resume(self, queue: str) -> None:
        """Gives out cases of a paused queue again."""
        self._post(f"/queues/{_name(queue)}/resume", None)


def _name(queue: str) -> str:
    """A queue's name as a part of an address. Raises BadInput for what can be none."""
    if not queue.replace("-", "").replace("_", "").isalnum() or not queue.isascii():
        raise BadInput(f"There is no queue '{queue}'.")
    return queue
