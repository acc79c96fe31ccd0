"""What a lead sees at a glance: the backlog by age and severity, who holds what, and how people agree."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from app.model.case import Ageing, PausedQueue, PersonStatus, Quality, QueueStatus
from screens.clock import span
from screens.text import join, line, shorten
from screens.theme import SEVERITY_STYLES, severity_mark

_MUTED = "$muted"
_BLANK = Content("")
# Columns of the backlog: the heading, and the field of `Ageing`.
_AGES = (("<1 h", "hour"), ("<8 h", "shift"), ("<1 d", "day"), ("<3 d", "days"), ("older", "older"))
_CELL = 7
# So many of somebody's cases are named.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Overview:
    """What the lead's screen knows."""

    backlog: list[QueueStatus]
    ageing: list[Ageing]
    paused: list[PausedQueue]
    people: list[PersonStatus]
    quality: list[Quality]
    disputed: int
    noted: int = 0


def overview_lines(found: Overview, now: int) -> list[Content]:
    """The overview in lines of at most 58 cells."""
    return [*_backlog(found, now), *_people(found, now), *_quality(found)]


def _backlog(found: Overview, now: int) -> list[Content]:
    head = "".join(f"{name:>{_CELL}}" for name, _ in _AGES) + f"{'late':>{_CELL}}"
    lines = [join(Content.styled(f"{'Backlog':<14}", "bold $accent"), Content.styled(head, _MUTED))]
    pauses = {pause.queue: pause for pause in found.paused}
    for status in found.backlog:
        waiting = status.open + status.leased + status.deferred + status.parked
        lines.append(join(line(shorten(status.queue, 24), "bold"), Content.styled(f"  {waiting:,} wait", _MUTED)))
        pause = pauses.get(status.queue)
        if pause:
            said = f"  ▲ paused by {pause.person}, {span(now - pause.at)}: {pause.reason}"
            lines.append(line(shorten(said, 58), "$warning"))
        lines += [_severity(one) for one in found.ageing if one.queue == status.queue]
    return [*lines, _BLANK]


def _severity(one: Ageing) -> Content:
    counts = "".join(f"{_count(getattr(one, field)):>{_CELL}}" for _, field in _AGES)
    style = SEVERITY_STYLES[one.severity] if one.severity else _MUTED
    name = Content.styled(f"  {severity_mark(one.severity):<12}", style)
    late = Content.styled(f"{_count(one.overdue):>{_CELL}}", "bold $warning" if one.overdue else _MUTED)
    return join(name, Content(counts), late)


def _count(n: int) -> str:
    if n < 100_000:
        return f"{n:,}" if n else "·"
    return f"{n / 1e6:.1f}M" if n >= 1_000_000 else f"{n // 1000:,}k"


def _people(found: Overview, now: int) -> list[Content]:
    lines = [join(Content.styled(f"{'People':<20}", "bold $accent"), Content.styled("  24 h  holds", _MUTED))]
    if not found.people:
        lines.append(Content.styled("  nobody has worked here yet", _MUTED))
    for person in found.people:
        cap = f"/{person.daily}" if person.daily is not None else ""
        over = person.daily is not None and person.decided >= person.daily
        lines.append(
            join(
                line(f"{shorten(person.person, 19):<20}", "bold"),
                Content.styled(f"{f'{person.decided:,}{cap}':>6}", "$warning" if over else ""),
                Content(f"{len(person.held):>7}"),
                line(f"  {shorten(' '.join(person.tags), 23)}", _MUTED),
            )
        )
        for _, name, until in person.held[:_NAMED]:
            lines.append(line(f"    {shorten(name, 30)} for {span(until - now)} more", _MUTED))
        if len(person.held) > _NAMED:
            lines.append(Content.styled(f"    and {len(person.held) - _NAMED} more", _MUTED))
    return [*lines, _BLANK]


def _quality(found: Overview) -> list[Content]:
    if not found.quality:
        return []
    head = f"{'gold':>12}{'again':>12}{'peers':>12}"
    lines = [join(Content.styled(f"{'Agreement':<20}", "bold $accent"), Content.styled(head, _MUTED))]
    for one in found.quality:
        figures = ((one.gold, one.gold_same), (one.again, one.again_same), (one.peers, one.peers_same))
        lines.append(join(line(f"{shorten(one.person, 19):<20}", "bold"), *(_share(n, same) for n, same in figures)))
    return [
        *lines,
        Content.styled("same verdict and label as trusted outcomes, oneself,", _MUTED),
        Content.styled("others; raw: chance alone agrees too", _MUTED),
    ]


def _share(n: int, same: int) -> Content:
    text = f"{same / n:.0%} of {n:,}" if n else "·"
    return Content.styled(f"{text:>12}", "" if n else _MUTED)
