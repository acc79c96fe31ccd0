"""Work that several people share: escalate, recuse, flag, park, defer, notes, peers.

For leads also take-over, assign, unpark, pause, resume, gold and seen.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from app.cli.opening import command_on_case, line_desk
from app.cli.output import emit, iso, narrate, say

if TYPE_CHECKING:
    from app.model.case import PeerReview


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    for name, about, run in (
        ("escalate", "give a case that you hold to an adjudicator", _escalate),
        ("recuse", "declare a conflict of interest in a case that you hold", _recuse),
        ("park", "set a case that you hold aside; leads read the reason", _park),
        ("take-over", "a lead takes a case that somebody holds", _take_over),
    ):
        command_on_case(commands, common, name, about, run).add_argument("--reason", required=True, metavar="WHY")
    flag = command_on_case(commands, common, "flag", "leave a note about a case for the lead; it stays as it is", _flag)
    flag.add_argument("--note", required=True, metavar="TEXT", help="what the lead should know; - reads standard input")
    defer = command_on_case(commands, common, "defer", "take a case that you hold out of the queue for a while", _defer)
    defer.add_argument("--minutes", required=True, type=float, metavar="N", help="for so long, up to 90 days")
    command_on_case(commands, common, "notes", "what people wrote about a case, as far as you may read it", _notes)
    command_on_case(commands, common, "seen", "a lead has seen the notes of a case", _seen)
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


def _park(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        desk.park(desk.held_lease(desk.find(arguments.id, arguments.queue)), arguments.reason)
    return _done(arguments, "parked")


def _flag(arguments: argparse.Namespace) -> int:
    # From standard input it does not end up in the shell's history.
    note = sys.stdin.read() if arguments.note == "-" else arguments.note
    with line_desk(arguments) as desk:
        desk.flag(desk.find(arguments.id, arguments.queue), note)
    return _done(arguments, "flagged")


def _defer(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        desk.defer(desk.held_lease(desk.find(arguments.id, arguments.queue)), arguments.minutes)
    return _done(arguments, "deferred")


def _notes(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        found = desk.notes(desk.find(arguments.id, arguments.queue))
    if arguments.json:
        from dataclasses import asdict

        emit({"id": arguments.id, "notes": [{**asdict(note), "at": iso(note.at)} for note in found]})
    else:
        for note in found:
            say(f"{iso(note.at)}  {note.person}  {note.kind}{'  (seen)' if note.seen else ''}: {note.text}")
    return 0 if found else 4


def _seen(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        desk.mark_seen(desk.find(arguments.id, arguments.queue))
    return _done(arguments, "seen")


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
        narrate(
            "No other reviews are visible to you yet: adjudicators see them, and everybody once the case is settled."
        )
    return 0 if found.reviews or found.escalated else 4


def _print_peer(one: PeerReview) -> None:
    spent = "" if one.seconds is None else f"  ({one.seconds:.0f} s)"
    say(f"{one.name}: {one.verdict}{f' -> {one.label}' if one.label else ''}{spent}")
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
