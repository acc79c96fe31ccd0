"""A terminal of its own process, to be killed or to be one of many.

    python -m tests.crash.worker decide DATABASE PERSON     claims and decides until nothing is left
    python -m tests.crash.worker import DATABASE FILE       admits a file in small batches
    python -m tests.crash.worker open DATABASE              opens the database, making it where there is none

Each line it prints was flushed before the next act began.
"""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

from app.desk.local import LocalDesk
from app.intake import parallel
from app.intake.admission import Admission
from app.intake.read import open_stream
from app.model.case import Decision
from app.model.errors import NothingToDo
from db.engine import Store, open_store, sqlite_url
from tests.contract.worlds import KEYS, POLICIES, RUBRICS, agreeing

QUEUE = "moderation"
# Small batches have many moments between them.
BATCH = 40


def say(*words: object) -> None:
    """Prints at once: what a reader sees has happened."""
    print(*words, flush=True)


def decide_everything(store: Store, person: str) -> None:
    """`try ID CASE` before each decision, `done ID CASE` after it was acknowledged."""
    desk = LocalDesk(store, person, {QUEUE: POLICIES[QUEUE]}, RUBRICS)
    while True:
        try:
            claim = desk.claim(QUEUE)
        except NothingToDo:
            return
        decision_id = uuid.uuid4().hex
        say("try", decision_id, claim.lease.case_id)
        desk.decide(Decision(decision_id, claim.lease.case_id, claim.lease.token, agreeing(claim.view)))
        say("done", decision_id, claim.lease.case_id)


def import_file(store: Store, file: str) -> None:
    """`done COUNT` after each batch that was acknowledged."""
    parallel.BATCH = BATCH
    work = Admission(store, KEYS, QUEUE, POLICIES[QUEUE], "importer")
    for count in work.run(open_stream(file).items, "file"):
        say("done", count.admitted)


def main(act: str, database: str, *rest: str) -> None:
    """Opens the store and does what was asked."""
    store = open_store(sqlite_url(Path(database)))
    say("ready")
    try:
        match act:
            case "decide":
                decide_everything(store, *rest)
            case "import":
                import_file(store, *rest)
            case _:
                assert act == "open", act
    finally:
        store.close()
    say("end")


if __name__ == "__main__":
    main(*sys.argv[1:])
