"""`people`: who reviews here, with which tags and caps, and how they agree."""

from __future__ import annotations

import argparse
from typing import Any

from app.cli.opening import line_desk, opened_store, person_of, workspace_of
from app.cli.output import emit, iso, narrate, table


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    group = commands.add_parser("people", parents=[common], help="who reviews here, with which tags and caps")
    acts = group.add_subparsers(metavar="ACT", required=True)
    listed = acts.add_parser("list", parents=[common], help="everybody, what they hold, what they decided within 24 h")
    listed.set_defaults(run=_list)
    change = acts.add_parser("set", parents=[common], help="a person's tags and caps, in place of those there were")
    change.add_argument("name", metavar="PERSON")
    change.add_argument("--tag", action="append", default=[], metavar="TAG", help="such as credit, domain:card")
    change.add_argument("--daily", type=_count, metavar="N", help="decisions within 24 hours, at most")
    change.add_argument("--holding", type=_count, metavar="N", help="cases at a time, at most")
    change.set_defaults(run=_set)
    gone = acts.add_parser("forget", parents=[common], help="forget a person's tags and caps")
    gone.add_argument("name", metavar="PERSON")
    gone.set_defaults(run=_forget)
    quality = acts.add_parser("quality", parents=[common], help="agreement with trusted outcomes, oneself, others")
    quality.set_defaults(run=_quality)
    for command in (listed, change, gone, quality):
        command.add_argument("--json", action="store_true")


def _count(text: str) -> int:
    count = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= count <= 100_000:
        raise argparse.ArgumentTypeError("a whole number from 1 to 100,000")
    return count


def _list(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        found = desk.people()
    if arguments.json:
        emit(
            [
                {
                    "person": one.person,
                    "tags": list(one.tags),
                    "daily": one.daily,
                    "holding": one.holding,
                    "decided": one.decided,
                    "held": [{"id": name, "until": iso(until)} for _, name, until in one.held],
                }
                for one in found
            ]
        )
    elif found:
        header = ("person", "decided 24 h", "daily cap", "holds", "cap", "tags")
        table(
            header,
            [
                (p.person, str(p.decided), _cap(p.daily), str(len(p.held)), _cap(p.holding), " ".join(p.tags))
                for p in found
            ],
        )
    else:
        narrate("Nobody has reviewed here yet, and nobody has tags or caps.")
    return 0


def _cap(cap: int | None) -> str:
    return "" if cap is None else str(cap)


def _set(arguments: argparse.Namespace) -> int:
    from app.audit import log
    from app.desk.base import wall_clock
    from app.model.errors import BadInput
    from db import people

    tags = tuple(dict.fromkeys(arguments.tag))
    if any(not tag or tag.split() != [tag] or len(tag) > 100 for tag in tags):
        raise BadInput("A tag is one word of at most 100 characters, such as credit or language:de.")
    workspace = workspace_of(arguments)
    person = people.Person(arguments.name, tags, arguments.daily, arguments.holding)
    with opened_store(workspace) as store, store.write() as connection:
        people.keep(connection, person)
        data: dict[str, int | str] = {"person": person.person, "tags": " ".join(tags)}
        data |= {"daily": person.daily or 0, "holding": person.holding or 0}
        log.append(connection, wall_clock(), person_of(arguments, workspace), "person_set", None, data)
    if arguments.json:
        emit({"person": person.person, "tags": list(tags), "daily": person.daily, "holding": person.holding})
    else:
        narrate(f"{person.person}: {' '.join(tags) or 'no tags'}; it counts within five seconds.")
    return 0


def _forget(arguments: argparse.Namespace) -> int:
    from app.audit import log
    from app.desk.base import wall_clock
    from app.model.errors import BadInput
    from db import people

    workspace = workspace_of(arguments)
    with opened_store(workspace) as store, store.write() as connection:
        if not people.forget(connection, arguments.name):
            raise BadInput(f"'{arguments.name}' has neither tags nor caps. Nothing was changed.")
        data = {"person": arguments.name}
        log.append(connection, wall_clock(), person_of(arguments, workspace), "person_forgotten", None, data)
    if arguments.json:
        emit({"person": arguments.name, "forgotten": True})
    else:
        narrate(f"{arguments.name} has no tags and no caps any more. Tokens stay: `secondlook token list`.")
    return 0


def _quality(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        found = desk.quality()
    if arguments.json:
        from dataclasses import asdict

        emit([asdict(one) for one in found])
        return 0
    rows = [
        (
            one.person,
            _share(one.gold, one.gold_same, one.gold_interval),
            _share(one.again, one.again_same, one.again_interval),
            _share(one.peers, one.peers_same, one.peers_interval),
        )
        for one in found
    ]
    table(("person", "as trusted outcomes", "as oneself before", "as others"), rows)
    narrate("Same verdict and label, with the 95 % Wilson interval. Raw agreement: chance alone agrees, too.")
    return 0


def _share(n: int, same: int, interval: tuple[float, float]) -> str:
    return f"{same / n:.0%} of {n} ({interval[0]:.0%}–{interval[1]:.0%})" if n else "nothing to compare"
