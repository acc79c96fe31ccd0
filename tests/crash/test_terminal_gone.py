"""The terminal is closed and no signal says so: the desk ends, and gives its case back."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import sqlite3
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

from tests.screens.seat import make_template


def test_a_desk_without_a_terminal_ends(tmp_path: Path) -> None:
    root = make_template(tmp_path / "desk")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    # A session of its own that has no controlling terminal: the kernel sends it no SIGHUP.
    desk = subprocess.Popen(
        [str(Path(sys.executable).with_name("secondlook")), "--workspace", str(root), "--as", "ada"],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"},
    )  # fmt: skip
    os.close(theirs)
    try:
        _read_until(ours, b"brief-")
        os.write(ours, b"n")
        _until(lambda: _held(root) == 1, ours)
    finally:
        os.close(ours)
    assert desk.wait(15) == 129
    assert _held(root) == 0


def _held(root: Path) -> int:
    with sqlite3.connect(root / "secondlook.db") as connection:
        return int(connection.execute("SELECT count(*) FROM cases WHERE state = 'leased'").fetchone()[0])


def _read_until(terminal: int, wanted: bytes) -> None:
    seen, give_up = b"", time.monotonic() + 30
    while wanted not in seen:
        assert time.monotonic() < give_up, seen[-500:]
        seen += _some(terminal)


def _until(condition: Callable[[], bool], terminal: int) -> None:
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up
        _some(terminal)


def _some(terminal: int) -> bytes:
    ready, _, _ = select.select([terminal], [], [], 0.1)
    return os.read(terminal, 65536) if ready else b""
