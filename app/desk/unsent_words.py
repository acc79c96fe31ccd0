"""What is kept on this machine until the hub takes it, in words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.model.case import Unsent


def counted(decisions: int, drafts: int) -> str:
    """`2 decisions and 1 draft`; empty for none."""
    parts = [(decisions, "decision"), (drafts, "draft")]
    return " and ".join(f"{n} {what}{'' if n == 1 else 's'}" for n, what in parts if n)


def state_of(unsent: Unsent) -> str:
    """How things stand, in one line; empty where there is nothing to say."""
    kept = counted(unsent.decisions, unsent.drafts)
    if unsent.signed_out:
        said = "your token is not valid any more: `secondlook login`"
        # However much there is, it stands on a line of 80.
        return f"signed out: `secondlook login`; {kept} kept here" if kept else said
    if not unsent.reachable:
        since = "" if unsent.since is None else time.strftime(" since %H:%M", time.localtime(unsent.since / 1000))
        return f"the hub does not answer{since}; {kept or 'nothing unsent'}{' kept here' if kept else ''}"
    return f"{kept} kept here: the hub could not take it yet" if kept else ""


def why_kept(unsent: Unsent) -> str:
    """Why something was not sent, in a few words."""
    return "sign in again" if unsent.signed_out else "the hub does not answer"


def left_unsent(unsent: Unsent) -> str:
    """What to know when secondlook ends with something unsent; empty where nothing is."""
    kept = counted(unsent.decisions, unsent.drafts)
    if not kept:
        return ""
    one = unsent.decisions + unsent.drafts == 1
    first = "after `secondlook login`, " if unsent.signed_out else ""
    verb, they = ("is", "it is") if one else ("are", "they are")
    return f"{kept} {verb} not sent yet: {first}{they} sent when you open secondlook again."
