"""Locks on files between processes, given back by the system when their process ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

# Beyond any content: on Windows a locked part of a file cannot be read.
_FAR = 1 << 40
_SECONDS = 5.0


def try_lock(descriptor: int) -> bool:
    """Locks an open file for this process if nobody else has; also two openings in one process exclude each other."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds a lock file meanwhile. After five seconds it goes on without: whoever has it hangs."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end = time.monotonic() + _SECONDS
        while not try_lock(descriptor) and time.monotonic() < end:
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)
