"""Looking: lists, search, one case, what is near to it, what was done."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from app.desk.base import DeskBase
from app.desk.eligibility import order
from app.desk.history import LEAK_REPORTS, describe, without_names, without_others, without_report
from app.desk.similar import similar_cases
from app.desk.touched import masked_after
from app.desk.views import case_row, is_hidden, prediction_of
from app.insight.rates import wilson
from app.intake.route import severity
from app.model.case import (
    Ageing,
    CaseRow,
    CaseView,
    ConnectionStatus,
    Filter,
    HistoryEntry,
    QueueOutcome,
    QueueStatus,
    SessionSummary,
    SimilarCase,
    Unsent,
)
from app.model.errors import BadInput
from app.model.words import SEVERITIES, STATES, UNTOLD, Severity
from app.protect.own_id import is_pseudonymised, token_of
from db import audit, cases, connections, controls, corrections, lists, outbox, reviews, search
from db.engine import Connection
from db.offers import Offer

Wake = Callable[[Connection, str, int], None]
# The first matches of a search; more are not ordered usefully by anyone.
SEARCH_LIMIT = 10_000
_FUZZY_LIMIT = 500


class Looking(DeskBase):
    """What a person may see without holding a case."""

    def backlog(self) -> list[QueueStatus]:
        """Every queue's backlog."""
        now = self._now()
        with self._store.read() as connection:
            found = lists.backlog(connection, now, self._uncounted(connection))
        by_queue: dict[str, dict[str, Any]] = {queue: {} for queue in self._policies}
        for row in found:
            if row.queue in by_queue:
                by_queue[row.queue][row.state] = row
        return [self._status(queue, states) for queue, states in by_queue.items()]

    def _status(self, queue: str, states: dict[str, Any]) -> QueueStatus:
        waiting = [row for state, row in states.items() if state != "settled"]
        policy = self._policies.get(queue)
        return QueueStatus(
            queue=queue,
            title=policy.title if policy else "",
            overdue=sum(int(row.overdue or 0) for row in waiting),
            oldest_at=min((row.oldest for row in waiting), default=None),
            **{s: states[s].n if s in states else 0 for s in STATES},
        )

    def _uncounted(self, connection: Connection) -> set[int]:
        """The numbers of the cases that this person's figures leave out: what they do not see. To those who look after
        a queue what measures its reviewers is no part of it."""
        return controls.numbers(connection) if self._oversees() else self._hidden(connection)

    def ageing(self) -> list[Ageing]:
        """What waits, by queue, severity and age."""
        with self._store.read() as connection:
            found = lists.ageing(connection, self._now(), self._uncounted(connection))
        return [
            Ageing(
                queue=row.queue,
                severity=None if row.severity == UNTOLD else SEVERITIES[row.severity],
                hour=row.younger0,
                shift=row.younger1 - row.younger0,
                day=row.younger2 - row.younger1,
                days=row.younger3 - row.younger2,
                older=row.n - row.younger3,
                overdue=row.overdue,
            )
            for row in found
            if row.queue in self._policies
        ]

    def outcomes(self) -> list[QueueOutcome]:
        """What the settled cases of each queue came to."""
        with self._store.read() as connection:
            found = corrections.outcomes(connection, self._uncounted(connection))
        by_queue: dict[str, dict[str, Any]] = {}
        for row in found:
            by_queue.setdefault(row.queue, {})[row.verdict] = row
        return [_outcome(queue, rows) for queue, rows in by_queue.items() if queue in self._policies]

    def unsent(self) -> Unsent:
        """Nothing: what is done here is in the database at once."""
        return Unsent()

    def watch_unsent(self, changed: Callable[[], None]) -> None:
        """Nothing changes."""

    def seen_refused(self) -> None:
        """Nothing is refused later."""

    def connections(self) -> list[ConnectionStatus]:
        """How the sources and sinks are doing that were used so far."""
        with self._store.read() as connection:
            found = connections.health(connection)
            sent = outbox.counts(connection) if found else {}
        return [
            ConnectionStatus(
                name=health.name,
                direction="in" if health.direction == "in" else "out",
                state=health.state,
                since=health.since,
                error=health.error,
                items=health.items,
                waiting=health.lag if health.direction == "in" else sent.get((health.name, "pending"), 0),
                dead=0 if health.direction == "in" else sent.get((health.name, "dead"), 0),
            )
            for health in found
        ]

    def ids(self, wanted: Filter, limit: int | None = None) -> array[int]:
        """case_ids that match, by priority, due time, age; with a text, as `search` ranks them."""
        queues = [q for q in self._policies if wanted.queue in (None, q)]
        if wanted.holder not in (None, self._person):
            queues = [q for q in queues if self._sees_names(q)]
        if wanted.flag is not None or wanted.severity is not None:
            # Where a first judgement comes first, flags and severity may not be asked for either.
            queues = [q for q in queues if not self._policies[q].provisional]
        if wanted.stage is not None and not (self._may.adjudicates or self._oversees()):
            # Who may not know how far a case is may not ask for it either.
            queues = []
        grade = SEVERITIES.index(wanted.severity) if wanted.severity else None
        with self._store.read() as connection:
            if wanted.noted:
                return array("q", reviews.noted(connection, queues, limit) if self._reads_all_notes() else [])
            if wanted.text:
                found = self._search(connection, wanted)
                return array("q", found[:limit] if limit else found)
            due_before = self._now() if wanted.overdue else None
            return lists.ids(
                connection,
                queues,
                wanted.state,
                grade,
                wanted.flag,
                wanted.holder,
                limit,
                wanted.stage,
                due_before,
                self._hidden(connection),
            )

    def _search(self, connection: Connection, wanted: Filter) -> list[int]:
        """Exact ids first, then cases with all words, then near misses of a mistyped word."""
        exact = [i for i, _ in self._named(connection, wanted.text.strip(), wanted.queue)]
        found = list(dict.fromkeys([*exact, *search.containing_all(connection, wanted.text, SEARCH_LIMIT)]))
        found = self._seen(connection, found)
        if not found:
            found = self._seen(connection, _near_misses(connection, wanted.text))
        known = lists.rows(connection, found[:SEARCH_LIMIT])
        return [i for i in found if i in known and self._matches(known[i], wanted)]

    def _seen(self, connection: Connection, case_ids: list[int]) -> list[int]:
        """Those of these cases that this person sees, in their order."""
        hidden = self._hidden_among(connection, case_ids)
        return [case_id for case_id in case_ids if case_id not in hidden]

    def _matches(self, row: Any, wanted: Filter) -> bool:
        policy = self._policies.get(row.queue)
        return (
            policy is not None
            and wanted.queue in (None, row.queue)
            and (row.state == wanted.state if wanted.state else True)
            and not (policy.provisional and (wanted.severity is not None or wanted.flag is not None))
            and (wanted.severity is None or row.severity == SEVERITIES.index(wanted.severity))
            and wanted.flag in (None, row.flag)
            and wanted.holder in (None, self._shown_holder(row))
            and wanted.stage in (None, self._shown_stage(row))
            and (row.due_at < self._now() if wanted.overdue else True)
        )

    def rows(self, case_ids: Iterable[int]) -> dict[int, CaseRow]:
        """Lines of the inbox by case_id. Of cases in queues with a first judgement, nothing of the model's answer until
        they are settled."""
        with self._store.read() as connection:
            found = lists.rows(connection, self._seen(connection, list(case_ids)))
            noted = self._shown_notes(connection, found)
            rows = [row for row in found.values() if row.queue in self._policies]
            hidden = {row.case_id for row in rows if self._provisional(row)}
            severities = _severities(connection, [row for row in rows if row.case_id not in hidden])
        shown = {
            row.case_id: case_row(
                row,
                row.case_id in hidden,
                severities.get(row.case_id),
                self._shown_holder(row),
                self._shown_stage(row),
            )
            for row in rows
        }
        return {i: row if row.note is None or i in noted else replace(row, note=None) for i, row in shown.items()}

    def _shown_notes(self, connection: Connection, found: dict[int, Any]) -> set[int]:
        """Of rows with a note (why a case is parked), those whose note this person may read."""
        noted = [case_id for case_id, row in found.items() if row.note]
        if not noted or self._reads_all_notes():
            return set(noted)
        return reviews.has_parked(connection, noted, self._person)

    def _provisional(self, row: Any) -> bool:
        return is_hidden(self._policies[row.queue], row.state, judged=False)

    def _named(self, connection: Connection, reference: str, queue: str | None) -> list[tuple[int, str]]:
        """case_id and queue of what has this id, or had it before a token took its place."""
        hidden = [q for q, policy in self._policies.items() if queue in (None, q) and is_pseudonymised(policy)]
        found = cases.find(connection, reference, queue)
        if not found and hidden and self._id_key is not None:
            key = self._id_key()
            found = [one for q in hidden for one in cases.find(connection, token_of(key, q, reference), q)]
        return [(i, q) for i, q in found if q in self._policies]

    def find(self, reference: str, queue: str | None = None) -> int:
        """The case_id behind a prediction's id."""
        with self._store.read() as connection:
            found = self._named(connection, reference, queue)
            hidden = self._hidden_among(connection, [i for i, _ in found])
        found = [(i, q) for i, q in found if i not in hidden]
        if not found:
            where = f" in queue '{queue}'" if queue else ""
            raise BadInput(f"There is no case '{reference}'{where}. `secondlook search` looks for words.")
        if len(found) > 1:
            raise BadInput(f"'{reference}' is in several queues ({', '.join(q for _, q in found)}): add --queue.")
        return found[0][0]

    def view(self, case_id: int) -> CaseView:
        """A case to look at, without a lease."""
        with self._store.read() as connection:
            row = self._seen_row(connection, case_id)
            return replace(self._view(row), masked_after=masked_after(connection, row))

    def peek(self, queue: str | None, beside: int | None = None) -> CaseView | None:
        """The case that `claim` would give out after `beside` is done."""
        if queue:
            self.policy(queue)
        with self._store.read() as connection:
            found = self._head(connection, queue)
            if found is None or found.case_id == beside:
                return None
            return self._view(self._row(connection, found.case_id))

    def _head(self, connection: Connection, queue: str | None, wake: Wake | None = None) -> Offer | None:
        """The case that comes next for this person, over the queues. `wake` puts back what is over in a queue."""
        now, heads = self._now(), []
        for name in [queue] if queue else self._policies:
            policy = self._policies[name]
            found, over = self._may.offers(connection, name, policy, now)
            if over and wake is not None:
                wake(connection, name, now)
                found, _ = self._may.offers(connection, name, policy, now)
            head = self._may.choose(connection, name, found, now)
            heads += [head] if head else []
        return min(heads, key=order, default=None)

    def similar(self, case_id: int, limit: int = 5) -> list[SimilarCase]:
        """Cases near to this one."""
        with self._store.read() as connection:
            row = self._seen_row(connection, case_id)
            hidden, blind = self._is_hidden(row), self._policies[row.queue].provisional
            return similar_cases(connection, row, prediction_of(row, hidden), hidden, blind, limit, self._seen)

    def history(self, case_id: int) -> list[HistoryEntry]:
        """What was done with a case, newest first: of what others did, as much as this person may know now."""
        with self._store.read() as connection:
            entries = audit.of_case(connection, case_id)
            kept = reviews.of_case(connection, case_id)
            row = self._seen_row(connection, case_id)
            written = reviews.notes(connection, case_id)
        standing = [one for one in kept if one.retracted_at is None]
        reads = self._reads_others(row, standing)
        notes = {key: note for key, note in written.items() if self._may_read(row, *key, reads)}
        if not self._reads_all_notes():
            notes = {key: without_report(note) for key, note in notes.items()}
            # A report is between the one who made it and the leads.
            entries = [one for one in entries if one.actor == self._person or one.action not in LEAK_REPORTS]
        if self._blind(row):
            entries = without_others(entries, self._person)
        elif self._unnamed(row):
            return without_names(entries, standing, self._person, notes)
        hidden = self._is_hidden(row)
        told = {one.review_id: one for one in kept if not hidden and (reads or one.person == self._person)}
        return [describe(entry, told, notes, lambda who: self._called(row.queue, who), hidden) for entry in entries]

    def _reads_others(self, row: Any, standing: Sequence[Any]) -> bool:
        """Whether this person reads what others wrote about a case, and what they had answered: leads do, and
        everybody once it is settled and no review of theirs can be undone, since they could then answer by it."""
        if self._reads_all_notes():
            return True
        mine = [one for one in standing if one.person == self._person and (len(standing) == 1 or one.stage != "review")]
        undo_ms = round(self._policies[row.queue].undo_minutes * 60_000)
        return row.state == "settled" and all(self._now() > one.decided_at + undo_ms for one in mine)

    def _may_read(self, row: Any, person: str, kind: str, reads: bool) -> bool:
        """Whether this person may read a note. Why a lead took a case away, and conflicts of interest, stay with
        leads; why a case was escalated reaches its adjudicator."""
        if person == self._person or self._reads_all_notes() or (kind == "escalate" and self._adjudicates(row)):
            return True
        return reads and kind not in ("assign", "conflict")

    def _unnamed(self, row: Any) -> bool:
        """Whether what several people said of a case is shown to this person without who said it."""
        several = row.stage != "review" or self._policies[row.queue].reviews.independent > 1
        return self._adjudicates(row) or (several and not self._sees_names(row.queue))

    def _blind(self, row: Any) -> bool:
        """Whether this person may not know yet what others made of a case."""
        independent = self._policies[row.queue].reviews.independent > 1 or row.stage != "review"
        return independent and row.state != "settled" and not self._adjudicates(row) and not self._oversees()

    def summary(self, since: int) -> SessionSummary:
        """What this person did since a moment."""
        with self._store.read() as connection:
            mine = reviews.since(connection, self._person, since)
            did = audit.count_actions(connection, self._person, since)
            drafts = reviews.count_drafts(connection, self._person)
        standing = [row for row in mine if row.retracted_at is None]
        seconds = sorted(row.seconds for row in standing)
        return SessionSummary(
            decided=len(standing),
            undone=did.get("undone", 0),
            overturned=sum(row.verdict in ("overturned", "corrected") for row in standing),
            skipped=did.get("skipped", 0),
            deferred=did.get("deferred", 0),
            median_seconds=seconds[len(seconds) // 2] if seconds else None,
            drafts=drafts,
        )


def _severities(connection: Connection, rows: list[Any]) -> dict[int, Severity]:
    """By case; where the row does not tell it, as the record's flags say."""
    told: dict[int, Severity] = {row.case_id: SEVERITIES[row.severity] for row in rows if row.severity != UNTOLD}
    untold = [row.case_id for row in rows if row.severity == UNTOLD]
    records = lists.records(connection, untold) if untold else {}
    return told | {case_id: severity(orjson.loads(record)) for case_id, record in records.items()}


def _outcome(queue: str, rows: dict[str, Any]) -> QueueOutcome:
    counts = {verdict: row.n for verdict, row in rows.items()}
    changed = counts.get("overturned", 0) + counts.get("corrected", 0)
    labelled = changed + counts.get("upheld", 0)
    return QueueOutcome(
        queue=queue,
        verdicts=counts,
        rate=changed / labelled if labelled else 0.0,
        interval=wilson(changed, labelled),
        mean_seconds=sum(row.seconds * row.n for row in rows.values()) / sum(counts.values()),
    )


def _near_misses(connection: Connection, text: str) -> list[int]:
    """Cases whose words are nearly the text's: candidates by the words' beginnings, then rapidfuzz."""
    from rapidfuzz import fuzz, process

    beginnings = [word[: max(3, len(word) // 2)] for word in text.split()]
    candidates = list(
        dict.fromkeys(i for b in beginnings for i in search.containing_all(connection, b, SEARCH_LIMIT // 10))
    )
    bodies = search.bodies(connection, candidates)
    best = process.extract(text, bodies, scorer=fuzz.partial_token_set_ratio, limit=_FUZZY_LIMIT, score_cutoff=80)
    return [case_id for _, _, case_id in best]
