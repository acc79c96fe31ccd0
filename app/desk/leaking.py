"""Reported leaks: a text that should not be visible is masked at once where the person may change the case; a lead
decides on the rest.

What is answered, and what is in the log, depends on nothing but what the person sees of the case.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from app.desk.history import REPORTED
from app.desk.revealing import Revealing
from app.intake import route
from app.model.case import CaseView, LeakReport
from app.model.errors import BadInput, NothingToDo, Refused, SecondlookError, Unavailable
from app.model.rubric import Rubric
from app.protect.masking import Masker, texts_of
from app.protect.protector import texts
from app.protect.reported import Reported
from app.protect.scrub import Edit, moved
from db import backups, cases, erasing, leaks, lists, reviews
from db.engine import Connection


class Leaking(Revealing):
    """What a person does who sees what should not be seen."""

    def report_leak(self, case_id: int, text: str) -> None:
        """Masks a text in every revision of the prediction that this person may change: record, list, index, drafts,
        and backups of ours. What they may not change, and what is never masked, goes to a lead.

        Raises BadInput where it does not stand in what this person sees, or is too short to be looked for.
        """
        leak = Reported(text)
        if not leak:
            raise BadInput(
                "This is too short, or too common a word, to be masked wherever it stands. Nothing was changed; give "
                "more of it."
            )
        with self._store.write() as connection:
            self._seen_holder(connection, case_id)
            view = self._view(self._row(connection, case_id))
            seen = _seen(view)
            if not leak.occurs(seen):
                raise BadInput(
                    "This does not occur in what you see of the case. Nothing was changed; give it as it stands there."
                )
            self._log(connection, "leak_reported", case_id)
            meant = [case.case_id for case in erasing.revisions(connection, case_id)]
            mine = [one for one in meant if self._may_mask(connection, one)]
            masked = [] if leak.names(seen, view.rubric) else mine
            for one in masked:
                self._mask(connection, one, leak)
            if len(masked) < len(meant) or leak.occurs(leak.mask(seen)[0]):
                leaks.add(connection, case_id, self._person, text.strip(), self._now())
                reviews.mark(connection, case_id, self._person, "flag", REPORTED, self._now())
            elif self._leads():
                _settle_reports(connection, meant)
            copies = [path for path, _ in backups.known(connection) if path.exists()]
        if masked:
            self._store.truncate_log()
            for path in copies:
                self._mask_in_backup(path, masked, leak)

    def leak_reports(self) -> list[LeakReport]:
        """Reported texts that wait for a lead, the oldest first."""
        self._check_oversees_leaks()
        with self._store.read() as connection:
            found = leaks.waiting(connection)
        return [
            LeakReport(one.case_id, one.external_id, one.queue, one.person, text, one.at)
            for one in found
            if one.queue in self._policies
            for text in one.texts
        ]

    def dismiss_leaks(self, case_id: int) -> None:
        """Forgets what was reported of a case: a lead has looked at it."""
        self._check_oversees_leaks()
        with self._store.write() as connection:
            held = self._seen_holder(connection, case_id)
            if not leaks.drop(connection, case_id):
                raise NothingToDo(f"No reported leak of {held.external_id} waits.")
            self._log(connection, "leaks_dismissed", case_id)

    # Inside a transaction.

    def _check_oversees_leaks(self) -> None:
        if not self._leads():
            raise Refused("This is a lead's act. Nothing was changed.")

    def _may_mask(self, connection: Connection, case_id: int) -> bool:
        """Whether this person may change what others see of a case: a lead always, others where they hold it, or could
        take it now."""
        if self._leads():
            return True
        held = self._holder(connection, case_id)
        if held.state in ("leased", "settled"):
            return held.state == "leased" and held.owner == self._person
        try:
            self._may.check_case(connection, held, self.policy(held.queue), self._now())
        except (Refused, NothingToDo):
            return False
        return True

    def _mask(self, connection: Connection, case_id: int, leak: Reported) -> None:
        row = lists.with_record(connection, case_id)
        record = orjson.loads(row.record)
        kept, found = leak.mask(record)
        changed = kept != record
        if changed:
            cases.rewrite(connection, case_id, self._rewritten(kept, row.queue))
        self._mask_drafts(connection, row, leak, _edits(record, found))
        # Of a case that is not settled this is no sign of what is in the parts that are not seen yet.
        if changed or row.state != "settled":
            after = {"after": "settled"} if row.state == "settled" else {}
            self._log(connection, "leak_masked", case_id, **after)

    def _rewritten(self, kept: dict[str, Any], queue: str) -> dict[str, Any]:
        """The columns that hold words of a record. Its label and its flag are never masked."""
        outline = route.outline(kept, self.policy(queue))
        model = (kept.get("provenance") or {}).get("model") or {}
        return {
            "title": outline.title,
            "model_name": model.get("name"),
            "model_version": model.get("version"),
            "record": orjson.dumps(kept).decode(),
            "features": outline.features.decode(),
            "has_text": int(outline.has_text),
            "search": outline.search,
        }

    def _mask_drafts(self, connection: Connection, row: Any, leak: Reported, edits: dict[str, list[Edit]]) -> None:
        for draft in reviews.drafts(connection, row.case_id):
            before = orjson.loads(draft.body)
            found = leak.masker("\n".join(texts_of(before)))
            body = _masked_draft(before, self.rubric(row.queue), edits, found)
            if body != before:
                text = orjson.dumps(body).decode()
                reviews.save_draft(connection, row.case_id, draft.person, draft.rubric_hash, text, self._now())

    def _mask_in_backup(self, path: Path, case_ids: list[int], leak: Reported) -> None:
        try:
            copy = backups.opened(path)
            try:
                with copy.write() as connection:
                    there = [case.case_id for case in erasing.cases(connection, case_ids)]
                    for case_id in there:
                        self._mask(connection, case_id, leak)
                    if self._leads():
                        _settle_reports(connection, there)
                copy.truncate_log()
            finally:
                copy.close()
        except SecondlookError as error:
            raise Unavailable(f"It is masked in the workspace, but the backup {path} still shows it: {error}") from None


def _seen(view: CaseView) -> dict[str, Any]:
    """A record as a person sees it now."""
    return view.prediction.model_dump(mode="json", by_alias=True, exclude_none=True)


def _settle_reports(connection: Connection, case_ids: list[int]) -> None:
    """Forgets reported texts of cases that a lead has masked: they stand there no longer."""
    for one in leaks.waiting(connection, case_ids):
        record = orjson.loads(lists.with_record(connection, one.case_id).record)
        left = [text for text in one.texts if Reported(text).occurs(record)]
        if len(left) < len(one.texts):
            leaks.keep(connection, one.case_id, one.person, left, one.at)


def _edits(record: dict[str, Any], found: Masker | None) -> dict[str, list[Edit]]:
    """By the name of a text: where it changes."""
    return {} if found is None else {name: found.text(text)[1] for name, text in texts(record).items()}


def _masked_draft(
    draft: dict[str, Any], rubric: Rubric, edits: dict[str, list[Edit]], found: Masker | None
) -> dict[str, Any]:
    """A draft whose spans moved with their text, and whose texts are masked as well."""
    answers = dict(draft["answers"])
    for criterion in rubric.criteria:
        value = answers.get(criterion.id)
        if isinstance(value, str) and criterion.kind == "text" and found is not None:
            answers[criterion.id] = found.text(value)[0]
        elif isinstance(value, list) and criterion.kind == "text_span":
            changed = edits.get(criterion.text.removeprefix("inputs."), [])
            answers[criterion.id] = [_moved(span, changed) for span in value]
    return {**draft, "answers": answers}


def _moved(span: Any, edits: list[Edit]) -> Any:
    if not isinstance(span, dict) or not {"start", "end"} <= span.keys():
        return span
    return {**span, "start": moved(span["start"], edits), "end": moved(span["end"], edits, end=True)}
