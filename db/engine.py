"""Opening a database: connections, transactions, the schema, and errors that people can read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from app.model.errors import SecondlookError, SettingsError, Unavailable
from db.migrations import HEAD, REVISIONS
from db.sqlite import BUSY_SECONDS, read_only_file, sqlite_engine, sqlite_url, truncate_log
from db.turns import Turns

__all__ = ["Connection", "Store", "open_store", "readable_errors", "sqlite_url"]


class Store:
    """An open database. `read` and `write` give connections; every `write` is one transaction."""

    def __init__(
        self, engine: Engine, writers: int = 1, is_dropped: Callable[[Connection], bool] = lambda _: False
    ) -> None:
        """`writers`: how many threads of this process may be in a `write` at a time; the others take their turn here,
        for waiting for the database's lock they would all hold connections. `is_dropped`: whether the server has closed
        a connection that rested."""
        self.engine = engine
        self._is_dropped = is_dropped
        self._writer = engine.execution_options(secondlook_write="act")
        self._turns = Turns(writers)
        # The connections of those who wrote. They stay: to fetch one and give it back is a tenth of an act's time.
        self._rested: list[Connection] = []
        self._closed = False

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state."""
        with readable_errors(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: all of it is kept, or nothing."""
        with self._turns.take(), readable_errors():
            connection = self._connection()
            try:
                with connection.begin():
                    yield connection
            except BaseException:
                # Back to the pool, which looks after one that is broken.
                connection.close()
                raise
            if self._closed:
                connection.close()
            else:
                self._rested.append(connection)

    def _connection(self) -> Connection:
        try:
            rested = self._rested.pop()
        except IndexError:
            return self._writer.connect()
        if not self._is_dropped(rested):
            return rested
        rested.close()
        return self._writer.connect()

    def truncate_log(self) -> bool:
        """Empties SQLite's write-ahead log, where old pages lie; False where others keep reading it."""
        if self.engine.dialect.name != "sqlite":
            return True
        with readable_errors():
            return truncate_log(self.engine)

    def close(self) -> None:
        """Gives all connections back."""
        self._closed = True
        with suppress(IndexError):
            while True:
                self._rested.pop().close()
        self.engine.dispose()


def open_store(url: str) -> Store:
    """Opens the database at an SQLAlchemy URL and brings its schema up to date.

    A SQLite file that may not be written, such as an auditor's copy, is opened to be read. Raises Unavailable where
    it cannot be opened or comes from a newer version.
    """
    _check_url(url)
    copy = read_only_file(url)
    if copy is not None:
        return _read_only_store(copy)
    store = _store(url)
    try:
        with readable_errors():
            _bring_up_to_date(store)
    except SecondlookError:
        store.close()
        raise
    return store


def _check_url(url: str) -> None:
    try:
        known = sa.make_url(url).get_backend_name() in ("sqlite", "postgresql")
    except (sa.exc.ArgumentError, ValueError):
        known = False
    if not known:
        raise SettingsError("This is no URL of a database: expected postgresql://USER@HOST/DATABASE.")


def _store(url: str) -> Store:
    if sa.make_url(url).get_backend_name() == "postgresql":
        from db.postgres import WRITING, is_dropped, postgres_engine

        return Store(postgres_engine(url), WRITING, is_dropped)
    return Store(sqlite_engine(url))


def _read_only_store(path: Path) -> Store:
    """A store that only reads. The file must be whole in itself: nobody can take the write-ahead log in."""
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise Unavailable(
            f"{path} may not be written, and its newest changes are in {log.name} beside it. Nothing was changed. Copy "
            "both to a place that can be written, or have the copy made with `secondlook backup`."
        )
    engine = sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True))
    store = Store(engine)
    try:
        with readable_errors(), engine.connect() as connection:
            found = _revision(connection)
    except SecondlookError:
        store.close()
        raise
    if found != HEAD:
        store.close()
        raise Unavailable(
            f"{path} may not be written and was made by another version of secondlook (schema {found}, here {HEAD}). "
            "Nothing was changed. Copy it to a place that can be written."
        )
    return store


def _bring_up_to_date(store: Store) -> None:
    with store.engine.connect() as connection:
        found = _revision(connection)
    if found == HEAD:
        return
    if found is not None and found not in REVISIONS:
        raise Unavailable(
            f"This database was made by a newer version of secondlook (schema {found}; this version knows "
            f"up to {HEAD}). Nothing was changed. Install the newer version to open it."
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    with store.engine.execution_options(secondlook_write="schema").begin() as connection:
        if _revision(connection) != HEAD:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turns a database's error into one that says what happened, what was kept, what to do."""
    try:
        yield
    except DBAPIError as error:
        broken_rule = isinstance(error, sa.exc.IntegrityError) and not _is_trigger(error)
        if broken_rule or (isinstance(error, sa.exc.ProgrammingError) and not _is_theirs(error)):
            raise
        raise Unavailable(_explain(str(error.orig))) from error
    except sqlite3.Error as error:
        # From a transaction's beginning, which goes straight to the driver.
        raise Unavailable(_explain(str(error))) from error
    except Exception as error:
        # The same with PostgreSQL's driver, which is not imported where it is not used.
        if type(error).__module__.partition(".")[0] != "psycopg":
            raise
        raise Unavailable(_explain(str(error))) from error


def _is_theirs(error: DBAPIError) -> bool:
    """Whether PostgreSQL refused what is no mistake of ours: a right, a table that is gone, a word of a trigger."""
    return getattr(error.orig, "sqlstate", "") in ("42501", "42P01", "42703", "P0001")


def _is_trigger(error: DBAPIError) -> bool:
    """Whether a trigger refused: SQLite reports that as a broken constraint."""
    return getattr(error.orig, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_TRIGGER"


def _explain(said: str) -> str:
    kept = "What was saved before is kept; the last act was not carried out."
    message = said.splitlines()[0] if said else "no reason given"
    if "readonly" in message:
        return f"The database is read-only. {kept} Make its file and folder writable, or choose another --workspace."
    if "full" in message:
        return f"The disk is full. {kept} Free some space and do it again."
    if "locked" in message or "busy" in message or "lock timeout" in message:
        return (
            f"Another program has kept the database busy for {BUSY_SECONDS:.0f} seconds. {kept} Close it or try again."
        )
    if "unable to open" in message:
        return "The database cannot be opened: the folder is missing or may not be read. Nothing was changed."
    if "not a database" in message or "malformed" in message:
        return (
            "The database file is damaged or is no SQLite database. Nothing was changed. "
            "Restore a backup, or start a new workspace with `secondlook init`."
        )
    if "connection" in message and any(word in message for word in ("closed", "terminating", "lost")):
        return (
            f"The connection to the database was lost ({message}). What was saved before is kept; whether the last act "
            "was carried out is not known: look before you do it again. The next act connects anew."
        )
    if "connection" in message and ("refused" in message or "failed" in message):
        return f"The database does not answer ({message}). {kept} It is asked again with the next act."
    if "permission denied" in message:
        return f"The database does not allow this ({message}). {kept} docs/team.md lists the rights that are needed."
    if "no such table" in message or "no such column" in message or "does not exist" in message:
        return (
            f"A part of the database is missing ({message}): another program changed the file. Nothing was changed "
            "now. Restore a backup; docs/protection.md says how."
        )
    if "was moved" in message:
        return f"This database was moved to another one: set SECONDLOOK_DATABASE_URL. {kept}"
    if "append-only" in message:
        return f"The audit log can only be added to. {kept}"
    return f"The database cannot serve now ({message}). {kept}"
