"""`rubric`: the questionnaires."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from app.cli.opening import workspace_of
from app.cli.output import emit, narrate, say, table


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    rubric = commands.add_parser("rubric", help="the questionnaires")
    acts = rubric.add_subparsers(metavar="ACT", required=True)
    listed = acts.add_parser("list", parents=[common], help="all rubrics")
    listed.add_argument("--json", action="store_true")
    listed.set_defaults(run=_list)
    show = acts.add_parser("show", parents=[common], help="one rubric")
    show.add_argument("rubric")
    show.add_argument("--json", action="store_true")
    show.set_defaults(run=_show)
    check = acts.add_parser("check", parents=[common], help="is a rubric file right?")
    check.add_argument("file", metavar="FILE", type=Path)
    check.add_argument("--json", action="store_true")
    check.set_defaults(run=_check)


def _list(arguments: argparse.Namespace) -> int:
    workspace = workspace_of(arguments)
    used = {policy.rubric: queue for queue, policy in workspace.settings.queues.items()}
    rubrics = [(name, workspace.rubric(name)) for name in workspace.rubric_names()]
    rows = [(name, r.version, r.hash[:12], len(r.criteria), used.get(name, ""), r.title) for name, r in rubrics]
    names = ("id", "version", "hash", "criteria", "queue", "title")
    if arguments.json:
        emit([dict(zip(names, row, strict=True)) for row in rows])
    else:
        table(names, rows)
    return 0


def _show(arguments: argparse.Namespace) -> int:
    workspace = workspace_of(arguments)
    rubric = workspace.rubric(arguments.rubric)
    if arguments.json:
        emit({**rubric.model_dump(exclude_defaults=True), "hash": rubric.hash})
    else:
        narrate(f"{rubric.title}, version {rubric.version}, hash {rubric.hash}")
        say(workspace.rubric_path(arguments.rubric).read_text())
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from app.model.errors import RubricError
    from app.settings import load_rubric

    try:
        rubric = load_rubric(arguments.file)
    except RubricError as error:
        if arguments.json:
            emit({"ok": False, "problems": error.problems})
        for problem in error.problems:
            narrate(problem)
        return 2
    if arguments.json:
        emit({"ok": True, "id": rubric.id, "version": rubric.version, "hash": rubric.hash})
    else:
        say(f"{rubric.id} version {rubric.version} is right: {len(rubric.criteria)} criteria, hash {rubric.hash}")
    return 0
