"""Opening a source, and its lines: what cannot be read is refused with a reason, the rest comes in constant memory."""

from __future__ import annotations

import gzip
import io
import os
import sys
import threading
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from app.intake.parse import MAX_RECORD_BYTES
from app.intake.read import Format, Raw, open_stream
from app.model.errors import BadInput, NothingToDo


def read(path: Path | str) -> list[Raw]:
    return list(open_stream(str(path)).items)


def written(folder: Path, data: bytes, name: str = "a.jsonl") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def form_of(path: Path, given: Format | None = None) -> str:
    stream = open_stream(str(path), given)
    list(stream.items)
    return stream.form


def refusal(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        read(path)
    assert str(caught.value).endswith("Nothing was imported from it.")
    return str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "none.jsonl cannot be read: No such file or directory" in refusal(tmp_path / "none.jsonl")


def test_a_folder(tmp_path: Path) -> None:
    assert "is a folder. Name the files in it." in refusal(tmp_path)


def test_a_name_that_the_system_refuses(tmp_path: Path) -> None:
    assert "File name too long" in refusal(tmp_path / ("x" * 300))
    assert "Not a directory" in refusal(written(tmp_path, b"{}") / "a.jsonl")


def test_a_link_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").symlink_to(tmp_path / "a.jsonl")
    assert "symbolic links" in refusal(tmp_path / "a.jsonl")


def test_an_empty_file_is_nothing_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingToDo, match="is empty"):
        read(written(tmp_path, b""))


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.gz", "a"])
def test_what_is_packed_is_named(tmp_path: Path, name: str) -> None:
    assert "packed with gzip. Unpack it first." in refusal(written(tmp_path, gzip.compress(b'{"id": 1}'), name))
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("inner.jsonl", '{"id": 1}')
    assert "packed with zip" in refusal(tmp_path / name)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_refused(tmp_path: Path, encoding: str) -> None:
    said = refusal(written(tmp_path, '{"id": 1}'.encode(encoding)))
    assert "UTF-16" in said if encoding == "utf-16" else "binary" in said or "UTF-16" in said


def test_nul_bytes_at_the_beginning_are_binary_and_further_on_one_bad_record(tmp_path: Path) -> None:
    assert "is a binary file" in refusal(written(tmp_path, b'{"id": \x001}\n'))
    far = b"\n".join([b'{"id": 1}'] * 600 + [b'{"id": "\x00"}'])
    assert [raw.data for raw in read(written(tmp_path, far))][-1] == b'{"id": "\x00"}'


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'{"a":1}\n{"a":2}\n', [(1, b'{"a":1}'), (2, b'{"a":2}')]),
        (b'{"a":1}\r\n{"a":2}\r\n', [(1, b'{"a":1}'), (2, b'{"a":2}')]),
        (b'{"a":1}\n{"a":2}', [(1, b'{"a":1}'), (2, b'{"a":2}')]),
        (b'{"a":1}\n{"a":', [(1, b'{"a":1}'), (2, b'{"a":')]),
        (b'\n \n\t{"a":1} \n\n{"a":2}\n', [(3, b'{"a":1}'), (5, b'{"a":2}')]),
        (b'\xef\xbb\xbf{"a":1}\n', [(1, b'{"a":1}')]),
        (b'{"a":1}\n\xef\xbb\xbf{"a":2}\n', [(1, b'{"a":1}'), (2, b'\xef\xbb\xbf{"a":2}')]),
        (b'{"a":"\xe2\x80\xa8\xc2\x85"}\n{"a":2}', [(1, b'{"a":"\xe2\x80\xa8\xc2\x85"}'), (2, b'{"a":2}')]),
        (b'{"a":1}\r{"a":2}', [(1, b'{"a":1}\r{"a":2}')]),
    ],
)
def test_lines(tmp_path: Path, data: bytes, found: list[tuple[int, bytes]]) -> None:
    items = read(written(tmp_path, data))
    assert [(raw.line, raw.data) for raw in items] == found
    assert all(raw.row is None and raw.problem is None for raw in items)


def test_the_form_follows_the_ending_else_the_beginning(tmp_path: Path) -> None:
    for name, data, form in (
        ("a.NDJSON", b"{}", "jsonl"),
        ("a.json", b"{}", "jsonl"),
        ("a.csv", b"{}", "csv"),
        ("a.txt", b" \n{}", "jsonl"),
        ("a.dump", b'\xef\xbb\xbf{"a":1}', "jsonl"),
        ("a.txt", b"id,x\n1,2", "csv"),
    ):
        assert form_of(written(tmp_path, data, name)) == form
    assert form_of(written(tmp_path, b"{}", "a.csv"), "jsonl") == "jsonl"


def test_the_position_reaches_the_size(tmp_path: Path) -> None:
    stream = open_stream(str(written(tmp_path, b'{"a":1}\n\n{"a":2}')))
    assert (stream.size, stream.position()) == (16, 0)
    assert len(list(stream.items)) == 2
    assert stream.position() == stream.size


def test_a_line_without_end_takes_little_memory_and_the_next_is_read(tmp_path: Path) -> None:
    # A hole in the file: bytes of zero that take no space. They begin behind what is looked at first.
    hole = 64 * 1024 * 1024
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.write(b'{"id":"first"}\n' + b" " * 8192 + b'{"id":"')
        file.seek(hole, os.SEEK_CUR)
        file.write(b'"}\n{"id":"last"}\n')
    tracemalloc.start()
    items = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [raw.line for raw in items] == [1, 2, 3]
    assert items[1].problem and items[1].problem.code == "too_large"
    assert f"{hole + 8192 + 10:,} bytes" in items[1].problem.expected
    assert len(items[1].data) == 65536
    assert items[2].data == b'{"id":"last"}'
    assert peak < 5 * MAX_RECORD_BYTES


def test_input_from_a_pipe_is_read_whole(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = b"".join(b'{"id":%d}\n' % number for number in range(5000))
    writer = threading.Thread(target=pipe.write_bytes, args=(data,), daemon=True)
    writer.start()
    stream = open_stream(str(pipe))
    items = list(stream.items)
    writer.join(timeout=5)
    assert (stream.form, stream.size) == ("jsonl", None)
    assert b"\n".join(raw.data for raw in items) + b"\n" == data


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Standard:
        buffer = io.BytesIO(b'{"a":1}\nid,x\n')

    monkeypatch.setattr(sys, "stdin", Standard())
    stream = open_stream("-")
    assert (stream.name, stream.form, stream.size) == ("standard input", "jsonl", None)
    assert [raw.data for raw in stream.items] == [b'{"a":1}', b"id,x"]
    Standard.buffer = io.BytesIO(b"id,x\n1,2\n")
    assert [raw.row for raw in open_stream("-", "csv").items] == [{"id": "1", "x": "2"}]
    with pytest.raises(BadInput, match="name a file"):
        open_stream("-", "parquet")


def test_the_longest_line_that_is_taken(tmp_path: Path) -> None:
    longest = b"x" * MAX_RECORD_BYTES
    items = read(written(tmp_path, longest + b"\n" + longest + b"y\n{}"))
    assert items[0] == Raw(1, longest)
    assert (items[1].line, items[1].problem and items[1].problem.code) == (2, "too_large")
    assert items[2] == Raw(3, b"{}")
