"""What the commands have in common: finding the workspace and opening the desk."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from app.cli.output import narrate

if TYPE_CHECKING:
    from app.desk.protocol import Desk
    from app.settings import Workspace
    from db.engine import Store

# All line-mode commands of a person are one session: `next` in one process, `decide` in another.
LINE_SESSION = "line"


def command_on_case(commands: Any, common: argparse.ArgumentParser, name: str, about: str, run: Any) -> Any:
    """Adds a command about one case."""
    command = commands.add_parser(name, parents=[common], help=about)
    command.add_argument("id", metavar="ID")
    command.add_argument("--queue", metavar="Q")
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=run)
    return command


def workspace_of(arguments: argparse.Namespace) -> Workspace:
    """The workspace that the command line means."""
    from app.settings import find_workspace

    return find_workspace(arguments.workspace)


def person_of(arguments: argparse.Namespace, workspace: Workspace) -> str:
    """Who is working."""
    return arguments.person or workspace.person


def check_workspace(given: str | None) -> None:
    """Raises BadInput where there is no workspace, without reading one: the desk paints before it does."""
    from app.workspace_place import place_of

    place_of(given)


@contextmanager
def line_desk(arguments: argparse.Namespace) -> Iterator[Desk]:
    """The desk for one line-mode command."""
    from app.desk.open import open_desk

    workspace = workspace_of(arguments)
    person = arguments.person if workspace.hub else person_of(arguments, workspace)
    desk = open_desk(workspace, person, LINE_SESSION)
    try:
        _tell_unsent(desk)
        yield desk
    finally:
        desk.close()


def _tell_unsent(desk: Desk) -> None:
    """What became of the decisions that an earlier command could not send."""
    unsent = desk.unsent()
    if unsent.sent:
        narrate(f"Sent what was kept here while the hub did not answer: {unsent.sent}.")
    for one in unsent.refused:
        narrate(f"Not taken{f': {one.id}' if one.id else ''}. {one.why}")
    if unsent.refused:
        desk.seen_refused()


@contextmanager
def opened_store(workspace: Workspace) -> Iterator[Store]:
    """The workspace's database for one command."""
    from db.engine import open_store

    workspace.check_database()
    store = open_store(workspace.database_url)
    try:
        yield store
    finally:
        store.close()
