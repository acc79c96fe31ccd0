"""Can somebody tell controls from cases? All that a reviewer can see or ask of a case as figures, and a classifier.

Each figure alone is tried: where do controls rank among the cases that were given out at about the same time? The most
telling figure must not tell more than the most telling one does where the controls are drawn by lot.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

from app.desk.protocol import Desk
from app.model.case import Claim, Filter
from app.model.errors import SecondlookError

Figures = dict[str, float]
# Cases given out one after the other among which a control is looked for.
_BLOCK = 12
# How often cases are called controls by lot.
_LOTS = 300
_ABSENT = -0.5
_WORDS = re.compile(r"[^\W\d_]{4,}")


@dataclass
class Visit:
    """One case that was given to one person: what it looked like to them, then and later."""

    person: str
    case_id: int
    figures: Figures


def leaves(value: Any, name: str = "") -> Iterable[tuple[str, float]]:
    """Every number of a structure; of every text its length and what it is."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    elif hasattr(value, "model_dump"):
        value = value.model_dump(mode="json", by_alias=True)
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from leaves(part, f"{name}.{key}")
    elif isinstance(value, (list, tuple)):
        yield f"{name}.len", len(value)
        for n, part in enumerate(value):
            yield from leaves(part, f"{name}.{n}")
    elif isinstance(value, (bool, int, float)):
        yield name, float(value)
    elif isinstance(value, str):
        yield f"{name}.len", len(value)
        digits = "".join(re.findall(r"\d", value))
        if digits:
            yield f"{name}.digits", float(digits[:15])
        if len(value) < 60:
            yield f"{name}={re.sub(r'[0-9a-z]*[0-9][0-9a-z]*', '#', value)}", 1.0
    else:
        yield f"{name}={value}", 1.0


def answer_of(ask: Callable[[], Any]) -> Any:
    """What asking gives: an answer, or the words of an error."""
    try:
        return ask()
    except SecondlookError as error:
        return f"{type(error).__name__}: {error}"


def counts(desk: Desk) -> Figures:
    """All figures of the queues, and of the person's own work."""
    given = {
        "backlog": desk.backlog(),
        "ageing": desk.ageing(),
        "outcomes": desk.outcomes(),
        "summary": desk.summary(0),
        "open": len(desk.ids(Filter())),
        "settled": len(desk.ids(Filter(state="settled"))),
    }
    return dict(leaves(given))


def changed(before: Figures, after: Figures, name: str) -> Figures:
    """By how much figures differ."""
    return {f"{name}{key}": after.get(key, 0) - before.get(key, 0) for key in before.keys() | after.keys()}


def place_in(case_ids: list[int], case_id: int, name: str) -> Figures:
    """Whether a list holds a case, how often, and where."""
    found = [n for n, one in enumerate(case_ids) if one == case_id]
    return {f"{name}.times": len(found), f"{name}.at": found[0] if found else -1}


def looks(desk: Desk, case_id: int, queue: str) -> Figures:
    """All that can be asked of a case, and where it stands among the others."""
    view = desk.view(case_id)
    figures = dict(leaves(view, "view"))
    for what, state in (("waiting", None), ("settled", "settled"), ("open", "open")):
        figures |= place_in(list(desk.ids(Filter(queue=queue, state=state))), case_id, what)  # type: ignore[arg-type]
    everything = [*desk.ids(Filter(queue=queue)), *desk.ids(Filter(queue=queue, state="settled"))]
    rows = desk.rows(everything)
    figures |= _among(rows, case_id, list(everything))
    title = view.row.title
    words = " ".join(_WORDS.findall(title)[:4])
    for what, text in (("words", words), ("title", title), ("id", view.row.id)):
        hits = list(desk.ids(Filter(queue=queue, text=text)))
        figures |= place_in(hits, case_id, f"search.{what}") | {f"search.{what}.len": len(hits)}
    similar = desk.similar(case_id)
    figures |= dict(leaves(similar, "similar"))
    figures["similar.same"] = sum(one.likeness > 0.99 for one in similar)
    figures["similar.told"] = sum(one.verdict is not None for one in similar)
    figures["found"] = float(answer_of(lambda: desk.find(view.row.id, queue)) == case_id)
    figures |= dict(leaves(desk.history(case_id), "history"))
    figures |= dict(leaves(desk.peers(case_id), "peers"))
    figures |= dict(leaves(answer_of(lambda: desk.sealed_fields(case_id)), "sealed"))
    return figures


def _among(rows: Mapping[int, Any], case_id: int, order: list[int]) -> Figures:
    """How a row differs from those beside it: by number, by id, and in the list."""
    if case_id not in rows:
        return {"in no list": 1}
    row = rows[case_id]
    figures: Figures = {}
    by_number = sorted(rows)
    by_id = sorted(rows, key=lambda one: _figure(rows[one].id))
    for name, ordered in (("number", by_number), ("id", by_id), ("list", order)):
        at = ordered.index(case_id)
        figures[f"{name}.rank"] = at / len(ordered)
        figures[f"{name}.first"] = float(at == 0)
        figures[f"{name}.last"] = float(at == len(ordered) - 1)
        for side, n in (("before", at - 1), ("after", at + 1)):
            if 0 <= n < len(ordered):
                other = rows[ordered[n]]
                for what in ("case_id", "admitted_at", "due_at", "priority", "revision"):
                    figures[f"{name}.{side}.{what}"] = getattr(row, what) - getattr(other, what)
                figures[f"{name}.{side}.id"] = _figure(row.id) - _figure(other.id)
    figures["twins"] = sum(other.title == row.title for other in rows.values())
    figures["cohort"] = sum(other.admitted_at == row.admitted_at for other in rows.values())
    figures["own due"] = row.due_at - row.admitted_at
    return figures


def _figure(name: str) -> float:
    return float("".join(re.findall(r"\d", name))[:15] or 0)


def visit(desk: Desk, claim: Claim, before: tuple[list[int], Any, Figures], queue: str) -> Visit:
    """What a case looks like once it is claimed; `before`: list, peek and counts just before the claim."""
    case_id = claim.lease.case_id
    listed, peeked, counted = before
    figures = looks(desk, case_id, queue) | dict(leaves(claim, "claim"))
    figures |= place_in(listed, case_id, "listed before")
    figures["peeked"] = float(peeked is not None and peeked.row.case_id == case_id)
    figures |= changed(counted, counts(desk), "claimed: ")
    return Visit(desk.person, case_id, figures)


@dataclass
class Found:
    """The most telling figures, with how far each is from what chance gives, in standard deviations; and how far the
    most telling one is where the same number of cases at about the same times are called controls by lot."""

    telling: list[tuple[float, str]]
    by_lot: float


def search(visits: list[Visit], controls: Mapping[int, int]) -> Found:
    """Looks for figures that tell controls from the ordinary cases that were given out at about the same time.
    `controls`: by number what they are copies of; of several copies of one case the first one counts."""
    cases: dict[int, Figures] = {}
    seen: Counter[int] = Counter()
    for one in visits:
        seen[one.case_id] += 1
        cases.setdefault(one.case_id, {}).update({f"{seen[one.case_id]}: {k}": v for k, v in one.figures.items()})
    first: dict[int, int] = {}
    for case_id in cases:
        if case_id in controls:
            first.setdefault(controls[case_id], case_id)
    kept = [case_id for case_id in cases if case_id not in controls or case_id in first.values()]
    chosen = [case_id in controls for case_id in kept]
    blocks = [range(n, min(n + _BLOCK, len(kept))) for n in range(0, len(kept), _BLOCK)]
    blocks = [block for block in blocks if any(chosen[n] for n in block)]
    columns = _columns([cases[case_id] for case_id in kept], blocks)
    lots = random.Random(1)
    most = 0.0
    for _ in range(_LOTS):
        drawn = [n for block in blocks for n in lots.sample(block, sum(chosen[m] for m in block))]
        most = max(most, *(_distance(column, drawn) for column in columns))
    real = [n for block in blocks for n in block if chosen[n]]
    found = sorted(((_distance(column, real), name) for column, name in columns.items()), reverse=True)
    return Found(found, most)


def _columns(cases: list[Figures], blocks: list[range]) -> dict[tuple[float, ...], str]:
    """Every figure once: by the ranks of the cases in their blocks, in standard deviations of a case drawn by lot."""
    columns: dict[tuple[float, ...], str] = {}
    for name in sorted({name for one in cases for name in one}):
        column = [0.0] * len(cases)
        for block in blocks:
            values = [cases[n].get(name, _ABSENT) for n in block]
            for n, value in zip(block, values, strict=True):
                column[n] = _rank(value, values) - (len(values) - 1) / 2
        spread = math.sqrt(sum(rank * rank for rank in column))
        if sum(rank != 0 for rank in column) >= len(column) // 3:
            columns.setdefault(tuple(rank / spread for rank in column), name)
    return columns


def _distance(column: tuple[float, ...], chosen: list[int]) -> float:
    return abs(sum(column[n] for n in chosen)) * math.sqrt(len(column) / len(chosen))


def _rank(value: float, values: list[float]) -> float:
    return sum(other < value for other in values) + (sum(other == value for other in values) - 1) / 2
