"""Turns: a few at a time, in the order in which they came.

The standard library's locks go to whoever asks at the right moment: a thread that acts again and again would keep all
others from it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """So many threads at a time; the next one is who has waited longest."""

    def __init__(self, at_a_time: int) -> None:
        self._free = at_a_time
        self._lock = threading.Lock()
        # Each who waits has a lock of their own, which is released when it is their turn.
        self._waiting: deque[threading.Lock] = deque()

    @contextmanager
    def take(self) -> Iterator[None]:
        """Waits for a turn, and has it."""
        self._begin()
        try:
            yield
        finally:
            self._end()

    def _begin(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        try:
            mine.acquire()
        except BaseException:
            # Interrupted, by ctrl-c for instance. The turn may have come in the same moment: then it goes on.
            with self._lock:
                came = mine not in self._waiting
                if not came:
                    self._waiting.remove(mine)
            if came:
                self._end()
            raise

    def _end(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
