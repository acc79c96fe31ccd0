"""Numbers and names inside sentences."""

from __future__ import annotations

from collections.abc import Iterable

_MINUS = "−"
# Characters of a name or value, names in a list.
_LONG = 40
_MOST_NAMES = 3
_LARGE, _SMALL = 1e6, 1e-3
_PLACES = range(2, 7)


def number(value: float, places: int = 2) -> str:
    """A number with a true minus; scientific where it is huge or tiny."""
    size = abs(value)
    text = f"{size:.2e}" if size >= _LARGE or 0 < size < _SMALL else f"{size:.{places}f}"
    return (_MINUS if value < 0 else "") + text


def pair(one: float, other: float) -> tuple[str, str]:
    """Two numbers with as many decimals as tell them apart."""
    for places in _PLACES:
        texts = number(one, places), number(other, places)
        if texts[0] != texts[1]:
            break
    return texts


def short(value: object) -> str:
    """A value of the record in few characters, on one line."""
    if isinstance(value, float):
        value = f"{value:.6g}"
    elif isinstance(value, int) and value.bit_length() > 200:
        value = "a huge number"
    elif isinstance(value, dict | list):
        value = "a list" if isinstance(value, list) else "an object"
    text = " ".join(str(value)[: 4 * _LONG].split())
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"


def names(found: Iterable[str]) -> str:
    """A few names, and how many more there are."""
    all_names = list(dict.fromkeys(found))
    said = ", ".join(short(name) for name in all_names[:_MOST_NAMES])
    more = len(all_names) - _MOST_NAMES
    return f"{said} and {more:,} more" if more > 0 else said
