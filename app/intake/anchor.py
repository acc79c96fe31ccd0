"""Spans of explanations, anchored in the text they speak of.

Published spans count from 0 or 1, end before or after their last character, and count bytes,
UTF-16 units or code points. Each span that carries its own text is tried as it stands, shifted by
one, and searched; how it was found is kept in `anchor` (`exact`, `shifted`, `searched`, `failed`).
Afterwards all offsets are code points, end exclusive.
"""

from __future__ import annotations

from typing import Any


def anchor_spans(record: dict[str, Any]) -> None:
    """Anchors the spans of a record's `text_span` and `evidence` explanations in place."""
    for explanation in record.get("explanations") or ():
        if explanation.get("kind") not in ("text_span", "evidence"):
            continue
        text = target_text(record, (explanation.get("target") or {}).get("input"))
        unit = explanation.get("offset_unit") or "codepoint"
        for item in explanation.get("items") or ():
            start, end, anchor = _anchor(text, item.get("start"), item.get("end"), item.get("text"), unit)
            item |= {"start": start, "end": end, "anchor": anchor}
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


def _anchor(
    text: str, start: int | None, end: int | None, wanted: str | None, unit: str
) -> tuple[int | None, int | None, str]:
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
    found = _nearest(text, wanted, max(0, start or 0)) if wanted else -1
    if found < 0:
        return None, None, "failed"
    return found, found + len(wanted or ""), "searched"


def _nearest(text: str, wanted: str, near: int) -> int:
    """Where the text occurs closest to an offset; -1 where it does not."""
    before, after = text.rfind(wanted, 0, near + len(wanted)), text.find(wanted, near)
    if before < 0 or after < 0:
        return max(before, after)
    return before if near - before < after - near else after


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
