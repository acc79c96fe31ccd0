"""Files and standard input as a stream of raw items, in constant memory.

An item is a line of JSON, or a row of a table as a mapping. `data` holds the original bytes of a
line, or the row as canonical JSON.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import orjson

from app.intake.parse import MAX_RECORD_BYTES
from app.model.errors import BadInput, NothingToDo, RecordError, SecondlookError

Format = Literal["jsonl", "csv", "parquet"]
FORMATS: tuple[Format, ...] = ("jsonl", "csv", "parquet")
_ENDINGS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"(\xb5/\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Raw:
    """One item as it came: `line` counts from 1; `row` is set for tables; `problem` where it is unusable; `reference`
    is what a verdict needs to find it again at its source."""

    line: int
    data: bytes
    row: dict[str, Any] | None = None
    problem: RecordError | None = None
    reference: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """An opened source. `size` in bytes (None: unknown); `position` says how far it was read."""

    name: str
    form: Format
    size: int | None
    items: Iterator[Raw]
    position: Callable[[], int]


def open_stream(name: str, form: Format | None = None) -> Stream:
    """Opens a file, or standard input for `-`. Raises BadInput saying why it cannot be used."""
    if name == "-":
        return _lines_or_rows("standard input", sys.stdin.buffer, form or "jsonl", None)
    path = Path(name)
    try:
        if path.is_dir():
            raise BadInput(f"{name} is a folder. Name the files in it. Nothing was imported from it.")
        size = path.stat().st_size
        # A pipe can be read once: its beginning is looked at without being taken out.
        file = path.open("rb")
        head = file.peek(4096)[:4096]
    except OSError as error:
        raise BadInput(f"{name} cannot be read: {error.strerror}. Nothing was imported from it.") from None
    try:
        form = _usable_form(name, form, head)
        if form == "parquet" and path.is_file():
            file.close()
            return _parquet(path, size)
        return _lines_or_rows(path.name, file, form, size or None)
    except SecondlookError:
        file.close()
        raise


def _usable_form(name: str, form: Format | None, head: bytes) -> Format:
    """The format, if the beginning looks like something that can be read."""
    if not head:
        raise NothingToDo(f"{name} is empty: there is nothing to import.")
    form = form or _form_of(name, head)
    if form != "parquet":
        _refuse_binary(name, head)
    return form


def _form_of(name: str, head: bytes) -> Format:
    if head.startswith(b"PAR1"):
        return "parquet"
    known = _ENDINGS.get(Path(name).suffix.lower())
    if known:
        return known
    return "jsonl" if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{") else "csv"


def _refuse_binary(name: str, head: bytes) -> None:
    for magic, packer in _MAGIC.items():
        if head.startswith(magic):
            raise BadInput(f"{name} is packed with {packer}. Unpack it first. Nothing was imported from it.")
    if head.startswith(_UTF16):
        raise BadInput(f"{name} is UTF-16 text; expected UTF-8. Convert it first. Nothing was imported from it.")
    if b"\x00" in head:
        raise BadInput(f"{name} is a binary file; expected JSONL, CSV or Parquet. Nothing was imported from it.")


def _lines_or_rows(name: str, file: BinaryIO, form: Format, size: int | None) -> Stream:
    if form == "parquet":
        raise BadInput("Parquet cannot be read from standard input or a pipe: name a file.")
    seen = [0]
    items = _json_lines(file, seen) if form == "jsonl" else _csv_rows(name, file, seen)
    return Stream(name, form, size, items, lambda: seen[0])


def _json_lines(file: BinaryIO, seen: list[int]) -> Iterator[Raw]:
    number = 0
    with file:
        while line := file.readline(MAX_RECORD_BYTES + 1):
            number += 1
            seen[0] += len(line)
            if len(line) > MAX_RECORD_BYTES and not line.endswith(b"\n"):
                yield _too_long(file, number, line, seen)
                continue
            line = line.strip(b" \t\r\n")
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if line:
                yield Raw(number, line)


def _too_long(file: BinaryIO, number: int, head: bytes, seen: list[int]) -> Raw:
    """Reads past a line that is too long; only its beginning is kept."""
    total = len(head)
    while more := file.readline(MAX_RECORD_BYTES):
        total += len(more)
        seen[0] += len(more)
        if more.endswith(b"\n"):
            break
    expected = f"{total:,} bytes in one line; a record may have {MAX_RECORD_BYTES:,}. Its first 64 KiB are kept"
    return Raw(number, head[:65536], problem=RecordError("too_large", "", expected))


def _csv_rows(name: str, file: BinaryIO, seen: list[int]) -> Iterator[Raw]:
    # Bytes that are no UTF-8 become lone surrogates, which are looked for row by row.
    def text_lines() -> Iterator[str]:
        first = True
        for line in _bounded(file, name):
            seen[0] += len(line)
            yield line.decode("utf-8-sig" if first else "utf-8", "surrogateescape")
            first = False

    csv.field_size_limit(MAX_RECORD_BYTES)
    with file:
        reader = csv.reader(text_lines(), strict=True)
        try:
            header = [column.strip() for column in next(reader, [])]
        except csv.Error as error:
            raise BadInput(f"{name} is no CSV: {error}. Nothing was imported from it.") from None
        _check_header(name, header)
        yield from _csv_body(reader, header)


def _csv_body(reader: Any, header: list[str]) -> Iterator[Raw]:
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Raw(
                reader.line_num,
                b"",
                {},
                RecordError("csv", "", f"{error}; the rest of the file cannot be read"),
            )
            return
        if cells is None:
            return
        if not cells:
            continue
        row = dict(zip(header, cells, strict=False))
        problem = None
        if len(cells) != len(header):
            problem = RecordError("csv", "", f"{len(cells)} cells, expected {len(header)} as in the header")
        elif any(map(_is_broken, cells)):
            problem = RecordError("encoding", "", "not UTF-8")
        data = ",".join(cells).encode("utf-8", "surrogateescape") if problem else orjson.dumps(row)
        yield Raw(reader.line_num, data, row, problem)


def _is_broken(cell: str) -> bool:
    """Whether the cell holds bytes that are no UTF-8."""
    return not cell.isascii() and any("\udc80" <= char <= "\udcff" for char in cell)


def _bounded(file: BinaryIO, name: str) -> Iterator[bytes]:
    while line := file.readline(MAX_RECORD_BYTES + 1):
        if len(line) > MAX_RECORD_BYTES:
            raise BadInput(
                f"{name} has a line of more than {MAX_RECORD_BYTES:,} bytes. What came before it was imported."
            )
        yield line


def _check_header(name: str, header: list[str]) -> None:
    if not header or not any(header):
        raise BadInput(f"{name} has no header line. Nothing was imported from it.")
    if any(_is_broken(column) for column in header):
        raise BadInput(f"{name} has a header that is not UTF-8. Convert it first. Nothing was imported from it.")
    twice = {column for column in header if header.count(column) > 1}
    if twice:
        raise BadInput(f"{name} names the column '{min(twice)}' twice. Nothing was imported from it.")


def _parquet(path: Path, size: int) -> Stream:
    import polars as pl

    try:
        rows = pl.scan_parquet(path).select(pl.len()).collect().item()
        columns = pl.read_parquet_schema(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"{path} is no readable Parquet file ({reason}). Nothing was imported from it.") from None
    if not rows:
        raise NothingToDo(f"{path} has no rows: there is nothing to import.")
    seen = [0]
    batch = max(100, min(10_000, 200_000 // max(1, len(columns))))

    def items() -> Iterator[Raw]:
        for start in range(0, rows, batch):
            try:
                frame = pl.scan_parquet(path).slice(start, batch).collect()
            except (pl.exceptions.PolarsError, OSError) as error:
                reason = str(error).splitlines()[0]
                raise BadInput(
                    f"{path} is damaged after row {start} ({reason}). What came before it was imported."
                ) from None
            for number, row in enumerate(frame.iter_rows(named=True), start + 1):
                yield _parquet_row(number, row)
            seen[0] = size * min(rows, start + batch) // rows

    return Stream(path.name, "parquet", size, items(), lambda: seen[0])


def _as_text(value: Any) -> str:
    """What JSON does not know, as text; bytes must be UTF-8."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _parquet_row(number: int, row: dict[str, Any]) -> Raw:
    try:
        data = orjson.dumps(row, default=_as_text, option=orjson.OPT_SORT_KEYS)
        # Through JSON, so that dates and decimals are the text that is kept.
        return Raw(number, data, orjson.loads(data))
    except (TypeError, ValueError) as error:
        return Raw(number, repr(row).encode()[:65536], row, RecordError("parquet", "", str(error)))
