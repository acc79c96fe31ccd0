"""Parsing the command line, and turning errors into one clear line and an exit code."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Sequence

from app import __version__
from app.cli import (
    audit,
    deliver,
    demo,
    desk,
    doctor,
    erasing,
    export,
    intake,
    leak,
    login,
    look,
    migrate,
    officer,
    people,
    protect,
    pull,
    reveal,
    review,
    rubric,
    secret,
    serve,
    team,
    token,
    web,
    workspace,
)
from app.cli.output import narrate

_GROUPS = (
    *(desk, demo, workspace, intake, pull, look, review, leak, team, people, export, audit, protect, officer, reveal),
    *(erasing, deliver, secret, token, serve, web, login, migrate, rubric, doctor),
)


def run(words: Sequence[str]) -> int:
    """Runs the command and returns its exit code."""
    try:
        "".join(words).encode()
    except UnicodeEncodeError:
        narrate("secondlook: the command line holds bytes that are not UTF-8. Nothing was done.")
        return 2
    arguments = parser().parse_args(words)
    command: Callable[[argparse.Namespace], int] = arguments.run
    from app.model.errors import SecondlookError

    try:
        return command(arguments)
    except SecondlookError as error:
        narrate(f"secondlook: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        narrate("\nsecondlook: stopped. What was done so far is kept.")
        return 130
    except BrokenPipeError:
        # The reader of our output has gone; Python must not complain about that once more on exit.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        narrate(f"secondlook: {error.strerror or error}{f': {error.filename}' if error.filename else ''}.")
        return 5
    except Exception as error:
        from app.crash import crash_report, wants_traceback

        if wants_traceback():
            raise
        narrate(crash_report(error))
        return 70


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="secondlook",
        description="The review desk for high-risk predictions. Without a command it opens the desk.",
        epilog="Exit codes: 0 done, 1 a check failed, 2 bad usage or input, 3 refused, 4 nothing to do, 5 unavailable, "
        "70 an error of secondlook's own.",
    )
    top.add_argument("--version", action="version", version=f"secondlook {__version__}")
    common = shared_options(argparse.SUPPRESS)
    _add(top, shared_options(None))
    commands = top.add_subparsers(metavar="COMMAND", title="commands")
    for group in _GROUPS:
        group.register(commands, common)
    top.set_defaults(run=desk.open_the_desk)
    return top


def shared_options(default: str | None) -> argparse.ArgumentParser:
    """Options that every command takes, before or after its name."""
    common = argparse.ArgumentParser(add_help=False)
    group = common.add_argument_group("everywhere")
    group.add_argument("--workspace", metavar="DIR", default=default, help="the workspace (or SECONDLOOK_WORKSPACE)")
    group.add_argument("--as", dest="person", metavar="NAME", default=default, help="who is working")
    return common


def _add(top: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    top._add_container_actions(common)
