"""Trying again and again, with growing pauses, in a thread that lives as long as there is something to try."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable

from app.model.errors import SecondlookError

# Seconds between two tries; each is up to a quarter shorter or longer, so that terminals do not come all at once.
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 60.0


class Retrying:
    """Calls `attempt` while `wanted` says so. Safe to use from several threads."""

    def __init__(self, attempt: Callable[[], None], wanted: Callable[[], bool]) -> None:
        self._attempt = attempt
        self._wanted = wanted
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pause = FIRST_PAUSE
        self._woken = threading.Event()
        self._ended = False

    def begin(self, anew: bool = False) -> None:
        """Begins, if it has not; with `anew` from the shortest pause."""
        with self._lock:
            if anew or self._thread is None:
                self._pause = FIRST_PAUSE
            if self._thread is not None:
                if anew:
                    self._woken.set()
            elif not self._ended:
                self._thread = threading.Thread(target=self._run, name="unsent", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Ends; does not wait for a try that hangs."""
        self._ended = True
        self._woken.set()

    def _run(self) -> None:
        while True:
            woken = self._woken.wait(self._pause * random.uniform(0.75, 1.25))
            if self._ended:
                return
            if woken:
                self._woken.clear()
                continue
            self._pause = min(LONGEST_PAUSE, self._pause * 2)
            with contextlib.suppress(SecondlookError):
                self._attempt()
            with self._lock:
                if not self._wanted():
                    self._thread = None
                    return
