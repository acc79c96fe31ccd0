"""`LocalDesk`: first judgement, draft, decision, undo, on top of looking and holding."""

from __future__ import annotations

import os
from typing import Any

import orjson

from app.deliver import events
from app.desk.leading import Leading
from app.desk.settling import Row
from app.model.answers import Outcome, check
from app.model.case import CaseView, Claim, Decision, Draft, Lease, Receipt
from app.model.errors import BadInput, LeaseLost, NothingToDo, Refused, RubricError
from app.model.prediction import Output, Task
from app.model.rubric import UNRESOLVABLE, Rubric
from db import leases, lists, reviews
from db.engine import Connection


class LocalDesk(Leading):
    """The Desk over a database."""

    def judge(self, lease: Lease, label: str, confidence: int | None) -> CaseView:
        """Keeps a first judgement and shows the model's answer."""
        if confidence is not None and (confidence not in (1, 2, 3, 4, 5)):
            raise BadInput("Confidence is a whole number from 1 to 5.")
        with self._store.write() as connection:
            now = self._now()
            self._live(connection, lease.case_id, lease.token, now)
            if reviews.judgement(connection, lease.case_id, self._person) is None:
                offered = [*self._view(self._row(connection, lease.case_id)).prediction.task.labels, UNRESOLVABLE]
                if len(offered) > 1 and label not in offered:
                    raise BadInput(f"A judgement is one of {', '.join(offered)}, not '{label}'.")
                reviews.judge(connection, lease.case_id, self._person, label, confidence, now)
                self._log(connection, "judged", lease.case_id)
            return self._view(self._row(connection, lease.case_id))

    def save_draft(self, case_id: int, draft: Draft) -> None:
        """Keeps answers that are not submitted."""
        body = _json({"answers": dict(draft.answers), "seconds": draft.seconds})
        with self._store.write() as connection:
            held = self._seen_holder(connection, case_id)
            rubric = self.rubric(held.queue)
            reviews.save_draft(connection, case_id, self._person, rubric.hash, body, self._now())

    def decide(self, decision: Decision) -> Receipt:
        """Settles a case: review, verdict and audit entry in one transaction.

        Where the lease is lost, the answers are kept as a draft, unless the case is the person's
        again and its newer draft would be overwritten.
        """
        try:
            return self._decide(decision)
        except LeaseLost as lost:
            if lost.holder != self._person:
                self.save_draft(decision.case_id, Draft(decision.answers, seconds=decision.seconds))
                raise LeaseLost(f"{lost} Your answers are kept as a draft.", lost.holder, lost.settled) from None
            raise

    def _decide(self, decision: Decision) -> Receipt:
        with self._store.write() as connection:
            now = self._now()
            row = lists.with_record(connection, decision.case_id, self._person, decision=decision.decision_id)
            if row is None or row.repeated:
                earlier = reviews.by_id(connection, decision.decision_id)
                if earlier is not None:
                    return self._repeated(connection, earlier, decision, row)
            if row is None or row.queue not in self._policies:
                # Says whether it was erased, or never there.
                self._holder(connection, decision.case_id)
                raise BadInput("There is no such case.")
            held = leases.holder_of(row)
            if held.owner != self._person:
                # Who holds a case sees it, and is not asked for it: this is on everybody's way.
                self._check_seen(connection, decision.case_id)
            held = self._checked(held, decision.lease_token, now)
            if self._is_hidden(row):
                # What is missing or wrong in the answers would tell the model's label.
                raise Refused(f"Judge {held.external_id} first: this queue shows the model's answer after that.")
            rubric = self.rubric(held.queue)
            record = orjson.loads(row.record)
            task, output = Task.model_validate(record["task"]), Output.model_validate(record["output"])
            answers, outcome = check(rubric, decision.answers, task, output)
            self._register(connection, rubric, now)
            review = self._review(decision, held, rubric, answers, outcome, row, now)
            self._settle(connection, row, held, review, rubric)
            reviews.drop_draft(connection, held.case_id, self._person)
        self._registered.add(rubric.hash)
        return self._receipt(Row(review), held, repeated=False)

    def _repeated(self, connection: Connection, earlier: Any, decision: Decision, row: Any) -> Receipt:
        """The receipt of a decision that was made already. A decision_id stands for one decision only; the time that
        it took may differ."""
        if row is None or (earlier.person, earlier.case_id) != (self._person, decision.case_id):
            raise BadInput("This decision_id belongs to another decision. Nothing was changed; use a new one.")
        if earlier.retracted_at is not None:
            raise Refused("This decision was taken back. Nothing was changed; use a new decision_id to decide again.")
        if not _says_the_same(connection, earlier, decision, row.record):
            raise BadInput(
                "This decision_id was sent before with other answers, which stand. Nothing was changed; `undo` takes "
                "them back, and a new decision_id decides again."
            )
        return self._receipt(earlier, self._holder(connection, earlier.case_id), repeated=True)

    def _review(
        self,
        decision: Decision,
        held: leases.Holder,
        rubric: Rubric,
        answers: dict[str, Any],
        outcome: Outcome,
        row: Any,
        now: int,
    ) -> dict[str, Any]:
        judged = row.judged_at is not None
        moved = int(outcome.label != row.judged_label) if judged and outcome.label is not None else None
        return {
            "review_id": decision.decision_id,
            "case_id": held.case_id,
            "person": self._person,
            "lease_token": held.token,
            "rubric_hash": rubric.hash,
            "answers": _json(answers),
            "verdict": outcome.verdict,
            "label": outcome.label,
            "correction": outcome.text,
            "reasons": orjson.dumps(outcome.reasons).decode(),
            "score": outcome.score,
            "critical": orjson.dumps(outcome.critical).decode(),
            "judged_label": row.judged_label,
            "judged_confidence": row.judged_confidence,
            "moved": moved,
            "seconds": round(max(0.0, min(decision.seconds, 86_400.0)), 1),
            "decided_at": now,
            "salt": os.urandom(16),
            "stage": "adjudication" if held.stage == "adjudication" else "review",
        }

    def undo(self, case_id: int | None = None) -> Claim:
        """Takes back one's newest decision while the queue's policy allows, and nobody has gone on from it."""
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
            stage = self._stage_without(connection, held, review, now)
            reviews.retract(connection, review.review_id, self._person, now)
            reviews.drop_verdict(connection, review.case_id)
            body = orjson.dumps({"answers": orjson.loads(review.answers), "seconds": review.seconds}).decode()
            reviews.save_draft(connection, review.case_id, self._person, self.rubric(held.queue).hash, body, now)
            until = now + self._lease_ms(held.queue)
            token = leases.seize(connection, review.case_id, self._person, self._session, until, now, stage=stage)
            case = lists.with_record(connection, review.case_id)
            events.put_retraction(connection, self._routes, self.policy(held.queue), case, review.review_id, now)
            self._log(connection, "undone", review.case_id, review=review.review_id)
            lease = Lease(review.case_id, token, self._person, self._session, until)
            return self._claim(connection, lease, held.queue)

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


def _says_the_same(connection: Connection, earlier: Any, decision: Decision, record: str) -> bool:
    """Whether a decision's answers come to what an earlier review keeps, under the rubric of that time."""
    rubric = Rubric.model_validate_json(reviews.rubric_body(connection, earlier.rubric_hash))
    content = orjson.loads(record)
    task, output = Task.model_validate(content["task"]), Output.model_validate(content["output"])
    try:
        answers, _ = check(rubric, decision.answers, task, output)
    except RubricError:
        return False
    return bool(orjson.loads(_json(answers)) == orjson.loads(earlier.answers))


def _json(value: Any) -> str:
    """A value as it is kept. Raises BadInput for half a character, which some programs write and nothing can keep."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        raise BadInput("The answers hold half a character (a lone surrogate). Nothing was kept.") from None
