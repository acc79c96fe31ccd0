"""Spans of explanations, anchored in the text they speak of.

Published spans count from 0 or 1, end before or after their last character, and count bytes,
UTF-16 units or code points. Each span that carries its own text is tried as it stands, shifted by
one, and searched; how it was found is kept in `anchor` (`exact`, `shifted`, `searched`, `failed`).
Afterwards all offsets are code points, end exclusive.

Words without offsets are found in the text (`app.intake.places`). A word of a bag with several places becomes one item
a place: the first keeps the weight, all have the same `place_group`, and only the first counts.
"""

from __future__ import annotations

from typing import Any

from app.intake.places import MOST_ADDED, placed
from app.intake.token_forms import Edge, Token, is_special, tokens
from app.intake.word_search import LEVELS, Budget, Place, Searched, as_phrase, fold


def anchor_spans(record: dict[str, Any]) -> None:
    """Anchors the spans of a record's `text_span` and `evidence` explanations in place."""
    budget = Budget()
    for explanation in record.get("explanations") or ():
        if explanation.get("kind") not in ("text_span", "evidence"):
            continue
        target = explanation.get("target") or {}
        if not target.get("input") and (name := _only_text(record)):
            # Written down: what protects the text must know that these spans are of it.
            target = explanation["target"] = {**target, "input": name}
        text = Searched(target_text(record, target.get("input")), budget)
        unit = explanation.get("offset_unit") or "codepoint"
        unplaced = []
        for item in explanation.get("items") or ():
            if explanation["kind"] == "text_span" and _has_only_words(item):
                unplaced.append(item)
                continue
            start, end, anchor = _anchor(text, item.get("start"), item.get("end"), item.get("text"), unit)
            item |= {"start": start, "end": end, "anchor": anchor}
        if unplaced:
            _place(explanation, unplaced, text)
        explanation["offset_unit"] = "codepoint"


def target_text(record: dict[str, Any], target: str | None) -> str:
    """The text that a target names: `output.text` (the default) or an input."""
    if target and target != "output.text":
        name = target.removeprefix("inputs.")
        for item in record.get("inputs") or ():
            if item.get("name") == name and isinstance(item.get("value"), str):
                return str(item["value"])
        return ""
    return str((record.get("output") or {}).get("text") or "")


def _only_text(record: dict[str, Any]) -> str | None:
    """The name of the only input that is a text, where the output has none."""
    if (record.get("output") or {}).get("text"):
        return None
    inputs = record.get("inputs") or ()
    names = [i["name"] for i in inputs if i.get("kind") == "text" and isinstance(i.get("value"), str)]
    # Of inputs with one name the first is meant, which may be another one.
    alone = len(names) == 1 and sum(i["name"] == names[0] for i in inputs) == 1
    return names[0] if alone and names[0] != "output.text" and not names[0].startswith("inputs.") else None


def _has_only_words(item: dict[str, Any]) -> bool:
    return item.get("text") is not None and item.get("start") is None and item.get("end") is None


# -- words without offsets ---------------------------------------------------------------------------


def _place(explanation: dict[str, Any], unplaced: list[dict[str, Any]], text: Searched) -> None:
    """Gives words their places; a word with several becomes several items, the first of which has its weight."""
    case_sensitive = "lime" in str(explanation.get("method") or "").casefold()
    all_places = placed(text, unplaced, case_sensitive)
    places = {id(item): found for item, found in zip(unplaced, all_places, strict=True)}
    items: list[dict[str, Any]] = []
    left = MOST_ADDED
    for number, item in enumerate(explanation["items"]):
        items.append(item)
        if id(item) not in places:
            continue
        found = places[id(item)]
        item |= _anchored(found[0] if found else None, item["text"])
        added = found[1 : left + 1]
        if added:
            item["place_group"] = number
            items += [{"text": item["text"], **_anchored(place, ""), "place_group": number} for place in added]
            left -= len(added)
    explanation["items"] = items


def _anchored(place: Place | None, words: str) -> dict[str, Any]:
    if place is not None:
        return {"start": place[0], "end": place[1], "anchor": "searched"}
    if is_special(words):
        return {"start": None, "end": None, "anchor": None, "special_token": True}
    return {"start": None, "end": None, "anchor": "failed"}


# -- spans with offsets ------------------------------------------------------------------------------


def _anchor(
    searched: Searched, start: int | None, end: int | None, wanted: str | None, unit: str
) -> tuple[int | None, int | None, str]:
    text = searched.text
    if start is not None and end is not None:
        first, last = _to_code_points(text, start, unit), _to_code_points(text, end, unit)
        if wanted is None:
            inside = first is not None and last is not None and first < last <= len(text)
            return (first, last, "exact") if inside else (None, None, "failed")
        if first is not None and last is not None:
            for shift, anchor in ((0, "exact"), (-1, "shifted"), (1, "shifted")):
                at = first + shift
                if at >= 0 and text[at : at + len(wanted)] == wanted:
                    return at, at + len(wanted), anchor
            if _spelt_alike(text[first:last], wanted):
                return first, last, "exact"
    found = _nearest(searched, wanted, max(0, start or 0), start is not None) if wanted else None
    return (*found, "searched") if found else (None, None, "failed")


def _spelt_alike(here: str, wanted: str) -> bool:
    """Whether words differ only in marks of a tokeniser, normal form, case or accents."""
    (token,) = tokens([wanted])
    here = here.strip()
    return bool(here) and any(fold(here, level) == fold(token.text, level) for level in LEVELS)


def _nearest(text: Searched, wanted: str, near: int, inside: bool) -> Place | None:
    """Where the words stand closest to an offset, at word boundaries if they do; None where they do not.

    `inside`: they had an offset, so that as they came they are also looked for inside of other words; without one only
    what is no short word is."""
    as_it_came = Token(wanted)
    found = text.nearest(as_it_came, 0, near)
    if found is None and inside:
        found = text.nearest(Token(wanted, Edge.ANY, Edge.ANY), 0, near)
    (token,) = tokens([wanted])
    if found is None and not token.special and token.text:
        found = next((place for level in LEVELS if (place := text.nearest(token, level, near))), None)
    phrase = as_phrase(as_it_came)
    return found or (text.nearest(phrase, 0, near) if phrase else None)


def _to_code_points(text: str, offset: int, unit: str) -> int | None:
    """An offset in bytes or UTF-16 units as code points; None where it lies outside."""
    if offset < 0:
        return None
    if unit in ("byte", "utf8", "utf-8"):
        encoded = text.encode("utf-8", "surrogatepass")
        return len(encoded[:offset].decode("utf-8", "ignore")) if offset <= len(encoded) else None
    if unit in ("utf16", "utf-16"):
        encoded = text.encode("utf-16-le", "surrogatepass")
        return len(encoded[: 2 * offset].decode("utf-16-le", "ignore")) if 2 * offset <= len(encoded) else None
    return offset if offset <= len(text) + 1 else None
