"""Work that several people share: escalate, recuse, peers; for leads take-over, assign, pause, resume, gold."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from app.cli.opening import command_on_case, line_desk
from app.cli.output import emit, narrate, say

if TYPE_CHECKING:
    from app.model.case import PeerReview


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    for name, about, run in (
        ("escalate", "give a case that you hold to an adjudicator", _escalate),
        ("recuse", "declare a conflict of interest in a case that you hold", _recuse),
        ("take-over", "a lead takes a case that somebody holds", _take_over),
    ):
        command_on_case(commands, common, name, about, run).add_argument("--reason", required=True, metavar="WHY")
    command_on_case(commands, common, "peers", "what several people said of a case", _peers)
    assign = command_on_case(commands, common, "assign", "a lead keeps a case for somebody", _assign)
    to = assign.add_mutually_exclusive_group(required=True)
    to.add_argument("--to", metavar="PERSON")
    to.add_argument("--anybody", action="store_true")
    assign.add_argument("--reason", required=True, metavar="WHY")
    command_on_case(commands, common, "unpark", "a lead puts a parked or deferred case back", _unpark)
    gold = command_on_case(
        commands, common, "gold", "trust a settled case's outcome, to measure reviewers by it", _gold
    )
    gold.add_argument("--no", action="store_true", help="trust it no more")
    pause = commands.add_parser("pause", parents=[common], help="a lead stops a queue from giving out cases")
    pause.add_argument("--reason", required=True, metavar="WHY")
    resume = commands.add_parser("resume", parents=[common], help="a lead lets a paused queue go on")
    for command, run in ((pause, _pause), (resume, _resume)):
        command.add_argument("queue", metavar="QUEUE")
        command.add_argument("--json", action="store_true")
        command.set_defaults(run=run)


def _escalate(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        desk.escalate(desk.held_lease(desk.find(arguments.id, arguments.queue)), arguments.reason)
    return _done(arguments, "escalated")


def _recuse(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        desk.recuse(desk.held_lease(desk.find(arguments.id, arguments.queue)), arguments.reason)
    return _done(arguments, "recused")


def _take_over(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        desk.take_over(desk.find(arguments.id, arguments.queue), arguments.reason)
    return _done(arguments, "taken_over")


def _assign(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        desk.assign(desk.find(arguments.id, arguments.queue), arguments.to, arguments.reason)
    return _done(arguments, "assigned")


def _unpark(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        desk.unpark(desk.find(arguments.id, arguments.queue))
    return _done(arguments, "unparked")


def _gold(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        desk.trust(desk.find(arguments.id, arguments.queue), not arguments.no)
    return _done(arguments, "untrusted" if arguments.no else "trusted")


def _pause(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        desk.pause(arguments.queue, arguments.reason)
    return _said(arguments, arguments.queue, "paused")


def _resume(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        desk.resume(arguments.queue)
    return _said(arguments, arguments.queue, "resumed")


def _peers(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        found = desk.peers(desk.find(arguments.id, arguments.queue))
    if arguments.json:
        from dataclasses import asdict

        emit({"id": arguments.id, **asdict(found)})
        return 0
    for reason in found.escalated:
        say(f"escalated: {reason}")
    for one in found.reviews:
        _print_peer(one)
    if not found.reviews:
        narrate("There are no several reviews that you may see now: adjudicators see them, and all once it is settled.")
    return 0 if found.reviews or found.escalated else 4


def _print_peer(one: PeerReview) -> None:
    say(f"{one.name}: {one.verdict}{f' -> {one.label}' if one.label else ''}  ({one.seconds:.0f} s)")
    for criterion, value in one.answers.items():
        say(f"  {criterion}: {value}")


def _done(arguments: argparse.Namespace, what: str) -> int:
    return _said(arguments, arguments.id, what)


def _said(arguments: argparse.Namespace, name: str, what: str) -> int:
    if arguments.json:
        emit({"id": name, what: True})
    else:
        say(f"{name} {what.replace('_', ' ')}")
    return 0
