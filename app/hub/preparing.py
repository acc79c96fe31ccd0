"""Preparing predictions beside the process that answers: checking and protecting them is most of the work."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from app.intake import parallel
from app.intake.parallel import Batch, Prepared
from app.intake.prepare import Bad, Preparer, Ready, Recipe

# Fewer records are prepared faster here than sent there.
_WORTH_SENDING = 20
# So many batches wait for each process; beyond, they are prepared here.
_WAITING = 3


class Preparing:
    """Processes that prepare, as many as there are processors beside this one's.

    Safe to use from several threads.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = min((os.cpu_count() or 1) - 1, 3) if workers is None else workers
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._under_way = 0

    def prepare(self, recipe: Recipe, batch: Batch) -> Prepared:
        """What becomes of the items of a batch; waits for it."""
        found = self._there(recipe, batch) if len(batch.items) >= _WORTH_SENDING else None
        if found is None:
            preparer = Preparer(recipe)
            found = [preparer.prepare(raw, batch.now) for raw in batch.items]
        return list(zip(batch.items, found, strict=True))

    def _there(self, recipe: Recipe, batch: Batch) -> list[Ready | Bad] | None:
        """Prepared by another process; None where none is free, or it was ended from outside."""
        with self._lock:
            if self._under_way >= self._workers * _WAITING:
                return None
            self._under_way += 1
            pool = self._pool = self._pool or self._started()
        try:
            return pool.submit(_prepare, recipe, batch).result()
        except (BrokenProcessPool, RuntimeError):
            with self._lock:
                self._pool = None if self._pool is pool else self._pool
            return None
        finally:
            with self._lock:
                self._under_way -= 1

    def begin(self) -> None:
        """Starts the processes, so that the first large batch need not wait for them."""
        if self._workers:
            with self._lock:
                self._pool = self._pool or self._started()

    def _started(self) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(self._workers, multiprocessing.get_context("spawn"), parallel.begin)
        for _ in range(self._workers):
            pool.submit(_ready)
        return pool

    def close(self) -> None:
        """Ends the processes."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(cancel_futures=True)


# In another process: the preparer of each queue, as long as its recipe stays what it was.
_known: dict[str, tuple[Recipe, Preparer]] = {}


def _ready() -> None:
    """Nothing: a process that has done it has started, and imported what it needs."""


def _prepare(recipe: Recipe, batch: Batch) -> list[Ready | Bad]:
    known = _known.get(recipe.queue)
    if known is None or known[0] != recipe:
        known = _known[recipe.queue] = (recipe, Preparer(recipe))
    return [known[1].prepare(raw, batch.now) for raw in batch.items]
