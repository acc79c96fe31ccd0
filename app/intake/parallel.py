"""Batches of raw items, and preparing them in other processes."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice

from app.intake.prepare import Bad, Preparer, Ready, Recipe
from app.intake.read import Raw
from app.model.errors import BadInput, Unavailable

# One transaction each.
BATCH = 1000
# Batches under way per worker: enough to keep it busy, few enough to stay small.
_AHEAD = 4
# Batches that are prepared before it is worth while to start processes.
_ALONE = 3


@dataclass(frozen=True, slots=True)
class Batch:
    """Items that are admitted together, at one moment (milliseconds)."""

    items: list[Raw]
    now: int


# Objects and generations before the next collection. Records are trees: looking for cycles among them a thousand times
# a second finds nothing.
_SELDOM = (100_000, 50, 100)


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Looks for cycles among objects seldom, and among those that are there already not at all."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


# Items with what became of them. Only the second half travels back from a worker.
Prepared = list[tuple[Raw, Ready | Bad]]


class Batches:
    """A source in batches. `broken` is why it ended early, if it did; what it gave before is in the batches."""

    def __init__(self, items: Iterable[Raw], clock: Callable[[], int]) -> None:
        self._items = iter(items)
        self._clock = clock
        self.broken: BadInput | None = None

    def __iter__(self) -> Iterator[Batch]:
        while self.broken is None and (items := self._next()):
            yield Batch(items, self._clock())

    def _next(self) -> list[Raw]:
        items: list[Raw] = []
        try:
            for raw in islice(self._items, BATCH):
                items.append(raw)  # noqa: PERF402  # what came before an error must stay in the batch
        except BadInput as error:
            self.broken = error
        return items


def usual_workers() -> int:
    """Processes that prepare a long import: one a processor, few enough to leave the machine usable."""
    processors = os.cpu_count() or 1
    return min(processors, 4) if processors > 1 else 0


def in_processes(recipe: Recipe, batches: Iterable[Batch], workers: int) -> Iterator[Prepared]:
    """Prepared batches in their order, made by `workers` processes and this one.

    The first few are made here: a short import needs no processes. While the workers start, and
    whenever there is nothing to write, this process takes over what none of them has begun.
    """
    here = Preparer(recipe)
    source = iter(batches)
    for batch in islice(source, _ALONE):
        yield _prepare_here(here, batch)
    following = next(source, None)
    if following is None:
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start, (recipe,)) as pool:
        under_way: deque[_Task] = deque()
        try:
            for batch in chain([following], source):
                under_way.append(_Task(batch, pool.submit(_prepare, batch)))
                if len(under_way) > workers * _AHEAD:
                    yield _finish_first(under_way, here)
            while under_way:
                yield _finish_first(under_way, here)
        except BrokenProcessPool:
            raise Unavailable(
                "A process that prepares records was ended from outside. What was admitted so far is kept; "
                "run the import again, it goes on where it stopped."
            ) from None
        finally:
            for task in under_way:
                task.future.cancel()


@dataclass(slots=True)
class _Task:
    """A batch given to a worker; `prepared` where this process made it after all."""

    batch: Batch
    future: Future[list[Ready | Bad]]
    prepared: Prepared | None = None


def _finish_first(under_way: deque[_Task], here: Preparer) -> Prepared:
    first = under_way[0]
    while first.prepared is None and not first.future.done():
        waiting = next((task for task in under_way if task.prepared is None and task.future.cancel()), None)
        if waiting is None:
            break
        waiting.prepared = _prepare_here(here, waiting.batch)
    under_way.popleft()
    return first.prepared or list(zip(first.batch.items, first.future.result(), strict=True))


def _prepare_here(here: Preparer, batch: Batch) -> Prepared:
    return [(raw, here.prepare(raw, batch.now)) for raw in batch.items]


_preparer: Preparer


def begin() -> None:
    """Begins a worker: ctrl+c is the main process's to handle, and without it there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    gc.set_threshold(*_SELDOM)


def _start(recipe: Recipe) -> None:
    global _preparer
    begin()
    _preparer = Preparer(recipe)


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _prepare(batch: Batch) -> list[Ready | Bad]:
    return [_preparer.prepare(raw, batch.now) for raw in batch.items]
