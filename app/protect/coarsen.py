"""Inputs that are shown less exactly: a token instead of an identifier, a range instead of a number.

A range or a beginning proves nothing by itself: several of them together may still single a person out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from app.model.policy import QueuePolicy
from app.protect.names import tokens

Token = Callable[[str, str], str]

_TO = "–"
_CUT = "…"


class Coarser:
    """What a queue's policy says under `band` and `pseudonymise`."""

    def __init__(self, policy: QueuePolicy) -> None:
        self._bands = {tokens(name): how for name, how in policy.band.items()}
        self._tokens = {tokens(name) for name in policy.pseudonymise}

    def __bool__(self) -> bool:
        return bool(self._bands or self._tokens)

    def handles(self, name: str) -> bool:
        """Whether the policy says how an input of this name is shown."""
        words = tokens(name)
        return words in self._bands or words in self._tokens

    def shown(self, name: str, value: Any, token: Token) -> Any:
        """What is shown in place of a value; None stays None, and what was made coarse stays as it is."""
        if value is None or isinstance(value, bool):
            return value
        words = tokens(name)
        if words in self._tokens:
            return token(name, str(value))
        how = self._bands.get(words)
        if how is None:
            return value
        if isinstance(value, list | dict):
            return None
        return beginning(str(value), int(how.split()[0])) if isinstance(how, str) else band(value, how)


def band(value: Any, width: float) -> str | None:
    """The range that a number lies in, `30–40` for 37 and a width of 10; None for what is no number."""
    if isinstance(value, str) and _TO in value.strip(_TO):
        return value
    try:
        number = float(value)
        low = math.floor(number / width) * width
        return f"{low:g}{_TO}{low + width:g}"
    except (ValueError, TypeError, OverflowError):
        return None


def beginning(value: str, length: int) -> str:
    """The first characters of a value."""
    return value if len(value) <= length or value.endswith(_CUT) else value[:length] + _CUT
