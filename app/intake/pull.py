"""Pulling: from a source into its queue. What was pulled is kept first and acknowledged then, so that stopping anywhere
loses and doubles nothing: what was kept and not acknowledged comes again, and is found to be held."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from app.intake.admission import Admission
from app.intake.read import Raw
from app.model.connection import Batch, Item, Source
from app.model.errors import RecordError, SecondlookError, SettingsError, Unavailable
from app.model.policy import QueuePolicy
from app.secrets import Keys
from db import connections
from db.engine import Store

# So many rows are tried before any is taken.
_TRIED = 5


@dataclass(slots=True)
class Pulled:
    """What a pull brought. `items` counts all of them, `lag` what waits at the source if it says so."""

    items: int = 0
    admitted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    lag: int | None = None

    def add(self, more: Pulled) -> None:
        """Adds what another pull brought; its `lag` counts."""
        self.items += more.items
        self.admitted += more.admitted
        self.duplicates += more.duplicates
        self.quarantined += more.quarantined
        self.lag = more.lag

    def as_dict(self) -> dict[str, int | None]:
        """All of it by name."""
        return asdict(self)


@contextmanager
def _defects_said(name: str) -> Iterator[None]:
    """Sources come from other packages too: a defect in one ends its pull and nothing else."""
    try:
        yield
    except SecondlookError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever it is, the others go on
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise Unavailable(
            f"There is a defect in the source '{name}': {type(error).__name__} at {Path(place.filename).name}:"
            f"{place.lineno}. What was kept stays; it is tried again later."
        ) from None


class Puller:
    """Pulls from one source into one queue."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        name: str,
        queue: str,
        policy: QueuePolicy,
        source: Source,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """`name` is the source's in the settings: cases remember it."""
        self._store = store
        self._name = name
        self._source = source
        self._clock = clock
        self._admission = Admission(store, keys, queue, policy, f"source:{name}", clock=clock)

    def pull(self, limit: int = 1000) -> Pulled:
        """One batch: pulled, kept, acknowledged. Errors are noted as the source's health, and raised."""
        try:
            with self._store.read() as connection:
                before = connections.one(connection, self._name, "in")
            with _defects_said(self._name):
                batch = self._source.pull(limit, before.cursor if before else "")
            self._check_columns(batch)
            done = self._keep(batch)
            with _defects_said(self._name):
                self._source.acknowledge(batch)
        except SecondlookError as error:
            with self._store.write() as connection:
                connections.note(connection, self._name, "in", self._clock(), "failing", str(error))
            raise
        with self._store.write() as connection:
            connections.note(
                connection, self._name, "in", self._clock(), items=done.items, cursor=batch.cursor, lag=batch.lag
            )
        return done

    def close(self) -> None:
        """Closes the source."""
        self._source.close()

    def _check_columns(self, batch: Batch) -> None:
        """Raises SettingsError where no row can become a record as the columns are mapped: that is not the rows' fault,
        and they stay where they are."""
        first = [self._raw(number, item) for number, item in enumerate(batch.items[:_TRIED], 1) if item.row is not None]
        errors = [self._admission.try_out(raw) for raw in first]
        if errors and all(error is not None and error.code in ("csv", "mapping") for error in errors):
            raise SettingsError(
                f"No row can be used as the queue's csv.columns say: {errors[0]}. Nothing was taken; mend the columns."
            )

    def _keep(self, batch: Batch) -> Pulled:
        count = self._admission.count
        before = count.as_dict()
        items = (self._raw(number, item) for number, item in enumerate(batch.items, 1))
        for _ in self._admission.run(items, self._name):
            pass
        return Pulled(
            items=len(batch.items),
            lag=batch.lag,
            **{name: now - before[name] for name, now in count.as_dict().items()},
        )

    def _raw(self, number: int, item: Item) -> Raw:
        problem = item.problem or None
        if isinstance(problem, str):
            problem = RecordError("mapping", "", problem)
        row = dict(item.row) if item.row is not None else None
        return Raw(number, item.data, row, problem, dict(item.reference) if item.reference else None)
