"""What is said after an error that nobody expected: where it happened, and nothing of what was being worked on.

A traceback shows values, and a message may quote a record: neither belongs on a terminal, in a log or in a report.
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path

DEBUG = "SECONDLOOK_DEBUG"
_ROOT = Path(__file__).resolve().parents[1]
_SHOWN = 8


def crash_report(error: BaseException) -> str:
    """Lines for a person: the kind of error and the places in our code, without messages or values."""
    places = [
        f"  {place.relative_to(_ROOT)}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if (place := Path(frame.filename)).is_relative_to(_ROOT) and "site-packages" not in place.parts
    ]
    kind = type(error)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return "\n".join(
        (
            f"secondlook met an error it did not expect ({name}) and stopped. Decisions and drafts are kept.",
            "Please report it with these lines; they hold nothing of your data:",
            *places[-_SHOWN:],
            f"For the whole traceback, which may hold data, run it again with {DEBUG}=1.",
        )
    )


def wants_traceback() -> bool:
    """Whether a developer asked for tracebacks."""
    return bool(os.environ.get(DEBUG))
