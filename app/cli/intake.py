"""`import` and `quarantine`: predictions in, and what was not admitted."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from app.cli.opening import opened_store, person_of, workspace_of
from app.cli.output import emit, iso, narrate, say, table

if TYPE_CHECKING:
    from app.intake.admission import Count


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    take = commands.add_parser("import", parents=[common], help="admit predictions from files")
    take.add_argument("files", nargs="+", metavar="FILE", help="JSONL, CSV or Parquet; - for standard input")
    take.add_argument("--queue", required=True, metavar="Q")
    take.add_argument("--format", choices=("jsonl", "csv", "parquet"), help="where the name does not tell")
    take.add_argument("--map", action="append", default=[], metavar="COLUMN=FIELD", help="what a column means")
    take.add_argument("--json", action="store_true")
    take.set_defaults(run=_import)
    held = commands.add_parser("quarantine", help="records that were not admitted")
    acts = held.add_subparsers(metavar="ACT", required=True)
    listed = acts.add_parser("list", parents=[common], help="what is held, and why")
    listed.add_argument("--queue", metavar="Q")
    listed.add_argument("--all", action="store_true", help="also what was retried")
    listed.add_argument("--json", action="store_true")
    listed.set_defaults(run=_list)
    show = acts.add_parser("show", parents=[common], help="one record, protected")
    show.add_argument("id", type=_number)
    show.add_argument("--json", action="store_true")
    show.set_defaults(run=_show)
    retry = acts.add_parser("retry", parents=[common], help="admit a record after all")
    retry.add_argument("id", type=_number)
    retry.add_argument("--map", action="append", default=[], metavar="COLUMN=FIELD", help="otherwise than on import")
    retry.add_argument("--as-revision", action="store_true", help="beside the one held with other content")
    retry.add_argument("--json", action="store_true")
    retry.set_defaults(run=_retry)


def _number(text: str) -> int:
    """A quarantined record's number; anything that the database cannot hold is none."""
    number = int(text)
    if not 0 < number < 2**63:
        raise ValueError(text)
    return number


def _import(arguments: argparse.Namespace) -> int:
    import time

    from app.cli.protect import after_import
    from app.intake.admission import Admission
    from app.intake.mapping import check_mapping
    from app.intake.parallel import seldom_collected, usual_workers
    from app.intake.prepare import Recipe
    from app.intake.proxies import Sampler
    from app.intake.read import open_stream
    from app.model.errors import BadInput, NothingToDo

    workspace = workspace_of(arguments)
    policy = workspace.policy(arguments.queue)
    columns = columns_of(arguments.map)
    mapped = {**policy.csv.columns, **columns}
    check_mapping(mapped)
    keys = workspace.keys()
    codes: list[int] = []
    sampler = Sampler()
    with opened_store(workspace) as store, seldom_collected():
        admission = Admission(store, keys, arguments.queue, policy, person_of(arguments, workspace), columns)
        total = admission.count
        for name in arguments.files:
            try:
                stream = open_stream(name, arguments.format)
                with _progress(stream.name, stream.size) as advance:
                    for _ in admission.run(sampler.passing(stream.items), stream.name, usual_workers()):
                        advance(stream.position())
            except (BadInput, NothingToDo) as error:
                # One unusable file among several does not keep the others out.
                narrate(f"secondlook: {error}")
                codes.append(error.exit_code)
        _sum_up(arguments, total)
        after_import(store, sampler, Recipe(arguments.queue, policy, keys, mapped), time.time_ns() // 1_000_000)
    # Bad input before "nothing to do" before "something was quarantined".
    return min(codes) if codes else 1 if total.quarantined else 0


def _sum_up(arguments: argparse.Namespace, total: Count) -> None:
    if arguments.json:
        emit(total.as_dict())
    else:
        say(f"admitted {total.admitted}, duplicates {total.duplicates}, quarantined {total.quarantined}")
    if total.quarantined:
        reasons = ", ".join(f"{n} {code}" for code, n in sorted(total.reasons.items()))
        narrate(f"Quarantined: {reasons}. `secondlook quarantine list` says why; nothing was thrown away.")
    if total.told_by_id:
        narrate(
            f"{_records(total.told_by_id)} an id with a withheld value, or the subject, in it, or a word of either. "
            "Ids are shown as they are. "
            f'To have tokens instead: `pseudonymise = ["id"]` under [queues.{arguments.queue}] in secondlook.toml; '
            "erase these first, and import them again."
        )
    if total.told_by_file:
        narrate(
            f"{_records(total.told_by_file)} a withheld value, or the subject, in the name of the file. Names of files "
            "are kept with what is quarantined. Rename the file."
        )


def _records(count: int) -> str:
    return "1 record has" if count == 1 else f"{count} records have"


def columns_of(pairs: list[str]) -> dict[str, str]:
    """What `--map` says. Raises BadInput for a pair that is none."""
    from app.model.errors import BadInput

    columns = {}
    for pair in pairs:
        column, separator, field = pair.rpartition("=")
        if not separator or not column:
            raise BadInput(f"--map {pair}: expected COLUMN=FIELD.")
        columns[column] = field
    return columns


def _progress(name: str, size: int | None) -> AbstractContextManager[Callable[[int], None]]:
    """A progress bar on standard error if that is a terminal."""
    if not sys.stderr.isatty():
        return nullcontext(lambda _position: None)
    from app.cli.progress import progress

    return progress(name, size)


def _list(arguments: argparse.Namespace) -> int:
    from db import quarantine

    with opened_store(workspace_of(arguments)) as store, store.read() as connection:
        rows = quarantine.held(connection, arguments.queue, arguments.all)
    if arguments.json:
        emit([{**row._asdict(), "at": iso(row.at)} for row in rows])
        return 0
    if not rows:
        narrate("Nothing is quarantined.")
        return 0
    table(
        ("id", "queue", "source", "line", "prediction", "reason", "what was expected", "state"),
        ((r.quarantine_id, r.queue, r.source, r.line, r.external_id, r.code, _expected(r), r.state) for r in rows),
    )
    return 0


def _expected(row: Any) -> str:
    return f"{row.field}: {row.expected}" if row.field else str(row.expected)


def _show(arguments: argparse.Namespace) -> int:
    with opened_store(workspace_of(arguments)) as store:
        admission, held, sealed = _held(arguments, store)
        record = admission.protected_view(held, sealed) if held.state == "held" else None
    view = {**held._asdict(), "at": iso(held.at), "record": record}
    if arguments.json:
        emit(view)
        return 0
    for name, value in view.items():
        if name != "record" and value not in (None, ""):
            say(f"{name:14} {value}")
    if record is None:
        narrate("Its content cannot be shown protected; the original bytes are kept sealed.")
    else:
        import json

        say(json.dumps(record, indent=2, ensure_ascii=False))
    return 0


def _retry(arguments: argparse.Namespace) -> int:
    with opened_store(workspace_of(arguments)) as store:
        admission, held, sealed = _held(arguments, store)
        if held.state != "held":
            from app.model.errors import Refused

            raise Refused(f"Record {held.quarantine_id} was {held.state} already.")
        case_id = admission.retry(held, sealed, arguments.as_revision)
    if arguments.json:
        emit({"case_id": case_id, "quarantine_id": held.quarantine_id})
    else:
        say(f"admitted {held.external_id or f'record {held.quarantine_id}'} to {held.queue}")
    return 0


def _held(arguments: argparse.Namespace, store: Any) -> tuple[Any, Any, bytes]:
    from app.intake.admission import Admission
    from app.intake.mapping import check_mapping
    from app.model.errors import BadInput
    from db import quarantine

    workspace = workspace_of(arguments)
    with store.read() as connection:
        found = quarantine.one(connection, arguments.id)
    if found is None:
        raise BadInput(f"There is no quarantined record {arguments.id}. `secondlook quarantine list` lists them.")
    held, sealed = found
    keys = workspace.keys()
    actor = person_of(arguments, workspace)
    columns = columns_of(getattr(arguments, "map", []))
    check_mapping(columns)
    return Admission(store, keys, held.queue, workspace.policy(held.queue), actor, columns), held, sealed
