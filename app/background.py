"""What the desk does behind the screens: pulls from sources, sends verdicts; each in a thread with its own store."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial

from app.deliver.deliverer import deliverer_of, sinks_of
from app.intake.pulling import Pulling
from app.model.errors import SecondlookError
from app.settings import Workspace
from db.engine import Store, open_store

# The outbox is looked at so often, in seconds.
_LOOK_SECONDS = 1.0
# After the database could not serve, it is asked again after so many seconds.
_AGAIN_SECONDS = 10.0
# Deliveries of one turn, so that the desk can be left soon.
_TURN = 200


class Background:
    """Pulls and delivers while the desk is open. What fails is noted as the connection's health; the desk shows it."""

    def __init__(self, workspace: Workspace, changed: Callable[[], None]) -> None:
        """`changed` is called, in a thread, when cases came in or a connection got better or worse."""
        self._workspace = workspace
        self._changed = changed
        self._stop = threading.Event()
        jobs: list[Callable[[Store], None]] = []
        settings = workspace.settings
        if settings.desk.pull:
            # A source that keeps one waiting does not keep the others.
            jobs += [partial(self._pull, name) for name in settings.sources]
        if sinks_of(settings) and settings.desk.deliver:
            jobs.append(self._deliver)
        self._threads = [threading.Thread(target=self._run, args=[job], name="connection", daemon=True) for job in jobs]

    def start(self) -> None:
        """Begins, if there is anything to do."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends after the pull and the deliveries at hand; does not wait for a connection that hangs."""
        self._stop.set()
        end = time.monotonic() + 1.0
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, end - time.monotonic()))

    def _run(self, job: Callable[[Store], None]) -> None:
        while not self._stop.is_set():
            # A database that cannot serve now: the desk's own acts say so, and it may soon.
            with contextlib.suppress(SecondlookError), closing(open_store(self._workspace.database_url)) as store:
                job(store)
            self._stop.wait(_AGAIN_SECONDS)

    def _pull(self, name: str, store: Store) -> None:
        pulling = Pulling(self._workspace, store, [name])
        failing = False
        try:
            while not self._stop.wait(pulling.pause()):
                for _, done, error in pulling.due():
                    if done.admitted or failing != bool(error):
                        self._changed()
                    failing = bool(error)
        finally:
            pulling.close()

    def _deliver(self, store: Store) -> None:
        deliverer = deliverer_of(self._workspace, store)
        troubles: set[str] = set()
        try:
            while not self._stop.wait(deliverer.pause(_LOOK_SECONDS)):
                done = deliverer.deliver(_TURN)
                now = set(done.problems) | set(done.errors)
                if done.sent or done.dead or now - troubles:
                    self._changed()
                troubles = now if done.tried or now else troubles
        finally:
            deliverer.close()
