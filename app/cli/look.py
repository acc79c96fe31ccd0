"""`cases`, `show`, `search`, `stats`: looking, in lines."""

from __future__ import annotations

import argparse
from typing import Any

from app.cli.opening import line_desk
from app.cli.output import emit, minutes, narrate, say, table
from app.model.words import SEVERITIES, STATES


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    cases = commands.add_parser("cases", parents=[common], help="list cases, most urgent first")
    _filters(cases)
    cases.set_defaults(run=_cases, text="")
    search = commands.add_parser("search", parents=[common], help="find cases by words")
    search.add_argument("text", metavar="TEXT")
    _filters(search)
    search.set_defaults(run=_cases)
    show = commands.add_parser("show", parents=[common], help="one case")
    show.add_argument("id", metavar="ID")
    show.add_argument("--queue", metavar="Q")
    show.add_argument("--json", action="store_true")
    show.set_defaults(run=_show)
    stats = commands.add_parser("stats", parents=[common], help="backlog and outcomes by queue")
    stats.add_argument("--json", action="store_true")
    stats.set_defaults(run=_stats)


def _filters(command: argparse.ArgumentParser) -> None:
    command.add_argument("--queue", metavar="Q")
    command.add_argument("--state", choices=STATES)
    command.add_argument("--severity", choices=SEVERITIES)
    command.add_argument("--flag", metavar="CODE")
    command.add_argument("--noted", action="store_true", help="for leads: with a note that no lead has marked as seen")
    command.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many (default 50; 0: all)")
    command.add_argument("--json", action="store_true")


def _cases(arguments: argparse.Namespace) -> int:
    from app.cli.plain import row_json, standing
    from app.desk.base import wall_clock
    from app.model.case import Filter

    wanted = Filter(
        arguments.queue,
        arguments.state,
        arguments.severity,
        arguments.flag,
        None,
        arguments.text,
        noted=arguments.noted,
    )
    with line_desk(arguments) as desk:
        if arguments.queue:
            desk.policy(arguments.queue)
        ids = desk.ids(wanted)
        shown = list(ids[: arguments.limit] if arguments.limit else ids)
        rows = desk.rows(shown)
    found = [rows[case_id] for case_id in shown if case_id in rows]
    if arguments.json:
        for row in found:
            emit(row_json(row))
        return 0
    now = wall_clock()
    if found:
        table(
            ("severity", "due", "queue", "id", "state", "flag", "what"),
            (
                (r.severity or "—", _due(r.due_at - now), r.queue, r.id, standing(r), r.flag, r.title[:60])
                for r in found
            ),
        )
    narrate(f"{len(found)} of {len(ids)} cases" if ids else "No case matches.")
    return 0


def _due(span: int) -> str:
    return minutes(span) if span > 0 else f"{minutes(span)} ago"


def _show(arguments: argparse.Namespace) -> int:
    from app.cli.plain import print_view, rubric_json, view_json
    from app.desk.base import wall_clock

    with line_desk(arguments) as desk:
        case_id = desk.find(arguments.id, arguments.queue)
        view = desk.view(case_id)
        history = desk.history(case_id)
    if arguments.json:
        from dataclasses import asdict

        emit(
            {
                **view_json(view),
                "rubric": rubric_json(view.rubric, view.prediction.task.labels),
                "history": [asdict(entry) for entry in history],
            }
        )
        return 0
    print_view(view, wall_clock())
    for entry in history:
        from app.cli.output import iso

        say(f"  {iso(entry.at)}  {entry.actor}  {entry.action}  {entry.detail}")
    return 0


def _stats(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    with line_desk(arguments) as desk:
        backlog = desk.backlog()
        outcomes = {outcome.queue: outcome for outcome in desk.outcomes()}
    if arguments.json:
        emit(
            [
                {**asdict(status), "outcomes": asdict(outcomes[status.queue]) if status.queue in outcomes else None}
                for status in backlog
            ]
        )
        return 0
    table(
        (
            "queue",
            "open",
            "leased",
            "deferred",
            "parked",
            "overdue",
            "settled",
            "overturned",
            "95 % interval",
            "seconds",
        ),
        (
            (s.queue, s.open, s.leased, s.deferred, s.parked, s.overdue, s.settled, *_outcome(outcomes.get(s.queue)))
            for s in backlog
        ),
    )
    narrate("Overturned: of the settled cases with a label. Flagged cases are no sample of all predictions.")
    return 0


def _outcome(outcome: Any) -> tuple[str, str, str]:
    if outcome is None:
        return ("", "", "")
    low, high = outcome.interval
    return (f"{outcome.rate:.2f}", f"{low:.2f}–{high:.2f}", f"{outcome.mean_seconds:.0f}")
