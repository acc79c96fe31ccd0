"""Drafts and decisions that survive a hub that is away: kept in the journal, sent in order when it answers again.

A decision is sent under the same decision_id however often, and the hub counts it once; so one whose answer got lost is
simply sent again.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Literal

from app.desk import wire
from app.desk.journal import Entry, Journal
from app.desk.remote_asking import Asking, Away, SignedOut
from app.desk.retrying import Retrying
from app.desk.unsent_words import counted
from app.model.case import CaseRow, Decision, Draft, Receipt, Unsent
from app.model.errors import BadInput, Gone, LeaseLost, NothingToDo, Refused, SecondlookError, Unavailable

# Whoever submits waits so long for the hub, in seconds; then it is kept here.
_PATIENCE = 6.0
# On closing: so long for answers that are on their way, and then for keeping what gets none.
_LAST_ANSWERS = 0.4
_LAST_KEEPING = 2.0


class Keeping(Asking):
    """Keeps what cannot be sent. All drafts and decisions of a terminal go one after the other."""

    def __init__(self, url: str, token: str, session: str = "") -> None:
        super().__init__(url, token, session)
        self._person = ""
        self._journal: Journal | None = None
        self._names: dict[int, str] = {}
        # Held while something is on its way; the other lock is for what is remembered, and for moments only.
        self._turn = threading.Lock()
        self._state = threading.RLock()
        self._idle = threading.Condition(self._state)
        self._writers = 0
        self._acts = 0
        self._latest: dict[int, int] = {}
        self._since: int | None = None
        self._signed_out = False
        self._sent = 0
        self._unsent = Unsent()
        self._watchers: list[Callable[[], None]] = []
        self._retrying = Retrying(self._try_once, self._wants_to_try)
        self._flushing: int | None = None

    # -- for screens ----------------------------------------------------------------------------

    def unsent(self) -> Unsent:
        """What is kept here; never waits."""
        return self._unsent

    def watch_unsent(self, changed: Callable[[], None]) -> None:
        """Calls `changed`, in some thread, whenever `unsent` answers something else."""
        self._watchers.append(changed)

    def seen_refused(self) -> None:
        """The person was told what was refused."""
        if self._journal is not None:
            self._journal.seen()
        self._changed()

    def save_draft(self, case_id: int, draft: Draft) -> None:
        """Keeps answers that are not submitted: at the hub, or here while it is away."""
        body = {"answers": dict(draft.answers), "seconds": _finite(draft.seconds)}
        with self._writing(case_id) as mine, self._turn:
            waiting = self._kept.pending(case_id)
            if self._latest[case_id] != mine or any(one.kind == "decision" for one in waiting):
                # Somebody went on meanwhile: a newer draft or the decision says it all.
                return
            if not self._is_away and not waiting:
                with contextlib.suppress(Away, SignedOut):
                    self._put(f"/cases/{case_id}/draft", body, _PATIENCE)
                    return
            self._keep("draft", case_id, body)

    def decide(self, decision: Decision) -> Receipt:
        """Settles a case. While the hub is away the decision is kept here, and the receipt says so."""
        body = {**asdict(decision), "seconds": _finite(decision.seconds)}
        case_id = decision.case_id
        with self._writing(case_id), self._turn:
            with contextlib.suppress(Away, SignedOut):
                if self._is_away:
                    self._send_all()
                receipt = wire.load(Receipt, self._post("/decisions", body, _PATIENCE))
                self._kept.drop_drafts(case_id)
                self._latest[case_id] = 0
                return receipt
            self._keep("decision", case_id, body)
        return Receipt(decision.decision_id, case_id, self._name(case_id), "kept", None, None, 0, sent=False)

    # -- keeping --------------------------------------------------------------------------------

    @property
    def _kept(self) -> Journal:
        assert self._journal is not None
        return self._journal

    @contextmanager
    def _writing(self, case_id: int) -> Iterator[int]:
        """Counts who is at work, so that closing can wait, and numbers the acts on a case."""
        with self._state:
            self._writers += 1
            self._acts += 1
            mine = self._latest[case_id] = self._acts
        try:
            yield mine
        finally:
            with self._idle:
                self._writers -= 1
                self._idle.notify_all()
            self._changed()

    def _keep(self, kind: Literal["draft", "decision"], case_id: int, body: dict[str, Any]) -> None:
        self._kept.keep(kind, case_id, self._name(case_id), body)
        self._retrying.begin()

    def _name(self, case_id: int) -> str:
        return self._names.get(case_id, f"case {case_id}")

    def _met(self, row: CaseRow) -> None:
        """Remembers a case's name, to speak of it while the hub is away."""
        self._names[row.case_id] = row.id

    # -- sending --------------------------------------------------------------------------------

    def _take_up(self, person: str, token: str) -> None:
        """Opens the journal and sends what an earlier terminal left. Raises Away, SignedOut."""
        self._person = person
        self._journal = Journal(self._http.base, person, token)
        self._flush()

    def _send_first(self, what_for: str) -> None:
        """Sends what is kept before something that rests on it. Raises Unavailable where that cannot be."""
        try:
            if self._kept.pending():
                self._flush()
        except Away:
            raise Away(f"The hub does not answer. Nothing was {what_for}.") from None
        decisions = [one for one in self._kept.pending() if one.kind == "decision"]
        if decisions and what_for == "taken back":
            raise Unavailable(f"{counted(len(decisions), 0)} of yours could not be sent yet. Nothing was taken back.")

    def _flush(self) -> None:
        """Sends everything in order. Raises Away or SignedOut where it has to stop."""
        with self._turn:
            self._send_all()
        self._changed()

    def _send_all(self) -> None:
        self._flushing = threading.get_ident()
        try:
            for entry in self._kept.pending():
                self._send(entry)
        finally:
            self._flushing = None
            self._kept.tidy()

    def _send(self, entry: Entry) -> None:
        try:
            if entry.kind == "draft":
                self._put(f"/cases/{entry.case_id}/draft", entry.body, _PATIENCE)
            else:
                self._post("/decisions", entry.body, _PATIENCE)
        except (Away, SignedOut):
            raise
        except Unavailable:
            # The hub itself fails at this one. It stays, and the others are not held up by it.
            return
        except (BadInput, Refused, NothingToDo) as error:
            self._kept.refused(entry, self._told(entry, error))
            return
        self._kept.sent(entry)
        self._sent += 1

    def _told(self, entry: Entry, error: SecondlookError) -> str:
        """Why something was not taken, and where its answers are."""
        if isinstance(error, Gone):
            return str(error)
        if isinstance(error, LeaseLost) and error.holder != self._person:
            # The hub has kept them, and says so.
            return str(error)
        if entry.kind == "decision" and isinstance(error, BadInput):
            body = {name: entry.body[name] for name in ("answers", "seconds")}
            with contextlib.suppress(BadInput, Refused, NothingToDo):
                self._put(f"/cases/{entry.case_id}/draft", body, _PATIENCE)
                return f"{error} Your answers are its draft."
        return f"{error} You had answered: {_in_short(entry.body.get('answers', {}))}."

    def _wants_to_try(self) -> bool:
        return self._is_away or bool(self._kept.pending())

    def _try_once(self) -> None:
        if not self._kept.pending():
            self._get("/me")
        self._kept.adopt()
        self._flush()

    # -- how the hub is -------------------------------------------------------------------------

    @property
    def _is_away(self) -> bool:
        return self._since is not None

    def _went_away(self, error: Away | SignedOut) -> None:
        with self._state:
            first = self._since is None
            self._signed_out = isinstance(error, SignedOut)
            self._since = self._since or time.time_ns() // 1_000_000
        if self._journal is not None:
            self._retrying.begin(anew=first)
        self._changed()

    def _answered(self) -> None:
        if self._since is None or self._journal is None:
            return
        # A hub that only reads is not back for what is to be written.
        if self._flushing == threading.get_ident() or not self._journal.pending():
            with self._state:
                self._since, self._signed_out = None, False
            self._changed()

    def _changed(self) -> None:
        if self._journal is None:
            return
        kinds = [entry.kind for entry in self._journal.pending()]
        refused = self._journal.not_taken()
        with self._state:
            found = Unsent(
                decisions=kinds.count("decision"),
                drafts=kinds.count("draft"),
                refused=refused,
                since=self._since,
                reachable=self._since is None or self._signed_out,
                signed_out=self._signed_out,
                sent=self._sent,
            )
            if found == self._unsent:
                return
            self._unsent = found
        for changed in list(self._watchers):
            changed()

    def close(self) -> None:
        """Closes all connections. What is on its way and gets no answer is kept here."""
        self._watchers.clear()
        self._retrying.stop()
        if not self._is_away:
            self._wait_for_writers(_LAST_ANSWERS)
        self._hang_up()
        self._wait_for_writers(_LAST_KEEPING)
        if self._journal is not None:
            self._journal.close()
        self._http.close()

    def _wait_for_writers(self, seconds: float) -> None:
        with self._idle:
            self._idle.wait_for(lambda: not self._writers, seconds)


def _finite(seconds: float) -> float:
    """JSON knows no NaN and no infinity; such a time is none."""
    return seconds if math.isfinite(seconds) else 0.0


def _in_short(answers: dict[str, Any]) -> str:
    said = ", ".join(f"{name} = {value}" for name, value in answers.items())
    return said if len(said) <= 300 else f"{said[:299]}…"
