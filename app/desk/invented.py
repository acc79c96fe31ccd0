"""Ids for copies: of the form, and from among the values, that the ids around them have.

An id is taken apart into tokens. What is the same in all ids near it stays; what differs most from id to id is drawn:
a number from the gaps that ids leave (between the ids on both sides where ids grow from case to case), a code (hex,
UUID, ULID) character by character from what stands at each place. Words cannot be invented: there is no id then.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

_FINE = re.compile(r"[0-9]+|[A-Za-z]+|[^0-9A-Za-z]+")
_COARSE = re.compile(r"[0-9A-Za-z]+|[^0-9A-Za-z]+")
# Ids that are drawn before there is none.
_TRIES = 60
# Share of the ids near that must have one form, and of the steps from id to id that must go one way.
_MOST = 0.9
# Ids that it takes to learn of which characters a code is made.
_ENOUGH = 8
# Characters that a code has at least where it has no digit: shorter ones are words.
_LONG = 12
# The digits of a UUID that say its version and variant.
_UUID_FIXED = (14, 19)

Tokens = list[str]
IsFree = Callable[[str], bool]


def invent(near: Sequence[str], place: int, free: IsFree, chance: random.Random) -> str | None:
    """An id that could stand before `near[place]`; with `place = len(near)` after the last one.

    `near`: ids in the order of their cases, two at least; `free`: whether an id is not in use. None where every id
    that could be made would stand out.
    """
    found = _numbered(near, place, free, chance)
    return found or _coded(near, place, free, chance)


def _alike(near: Sequence[str], place: int, form: re.Pattern[str]) -> tuple[list[Tokens], int] | None:
    """The tokens of those ids that have the usual form, and the place among them; None where there is no such form or
    an id beside the place has another one."""
    taken = [form.findall(name) for name in near]
    shapes = [_shape(tokens, fine=form is _FINE) for tokens in taken]
    usual, count = Counter(shapes).most_common(1)[0]
    beside = [shapes[n] for n in (place - 1, place) if 0 <= n < len(near)]
    if count < 2 or count < _MOST * len(near) or any(shape != usual for shape in beside):
        return None
    before = sum(shape == usual for shape in shapes[:place])
    return [tokens for tokens, shape in zip(taken, shapes, strict=True) if shape == usual], before


def _shape(tokens: Tokens, fine: bool) -> tuple[str | int, ...]:
    """What ids of one form have in common: separators, and where there are digits and letters, or how many of both."""
    if fine:
        return tuple("9" if t.isdecimal() else "a" if t.isalpha() else t for t in tokens)
    return tuple(len(t) if t.isalnum() else t for t in tokens)


def _direction(values: Sequence[int] | Sequence[str]) -> int:
    """1 where values grow from one to the next nearly always, -1 where they shrink, 0 otherwise."""
    steps = [(b > a) - (b < a) for a, b in pairwise(values)]  # type: ignore[operator]  # all of one type
    for way in (1, -1):
        if steps and sum(step == way for step in steps) >= _MOST * len(steps):
            return way
    return 0


# -- numbers -----------------------------------------------------------------------------------------


class _Numbers(NamedTuple):
    """Ids of one form whose token `finest` is a number: the tokens of each, that number, and its digits where these are
    as many in all (else 0)."""

    ids: list[Tokens]
    finest: int
    values: list[int]
    width: int

    @property
    def step(self) -> int:
        """What all differences are multiples of."""
        return math.gcd(*(abs(b - a) for a, b in pairwise(self.values))) or 1

    @property
    def usual(self) -> int:
        """The median difference from one to the next, in steps."""
        return sorted(abs(b - a) // self.step for a, b in pairwise(self.values))[(len(self.values) - 1) // 2]


def _numbers(ids: list[Tokens]) -> _Numbers | None:
    distinct = {n: len({tokens[n] for tokens in ids}) for n in range(len(ids[0])) if ids[0][n].isdecimal()}
    # The last one of those that differ most: others name a model, a batch, a day.
    finest = max(distinct, key=lambda n: (distinct[n], n), default=None)
    if finest is None or distinct[finest] < 2:
        return None
    written = [tokens[finest] for tokens in ids]
    width = len(written[0]) if len({len(token) for token in written}) == 1 else 0
    return _Numbers(ids, finest, [int(token) for token in written], width)


def rooms(near: Sequence[str]) -> list[int]:
    """By place, from 0 to `len(near)`: how many ids could be made there, where ids grow or shrink from case to case; 1
    everywhere else."""
    places = range(len(near) + 1)
    alike = _alike(near, 0, _FINE)
    found = _numbers(alike[0]) if alike and len(alike[0]) == len(near) else None
    if found is None or not _direction(found.values):
        return [1 for _ in places]
    return [len(_room(found, place)[1]) for place in places]


def _room(found: _Numbers, place: int) -> tuple[int, range]:
    """Where numbers grow or shrink: the lower one beside a place, and the steps above it that are free."""
    values, step, usual = found.values, found.step, found.usual
    way = _direction(values)
    if 0 < place < len(values):
        low, high = sorted((values[place - 1], values[place]))
        return low, range(1, (high - low) // step)
    # A sequence without gaps has no room at its ends either: the next case comes there.
    beyond = range(1, 2 * usual) if usual > 1 else range(0)
    end = values[0] if place == 0 else values[-1]
    grows = (place == 0) == (way < 0)
    return (end if grows else end - 2 * usual * step), beyond


def _numbered(near: Sequence[str], place: int, free: IsFree, chance: random.Random) -> str | None:
    alike = _alike(near, place, _FINE)
    found = _numbers(alike[0]) if alike else None
    if alike is None or found is None:
        return None
    ids, place = alike
    beside = ids[min(place, len(ids) - 1)]
    for number in _drawn_numbers(found, place, chance):
        tokens = [chance.choice(ids)[n] if token.isalpha() else token for n, token in enumerate(beside)]
        tokens[found.finest] = str(number).zfill(found.width)
        name = "".join(tokens)
        if number >= 0 and (not found.width or len(tokens[found.finest]) == found.width) and free(name):
            return name
    return None


def _drawn_numbers(found: _Numbers, place: int, chance: random.Random) -> list[int]:
    """Numbers to try, in this order."""
    if _direction(found.values):
        low, room = _room(found, place)
        return [low + n * found.step for n in chance.sample(room, min(_TRIES, len(room)))]
    ordered = sorted(set(found.values))
    return [_between(ordered, found.step, chance) for _ in range(_TRIES)]


def _between(ordered: list[int], step: int, chance: random.Random) -> int:
    """A number between two neighbours among the values, so that it is distributed as they are."""
    n = chance.randrange(len(ordered) - 1)
    return ordered[n] + step * chance.randint(0, (ordered[n + 1] - ordered[n]) // step)


# -- codes -------------------------------------------------------------------------------------------


def _coded(near: Sequence[str], place: int, free: IsFree, chance: random.Random) -> str | None:
    alike = _alike(near, place, _COARSE)
    if alike is None or len(alike[0]) < _ENOUGH:
        return None
    ids, place = alike
    if not any(_is_code([tokens[n] for tokens in ids]) for n in range(len(ids[0]))):
        return None
    names = ["".join(tokens) for tokens in ids]
    way = _direction(names)
    if not way:
        return next((name for name in _drawn_codes(ids, chance) if free(name)), None)
    low, high = (names[n] if 0 <= n < len(names) else None for n in (place - 1, place))
    if way < 0:
        low, high = high, low
    for kept in _beginnings(low, high):
        for name in _drawn_codes(ids, chance):
            other = kept + name[len(kept) :]
            if (low is None or low < other) and (high is None or other < high) and free(other):
                return other
    return None


def _is_code(values: list[str]) -> bool:
    """Whether a token is made up for each id, and is no word."""
    different = len(set(values)) > len(values) // 2
    return different and (any(c.isdigit() for v in values for c in v) or len(values[0]) >= _LONG)


def _beginnings(low: str | None, high: str | None) -> list[str]:
    """Beginnings of ids that may lie between two, the ones that leave most open first."""
    model = low or high or ""
    shared = next((n for n, (a, b) in enumerate(zip(low or model, high or model, strict=False)) if a != b), None)
    first = len(model) // 2 if shared is None else shared
    return [(side or model)[:n] for n in range(first, len(model) - 2) for side in (low, high)]


def _drawn_codes(ids: list[Tokens], chance: random.Random) -> list[str]:
    """Ids to try: each place of a code as in one of the ids, each other token as in one of them."""
    columns = list(zip(*ids, strict=True))
    codes = [_is_code(list(column)) for column in columns]
    places = [[sorted(set(chars)) for chars in zip(*column, strict=True)] for column in columns]
    return [
        "".join(
            "".join(chance.choice(chars) for chars in places[n]) if codes[n] else chance.choice(column)
            for n, column in enumerate(columns)
        )
        for _ in range(_TRIES)
    ]


def like(text: str, chance: random.Random) -> str:
    """Another text of the same form: each digit, hex digit or letter replaced by one of its kind. A UUID keeps its
    version."""
    hexadecimal = re.fullmatch(r"[0-9a-f-]+|[0-9A-F-]+", text) is not None
    low, high = ("abcdef", "ABCDEF") if hexadecimal else ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    mixed = hexadecimal and not text.replace("-", "").isdecimal()
    uuid = re.fullmatch(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", text) is not None

    def other(n: int, c: str) -> str:
        if (uuid and n in _UUID_FIXED) or not (c.isascii() and c.isalnum()):
            return c
        if mixed:
            return chance.choice("0123456789" + (high if text.upper() == text else low))
        return chance.choice("0123456789" if c.isdecimal() else high if c.isupper() else low)

    return "".join(other(n, c) for n, c in enumerate(text))
