"""Whole identifiers around a value: `q.lastname@example.org` is masked as one, and not only its last name.

What is left of an e-mail address, a link, a path or a handle once a name in it is masked still leads to its owner. Only
the grammar of these is known here; the detectors know more kinds, and look at prose only.
"""

from __future__ import annotations

import re

# Where one of these stands in a text there may be an identifier around a value.
_SIGNS = ("@", "/", "\\", "%40", "＠", "﹫", "www.", ".")
_AROUND = frozenset(" \t\r\n\f\v\u00a0\u2028\u2029\"'<>|`(){}[]«»“”„")
_AT = r"(?:@|%40|＠|﹫)"
_MAIL = re.compile(rf"[^\s@＠﹫:/?&=;,]+?{_AT}[^\s@＠﹫:/?&=;,]*[^\W_]")
_HANDLE = re.compile(rf"(?<![\w.]){_AT}[\w.-]*\w")
_LINK = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]{1,20}://|www\.|(?:mailto|tel|urn|data|sip|xmpp):)\S+")
_PATH = re.compile(r"(?:[A-Za-z]:[\\/]|~[\\/]|\.{1,2}[\\/]|[\\/]{1,2})?[^\\/]+(?:[\\/]+[^\\/]*)+")
_ROOTED = re.compile(r"(?:[A-Za-z]:[\\/]|[~.]{0,2}[\\/])")
_FILE = re.compile(
    r"[^\\/:]+\.(?:pdf|csv|tsv|json|jsonl|ndjson|xml|ya?ml|txt|md|log|html?|docx?|xlsx?|pptx?|odt|ods|rtf|eml|msg|png"
    r"|jpe?g|gif|tiff?|bmp|webp|svg|dcm|wav|mp3|mp4|mov|avi|zip|gz|tar|7z|parquet|feather|arrow|sqlite|db|pkl|bin)",
    re.I,
)
_ENDING = ".,;:!?…"
# No identifier is longer: more is looked at on neither side.
_FAR = 2000


def whole_identifier(text: str, start: int, end: int) -> tuple[int, int, str] | None:
    """The identifier that a stretch of a text is part of, with its kind; None where it is part of none."""
    first, last = start, end
    while first > 0 and start - first < _FAR and text[first - 1] not in _AROUND:
        first -= 1
    while last < len(text) and last - end < _FAR and text[last] not in _AROUND:
        last += 1
    while last > end and text[last - 1] in _ENDING:
        last -= 1
    if (first, last) == (start, end):
        return None
    token = text[first:last]
    if not any(sign in token for sign in _SIGNS):
        return None
    for kind, pattern in (("url", _LINK), ("email", _MAIL), ("handle", _HANDLE)):
        for found in pattern.finditer(token):
            if _holds(found.span(), start - first, end - first):
                return first + found.start(), first + found.end(), kind
    path = _path(token, start - first, end - first)
    return (first + path[0], first + path[1], "path") if path else None


def may_hold_identifiers(text: str) -> bool:
    """Whether a text can hold any; cheap."""
    return any(sign in text for sign in _SIGNS)


def _path(token: str, start: int, end: int) -> tuple[int, int] | None:
    """A path or the name of a file; not `Smith/Jones`, nor a date."""
    at = max(token.rfind(sign, 0, start) for sign in ":=,;") + 1
    # A drive's letter belongs to its path.
    at = at - 2 if at >= 2 and token[at - 2].isalpha() and token[at : at + 1] in ("\\", "/") else at
    body = token[at:]
    beside = body[: start - at] + body[end - at :]
    separators = beside.count("/") + beside.count("\\")
    if separators and (separators > 1 or _ROOTED.match(body) or _FILE.fullmatch(re.split(r"[\\/]", body)[-1])):
        return at, len(token)
    return (at, len(token)) if _FILE.fullmatch(body) else None


def _holds(span: tuple[int, int], start: int, end: int) -> bool:
    return span[0] <= start and end <= span[1]
