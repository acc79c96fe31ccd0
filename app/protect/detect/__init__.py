"""Personal data in free text, found by grammar, check digits, context and capitals; no model is involved.

`find_spans` finds what it can, `find_identifiers` only what is safe to mask without anybody looking.
Both work on a folded copy (`spans.skeleton`): width, accents, zero-width characters and kinds of digits, spaces
and dashes make no difference. Both take time in proportion to the text, whatever stands in it.
"""

from __future__ import annotations

import re

from app.protect.detect.plugins import Detector, load_detectors
from app.protect.detect.spans import Span, anchored, disjoint, skeleton

__all__ = ["Detector", "Span", "disjoint", "find_identifiers", "find_spans", "load_detectors"]

# Where this finds nothing there is no identifier: each of them has an @, two colons, or three digits close together.
_DOOR = re.compile(r"[@＠﹫]|\d\D{0,4}\d\D{0,4}\d|:[\da-fA-F]{0,4}:")
_DIGIT = re.compile(r"\d")


def find_identifiers(text: str) -> list[Span]:
    """The structured identifiers of a text: email, phone, card, iban, national_id, licence, ip.

    Spans are in code points, sorted and disjoint. Never raises for a `str`.
    """
    if not _DOOR.search(text):
        return []
    folded, places = skeleton(text)
    found = [span for span in _identifiers(folded) if span.kind != "account"]
    return anchored(disjoint(found), places)


def find_spans(text: str) -> list[Span]:
    """Everything that looks like personal data.

    Besides the kinds of `find_identifiers`: url, zip, address, age, date_of_birth, account, person, place,
    organisation, nationality, belief. Spans are in code points, sorted and disjoint. Never raises for a `str`.
    """
    # Here and not above: who masks identifiers only never loads the words.
    from app.protect.detect import addresses, names, patterns, spoken

    folded, places = skeleton(text)
    found = patterns.urls(folded) + patterns.spelt_emails(folded)
    if _DOOR.search(folded):
        found += _identifiers(folded)
    if _DIGIT.search(folded):
        found += patterns.births(folded) + patterns.zips(folded) + patterns.ages(folded)
    found = disjoint(found + addresses.addresses(folded))
    found += names.names(folded, found) + spoken.spoken(folded)
    return anchored(disjoint(found), places)


def _identifiers(folded: str) -> list[Span]:
    from app.protect.detect import numbers, patterns

    return patterns.emails(folded) + patterns.addresses_of_machines(folded) + numbers.numbers(folded)
