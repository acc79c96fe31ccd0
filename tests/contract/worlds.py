"""Worlds to test a Desk in: a store with the sample cases, a clock that is set by hand, people with terminals.

A new kind of desk (another database, the hub) is one subclass of `World` and one name in `WORLDS`.
"""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psycopg
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.audit.verify import Verification, verify
from app.bundled import bundled
from app.desk import officers
from app.desk.local import LocalDesk
from app.desk.protocol import Desk
from app.desk.remote import RemoteDesk
from app.hub.hub import Hub
from app.intake.admission import Admission, Count
from app.intake.read import Raw
from app.model.case import CaseView, Claim, Decision, Receipt
from app.model.policy import QueuePolicy
from app.model.rights import Role
from app.model.rubric import Rubric
from app.officer_key import make
from app.secrets import Keys
from app.settings import load_rubric
from db.engine import Store, open_store, sqlite_url
from tests.contract import hubs, postgres

KEYS = Keys(b"p" * 32, b"c" * 32, b"q" * 32, b"s" * 32)
MINUTE = 60_000
# A day in May 2027; every world's clock starts here.
START = 1_809_000_000_000

_RULES: dict[str, Any] = {"lease_minutes": 15, "undo_minutes": 5, "max_claims": 3}
POLICIES: dict[str, QueuePolicy] = {
    "credit": QueuePolicy(rubric="adverse-credit-decision", title="Credit", **_RULES),
    "summaries": QueuePolicy(rubric="ungrounded-summary", title="Summaries", **_RULES),
    "moderation": QueuePolicy(rubric="content-moderation", title="Moderation", **_RULES),
    # The credit cases once more, judged first without the model's answer.
    "blind": QueuePolicy(rubric="adverse-credit-decision", title="Blind", provisional=True, **_RULES),
}
OPEN_QUEUES = ("credit", "summaries", "moderation")
RUBRICS: dict[str, Rubric] = {
    name: load_rubric(bundled("rubrics") / f"{policy.rubric}.toml") for name, policy in POLICIES.items()
}
Policies = dict[str, QueuePolicy]
Rubrics = dict[str, Rubric]
Roles = tuple[Role, ...] | None
CREDIT_LABELS = ("approve", "decline")


def samples(queue: str) -> list[dict[str, Any]]:
    """The sample records of a queue."""
    name = "credit" if queue == "blind" else queue
    return [orjson.loads(line) for line in (bundled("samples") / f"{name}.jsonl").read_bytes().splitlines()]


def admit(store: Store, queue: str, records: Iterable[Mapping[str, Any]], clock: Clock) -> Count:
    """Brings records in by the same door as everything else."""
    admission = Admission(store, KEYS, queue, POLICIES[queue], "importer", clock=clock)
    for _ in admission.run((Raw(n, orjson.dumps(record)) for n, record in enumerate(records, 1)), "samples"):
        pass
    return admission.count


class Clock:
    """Milliseconds since 1970 that move only when told."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def forward(self, minutes: float = 0, ms: int = 0) -> None:
        """Moves on; negative minutes move back."""
        self.now += round(minutes * MINUTE) + ms


@dataclass(frozen=True)
class Officer:
    """An officer with the private key."""

    person: str
    private: X25519PrivateKey
    key_id: str


class World:
    """A store with cases, people at their desks, and one clock. Subclasses say what stands behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self._desks: list[Desk] = []

    def desk(
        self,
        person: str,
        session: str = "first",
        queues: Iterable[str] = OPEN_QUEUES,
        rubrics: Mapping[str, Rubric] = RUBRICS,
        roles: tuple[Role, ...] | None = None,
        **rules: Any,
    ) -> Desk:
        """A person's terminal; `rules` change the policies of its queues. Without `roles` everything is allowed."""
        policies = {name: POLICIES[name].model_copy(update=rules) for name in queues}
        desk = self._open(person, session, policies, dict(rubrics), roles)
        self._desks.append(desk)
        return desk

    def _open(self, person: str, session: str, policies: Policies, rubrics: Rubrics, roles: Roles) -> Desk:
        raise NotImplementedError

    def admit(self, queue: str, records: Iterable[Mapping[str, Any]]) -> Count:
        """Brings records in."""
        raise NotImplementedError

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What is kept, asked beside the desk."""
        raise NotImplementedError

    def store(self) -> AbstractContextManager[Store]:
        """The store itself, for acts that no desk does."""
        raise NotImplementedError

    def officer(self, person: str, by: Officer | None = None) -> Officer:
        """Makes somebody an officer; every one but the first is let in by another."""
        private, public = make(person)
        with self.store() as store:
            if by is None:
                officers.begin(store, public, self.clock())
            else:
                officers.admit(store, officers.of_person(store, by.person), by.private, public, self.clock())
        return Officer(person, private, public.key_id)

    def verify(self) -> Verification:
        """The log's verification."""
        raise NotImplementedError

    def close(self) -> None:
        """Closes every desk that was opened."""
        for desk in self._desks:
            desk.close()


class StoreWorld(World):
    """LocalDesk on a database. Each desk has its own store, as each terminal does."""

    @property
    def url(self) -> str:
        """The database's URL."""
        raise NotImplementedError

    def run(self, *statements: str) -> None:
        """Changes the database beside the program, all or nothing."""
        raise NotImplementedError

    def refuse_rows(self, table: str) -> None:
        """From now on nothing new comes into a table: the database says 'broken'."""
        raise NotImplementedError

    def take_rows_again(self, table: str) -> None:
        """As before."""
        raise NotImplementedError

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store itself."""
        store = open_store(self.url)
        try:
            yield store
        finally:
            store.close()

    def _open(self, person: str, session: str, policies: Policies, rubrics: Rubrics, roles: Roles) -> Desk:
        return LocalDesk(open_store(self.url), person, policies, rubrics, session, self.clock, roles=roles)

    def admit(self, queue: str, records: Iterable[Mapping[str, Any]]) -> Count:
        """Brings records in."""
        with self.store() as store:
            return admit(store, queue, records, self.clock)

    def verify(self) -> Verification:
        """The log's verification."""
        with self.store() as store:
            return verify(store)

    def _fill(self, sizes: Mapping[str, int]) -> None:
        """The first so many samples of each queue."""
        for queue, size in sizes.items():
            count = self.admit(queue, samples(queue)[:size])
            assert count.as_dict() == {"admitted": size, "duplicates": 0, "quarantined": 0}


class SqliteWorld(StoreWorld):
    """On an SQLite file."""

    def __init__(self, folder: Path, template: str = "") -> None:
        super().__init__(folder)
        self.path = folder / "secondlook.db"
        if template:
            shutil.copyfile(template, self.path)

    @property
    def url(self) -> str:
        """The database's URL."""
        return sqlite_url(self.path)

    def raw(self) -> sqlite3.Connection:
        """A connection beside the program, as an intruder would open it."""
        return sqlite3.connect(self.path, isolation_level=None)

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What is kept, asked beside the desk."""
        with closing(self.raw()) as connection:
            return connection.execute(sql, values).fetchall()

    def run(self, *statements: str) -> None:
        """Changes the file beside the program, all or nothing."""
        with closing(self.raw()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for statement in statements:
                connection.execute(statement)
            connection.execute("COMMIT")

    def refuse_rows(self, table: str) -> None:
        """From now on nothing new comes into a table: the database says 'broken'."""
        self.run(f"CREATE TRIGGER broken BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'broken'); END")

    def take_rows_again(self, table: str) -> None:
        """As before."""
        self.run("DROP TRIGGER broken")

    @classmethod
    def template(cls, folder: Path, sizes: Mapping[str, int]) -> str:
        """A file with the first so many samples of each queue, to be copied for each test."""
        world = cls(folder)
        world._fill(sizes)
        return str(world.path)


class PostgresWorld(StoreWorld):
    """On a database of a PostgreSQL server, which is dropped at the end."""

    def __init__(self, folder: Path, template: str = "") -> None:
        super().__init__(folder)
        self.name = postgres.make_database(template)

    @property
    def url(self) -> str:
        """The database's URL."""
        return postgres.url_of(self.name)

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What is kept, asked beside the desk; `?` stands for a value."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(sql.replace("?", "%s").encode(), values).fetchall()

    def run(self, *statements: str) -> None:
        """Changes the database beside the program, all or nothing."""
        with psycopg.connect(self.url) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def refuse_rows(self, table: str) -> None:
        """From now on nothing new comes into a table: the database says 'broken'."""
        self.run(
            "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$",
            f"CREATE TRIGGER broken BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION broken()",
        )

    def take_rows_again(self, table: str) -> None:
        """As before."""
        self.run(f"DROP TRIGGER broken ON {table}", "DROP FUNCTION broken")

    def close(self) -> None:
        """Closes every desk, and drops the database."""
        super().close()
        postgres.drop_database(self.name)

    @classmethod
    def template(cls, folder: Path, sizes: Mapping[str, int]) -> str:
        """A database with the first so many samples of each queue, to be copied for each test."""
        world = cls(folder)
        world._fill(sizes)
        return world.name


class HubWorld(SqliteWorld):
    """RemoteDesk through a hub over an SQLite file."""

    def _open(self, person: str, session: str, policies: Policies, rubrics: Rubrics, roles: Roles) -> Desk:
        # Each desk's rules are its own in these tests, so each has its own hub.
        store = open_store(self.url)
        self._stores.append(store)
        hub = Hub(store, policies, rubrics, KEYS, clock=self.clock)
        self._addresses.append(hubs.serve(hub))
        token = hubs.sign_in(hub, person, *(roles or ("lead", "officer")))
        return RemoteDesk(self._addresses[-1], token, session)

    def __init__(self, folder: Path, template: str = "") -> None:
        super().__init__(folder, template)
        self._stores: list[Store] = []
        self._addresses: list[str] = []

    def close(self) -> None:
        """Closes every desk and what its hub has open."""
        super().close()
        for address in self._addresses:
            hubs.stop(address)
        for store in self._stores:
            store.close()


WORLDS: dict[str, type[SqliteWorld | PostgresWorld]] = {
    "sqlite": SqliteWorld,
    "postgres": PostgresWorld,
    "hub": HubWorld,
}


# -- what a person answers ---------------------------------------------------------------------------


def agreeing(view: CaseView) -> dict[str, Any]:
    """Answers that uphold the model."""
    label = view.prediction.output.label
    match view.rubric.id:
        case "adverse-credit-decision":
            return {"support": "supported", "label": label}
        case "content-moderation":
            return {"rule": "none", "label": label}
        case _:
            return {"worst_error": "none", "label": "faithful"}


def overturning(view: CaseView) -> dict[str, Any]:
    """Answers that overturn the model."""
    why = "The inputs say otherwise, plainly."
    other = next(label for label in view.prediction.task.labels if label != view.prediction.output.label)
    match view.rubric.id:
        case "adverse-credit-decision":
            return {
                "support": "partly",
                "harm": 3,
                "label": other,
                "reasons": ["proxy"],
                "rationale": why,
            }
        case "content-moderation":
            return {"rule": "none", "label": other, "rationale": why}
        case _:
            return {"worst_error": "detail", "harm": 2, "label": "hallucinated", "rationale": why}


def decision(
    claim: Claim, answers: Mapping[str, Any] | None = None, decision_id: str = "", seconds: float = 0.0
) -> Decision:
    """A decision on a claimed case; without answers, the model is upheld."""
    return Decision(
        decision_id or uuid.uuid4().hex,
        claim.lease.case_id,
        claim.lease.token,
        agreeing(claim.view) if answers is None else answers,
        seconds,
    )


def decide(desk: Desk, claim: Claim, answers: Mapping[str, Any] | None = None, seconds: float = 0.0) -> Receipt:
    """Decides a claimed case."""
    return desk.decide(decision(claim, answers, seconds=seconds))
