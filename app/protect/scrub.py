"""Known values, searched and masked wherever else they stand in the same record.

A value counts when it is specific: at least four characters, at least five digits, and no everyday
word; of names every part from three letters, of other values every word from four (`app.protect.known.parts`).
Texts are searched as skeletons (`app.protect.known.skeleton`) for the ways in which a value may be written
(`app.protect.known.spellings`): as they stand, and as they read once encodings are undone
(`app.protect.known.readings`).
A hit in an e-mail address, a link or a path takes all of it (`app.protect.known.identifiers`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.protect.cuts import Constant, Edit, Span, cut, moved, withheld
from app.protect.known.base64_text import Look, stretches, unwrapped
from app.protect.known.dates import Day, days_in
from app.protect.known.fitting import end_of_fit
from app.protect.known.forms import Form
from app.protect.known.glance import glance
from app.protect.known.identifiers import may_hold_identifiers, whole_identifier
from app.protect.known.readings import may_be_encoded, readings
from app.protect.known.skeleton import Skeleton, fold, folded_with_places, merge, skeleton, squeezed
from app.protect.known.spellings import Spellings, looks, means_name, spellings
from app.protect.names import CONSTANT

__all__ = ["Constant", "Edit", "Scrubber", "fold", "known_values", "moved", "scrubber", "withheld"]

# So many keys are looked for one after another; more are looked up piece by piece.
_FEW = 48
# Pieces of a text are so long at most where very many values are looked for in it.
_PIECE = 6
# By so many letters of their beginnings forms are looked up.
_KEY = 4
# So long a text's result is remembered within a record: names and values come again and again.
_SHORT = 80


class ByName(Protocol):
    """What finds values in a text by the names that stand beside them."""

    def spans(self, text: str) -> list[Span]:
        """Beginning, end and attribute of each."""


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Masks known values."""

    forms: Mapping[str, list[tuple[Form, str]]]
    """Letters, merged → forms with these letters, with their attribute."""
    lengths: Mapping[str, list[int]]
    """First letters, merged → how long the forms are that begin so, the longest first."""
    days: Mapping[Day, str]
    literals: re.Pattern[str] | None
    """Values of signs, folded."""
    attributes: Mapping[str, str]
    """Such values, and numbers, folded → attribute."""
    inside: frozenset[str]
    """Keys of forms that count inside words."""
    encoded: bool
    """Whether the record's texts may have other readings."""
    looks: Mapping[Look, str]
    """What values look like in base64, with their attribute; only those that stand in the record's texts."""
    by_name: tuple[ByName, ...] = ()
    """What finds values by the names that stand beside them."""
    _seen: dict[str, tuple[str, list[Edit]]] = field(default_factory=dict, repr=False, compare=False)

    def text(self, text: str) -> tuple[str, list[Edit]]:
        """The masked text, and where it changed."""
        if isinstance(text, Constant):
            return text, []
        known = self._seen.get(text)
        if known is None:
            found = self.spans(text)
            known = cut(text, found) if found else (text, [])
            if len(text) <= _SHORT:
                self._seen[text] = known
        return known[0], list(known[1])

    def leave(self, text: str) -> None:
        """Takes a text as one in which nothing is to be masked any more."""
        self._seen[text] = text, []

    def spans(self, text: str) -> list[Span]:
        """Where known values stand in a text, or identifiers that hold one; in no order."""
        found = self._named_or_known(text)
        if self.encoded and may_be_encoded(text):
            for reading in readings(text):
                hits = self._named_or_known(reading.text)
                found += [(reading.starts[a], reading.ends[b - 1], what) for a, b, what in hits]
        if self.looks:
            flat = unwrapped(text)
            for look, attribute in self.looks.items():
                if look[0] in flat:
                    found += [(a, b, attribute) for a, b in stretches(look, text)]
        if found and may_hold_identifiers(text):
            found = [whole_identifier(text, start, end) or (start, end, what) for start, end, what in found]
        return found

    def number(self, number: float) -> float | str:
        """A number, or what stands where a known one was taken out."""
        attribute = self.attributes.get(str(number))
        if attribute is None and isinstance(number, float) and number.is_integer():
            attribute = self.attributes.get(str(int(number)))
        return withheld(attribute) if attribute else number

    def _named_or_known(self, text: str) -> list[Span]:
        found: list[Span] = [*self._words(text)] if self.forms and self._may_occur(text) else []
        if self.days or self.literals:
            found += self._days_and_literals(text)
        for finder in self.by_name:
            found += finder.spans(text)
        return found

    def _days_and_literals(self, text: str) -> Iterator[Span]:
        folded, places = folded_with_places(text)
        for start, after, meanings in days_in(folded) if self.days else ():
            attribute = next((self.days[day] for day in meanings if day in self.days), None)
            if attribute:
                yield places[start], places[after - 1] + 1, attribute
        for hit in self.literals.finditer(folded) if self.literals else ():
            attribute = self.attributes.get(" ".join(hit.group().split()), "value")
            yield places[hit.start()], places[hit.end() - 1] + 1, attribute

    def _may_occur(self, text: str) -> bool:
        if len(self.lengths) > _FEW:
            return True
        return any(map(squeezed(text).__contains__, self.lengths))

    def _words(self, text: str) -> Iterator[Span]:
        """Of the hits that begin at one letter the longest; the next begins behind it."""
        bones = skeleton(text)
        beginnings = bones.starts | bones.turns
        end = 0
        for at in range(len(bones.letters)) if self.inside else sorted(beginnings):
            if at < end:
                continue
            whole = at in beginnings
            for size in range(_KEY, 1, -1):
                key = bones.merged[at : at + size]
                if key in self.lengths and (whole or key in self.inside):
                    after, attribute = self._longest(bones, text, at, self.lengths[key])
                    if after:
                        yield bones.places[at], bones.places[after - 1] + 1, attribute
                        end = after
                        break

    def _longest(self, bones: Skeleton, text: str, at: int, lengths: list[int]) -> tuple[int, str]:
        """Where the longest form ends that fits at a letter, and its attribute."""
        for length in lengths:
            for form, attribute in self.forms.get(bones.merged[at : at + length], ()):
                if after := end_of_fit(form, bones, text, at):
                    return after, attribute
        return 0, ""


def known_values(pairs: list[tuple[str, Any]]) -> dict[str, str]:
    """Attribute and raw value → the specific strings among them, with their attribute."""
    found: dict[str, str] = {}
    names: list[tuple[str, str]] = []
    for attribute, value in pairs:
        for text in _strings(value):
            if spellings(attribute, text) is None or (text[0] == CONSTANT[0] and text == withheld(attribute)):
                continue
            found[text] = attribute
            if attribute != "subject" and text.isalpha() and means_name(attribute, ""):
                names.append((attribute, text))
    # First and last name under keys of their own are a whole name together.
    if 2 <= len(names) <= 4:
        found[" ".join(text for _, text in names)] = names[0][0]
    return found


def scrubber(values: Mapping[str, str], texts: str, by_name: tuple[ByName, ...] = ()) -> Scrubber | None:
    """A scrubber for those values that may occur in the texts, and for those that `by_name` finds; None without any."""
    seen_in = glance(texts)
    if seen_in.encoded:
        texts = "\n".join((texts, *(reading.text for reading in readings(texts))))
    letters, flat = squeezed(texts), unwrapped(texts)
    within = _Pieces(letters) if len(values) > _FEW else letters
    present: list[tuple[str, Spellings]] = []
    encoded: dict[Look, str] = {}
    for value, attribute in values.items():
        known = spellings(attribute, value)
        if known is None:
            continue
        if _may_be_in(known, texts, letters, within):
            present.append((attribute, known))
        for look in looks(attribute, value, seen_in.capital_inside):
            if look[0] in flat:
                encoded.setdefault(look, attribute)
    return _made(present, seen_in.encoded, encoded, by_name) if present or encoded or by_name else None


class _Pieces(dict[int, set[str]]):
    """Answers for many needles whether they may be in a text, from all its pieces of some length."""

    def __init__(self, letters: str) -> None:
        self._letters = letters

    def __missing__(self, size: int) -> set[str]:
        self[size] = {self._letters[at : at + size] for at in range(len(self._letters))}
        return self[size]

    def __contains__(self, needle: object) -> bool:
        needle = str(needle)
        pieces = self[min(len(needle), _PIECE)]
        return needle[:_PIECE] in pieces and needle[-_PIECE:] in pieces


def _may_be_in(known: Spellings, texts: str, letters: str, within: str | _Pieces) -> bool:
    """Whether the value can be in the texts; cheap, and seldom wrong."""
    for needle in known.needles:
        if needle in within:
            return True
    if known.literal and known.literal in " ".join(fold(texts).split()):
        return True
    if known.initials and any(initials in texts for initials in known.initials):
        return True
    if known.days and any(merge(f"{year % 100:02}") in letters for year, _, _ in known.days):
        return any(not known.days.isdisjoint(meanings) for _, _, meanings in days_in(fold(texts)))
    return False


def _made(
    present: Iterable[tuple[str, Spellings]], encoded: bool, looks: Mapping[Look, str], by_name: tuple[ByName, ...]
) -> Scrubber:
    forms: dict[str, list[tuple[Form, str]]] = {}
    lengths: dict[str, set[int]] = {}
    inside: set[str] = set()
    days: dict[Day, str] = {}
    literals: dict[str, str] = {}
    numbers: dict[str, str] = {}
    for attribute, known in present:
        for form in known.forms():
            letters = merge(form.letters)
            key = letters[:_KEY]
            forms.setdefault(letters, []).append((form, attribute))
            lengths.setdefault(key, set()).add(len(letters))
            if form.inside or form.country:
                inside.add(key)
        days.update(dict.fromkeys(known.days, attribute))
        if known.literal:
            literals[known.literal] = attribute
        if known.number:
            numbers[known.number] = attribute
    longest_first = sorted(literals, key=len, reverse=True)
    pattern = re.compile("|".join(map(_spelling, longest_first))) if literals else None
    sizes = {key: sorted(some, reverse=True) for key, some in lengths.items()}
    return Scrubber(forms, sizes, days, pattern, numbers | literals, frozenset(inside), encoded, looks, by_name)


def _spelling(value: str) -> str:
    """A pattern for a folded value, with any run of spaces between its words."""
    words = r"\s+".join(map(re.escape, value.split()))
    return words if len(value) >= 6 else rf"(?<![^\W_]){words}(?![^\W_])"


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _strings(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _strings(inner)]
    return [] if value is None or isinstance(value, bool) else [str(value)]
