"""One file of a journal: lines that are added and never changed, each closed with AES-256-GCM.

    {"secondlook": "journal", "version": 1, "file": "<32 hex digits>", "key": "keyring", "check": "<8 hex digits>"}
    0 <base64 of nonce and ciphertext: whose journal it is>
    1 <base64 of nonce and ciphertext: a record>

Each line is bound to the hub, the person, this file and its number: one that was moved within the file, or came from
another, does not open. A last line without its end is of a crash and was never promised to be kept. Whoever has the
file open holds its lock.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from app.desk.file_lock import try_lock
from app.desk.journal_key import JournalKeys, Key
from app.model.errors import Unavailable

SUFFIX = ".journal"
UNREADABLE = ".unreadable"
_VERSION = 1
_NONCE = 12


class NoKey(Exception):
    """A file was closed with a key that is not here."""


class Broken(Exception):
    """A file's beginning cannot be read, so nothing in it can."""


@dataclass(eq=False)
class JournalFile:
    """An open, locked file. `end`: where the next line goes; `number`: which one that is."""

    path: Path
    hub: str
    person: str
    key: Key
    name: str
    descriptor: int
    end: int = 0
    number: int = 0
    lines: int = 0
    bad: list[bytes] = field(default_factory=list)

    @classmethod
    def create(cls, path: Path, hub: str, person: str, key: Key) -> JournalFile:
        """A new file. Raises OSError where it cannot be made, FileExistsError where another terminal was faster."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            if not _own(descriptor, path):
                raise FileExistsError(path)
            made = cls(path, hub, person, key, secrets.token_hex(16), descriptor)
            try:
                made._begin()
            except OSError:
                path.unlink(missing_ok=True)
                raise
        except BaseException:
            os.close(descriptor)
            raise
        _sync_folder(path.parent)
        return made

    @classmethod
    def open(cls, path: Path, hub: str, keys: JournalKeys) -> tuple[JournalFile, list[dict[str, Any]]] | None:
        """A file with its records, None where another terminal has it or it is gone. A file that was begun and no more
        is deleted: nothing was kept in it.

        Raises NoKey or Broken; then it stays as it is.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        except OSError:
            return None
        try:
            if not _own(descriptor, path):
                os.close(descriptor)
                return None
            return cls._read(path, hub, keys, descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    @classmethod
    def _read(
        cls, path: Path, hub: str, keys: JournalKeys, descriptor: int
    ) -> tuple[JournalFile, list[dict[str, Any]]] | None:
        content = _content(descriptor)
        whole = content[: content.rfind(b"\n") + 1]
        lines = whole.splitlines()
        if len(lines) < 2:
            path.unlink(missing_ok=True)
            os.close(descriptor)
            return None
        name, key = _header(lines[0], keys)
        found = cls(path, hub, "", key, name, descriptor, end=len(whole))
        if len(content) > len(whole):
            os.ftruncate(descriptor, len(whole))
        head = found._opened(lines[1])
        if head is None:
            raise Broken
        found.person, found.number, found.lines = str(head["person"]), 1, len(lines) - 2
        records = []
        for line in lines[2:]:
            record = found._opened(line)
            if record is None:
                found.bad.append(line)
            else:
                records.append(record)
        return found, records

    def append(self, record: dict[str, Any]) -> None:
        """Adds a record; it is on the disk when this returns. Raises OSError, and then nothing was added."""
        line = self._closed(record)
        try:
            _write(self.descriptor, self.end, line)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self.descriptor, self.end)
            raise
        self.end += len(line)
        self.number += 1
        self.lines += 1

    def rewrite(self, records: list[dict[str, Any]]) -> None:
        """Puts a file with only these records in place of this one. Raises OSError, and then it is as before."""
        beside = self.path.with_suffix(".new")
        beside.unlink(missing_ok=True)
        made = JournalFile.create(beside, self.hub, self.person, self.key)
        try:
            for record in records:
                made.append(record)
            _put_in_place(made, self)
        except BaseException:
            made.close()
            raise
        _sync_folder(self.path.parent)
        self.name, self.descriptor = made.name, made.descriptor
        self.end, self.number, self.lines, self.bad = made.end, made.number, made.lines, []

    def set_aside(self) -> Path:
        """Copies the lines that do not open beside the file; returns where to."""
        path = self.path.with_suffix(UNREADABLE)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, b"".join(line + b"\n" for line in self.bad))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return path

    def remove(self) -> None:
        """Deletes the file: everything in it was sent."""
        if sys.platform == "win32":
            self.close()
        with contextlib.suppress(OSError):
            self.path.unlink()
        self.close()

    def close(self) -> None:
        """Lets go of the file; another terminal may take it up."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _begin(self) -> None:
        head = {"secondlook": "journal", "version": _VERSION, "file": self.name}
        line = orjson.dumps({**head, "key": self.key.source, "check": self.key.check}) + b"\n"
        _write(self.descriptor, 0, line)
        self.end = len(line)
        self.append({"person": self.person})
        self.lines = 0

    def _bound(self, number: int) -> bytes:
        # Whose journal it is, is asked before the person is known; from then on the person is bound as well.
        person = self.person if number else ""
        return orjson.dumps(["secondlook journal", _VERSION, self.hub, person, self.name, number])

    def _closed(self, record: dict[str, Any]) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE)
        closed = AESGCM(self.key.secret).encrypt(nonce, orjson.dumps(record), self._bound(self.number))
        return f"{self.number} ".encode() + base64.b64encode(nonce + closed) + b"\n"

    def _opened(self, line: bytes) -> dict[str, Any] | None:
        """A line's record; None for one that was changed, moved, or doubled."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        number, _, text = line.partition(b" ")
        if not number.isdigit() or len(number) > 18 or int(number) < self.number:
            return None
        try:
            closed = base64.b64decode(text, validate=True)
            opened = AESGCM(self.key.secret).decrypt(closed[:_NONCE], closed[_NONCE:], self._bound(int(number)))
            record = orjson.loads(opened)
        except (InvalidTag, ValueError):
            return None
        self.number = int(number) + 1
        return record if isinstance(record, dict) else None


def _own(descriptor: int, path: Path) -> bool:
    """Locks a file that was opened, and sees that it still is the one of that name."""
    if not try_lock(descriptor):
        return False
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _put_in_place(made: JournalFile, old: JournalFile) -> None:
    """Renames a new file over the old one; the open file moves with its lock, but for Windows."""
    if sys.platform != "win32":
        made.path.replace(old.path)
        old.close()
        return
    made.close()
    old.close()
    try:
        made.path.replace(old.path)
    finally:
        made.descriptor = os.open(old.path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        old.descriptor = made.descriptor
        try_lock(made.descriptor)


def _header(line: bytes, keys: JournalKeys) -> tuple[str, Key]:
    try:
        head = orjson.loads(line)
        if head["secondlook"] != "journal" or head["version"] != _VERSION:
            raise Broken
        name, key = str(head["file"]), keys.find(str(head["key"]), str(head["check"]))
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise Broken from None
    if key is None:
        raise NoKey
    return name, key


def _content(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    parts = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _write(descriptor: int, at: int, data: bytes) -> None:
    """Writes at a place, and waits until it is on the disk."""
    os.lseek(descriptor, at, os.SEEK_SET)
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
    os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    """The folder's own entry to the disk, where the system knows that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def not_kept(error: OSError) -> Unavailable:
    """Why something could not be kept here, in words."""
    return Unavailable(
        f"The hub does not answer, and this could not be kept here either: {error.strerror or error}. Your answers are "
        "on the screen only; free some space, or note them down."
    )
