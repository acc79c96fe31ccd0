"""Aside of the inbox: what waits in each queue, and how sources and sinks are doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from app.protect.safe_text import safe_line
from screens.clock import now_ms, span
from screens.text import join, line, shorten

if TYPE_CHECKING:
    from app.model.case import ConnectionStatus, QueueStatus


def aside(backlog: list[QueueStatus], connections: list[ConnectionStatus]) -> Content:
    """The backlog, and below it the connections, troubled ones first."""
    text = backlog_text(backlog)
    return Content("\n").join((text, connections_text(connections))) if connections else text


def troubles(connections: list[ConnectionStatus]) -> list[str]:
    """In a few words what is wrong with which connection."""
    return [f"{safe_line(shorten(c.name, 20))} {c.state}" for c in connections if c.state != "ok"]


def connections_text(connections: list[ConnectionStatus]) -> Content:
    """One or two lines a connection."""
    now = now_ms()
    lines = [Content.styled("Connections", "bold"), Content("")]
    for one in sorted(connections, key=lambda c: (c.state == "ok", c.direction, c.name)):
        arrow = "↓" if one.direction == "in" else "↑"
        name = line(f"{arrow} {shorten(one.name, 18)} ", "bold")
        if one.state == "ok":
            lines.append(join(name, Content.styled(f"{one.items:,}", "$muted")))
        else:
            lines.append(join(name, Content.styled(f"▲ {one.state} {span(now - one.since)}", "$warning")))
            lines.append(line(shorten(one.error, 90), "$muted"))
        waits = [f"{one.waiting:,} wait"] if one.waiting else []
        waits += [f"{one.dead:,} dead"] if one.dead else []
        if waits:
            lines.append(Content.styled(f"  {', '.join(waits)}", "$warning" if one.dead else "$muted"))
    return Content("\n").join(lines)


def backlog_text(backlog: list[QueueStatus]) -> Content:
    """The backlog aside: per queue what waits, and how long the oldest does."""
    lines: list[Content] = [Content.styled("Backlog", "bold"), Content("")]
    now = now_ms()
    for status in backlog:
        lines.append(line(status.queue, "bold"))
        if status.title:
            lines.append(line(status.title, "$muted"))
        for count, word in (
            (status.open, "open"),
            (status.leased, "held"),
            (status.deferred, "deferred"),
            (status.parked, "parked"),
            (status.settled, "settled"),
        ):
            if count or word == "open":
                lines.append(Content(f"{count:>9,}  {word}"))
        if status.overdue:
            lines.append(Content.styled(f"{status.overdue:>9,}  ▲ overdue", "$warning"))
        if status.oldest_at is not None:
            lines.append(Content.styled(f"{'':>9}  oldest {span(now - status.oldest_at)}", "$muted"))
        lines.append(Content(""))
    return Content("\n").join(lines)
