"""Settling: what one more review makes of a case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.audit.chain import commitment
from app.audit.verify import review_content
from app.deliver import events
from app.desk.holding import Holding
from app.model import settlement
from app.model.errors import Refused
from app.model.rubric import Rubric
from db import leases, pairs, reviews
from db.engine import Connection


class Row:
    """A mapping with its keys as attributes, like a row of the store."""

    verdict: str
    label: str | None
    correction: str | None

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)


class Settling(Holding):
    """Keeps a review and, once there are enough that agree, the outcome."""

    def _settle(
        self, connection: Connection, case: Any, held: leases.Holder, review: dict[str, Any], rubric: Rubric
    ) -> None:
        """Keeps a review. The case is settled, or goes to the next reviewer, or to an adjudicator."""
        rules = self._policies[held.queue].reviews
        # On a case of stage `review` no review stands.
        if rules.independent == 1 and held.stage == "review":
            self._keep(connection, review)
            self._close(connection, case, review, rubric)
            return
        self._keep(connection, review, stage=review["stage"])
        others = [row for row in reviews.standing(connection, held.case_id) if row.review_id != review["review_id"]]
        independent = [row for row in others if row.stage == "review"]
        if held.stage == "adjudication":
            agreed = settlement.share(independent, Row(review))
            self._settle_as(connection, case, review, rubric, review, len(independent) + 1, agreed)
            return
        said = [*independent, Row(review)]
        pairs.meet(connection, held.queue, self._person, {row.person for row in independent}, review["decided_at"])
        if len(said) < rules.independent:
            leases.pass_on(connection, held.case_id, "begun")
            return
        found = settlement.settle(said, rules.agreement)
        if found is None:
            leases.pass_on(connection, held.case_id, "adjudication")
            self._log(connection, "disputed", held.case_id, reviews=len(said))
            return
        stands = review if found.index == len(independent) else independent[found.index]._asdict()
        self._settle_as(connection, case, review, rubric, stands, len(said), found.share)

    def _keep(self, connection: Connection, review: dict[str, Any], **more: str) -> None:
        """The review and its entry in the log. Without a `stage` the entry settles the case as well."""
        review["seq"] = self._log(
            connection,
            "decided",
            review["case_id"],
            review=review["review_id"],
            verdict=review["verdict"],
            rubric=review["rubric_hash"],
            commitment=commitment(review["salt"], review_content(Row(review))),
            **more,
        )
        reviews.add(connection, review)

    def _close(
        self,
        connection: Connection,
        case: Any,
        decided: Mapping[str, Any],
        rubric: Rubric,
        settled: Mapping[str, Any] | None = None,
        reviewers: int = 1,
        agreement: float = 1.0,
    ) -> None:
        """Settles a case as the review `settled` says (left out: the one that was just decided)."""
        review, decision_id = settled or decided, decided["review_id"]
        verdict = {name: review[name] for name in ("case_id", "review_id", "verdict", "label", "correction")}
        verdict |= {"reviewers": reviewers, "agreement": agreement, "settled_at": decided["decided_at"]}
        reviews.set_verdict(connection, verdict)
        # What measures a reviewer is no news to anybody.
        if not case.control:
            policy = self._policies[case.queue]
            events.put_verdict(connection, self._routes, policy, case, {**review, **verdict}, rubric, decision_id)
        leases.settle(connection, review["case_id"])

    def _settle_as(
        self,
        connection: Connection,
        case: Any,
        decided: Mapping[str, Any],
        rubric: Rubric,
        stands: Mapping[str, Any],
        reviewers: int,
        agreement: float,
    ) -> None:
        """Settles a case of several reviews as one of them says, with an entry in the log of its own."""
        self._close(connection, case, decided, rubric, stands, reviewers, agreement)
        self._log(
            connection,
            "settled",
            decided["case_id"],
            review=stands["review_id"],
            reviewers=reviewers,
            agreement=f"{agreement:.4f}",
        )

    def _stage_without(self, connection: Connection, held: leases.Holder, review: Any, now: int) -> str:
        """The stage of a case once a review is taken back. Raises Refused where somebody has gone on from it."""
        others = [row for row in reviews.standing(connection, held.case_id) if row.review_id != review.review_id]
        if review.stage == "adjudication":
            return "adjudication"
        taken = held.state == "leased" and held.owner != self._person and (held.wake_at or 0) > now
        # Once all reviews are in, what came of them is seen: whoever could answer anew would know what to answer.
        if taken or any(row.stage == "adjudication" for row in others) or self._complete(held, len(others) + 1):
            raise Refused(
                f"Others have gone on from your decision of {held.external_id}. It stands; a note to the lead (flag) "
                "says what was wrong with it."
            )
        return "begun" if others else "review"

    def _complete(self, held: leases.Holder, count: int) -> bool:
        """Whether so many reviews are all that a case of several needs."""
        return count > 1 and count >= self._policies[held.queue].reviews.independent
