"""Checkpoints: signed notes as others write and read them; what is malformed or not ours is said to be so."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit.checkpoint import Checkpoint, VerifierKey, kept_in, own_file, parse, read, sign, verifier_of, write
from app.model.errors import BadInput

SEED = b"s" * 32
ROOT = bytes(range(32))
NOTE = sign(SEED, 1234, ROOT)
KEY = verifier_of(SEED)
# The example of the Go package golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="


def test_a_checkpoint_is_read_as_it_was_written() -> None:
    point = parse(NOTE, "file")
    assert (point.origin, point.size, point.root, point.note) == (KEY.name, 1234, ROOT, NOTE)
    assert point.doubt(KEY) is None
    assert sign(SEED, 1234, ROOT) == NOTE


def test_the_form_is_that_of_a_signed_note() -> None:
    origin, size, root, empty, signature, end = NOTE.decode().split("\n")
    assert (origin, size, empty, end) == (KEY.name, "1234", "", "")
    assert base64.b64decode(root) == ROOT
    dash, name, coded = signature.split(" ")
    assert (dash, name) == ("\u2014", origin)
    assert base64.b64decode(coded)[:4] == KEY.hash


def test_the_signatures_of_other_programs_are_understood() -> None:
    key, coded = VerifierKey.parse(GO_KEY), base64.b64decode(GO_SIGNATURE)
    assert str(key) == GO_KEY
    signature = (key.name, coded[:4], coded[4:])
    assert Checkpoint("go", b"", key.name, 0, ROOT, GO_TEXT.encode(), (signature,)).doubt(key) is None
    assert Checkpoint("go", b"", key.name, 0, ROOT, GO_TEXT.upper().encode(), (signature,)).doubt(key)


def test_extensions_and_the_signatures_of_witnesses_are_let_be() -> None:
    witness = "\u2014 witness.example/w " + base64.b64encode(b"1234 whatever it is").decode()
    assert parse(NOTE + f"{witness}\n".encode(), "f").doubt(KEY) is None
    assert parse(NOTE.replace(b"=\n\n", b"=\nmore\n\n"), "f").doubt(KEY) == "its signature is wrong"


@pytest.mark.parametrize(
    ("note", "doubt"),
    [
        (sign(b"t" * 32, 1234, ROOT), "is another workspace's"),
        (NOTE.replace(b"1234", b"1235", 1), "its signature is wrong"),
        (NOTE.replace(base64.b64encode(ROOT), base64.b64encode(bytes(32))), "its signature is wrong"),
        # Signed by somebody else under our name.
        (
            sign(b"t" * 32, 1234, ROOT).replace(verifier_of(b"t" * 32).name.encode(), KEY.name.encode()),
            "was not signed",
        ),
    ],
    ids=["other workspace", "size", "root", "other key"],
)
def test_what_is_not_ours_is_doubted(note: bytes, doubt: str) -> None:
    assert (parse(note, "file").doubt(KEY) or "").startswith(doubt)


BODY, SIGNATURE = NOTE.decode().split("\n\n")
ROOT_LINE = BODY.split("\n")[2]


@pytest.mark.parametrize(
    ("note", "why"),
    [
        ("", "the empty line before the signature"),
        (BODY, "the empty line before the signature"),
        (f"{BODY}\n\n", "the signature is missing"),
        (f"{BODY}\n\n{SIGNATURE}"[:-1], "the middle of a line"),
        (f"{BODY}\n\n{SIGNATURE}\n", "an empty line too many"),
        (f"{BODY}\n\n-- name abcd\n", "a signature line"),
        (f"{BODY}\n\n\u2014 name ab=d\n", "a signature line"),
        (f"{BODY}\n\n\u2014 name AAAA\n", "a signature line"),
        (f"{KEY.name}\n1234\n\n{SIGNATURE}", "three lines"),
        (f"\n1234\n{ROOT_LINE}\n\n{SIGNATURE}", "origin"),
        (f"{KEY.name}\n01234\n{ROOT_LINE}\n\n{SIGNATURE}", "number of entries"),
        (f"{KEY.name}\n-1\n{ROOT_LINE}\n\n{SIGNATURE}", "number of entries"),
        (f"{KEY.name}\n\u0661\n{ROOT_LINE}\n\n{SIGNATURE}", "number of entries"),
        (f"{KEY.name}\n{'9' * 40}\n{ROOT_LINE}\n\n{SIGNATURE}", "number of entries"),
        (f"{KEY.name}\n1234\n{ROOT_LINE[:-4]}\n\n{SIGNATURE}", "its root"),
        (f"{KEY.name}\n1234\n{ROOT_LINE[:-2]}9=\n\n{SIGNATURE}", "its root"),
        (f"{BODY}\n\nmore\n\n{SIGNATURE}", "an empty line too many"),
        (f"{BODY}\r\n\n{SIGNATURE}", "control characters"),
        ("x" * 70_000, "too long"),
    ],
)
def test_what_is_malformed_is_said(note: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        parse(note.encode(), "file")


def test_bytes_that_are_no_text_are_no_checkpoint() -> None:
    with pytest.raises(BadInput, match="not UTF-8"):
        parse(b"\xff" + NOTE, "file")


@given(st.binary(max_size=300) | st.text(alphabet="a1=+/\n \u2014", max_size=80).map(str.encode))
def test_any_bytes_are_a_checkpoint_or_bad_input(data: bytes) -> None:
    try:
        point = parse(data, "file")
    except BadInput:
        return
    assert point.doubt(KEY)


@given(st.integers(0, 8 * len(NOTE) - 1))
def test_no_flipped_bit_passes(bit: int) -> None:
    flipped = bytearray(NOTE)
    flipped[bit // 8] ^= 1 << bit % 8
    try:
        point = parse(bytes(flipped), "file")
    except BadInput:
        return
    assert point.doubt(KEY)


@given(st.text(max_size=60) | st.text(alphabet="ab12+/=", max_size=80))
def test_any_text_is_a_verifier_key_or_bad_input(text: str) -> None:
    with pytest.raises(BadInput):
        VerifierKey.parse(text)


def test_a_mistyped_verifier_key_is_noticed() -> None:
    assert VerifierKey.parse(f" {KEY}\n") == KEY
    with pytest.raises(BadInput, match="mistyped"):
        VerifierKey.parse(str(KEY).replace(KEY.name, "secondlook.local/other"))


def test_a_file_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"
    assert write(path, NOTE)
    assert not write(path, NOTE)
    with pytest.raises(BadInput, match="Nothing was written"):
        write(path, sign(SEED, 1234, bytes(32)))
    assert read(path).note == NOTE


def test_a_file_that_cannot_be_read_is_bad_input(tmp_path: Path) -> None:
    for name in ("missing", ".", "nul\0"):
        with pytest.raises(BadInput, match="cannot be read"):
            read(tmp_path / name)


def test_a_workspace_lists_its_own_by_size(tmp_path: Path) -> None:
    assert kept_in(tmp_path) == []
    (tmp_path / "checkpoints").mkdir()
    for size in (100, 9, 20):
        write(own_file(tmp_path, size), sign(SEED, size, ROOT))
    assert [read(path).size for path in kept_in(tmp_path)] == [9, 20, 100]
