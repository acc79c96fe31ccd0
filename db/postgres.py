"""PostgreSQL: how it is connected to, and how writers take turns."""

from __future__ import annotations

import logging
import select
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import ConnectionPoolEntry

from app.model.errors import SettingsError
from db import later

# The key of the lock that writers hold until they have committed: "2ndlook" in ASCII.
WRITERS = 0x326E646C6F6F6B
_CONNECT_SECONDS = 10
# Each act asks the same few questions by an index. Planning them costs more than answering them, so a plan is kept; and
# one that was made while a table was empty must not read all of it once it is full.
_PLANNING = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
# How long a writer waits for its turn before it says that the database is busy.
_BUSY_MS = 15_000
_CONNECTIONS = 10
# So many threads of a process write at a time: one begins while what the other did reaches the server's disk.
WRITING = 2


_LOCK = f"SELECT pg_advisory_xact_lock({WRITERS})"
_HEAD = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1"
_BEGIN_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


def postgres_engine(url: str) -> Engine:
    """An engine for a `postgresql://` URL. Raises SettingsError where the driver is not installed."""
    place = sa.make_url(url).set(drivername="postgresql+psycopg")
    options = f"-c lock_timeout={_BUSY_MS} -c idle_in_transaction_session_timeout=600000 {_PLANNING}"
    try:
        engine = sa.create_engine(
            place,
            pool_size=_CONNECTIONS,
            connect_args={
                "connect_timeout": _CONNECT_SECONDS,
                "application_name": "secondlook",
                "options": options,
            },
        )
    except ModuleNotFoundError:
        raise SettingsError("PostgreSQL needs a driver: pip install 'secondlook[postgres]'.") from None
    # It tells of each statement that failed in a pipeline, with the database's name, on a screen that is being drawn;
    # the error is raised as well.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    sa.event.listen(engine, "checkout", _check_rested)
    later.listen(engine)
    return engine


def _prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
    # PostgreSQL cannot keep NUL in a text: it becomes the replacement character.
    from psycopg.types.string import StrDumper

    class WithoutNul(StrDumper):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj)

    connection.adapters.register_dumper(str, WithoutNul)
    # `_begin` opens transactions; the driver must not open its own.
    connection.autocommit = True


def is_dropped(connection: Connection) -> bool:
    """Whether the server has closed a connection that rested, or is about to."""
    return connection.invalidated or _is_dropped(connection.connection.dbapi_connection)


def _check_rested(connection: Any, _entry: ConnectionPoolEntry, _proxy: Any) -> None:
    """The pool makes a new connection in the place of one that was dropped."""
    if _is_dropped(connection):
        raise sa.exc.DisconnectionError


def _is_dropped(connection: Any) -> bool:
    """A server that has dropped a connection has said so on it, or closed it. Looking costs no journey, as asking
    would."""
    return bool(connection.closed) or _has_said_something(connection.fileno())


def _has_said_something(socket: int) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


def _begin(connection: Connection) -> None:
    """Begins a transaction; that travels with its first statement.

    Readers see one state. Writers come one after the other: the log is a chain, and each act is checked against what
    the last one left. The lock ends with the transaction.
    """
    later.begin(connection)
    writes = connection.get_execution_options().get("secondlook_write")
    if not writes:
        later.put(connection, _BEGIN_READING)
        return
    later.put(connection, "BEGIN")
    later.put(connection, _LOCK)
    if writes != "act":
        return

    def taken(cursor: Any) -> None:
        connection.info[later.LOG_HEAD] = cursor.fetchone() or ()

    # An act adds to the log: where it ends comes along. Each statement sees what was there when it began, so this one
    # sees what the writer before has left.
    later.put(connection, _HEAD, taken=taken)
