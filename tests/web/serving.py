"""`secondlook web` as a child process, and somebody who comes with or without its address."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_MAIN = "import sys; from app.cli import main; sys.exit(main())"
# A start on a busy machine.
SECONDS = 60.0


class Served:
    """A running server; `address` opens its desk once."""

    def __init__(self, child: subprocess.Popen[str], root: Path) -> None:
        assert child.stdout
        self.child = child
        self.root = root
        self.address = child.stdout.readline().strip()
        assert self.address, child.stderr.read() if child.stderr else ""
        parts = urlsplit(self.address)
        self.host = parts.netloc
        self.origin = f"http://{parts.netloc}"
        self.page = f"{self.origin}{parts.path}"
        self.socket = f"ws://{parts.netloc}{parts.path}ws?width=120&height=40"

    def next_address(self) -> str:
        """The address that is said once the last one has served."""
        assert self.child.stdout
        return self.child.stdout.readline().strip()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """What is kept."""
        with closing(sqlite3.connect(f"file:{self.root / 'secondlook.db'}?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()

    def held(self) -> list[str]:
        """The cases that somebody has."""
        return [str(row[0]) for row in self.query("SELECT external_id FROM cases WHERE lease_owner IS NOT NULL")]

    def stop(self) -> int:
        """Ctrl-c; returns the exit code."""
        self.child.send_signal(signal.SIGINT)
        return self.child.wait(30)


@contextmanager
def served(root: Path) -> Iterator[Served]:
    """A server over a workspace, on a free port."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SECONDLOOK_", "TEXTUAL"))}
    with subprocess.Popen(
        [sys.executable, "-c", _MAIN, "--workspace", str(root), "--as", "ada", "web", "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as child:
        try:
            yield Served(child, root)
        finally:
            if child.poll() is None:
                child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(30)
            child.kill()


def until(holds: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """What is true in the end; fails when it is not in time. Other processes work: one can only ask."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("did not come about in time")
