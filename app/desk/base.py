"""What all acts of the local desk stand on: who, which queues, which database, what time."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from app.audit import log
from app.deliver.events import Routes
from app.desk.eligibility import ANOTHER, Eligibility
from app.desk.views import case_view, is_hidden
from app.intake.ordering import put_in_order
from app.model.case import CaseView
from app.model.errors import BadInput, Gone
from app.model.policy import QueuePolicy
from app.model.rights import SEES_NAMES, Role, may
from app.model.rubric import Rubric
from app.model.words import Stage
from db import audit, leases, lists, shown
from db.engine import Connection, Store

_HOUR_MS = 3_600_000


def wall_clock() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class DeskBase:
    """One person on one database. Safe to use from several threads."""

    def __init__(
        self,
        store: Store,
        person: str,
        policies: dict[str, QueuePolicy],
        rubrics: dict[str, Rubric],
        session: str = "",
        clock: Callable[[], int] = wall_clock,
        routes: Routes | None = None,
        roles: Iterable[Role] | None = None,
        id_key: Callable[[], bytes] | None = None,
    ) -> None:
        """`session` tells this person's terminals apart; one is made where none is given. `routes` say where verdicts
        go beside the sinks of the policies. `roles` say which cases this person gets and whose names they see; None:
        all. `id_key` gives the key by which cases are found by ids that a queue does not show. Queues that people judge
        first are put in an order that tells nothing of the model's answer, if they are not."""
        put_in_order(store, policies, person, clock)
        self._store = store
        self._person = person
        self._policies = policies
        self._rubrics = rubrics
        self._session = session or uuid.uuid4().hex
        self._now = clock
        self._routes = routes or Routes()
        self._roles = None if roles is None else frozenset(roles)
        self._id_key = id_key
        self._may = Eligibility(person, self._roles)
        self._registered: set[str] = set()

    @property
    def person(self) -> str:
        """Who works here."""
        return self._person

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues this person may work on."""
        return tuple(self._policies)

    def policy(self, queue: str) -> QueuePolicy:
        """A queue's policy."""
        if queue not in self._policies:
            raise BadInput(f"There is no queue '{queue}'. Queues: {', '.join(self._policies) or 'none'}.")
        return self._policies[queue]

    def rubric(self, queue: str) -> Rubric:
        """A queue's current rubric."""
        self.policy(queue)
        return self._rubrics[queue]

    def close(self) -> None:
        """Closes the database."""
        self._store.close()

    # Inside a transaction.

    def _log(self, connection: Connection, action: str, case_id: int | None, **data: int | str) -> int:
        return log.append(connection, self._now(), self._person, action, case_id, data)

    def _row(self, connection: Connection, case_id: int, rubric: str = "", last: bool = False) -> Any:
        """A case's row with its record and what this person made of it. Raises BadInput where it is none of theirs.
        `last`: the transaction ends with it."""
        row = lists.with_record(connection, case_id, self._person, rubric, last=last)
        if row is None or row.queue not in self._policies:
            raise BadInput("There is no such case.")
        return row

    def _seer(self) -> shown.Seer:
        """Who looks here, and by queue since when a review is too fresh to be asked for again."""
        now = self._now()
        hours = {name: policy.reviews.repeat_hours for name, policy in self._policies.items()}
        return shown.Seer(self._person, {name: now - round(span * _HOUR_MS) for name, span in hours.items()})

    def _hidden(self, connection: Connection) -> set[int]:
        """The numbers of the cases that this person does not see, since they see a copy in their place or are not to be
        measured by it."""
        return set() if self._oversees() else shown.hidden(connection, self._seer())

    def _hidden_among(self, connection: Connection, case_ids: Iterable[int]) -> set[int]:
        """Those of these cases that this person does not see."""
        return set() if self._oversees() else shown.hidden_among(connection, self._seer(), case_ids)

    def _check_seen(self, connection: Connection, case_id: int) -> None:
        """Raises BadInput where this person does not see a case."""
        if self._hidden_among(connection, (case_id,)):
            raise BadInput("There is no such case.")

    def _seen_row(self, connection: Connection, case_id: int) -> Any:
        """As `_row`, for who looks at a case without working on it."""
        self._check_seen(connection, case_id)
        return self._row(connection, case_id)

    def _view(self, row: Any) -> CaseView:
        shown = self._is_hidden(row), self._shown_holder(row), self._shown_stage(row)
        view = case_view(row, self._rubrics[row.queue], *shown)
        if view.row.note is None or self._reads_all_notes():
            return view
        return replace(view, row=replace(view.row, note=None))

    def _is_hidden(self, row: Any) -> bool:
        """Whether the model's answer is withheld: until this person has judged, or adjudicates."""
        policy = self._policies[row.queue]
        if not policy.provisional or self._adjudicates(row):
            return False
        return is_hidden(policy, row.state, row.judged_at is not None)

    def _adjudicates(self, row: Any) -> bool:
        """Whether this person has the case as an adjudicator, who sees the reviews anyway."""
        return bool(row.stage == "adjudication" and row.state == "leased" and row.lease_owner == self._person)

    def _sees_names(self, queue: str) -> bool:
        """Whether this person sees who else works on a queue's cases."""
        by_role = self._roles is None or bool(self._roles & SEES_NAMES)
        return by_role or self._policies[queue].reviews.names == "shown"

    def _called(self, queue: str, person: str) -> str:
        """What this person calls somebody."""
        return person if person == self._person or self._sees_names(queue) else ANOTHER

    def _reads_all_notes(self) -> bool:
        """Whether this person reads what anybody wrote about a case: a lead, or somebody who works alone."""
        return self._roles is None or self._oversees()

    def _oversees(self) -> bool:
        """Whether this person looks after the work of others, and by their roles sees all of it."""
        return self._roles is not None and bool(self._roles & SEES_NAMES)

    def _leads(self) -> bool:
        """Whether this person manages the work of others; where there are no roles, everybody does."""
        return self._roles is None or may(self._roles, "manage")

    def _shown_stage(self, row: Any) -> Stage:
        """How far a case is, as this person may know it. That somebody has begun would hint at what is expected; that
        reviews differ would tell their authors what the others said."""
        known = self._may.adjudicates or self._oversees()
        return "adjudication" if row.stage == "adjudication" and known else "review"

    def _shown_holder(self, row: Any) -> str | None:
        return None if row.lease_owner is None else self._called(row.queue, row.lease_owner)

    def _seen_holder(self, connection: Connection, case_id: int) -> leases.Holder:
        """As `_holder`, where this person sees the case: of one that they do not see an act says what it says of a
        number that is no case's."""
        self._check_seen(connection, case_id)
        return self._holder(connection, case_id)

    def _holder(self, connection: Connection, case_id: int) -> leases.Holder:
        held = leases.holder(connection, case_id)
        if held is None and any(entry.action == "erased" for entry in audit.of_case(connection, case_id, limit=1)):
            raise Gone("This case was erased: nothing of it is kept, and nothing was changed.")
        if held is None or held.queue not in self._policies:
            raise BadInput("There is no such case.")
        return held

    def _lease_ms(self, queue: str) -> int:
        return round(self._policies[queue].lease_minutes * 60_000)
