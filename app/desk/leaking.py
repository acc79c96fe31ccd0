"""A reported leak: a text that should not have been visible is masked in every copy of its case, at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from app.desk.revealing import Revealing
from app.intake import route
from app.model.errors import BadInput, SecondlookError, Unavailable
from app.model.rubric import Rubric
from app.protect.protector import joined_texts, scrubbed, texts
from app.protect.scrub import Edit, Scrubber, known_values, moved, scrubber
from db import backups, cases, erasing, lists, reviews
from db.engine import Connection

_LEAK = "reported leak"


class Leaking(Revealing):
    """What a person does who sees what should not be seen."""

    def report_leak(self, case_id: int, text: str) -> int:
        """Masks a text in every revision of the prediction: record, list, index, drafts, and in backups of ours.

        Returns in how many places. Raises BadInput where it does not occur, or is too short to be looked for.
        """
        known = known_values([(_LEAK, text.strip())])
        if not known:
            raise BadInput(
                "This is too short, or too common a word, to be masked wherever it stands. Nothing was changed; give "
                "more of it."
            )
        with self._store.write() as connection:
            self._holder(connection, case_id)
            places = sum(self._mask(connection, c.case_id, known) for c in erasing.revisions(connection, case_id))
            if not places:
                raise BadInput("This does not occur in the case. Nothing was changed; give it as it stands there.")
            copies = [path for path, _ in backups.known(connection) if path.exists()]
        self._store.truncate_log()
        for path in copies:
            self._mask_in_backup(path, case_id, known)
        return places

    def _mask_in_backup(self, path: Path, case_id: int, known: dict[str, str]) -> None:
        try:
            copy = backups.opened(path)
            try:
                with copy.write() as connection:
                    for case in erasing.revisions(connection, case_id):
                        self._mask(connection, case.case_id, known)
                copy.truncate_log()
            finally:
                copy.close()
        except SecondlookError as error:
            raise Unavailable(f"It is masked in the workspace, but the backup {path} still shows it: {error}") from None

    def _mask(self, connection: Connection, case_id: int, known: dict[str, str]) -> int:
        row = lists.with_record(connection, case_id)
        record = orjson.loads(row.record)
        found = scrubber(known, joined_texts(record))
        if found is None:
            return 0
        edits = {name: found.text(text)[1] for name, text in texts(record).items()}
        kept = scrubbed(record, found)
        places = _count(kept) - _count(record)
        if not places:
            return 0
        outline = route.outline(kept, self.policy(row.queue))
        model = (kept.get("provenance") or {}).get("model") or {}
        cases.rewrite(
            connection,
            case_id,
            {
                "title": outline.title,
                "flag": route.worst_flag(kept),
                "domain": kept.get("domain"),
                "language": kept.get("language"),
                "predicted_label": kept["output"].get("label"),
                "model_name": model.get("name"),
                "model_version": model.get("version"),
                "record": orjson.dumps(kept).decode(),
                "features": outline.features.decode(),
                "has_text": int(outline.has_text),
                "search": outline.search,
            },
        )
        for draft in reviews.drafts(connection, case_id):
            body = _masked_draft(orjson.loads(draft.body), self.rubric(row.queue), edits, found)
            text = orjson.dumps(body).decode()
            reviews.save_draft(connection, case_id, draft.person, draft.rubric_hash, text, self._now())
        self._log(connection, "leak_reported", case_id, places=places)
        return places


def _count(record: dict[str, Any]) -> int:
    return orjson.dumps(record).count(f"[withheld: {_LEAK}]".encode())


def _masked_draft(
    draft: dict[str, Any], rubric: Rubric, edits: dict[str, list[Edit]], found: Scrubber
) -> dict[str, Any]:
    """A draft whose spans moved with their text, and whose texts are masked as well."""
    answers = dict(draft["answers"])
    for criterion in rubric.criteria:
        value = answers.get(criterion.id)
        if isinstance(value, str) and criterion.kind == "text":
            answers[criterion.id] = found.text(value)[0]
        elif isinstance(value, list) and criterion.kind == "text_span":
            changed = edits.get(criterion.text.removeprefix("inputs."), [])
            answers[criterion.id] = [_moved(span, changed) for span in value]
    return {**draft, "answers": answers}


def _moved(span: Any, edits: list[Edit]) -> Any:
    if not isinstance(span, dict) or not {"start", "end"} <= span.keys():
        return span
    return {**span, "start": moved(span["start"], edits), "end": moved(span["end"], edits, end=True)}
