"""A program on a pseudo-terminal, every byte it writes, and what of that is no text."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

_PATIENCE = 30.0
# A program answers a key within the first; when it has said nothing for the second, it has drawn what it had to.
_ANSWER, _CALM = 0.3, 0.05
# A key that comes sooner after an escape is read as one key with it.
_ESCAPE = 0.2


class PseudoTerminal:
    """Runs a program; `written` is all it wrote."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], size: tuple[int, int]):
        ours, theirs = pty.openpty()
        columns, lines = size
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._file = ours
        self.written = b""
        self._process = subprocess.Popen(
            command, cwd=folder, env=dict(environment), stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)

    def __enter__(self) -> PseudoTerminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._file)

    def press(self, keys: str, awaited: str = "") -> None:
        """Types, and waits until the program has answered (with these words, if any) and is calm again."""
        seen = len(self.written)
        os.write(self._file, keys.encode())
        if awaited:
            self.until(awaited, seen)
        else:
            self._read(_ANSWER)
        alone = time.monotonic() + (_ESCAPE if keys == "\x1b" else 0)
        while self._read(max(_CALM, alone - time.monotonic())):
            pass

    def until(self, words: str, seen: int = 0) -> None:
        """Waits until these words have been written, behind the first `seen` bytes."""
        give_up = time.monotonic() + _PATIENCE
        while words.encode() not in self.written[seen:]:
            left = give_up - time.monotonic()
            if left <= 0 or not self._read(left):
                raise AssertionError(f"{words!r} did not come; the last bytes were {self.written[-400:]!r}")

    def finish(self) -> None:
        """Reads until the program has ended."""
        give_up = time.monotonic() + _PATIENCE
        while self._process.poll() is None and time.monotonic() < give_up:
            self._read(0.05)
        while self._read(0.05):
            pass
        assert self._process.returncode == 0, self.written[-400:]

    def _read(self, timeout: float) -> bool:
        if not select.select([self._file], [], [], timeout)[0]:
            return False
        try:
            found = os.read(self._file, 65536)
        except OSError:
            # Linux says so when the program has gone.
            found = b""
        self.written += found
        return bool(found)


_SEQUENCE = re.compile(
    # A sequence with a string: OSC, DCS, SOS, PM, APC, up to its end if it has one.
    r"(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|(?:\x1b\[|\x9b)[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]?"
    r"|\x1b[\x20-\x2f]*[\x30-\x7e]?"
    r"|[\x00-\x1f\x7f-\x9f]"
)
_NUMBERS = re.compile(r"\d+(?:;\d+)*")


def split(written: bytes) -> tuple[set[str], str]:
    """The kinds of control sequences, and the text without them.

    Of colours and of absolute moves the numbers do not count: `CSI n m`, `CSI n H`; all others are kept whole.
    """
    text = written.decode()
    kinds = set()
    for found in _SEQUENCE.findall(text):
        is_usual = found[-1:] in ("m", "H") and found.startswith("\x1b[") and found[2:3].isdigit()
        kinds.add(_NUMBERS.sub("n", found) if is_usual and len(found) < 100 else found)
    return kinds, _SEQUENCE.sub("", text)
