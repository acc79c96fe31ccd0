"""The desk behind one tab of `secondlook web`: `python -m app.cli.web_tab`. It draws into a pipe, for the server."""

from __future__ import annotations

import sys


def main() -> int:
    """Opens the desk without asking for a terminal. Its errors and last words go to standard error."""
    from app.cli.desk import run_desk
    from app.cli.opening import workspace_of
    from app.cli.output import narrate
    from app.cli.run import shared_options
    from app.model.errors import SecondlookError

    arguments = shared_options(None).parse_args()
    try:
        return run_desk(lambda: workspace_of(arguments), arguments.person)
    except SecondlookError as error:
        narrate(f"secondlook: {error}")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
