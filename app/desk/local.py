"""`LocalDesk`: the Desk over a database."""

from __future__ import annotations

import os
import time
import uuid
from array import array
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from app.audit import log
from app.audit.chain import commitment
from app.audit.verify import review_content
from app.desk.emptiness import why_nothing
from app.desk.history import describe
from app.desk.similar import similar_cases
from app.desk.views import case_row, case_view, is_hidden
from app.model.answers import Outcome, check
from app.model.case import (
    CaseRow,
    CaseView,
    Claim,
    Decision,
    Draft,
    Filter,
    HistoryEntry,
    Judgement,
    Lease,
    QueueStatus,
    Receipt,
    SessionSummary,
    SimilarCase,
)
from app.model.errors import BadInput, LeaseLost, NothingToDo, Refused
from app.model.policy import QueuePolicy
from app.model.prediction import SEVERITIES, Prediction
from app.model.rubric import Rubric
from db import audit, cases, leases, lists, reviews, search
from db.engine import Connection, Store

# The first matches of a search; more are not ordered usefully by anyone.
SEARCH_LIMIT = 10_000
_FUZZY_LIMIT = 500


def wall_clock() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class LocalDesk:
    """One person's window on a database. Safe to use from several threads."""

    def __init__(
        self,
        store: Store,
        person: str,
        policies: dict[str, QueuePolicy],
        rubrics: dict[str, Rubric],
        session: str = "",
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        """`session` tells this person's terminals apart; one is made where none is given."""
        self._store = store
        self._person = person
        self._policies = policies
        self._rubrics = rubrics
        self._session = session or uuid.uuid4().hex
        self._now = clock
        self._registered: set[str] = set()

    # -- who and what ---------------------------------------------------------------------------

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

    # -- lists ----------------------------------------------------------------------------------

    def backlog(self) -> list[QueueStatus]:
        """Every queue's backlog."""
        now = self._now()
        with self._store.read() as connection:
            found = lists.backlog(connection, now)
        by_queue: dict[str, dict[str, Any]] = {queue: {} for queue in self._policies}
        for row in found:
            by_queue.setdefault(row.queue, {})[row.state] = row
        return [self._status(queue, states) for queue, states in by_queue.items()]

    def _status(self, queue: str, states: dict[str, Any]) -> QueueStatus:
        waiting = [row for state, row in states.items() if state != "settled"]
        policy = self._policies.get(queue)
        return QueueStatus(
            queue=queue,
            title=policy.title if policy else "",
            overdue=sum(int(row.overdue or 0) for row in waiting),
            oldest_at=min((row.oldest for row in waiting), default=None),
            **{s: states[s].n if s in states else 0 for s in ("open", "leased", "deferred", "parked", "settled")},
        )

    def ids(self, wanted: Filter, limit: int | None = None) -> array[int]:
        """case_ids that match, by priority, due time, age; with a text, as `search` ranks them."""
        queues = [wanted.queue] if wanted.queue else list(self._policies)
        if wanted.flag is not None:
            # Where a first judgement comes first, flags may not be asked for either.
            queues = [q for q in queues if q in self._policies and not self._policies[q].provisional]
        severity = SEVERITIES.index(wanted.severity) if wanted.severity else None
        with self._store.read() as connection:
            if wanted.text:
                found = self._search(connection, wanted)
                return array("q", found[:limit] if limit else found)
            return lists.ids(connection, queues, wanted.state, severity, wanted.flag, wanted.holder, limit)

    def _search(self, connection: Connection, wanted: Filter) -> list[int]:
        """Exact ids first, then cases with all words, then near misses of a mistyped word."""
        exact = [i for i, queue in cases.find(connection, wanted.text.strip(), wanted.queue) if queue in self._policies]
        found = list(dict.fromkeys([*exact, *search.containing_all(connection, wanted.text, SEARCH_LIMIT)]))
        if not found:
            found = _near_misses(connection, wanted.text)
        known = lists.rows(connection, found[:SEARCH_LIMIT])
        return [i for i in found if i in known and self._matches(known[i], wanted)]

    def _matches(self, row: Any, wanted: Filter) -> bool:
        policy = self._policies.get(row.queue)
        return (
            policy is not None
            and wanted.queue in (None, row.queue)
            and (row.state == wanted.state if wanted.state else True)
            and wanted.severity in (None, SEVERITIES[row.severity])
            and (wanted.flag is None or (row.flag == wanted.flag and not policy.provisional))
            and wanted.holder in (None, row.lease_owner)
        )

    def rows(self, case_ids: Iterable[int]) -> dict[int, CaseRow]:
        """Lines of the inbox by case_id. Flags of queues with a first judgement are left out."""
        with self._store.read() as connection:
            found = lists.rows(connection, case_ids)
        return {i: case_row(row, self._provisional(row)) for i, row in found.items() if row.queue in self._policies}

    def _provisional(self, row: Any) -> bool:
        return is_hidden(self._policies[row.queue], row.state, judged=False)

    def find(self, reference: str, queue: str | None = None) -> int:
        """The case_id behind a prediction's id."""
        with self._store.read() as connection:
            found = [(i, q) for i, q in cases.find(connection, reference, queue) if q in self._policies]
        if not found:
            where = f" in queue '{queue}'" if queue else ""
            raise BadInput(f"There is no case '{reference}'{where}. `secondlook search` looks for words.")
        if len(found) > 1:
            raise BadInput(f"'{reference}' is in several queues ({', '.join(q for _, q in found)}): add --queue.")
        return found[0][0]

    # -- looking --------------------------------------------------------------------------------

    def view(self, case_id: int) -> CaseView:
        """A case to look at, without a lease."""
        with self._store.read() as connection:
            return self._view(connection, case_id)

    def _view(self, connection: Connection, case_id: int) -> CaseView:
        row = lists.with_record(connection, case_id)
        if row is None or row.queue not in self._policies:
            raise BadInput("There is no such case.")
        return case_view(row, self._rubrics[row.queue], self._is_hidden(connection, row))

    def _is_hidden(self, connection: Connection, row: Any) -> bool:
        policy = self._policies[row.queue]
        if not policy.provisional:
            return False
        return is_hidden(policy, row.state, reviews.judgement(connection, row.case_id, self._person) is not None)

    def peek(self, queue: str | None, beside: int | None = None) -> CaseView | None:
        """The case that `claim` would give out after `beside` is done."""
        with self._store.read() as connection:
            found = self._head(connection, queue)
            return self._view(connection, found) if found is not None and found != beside else None

    def similar(self, case_id: int, limit: int = 5) -> list[SimilarCase]:
        """Cases near to this one."""
        with self._store.read() as connection:
            row = lists.with_record(connection, case_id)
            if row is None or row.queue not in self._policies:
                raise BadInput("There is no such case.")
            prediction = Prediction.model_validate_json(row.record)
            return similar_cases(connection, row, prediction, self._is_hidden(connection, row), limit)

    def history(self, case_id: int) -> list[HistoryEntry]:
        """What was done with a case, newest first."""
        with self._store.read() as connection:
            entries = audit.of_case(connection, case_id)
            kept = {row.review_id: row for row in reviews.of_case(connection, case_id)}
            row = lists.with_record(connection, case_id)
            hidden = row is not None and self._is_hidden(connection, row)
        return [describe(entry, {} if hidden else kept) for entry in entries]

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

    # -- leases ---------------------------------------------------------------------------------

    def claim(self, queue: str | None = None) -> Claim:
        """Leases the most urgent case of a queue, or of all."""
        queues = [queue] if queue else list(self._policies)
        for name in queues:
            self.policy(name)
        with self._store.write() as connection:
            now = self._now()
            for name in queues:
                self._wake(connection, name, now)
            case_id = self._head(connection, queue)
            if case_id is not None:
                return self._take(connection, case_id, now)
        with self._store.read() as connection:
            raise NothingToDo(why_nothing(connection, queues, self._person, self._now()))

    def claim_case(self, case_id: int, take_over: bool = False) -> Claim:
        """Leases one case, if nobody else has it."""
        with self._store.write() as connection:
            now = self._now()
            held = self._holder(connection, case_id)
            self._wake(connection, held.queue, now)
            held = self._holder(connection, case_id)
            if held.state == "leased" and held.owner == self._person:
                if held.session == self._session:
                    return self._claim(connection, self._extended(connection, held, now))
                if not take_over:
                    raise Refused(
                        "You have this case open in another terminal. Nothing was changed there; "
                        "take it over to go on here."
                    )
                return self._seize(connection, held, now, "taken_over")
            if held.state in ("open", "deferred", "parked"):
                return self._seize(connection, held, now, "claimed")
            raise Refused(_not_open(held, now))

    def extend(self, lease: Lease) -> Lease:
        """More time for a live lease."""
        with self._store.write() as connection:
            now = self._now()
            held = self._live(connection, lease.case_id, lease.token, now)
            return self._extended(connection, held, now)

    def release(self, lease: Lease) -> None:
        """Gives a case back; one that is not held any more is left alone."""
        with self._store.write() as connection:
            held = self._holder(connection, lease.case_id)
            if held.state == "leased" and held.owner == self._person and held.token == lease.token:
                leases.reopen(connection, lease.case_id, forget_claim=True)
                self._log(connection, "released", lease.case_id)

    def skip(self, lease: Lease) -> None:
        """Gives a case back and does not offer it to this person again."""
        with self._store.write() as connection:
            now = self._now()
            self._live(connection, lease.case_id, lease.token, now)
            reviews.mark(connection, lease.case_id, self._person, "skip", "", now)
            leases.reopen(connection, lease.case_id, forget_claim=False)
            self._log(connection, "skipped", lease.case_id)

    def unskip(self, queue: str | None = None) -> int:
        """Offers skipped cases again."""
        with self._store.write() as connection:
            n = reviews.unmark(connection, "skip", self._person, queue)
            if n:
                self._log(connection, "unskipped", None, cases=n)
            return n

    def defer(self, lease: Lease, minutes: float) -> None:
        """Takes a case out of the queue for a while."""
        if not 0 < minutes <= 60 * 24 * 90:
            raise BadInput("A case can be deferred for up to 90 days.")
        with self._store.write() as connection:
            now = self._now()
            self._live(connection, lease.case_id, lease.token, now)
            until = now + round(minutes * 60_000)
            leases.defer(connection, lease.case_id, until)
            self._log(connection, "deferred", lease.case_id, until=until)

    def flag(self, case_id: int, note: str) -> None:
        """Leaves a note for the lead."""
        if not note.strip():
            raise BadInput("A flag needs a note: what should the lead know?")
        with self._store.write() as connection:
            self._holder(connection, case_id)
            reviews.mark(connection, case_id, self._person, "flag", note.strip(), self._now())
            self._log(connection, "flagged", case_id, note=note.strip()[:500])

    def park(self, lease: Lease, reason: str) -> None:
        """Sets a case aside."""
        if not reason.strip():
            raise BadInput("Parking a case needs a reason.")
        with self._store.write() as connection:
            self._live(connection, lease.case_id, lease.token, self._now())
            leases.park(connection, lease.case_id, reason.strip()[:500])
            self._log(connection, "parked", lease.case_id, reason=reason.strip()[:500])

    def unpark(self, case_id: int) -> None:
        """Puts a parked or deferred case back."""
        with self._store.write() as connection:
            held = self._holder(connection, case_id)
            if held.state not in ("parked", "deferred"):
                raise Refused(f"{held.external_id} is {held.state}, neither parked nor deferred.")
            leases.reopen(connection, case_id, forget_claim=False)
            self._log(connection, "unparked", case_id)

    # -- judging --------------------------------------------------------------------------------

    def judge(self, lease: Lease, label: str, confidence: int) -> CaseView:
        """Keeps a first judgement and shows the model's answer."""
        if not 1 <= confidence <= 5:
            raise BadInput("Confidence is a whole number from 1 to 5.")
        with self._store.write() as connection:
            now = self._now()
            self._live(connection, lease.case_id, lease.token, now)
            if reviews.judgement(connection, lease.case_id, self._person) is None:
                reviews.judge(connection, lease.case_id, self._person, label, confidence, now)
                self._log(connection, "judged", lease.case_id)
            return self._view(connection, lease.case_id)

    def save_draft(self, case_id: int, draft: Draft) -> None:
        """Keeps answers that are not submitted."""
        body = orjson.dumps({"answers": dict(draft.answers), "seconds": draft.seconds}).decode()
        with self._store.write() as connection:
            held = self._holder(connection, case_id)
            rubric = self.rubric(held.queue)
            reviews.save_draft(connection, case_id, self._person, rubric.hash, body, self._now())

    def decide(self, decision: Decision) -> Receipt:
        """Settles a case: review, verdict and audit entry in one transaction."""
        with self._store.write() as connection:
            now = self._now()
            earlier = reviews.by_id(connection, decision.decision_id)
            if earlier is not None:
                return self._receipt(earlier, self._holder(connection, earlier.case_id), repeated=True)
            held = self._live(connection, decision.case_id, decision.lease_token, now)
            row = lists.with_record(connection, decision.case_id)
            if row is None:
                raise BadInput("There is no such case.")
            rubric = self.rubric(held.queue)
            prediction = Prediction.model_validate_json(row.record)
            answers, outcome = check(rubric, decision.answers, prediction.task, prediction.output)
            judged = reviews.judgement(connection, held.case_id, self._person)
            self._register(connection, rubric, now)
            review = self._review(decision, held, rubric, answers, outcome, judged, now)
            reviews.add(connection, review)
            reviews.set_verdict(connection, _verdict(review))
            leases.settle(connection, held.case_id)
            reviews.drop_draft(connection, held.case_id, self._person)
            self._log(
                connection,
                "decided",
                held.case_id,
                review=review["review_id"],
                verdict=outcome.verdict,
                rubric=rubric.hash,
                commitment=commitment(review["salt"], review_content(_Row(review))),
            )
        return self._receipt(_Row(review), held, repeated=False)

    def _review(
        self,
        decision: Decision,
        held: leases.Holder,
        rubric: Rubric,
        answers: dict[str, Any],
        outcome: Outcome,
        judged: reviews.Judged | None,
        now: int,
    ) -> dict[str, Any]:
        moved = None if judged is None or outcome.label is None else int(outcome.label != judged.label)
        return {
            "review_id": decision.decision_id,
            "case_id": held.case_id,
            "person": self._person,
            "lease_token": held.token,
            "rubric_hash": rubric.hash,
            "answers": orjson.dumps(answers).decode(),
            "verdict": outcome.verdict,
            "label": outcome.label,
            "correction": outcome.text,
            "reasons": orjson.dumps(outcome.reasons).decode(),
            "score": outcome.score,
            "critical": orjson.dumps(outcome.critical).decode(),
            "judged_label": judged.label if judged else None,
            "judged_confidence": judged.confidence if judged else None,
            "moved": moved,
            "seconds": round(max(0.0, min(decision.seconds, 86_400.0)), 1),
            "decided_at": now,
            "salt": os.urandom(16),
        }

    def undo(self, case_id: int | None = None) -> Claim:
        """Takes back one's newest decision while the queue's policy allows."""
        with self._store.write() as connection:
            now = self._now()
            review = reviews.latest(connection, self._person, case_id)
            if review is None:
                raise NothingToDo("There is no decision of yours to undo" + (" on this case." if case_id else "."))
            held = self._holder(connection, review.case_id)
            minutes = self.policy(held.queue).undo_minutes
            if now > review.decided_at + minutes * 60_000:
                raise Refused(
                    f"{held.external_id} was decided more than {minutes:g} minutes ago; this queue allows no undo "
                    "after that. The decision stands."
                )
            reviews.retract(connection, review.review_id, self._person, now)
            reviews.drop_verdict(connection, review.case_id)
            body = orjson.dumps({"answers": orjson.loads(review.answers), "seconds": review.seconds}).decode()
            reviews.save_draft(connection, review.case_id, self._person, self.rubric(held.queue).hash, body, now)
            until = now + self._lease_ms(held.queue)
            token = leases.seize(connection, review.case_id, self._person, self._session, until)
            self._log(connection, "undone", review.case_id, review=review.review_id)
            return self._claim(connection, Lease(review.case_id, token, self._person, self._session, until))

    # -- inside a transaction -------------------------------------------------------------------

    def _log(self, connection: Connection, action: str, case_id: int | None, **data: int | str) -> None:
        log.append(connection, self._now(), self._person, action, case_id, data)

    def _head(self, connection: Connection, queue: str | None) -> int | None:
        """The most urgent open case over the queues."""
        heads = [
            head
            for name in ([queue] if queue else self._policies)
            if (head := leases.next_open(connection, name, self._person)) is not None
        ]
        best = min(heads, key=lambda head: (-head[1], head[2], head[0]), default=None)
        return best[0] if best else None

    def _wake(self, connection: Connection, queue: str, now: int) -> None:
        """Puts back what has expired or come due; a case that was claimed too often is parked."""
        for held in leases.due_to_wake(connection, queue, now):
            if held.state == "deferred":
                leases.reopen(connection, held.case_id, forget_claim=False)
                self._log(connection, "resumed", held.case_id)
            elif held.claims >= self._policies[queue].max_claims:
                reason = f"claimed {held.claims} times and not decided"
                leases.park(connection, held.case_id, reason)
                self._log(connection, "parked", held.case_id, reason=reason)
            else:
                leases.reopen(connection, held.case_id, forget_claim=False)
                self._log(connection, "expired", held.case_id, holder=held.owner or "")

    def _take(self, connection: Connection, case_id: int, now: int) -> Claim:
        queue = self._holder(connection, case_id).queue
        until = now + self._lease_ms(queue)
        token = leases.take(connection, case_id, self._person, self._session, until)
        if token is None:
            raise Refused("Somebody else was faster. Nothing was changed; claim again.")
        self._log(connection, "claimed", case_id, token=token)
        return self._claim(connection, Lease(case_id, token, self._person, self._session, until))

    def _seize(self, connection: Connection, held: leases.Holder, now: int, action: str) -> Claim:
        until = now + self._lease_ms(held.queue)
        token = leases.seize(connection, held.case_id, self._person, self._session, until)
        self._log(connection, action, held.case_id, token=token)
        return self._claim(connection, Lease(held.case_id, token, self._person, self._session, until))

    def _claim(self, connection: Connection, lease: Lease) -> Claim:
        view = self._view(connection, lease.case_id)
        body = reviews.draft(connection, lease.case_id, self._person, view.rubric.hash)
        drafted: dict[str, Any] = orjson.loads(body) if body else {"answers": {}, "seconds": 0.0}
        judged = reviews.judgement(connection, lease.case_id, self._person)
        judgement = Judgement(judged.label, judged.confidence, judged.at) if judged else None
        return Claim(lease, view, Draft(drafted["answers"], judgement, drafted["seconds"]))

    def _extended(self, connection: Connection, held: leases.Holder, now: int) -> Lease:
        until = now + self._lease_ms(held.queue)
        leases.extend(connection, held.case_id, until)
        return Lease(held.case_id, held.token, self._person, self._session, until)

    def _holder(self, connection: Connection, case_id: int) -> leases.Holder:
        held = leases.holder(connection, case_id)
        if held is None or held.queue not in self._policies:
            raise BadInput("There is no such case.")
        return held

    def _live(self, connection: Connection, case_id: int, token: int | None, now: int) -> leases.Holder:
        """The lease, if it is this person's, current, and not over. The fence of every act."""
        held = self._holder(connection, case_id)
        mine = held.state == "leased" and held.owner == self._person and token in (None, held.token)
        if mine and held.wake_at is not None and held.wake_at > now:
            return held
        if held.state == "settled":
            raise LeaseLost(f"{held.external_id} is settled already. Your answers are kept as a draft.", settled=True)
        if held.state == "leased" and held.owner != self._person:
            raise LeaseLost(f"{_not_open(held, now)} Your answers are kept as a draft.", holder=held.owner)
        raise LeaseLost(
            f"You do not hold {held.external_id} any more: the lease ran out or was given up. "
            "Your answers are kept as a draft; claim the case again to go on."
        )

    def _lease_ms(self, queue: str) -> int:
        return round(self._policies[queue].lease_minutes * 60_000)

    def _register(self, connection: Connection, rubric: Rubric, now: int) -> None:
        if rubric.hash in self._registered:
            return
        body = rubric.model_dump_json(exclude_defaults=True)
        row = {"hash": rubric.hash, "rubric_id": rubric.id, "version": rubric.version, "body": body}
        reviews.register_rubric(connection, {**row, "registered_at": now})

    def _receipt(self, review: Any, held: leases.Holder, repeated: bool) -> Receipt:
        undo_until = review.decided_at + round(self._policies[held.queue].undo_minutes * 60_000)
        return Receipt(
            decision_id=review.review_id,
            case_id=review.case_id,
            id=held.external_id,
            verdict=review.verdict,
            label=review.label,
            moved=None if review.moved is None else bool(review.moved),
            undo_until=undo_until,
            repeated=repeated,
        )


class _Row:
    """A mapping with its keys as attributes, like a row of the store."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


def _verdict(review: dict[str, Any]) -> dict[str, Any]:
    """The outcome of a case that one review settles."""
    return {
        "case_id": review["case_id"],
        "review_id": review["review_id"],
        "verdict": review["verdict"],
        "label": review["label"],
        "correction": review["correction"],
        "reviewers": 1,
        "agreement": 1.0,
        "settled_at": review["decided_at"],
    }


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


def _not_open(held: leases.Holder, now: int) -> str:
    if held.state == "settled":
        return f"{held.external_id} is settled already."
    minutes = max(0, ((held.wake_at or now) - now) // 60_000)
    return f"{held.owner} has {held.external_id} for {minutes} more minutes; take-over is free after that."
