"""Reviewers who work on whatever happens to the hub, and remember what they were told."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson

from app.desk.remote import RemoteDesk
from app.model.errors import NothingToDo, SecondlookError
from tests.contract.worlds import decision, samples


def many_samples(queue: str, times: int) -> list[dict[str, Any]]:
    """The samples of a queue several times over, under other ids."""
    found = []
    for n in range(times):
        for record in samples(queue):
            copy = orjson.loads(orjson.dumps(record))
            copy["id"] = f"{record['id']}-{n}"
            found.append(copy)
    return found


class Crowd:
    """Each reviewer in a thread with a terminal of their own."""

    def __init__(self, url: str, tokens: list[str], queue: str = "credit", pause: float = 0.02) -> None:
        self._queue = queue
        self._pause = pause
        self.desks = [RemoteDesk(url, token) for token in tokens]
        # What was told to be done, and what was told to be kept, by decision_id.
        self.acknowledged: dict[str, int] = {}
        self.kept: dict[str, int] = {}
        self.errors: Counter[str] = Counter()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=[desk], daemon=True) for desk in self.desks]
        for thread in self._threads:
            thread.start()

    def _work(self, desk: RemoteDesk) -> None:
        while not self._stop.is_set():
            try:
                made = decision(desk.claim(self._queue))
                receipt = desk.decide(made)
                (self.acknowledged if receipt.sent else self.kept)[made.decision_id] = made.case_id
            except NothingToDo:
                return
            except SecondlookError as error:
                self.errors[type(error).__name__] += 1
            time.sleep(self._pause)

    def until_done(self, many: int, seconds: float = 60.0) -> None:
        """Waits until so many decisions were acknowledged or kept, or nothing is left to do."""
        self._until(lambda: len(self.acknowledged) + len(self.kept) >= many or not self._busy(), seconds)

    def finish(self, seconds: float = 60.0) -> None:
        """Waits until nothing is left to do and everything was sent."""
        self._until(lambda: not self._busy(), seconds)
        self._until(lambda: all(not desk.unsent().decisions for desk in self.desks), seconds)

    def close(self) -> None:
        """Sends everybody home."""
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        for desk in self.desks:
            desk.close()

    def _busy(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"{len(self.acknowledged)} done, {len(self.kept)} kept, {self.errors}"
            time.sleep(0.01)
