"""A program on a pseudo-terminal, and when its words arrive."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

COLUMNS, LINES = 120, 40
_PATIENCE = 20.0


class Terminal:
    """A program and what it has written since the last `forget`. Moments are seconds of `monotonic`."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self._file = ours
        self._seen = b""
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)

    def send(self, keys: str) -> float:
        """Types; returns the moment."""
        self.forget()
        moment = time.monotonic()
        os.write(self._file, keys.encode())
        return moment

    def forget(self) -> None:
        """Starts looking anew."""
        self._seen = b""

    def until(self, *words: str) -> float:
        """Waits until all words have arrived; returns the moment when the last did."""
        wanted = [word.encode() for word in words]
        give_up = time.monotonic() + _PATIENCE
        moment = time.monotonic()
        while not all(word in self._seen for word in wanted):
            left = give_up - time.monotonic()
            if left <= 0 or not self._read(left):
                raise TimeoutError(f"{words} did not come; the last bytes were {self._seen[-2000:]!r}")
            moment = time.monotonic()
        return moment

    def quiet(self, seconds: float) -> None:
        """Waits until nothing has been written for so long."""
        while self._read(seconds):
            pass

    def close(self) -> None:
        """Ends the program."""
        self._process.kill()
        self._process.wait()
        os.close(self._file)

    def _read(self, timeout: float) -> bool:
        if not select.select([self._file], [], [], timeout)[0]:
            return False
        try:
            found = os.read(self._file, 65536)
        except OSError:
            # Linux says so when the program has gone.
            found = b""
        self._seen += found
        return bool(found)


@contextlib.contextmanager
def on_terminal(command: Sequence[str], folder: Path) -> Iterator[Terminal]:
    """Runs a program on a terminal and ends it afterwards."""
    terminal = Terminal(command, folder)
    try:
        yield terminal
    finally:
        terminal.close()
