"""`submit_next`: from the Enter that submits to the next case on the screen, through a pseudo-terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.model.case import Filter

from . import records
from .commands import EMPTY_APP, PROGRAM, TRACED
from .figures import Bench, Figure, median, percentile
from .stores import Place, filled
from .terminal import Terminal, on_terminal

_ENTER = "\r"
# A person reads before answering: what the desk fetches ahead is there by then.
_READING, _BETWEEN_KEYS = 0.25, 0.2


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of case: how many there are, and the keys that answer one; each waits for calm."""

    queue: str
    make: Callable[[int], dict[str, Any]]
    held: int
    answers: tuple[str, ...]


# No error, faithful. Judged bad, quite sure; then supported, with the label as judged.
_KINDS = (
    Kind("summaries", records.summary, 2000, ("1", "1")),
    Kind("credit", records.credit, 500, ("2", "3", "1")),
)


@dataclass(slots=True)
class Times:
    """Milliseconds from Enter to the next case's id, and to its text as well; the moments of both."""

    named: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    moments: list[tuple[float, float]] = field(default_factory=list)


def run(bench: Bench) -> Iterator[Figure]:
    """p50 and p95 per kind against a key in an empty application; then where the time goes."""
    n = bench.size(45)
    empty = _empty_keys(bench, n)
    for kind in _KINDS:
        place = filled(bench.folder(kind.queue), kind.make, max(kind.held, 2 * n + 10), kind.queue)
        times = _submit(place, kind, PROGRAM, n)
        for share, name in ((0.5, "p50"), (0.95, "p95")):
            base = percentile(empty, share)
            yield Figure(f"submit_next_{kind.queue}_{name}", n, percentile(times.named, share), "ms", base)
            yield Figure(f"submit_next_{kind.queue}_whole_{name}", n, percentile(times.whole, share), "ms", base)
        yield from _split(bench, place, kind, max(5, n // 3))


def _submit(place: Place, kind: Kind, program: Sequence[str], n: int) -> Times:
    """Reviews n cases from the inbox on, with keys alone."""
    order = _order(place, n + 1)
    times = Times()
    with on_terminal(program, place.workspace.root) as terminal:
        terminal.until(records.prediction_id(order[0]))
        terminal.quiet(0.5)
        terminal.send("n")
        terminal.until(*_signs(kind, order[0]))
        for following in order[1:]:
            _answer(terminal, kind)
            enter = terminal.send(_ENTER)
            named = terminal.until(records.prediction_id(following))
            whole = terminal.until(*_signs(kind, following))
            times.named.append(1000 * (named - enter))
            times.whole.append(1000 * (max(named, whole) - enter))
            times.moments.append((enter, named))
    return times


def _order(place: Place, n: int) -> list[int]:
    """The cases in the order in which they will be given out."""
    desk = place.desk(provisional=True)
    try:
        return list(desk.ids(Filter(queue=place.queue, state="open"), n))
    finally:
        desk.close()


def _signs(kind: Kind, number: int) -> tuple[str, ...]:
    """What stands on the screen when a case does: its id, and the beginning of its text if it has one."""
    text = (records.text_mark(number),) if kind.queue == "summaries" else ()
    return (records.prediction_id(number), *text)


def _answer(terminal: Terminal, kind: Kind) -> None:
    terminal.quiet(_READING)
    for key in kind.answers:
        terminal.send(key)
        terminal.quiet(_BETWEEN_KEYS)


def _empty_keys(bench: Bench, n: int) -> list[float]:
    """Milliseconds from a key to the frame of an empty application."""
    with on_terminal(EMPTY_APP, bench.folder("empty")) as terminal:
        terminal.until("ready")
        terminal.quiet(0.3)
        times = []
        for number in range(1, n + 1):
            moment = terminal.send(_ENTER)
            times.append(1000 * (terminal.until(f"press-{number:05d}") - moment))
            terminal.quiet(_BETWEEN_KEYS)
    return times


def _split(bench: Bench, place: Place, kind: Kind, n: int) -> Iterator[Figure]:
    """The same with decisions and claims timed in the program: medians of what comes before, in and after them."""
    trace = bench.folder("trace") / "trace"
    program = (*TRACED, str(Path(__file__).resolve().parents[1]), str(trace))
    times = _submit(place, kind, program, n)
    lines = [line.split() for line in trace.read_text().splitlines()]
    acts = [(name, float(start), float(end)) for name, start, end in lines]
    # The first claim is the inbox's.
    decides = [act for act in acts if act[0] == "decide"]
    claims = [act for act in acts if act[0] == "claim"][1:]
    rounds = list(zip(times.moments, decides, claims, strict=True))
    parts = {
        "key_to_thread": [decide[1] - enter for (enter, _), decide, _ in rounds],
        "decide": [decide[2] - decide[1] for _, decide, _ in rounds],
        "claim": [claim[2] - claim[1] for _, _, claim in rounds],
        "paint": [named - claim[2] for (_, named), _, claim in rounds],
    }
    for name, spent in parts.items():
        yield Figure(f"submit_next_{kind.queue}_split_{name}", n, 1000 * median(spent), "ms")
