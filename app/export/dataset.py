"""Writing a dataset: its files and a manifest that lets others check them.

The same state of the store gives the same bytes: rows in the order of admission, no clock, and the
log's newest entry that is not itself an export as the state's name.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from app import __version__
from app.audit import log
from app.export.frame import to_frame
from app.model.errors import BadInput, NothingToDo, Unavailable
from app.protect.safe_text import safe_json
from db import audit, corrections, erasing
from db.engine import Connection, Store
from db.erasing import Export

Format = Literal["parquet", "jsonl", "csv"]
FORMATS: tuple[Format, ...] = ("parquet", "jsonl", "csv")
MANIFEST = "manifest.json"
_CHUNK = 50_000
# Characters of a file that are looked at together.
_BLOCK = 1 << 20
# What a spreadsheet would run as a formula, with the fullwidth twins.
_FORMULA = "^[=+\\-@\t\r\n＝＋－＠]"
_LABEL = corrections.Correction._fields.index("label")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: `rows` corrections to `path`, described by `manifest`."""

    path: Path
    manifest: Path
    rows: int
    excluded: int


def export(
    store: Store, folder: Path, queue: str, form: Format, actor: str, now: int, where: str | None = None
) -> Exported:
    """Writes the queue's corrections. Raises NothingToDo without any, Unavailable if it cannot write.

    `where` is noted as the place of the dataset if it does not stay in the folder: what an erasure names.
    """
    with store.read() as connection:
        frame, facts = _collect(connection, queue)
        facts["audit"] = _state(connection)
    path = folder / f"corrections.{form}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(frame, path, form)
        manifest = _manifest(frame, path, queue, form, facts)
        _put(folder / MANIFEST, orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")
    except OSError as error:
        raise Unavailable(
            f"{folder} cannot be written: {error.strerror}. Corrections are kept; nothing was exported."
        ) from None
    digest = manifest["files"][0]["sha256"]
    with store.write() as connection:
        data = {"queue": queue, "rows": frame.height, "sha256": digest}
        seq = log.append(connection, now, actor, "exported", None, data)
        place = where or str(folder.resolve())
        erasing.note_export(connection, Export(seq, queue, place, path.name, frame.height, digest, now))
    return Exported(path, folder / MANIFEST, frame.height, facts["excluded"]["unresolvable"])


def _collect(connection: Connection, queue: str) -> tuple[Any, dict[str, Any]]:
    import polars as pl

    rubrics = corrections.rubric_names(connection)
    frames, unresolvable = [], 0
    for chunk in corrections.stream(connection, queue, _CHUNK):
        labelled = [row for row in chunk if row[_LABEL] is not None]
        unresolvable += len(chunk) - len(labelled)
        if labelled:
            frames.append(to_frame(labelled, rubrics))
    if not frames:
        raise NothingToDo(
            f"There are no corrections in '{queue}' to export"
            + (f": {unresolvable} cases are settled as unresolvable." if unresolvable else ": no case is settled yet.")
        )
    frame = frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal_relaxed")
    return frame, {"rubrics": rubrics, "excluded": {"unresolvable": unresolvable}}


def _state(connection: Connection) -> dict[str, Any]:
    seq, digest = audit.head(connection, leave_out="exported") or (0, b"")
    return {"seq": seq, "hash": digest.hex()}


def _write(frame: Any, path: Path, form: Format) -> None:
    part = path.with_name(path.name + ".part")
    if form == "parquet":
        frame.write_parquet(part, compression="zstd", statistics=True)
    elif form == "jsonl":
        frame.write_ndjson(part)
        _escape_lines(part)
    else:
        _harmless(frame).write_csv(part, quote_style="always")
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)


def _escape_lines(path: Path) -> None:
    """Writes DEL, C1 controls and hidden characters of a JSONL file as escapes: somebody will `cat` it."""
    escaped = path.with_name(path.name + ".escaped")
    with path.open(encoding="utf-8", newline="\n") as file, escaped.open("w", encoding="utf-8", newline="\n") as out:
        while block := file.read(_BLOCK):
            out.write(safe_json(block))
    escaped.replace(path)


def _harmless(frame: Any) -> Any:
    """Cells and headers that a spreadsheet would run, prefixed with an apostrophe."""
    import polars as pl

    text = pl.selectors.string()
    frame = frame.with_columns(
        pl.when(text.str.contains(_FORMULA)).then(pl.lit("'") + text).otherwise(text).name.keep()
    )
    return frame.rename({name: "'" + name for name in frame.columns if name[:1] in "=+-@\t\r\n＝＋－＠"})


def _manifest(frame: Any, path: Path, queue: str, form: Format, facts: dict[str, Any]) -> dict[str, Any]:
    used = Counter(frame["rubric_version"].to_list())
    notes = ["sample_weight is 1 ÷ sampling probability; null where the probability is unknown"]
    if form == "csv":
        notes.append("every field is quoted; cells that start with = + - @ tab or a line break are prefixed with '")
    return {
        "schema": "secondlook.dataset/1",
        "software": f"secondlook {__version__}",
        "queue": queue,
        "format": form,
        "rows": frame.height,
        "columns": {name: str(kind) for name, kind in frame.schema.items()},
        "files": [{"name": path.name, "rows": frame.height, "bytes": path.stat().st_size, "sha256": _sha256(path)}],
        "rubric_versions": [
            {"id": rid, "version": version, "hash": digest, "rows": used[name]}
            for digest, (rid, version) in sorted(facts["rubrics"].items())
            if used[name := f"{rid}@{version}#{digest[:12]}"]
        ],
        "splits": dict(sorted(Counter(frame["split"].to_list()).items())),
        "excluded": facts["excluded"],
        "audit": facts["audit"],
        "notes": notes,
    }


def _put(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_format(name: str) -> Format:
    """The format with this name. Raises BadInput naming those there are."""
    for form in FORMATS:
        if form == name:
            return form
    raise BadInput(f"There is no export format '{name}'. Formats: {', '.join(FORMATS)}.")
