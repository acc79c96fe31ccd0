"""Several at the same time, again and again, for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def together(count: int, seconds: float, make: Callable[[int], Callable[[], None]]) -> None:
    """Each of `count` threads makes its own act first; then all do theirs again and again for so many seconds."""
    ready = threading.Barrier(count + 1)
    stop = threading.Event()

    def work(number: int) -> None:
        act = make(number)
        ready.wait()
        while not stop.is_set():
            act()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    ready.wait()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
