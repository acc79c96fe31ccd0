"""Several sources, each at its own pace: what `pull --watch` and the desk's background do.

A source that fails is asked again after a pause that doubles, with jitter, up to ten minutes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator

from app.connecting import secrets_of
from app.intake.pull import Pulled, Puller
from app.intake.sources import open_source
from app.model.errors import SecondlookError, SettingsError
from app.settings import Workspace
from db import connections
from db.engine import Store

_LONGEST = 600.0
_BATCH = 1000
# One source must not keep the others waiting: after so many batches it is their turn.
_TURN = 20


class Pulling:
    """Pulls from sources of a workspace. Not thread-safe."""

    def __init__(
        self, workspace: Workspace, store: Store, names: Iterable[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` in seconds. Nothing is opened before it is pulled from."""
        self._workspace = workspace
        self._store = store
        self._clock = clock
        self._pullers: dict[str, Puller] = {}
        self._next = dict.fromkeys(names, clock())
        self._failures: dict[str, int] = {}

    def due(self) -> Iterator[tuple[str, Pulled, str]]:
        """Pulls from each source whose time it is: its name, what came, and what went wrong (empty: nothing)."""
        for name, moment in list(self._next.items()):
            if moment <= self._clock():
                yield self._turn(name)

    def drain(self, tell: Callable[[str, Pulled], None]) -> tuple[dict[str, Pulled], dict[str, SecondlookError]]:
        """Pulls everything that waits now; returns what came, and errors, by source."""
        totals: dict[str, Pulled] = {}
        failed: dict[str, SecondlookError] = {}
        for name in self._next:
            total = totals.setdefault(name, Pulled())
            try:
                while (done := self._puller(name).pull(_BATCH)).items:
                    total.add(done)
                    tell(name, total)
            except SecondlookError as error:
                failed[name] = error
        return totals, failed

    def pause(self) -> float:
        """Seconds until the next source is due; at least a moment, at most one."""
        return min(1.0, max(0.05, min(self._next.values(), default=1.0) - self._clock()))

    def wait(self, name: str) -> float:
        """Seconds until a source is pulled again."""
        return max(0.0, self._next[name] - self._clock())

    def close(self) -> None:
        """Closes all sources."""
        for puller in self._pullers.values():
            puller.close()

    def _turn(self, name: str) -> tuple[str, Pulled, str]:
        total = Pulled()
        every = self._workspace.settings.sources[name].every_seconds
        try:
            for _ in range(_TURN):
                done = self._puller(name).pull(_BATCH)
                total.add(done)
                if not done.items:
                    break
            else:
                every = 0.0
        except SecondlookError as error:
            failures = self._failures[name] = self._failures.get(name, 0) + 1
            longest = min(_LONGEST, every * 2.0 ** min(failures, 10))
            self._next[name] = self._clock() + random.uniform(longest / 2, longest)
            return name, total, str(error)
        self._failures[name] = 0
        self._next[name] = self._clock() + every
        return name, total, ""

    def _puller(self, name: str) -> Puller:
        if name not in self._pullers:
            try:
                self._pullers[name] = self._opened(name)
            except SecondlookError as error:
                # What a puller meets it notes itself; this one is not there yet.
                with self._store.write() as connection:
                    connections.note(connection, name, "in", time.time_ns() // 1_000_000, "failing", str(error))
                raise
        return self._pullers[name]

    def _opened(self, name: str) -> Puller:
        workspace, settings = self._workspace, self._workspace.settings.sources[name]
        keys = workspace.keys()
        policy = workspace.policy(settings.queue)
        source = open_source(name, settings, secrets_of(str(workspace.root)), workspace.root)
        if policy.task is None and not getattr(source, "brings_task", True):
            source.close()
            raise SettingsError(
                f"Predictions of type {settings.type} bring no task: add [queues.{settings.queue}.task] to "
                f"secondlook.toml; docs/sources.md has an example. Nothing was taken."
            )
        return Puller(self._store, keys, name, settings.queue, policy, source)
