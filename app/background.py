"""What the desk does behind the screens: pulls from sources, sends verdicts. One thread with a store of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.intake.pulling import Pulling
from app.model.errors import SecondlookError
from app.settings import Workspace
from db.engine import open_store


class Background:
    """Pulls while the desk is open. What fails is noted as the connection's health; the desk shows it."""

    def __init__(self, workspace: Workspace, changed: Callable[[], None]) -> None:
        """`changed` is called, in the thread, when cases came in or a connection got better or worse."""
        self._workspace = workspace
        self._changed = changed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="connections", daemon=True)

    def start(self) -> None:
        """Begins, if there is anything to do."""
        if self._workspace.settings.sources:
            self._thread.start()

    def stop(self) -> None:
        """Ends after the pull at hand; does not wait for a source that hangs."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(1.0)

    def _run(self) -> None:
        try:
            store = open_store(self._workspace.database_url)
        except SecondlookError:
            # The desk itself has said why.
            return
        pulling = Pulling(self._workspace, store, self._workspace.settings.sources)
        failing: set[str] = set()
        try:
            while not self._stop.wait(pulling.pause()):
                for name, done, error in pulling.due():
                    turned = (name in failing) != bool(error)
                    failing = failing | {name} if error else failing - {name}
                    if done.admitted or turned:
                        self._changed()
                    if self._stop.is_set():
                        break
        except SecondlookError:
            # A database that cannot serve: the next act at the desk says so.
            pass
        finally:
            pulling.close()
            store.close()
