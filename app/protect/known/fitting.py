"""Whether a way of writing a value stands at a place of a text: the close look after the quick one."""

from __future__ import annotations

import re

from app.protect.known.everyday import BEFORE_A_MONTH, CALENDAR, OPENERS
from app.protect.known.forms import Form
from app.protect.known.skeleton import READ_AS, Skeleton, fold

_LAST_WORD = re.compile(r"([^\W\d_]+)[^\w.!?:;]*$")
_NUMBER_FOLLOWS = re.compile(r"[\s,.]*\d")
# Behind these a sentence begins, and so does it where nothing stands before.
_SENTENCE_BEGINS = re.compile(r"(?:^|[.!?:;\n\r•*>|\"“”«»(\[{])[\s\"'“”‘’«»(\[{]*$")
_ABBREVIATED = re.compile(r"(?i:\b(?:mr|mrs|ms|dr|prof|st|sr|jr)\.\s*$)|\b[A-Z]\.\s*$")
# No more of a text than this is looked at on either side.
_NEAR = 40


def end_of_fit(form: Form, bones: Skeleton, text: str, at: int) -> int:
    """Where the form ends that begins at this letter of the skeleton; 0 where something else stands."""
    end = at + len(form.letters)
    if end > len(bones.letters) or not _reads(form, bones, text, at, end):
        return 0
    begins, ends = at in bones.starts, end in bones.starts
    if form.digits:
        return _end_of_number(form, bones, at, end, begins, ends)
    begins, ends = begins or at in bones.turns, ends or end in bones.turns
    if not ends and bones.letters[end] == "s" and (end + 1 in bones.starts or end + 1 in bones.turns):
        # Smiths; not for a single initial.
        ends, end = form.initial is None and not form.dotted, end + 1
    breaks = [k for k in range(at + 1, at + len(form.letters)) if k in bones.starts]
    own = all(k - at in form.breaks for k in breaks)
    if not (begins and ends):
        return at + len(form.letters) if form.inside and own else 0
    if not own and not _spelt_apart(form, bones, text, at, breaks):
        return 0
    return end if _in_position(form, bones, text, at, bool(breaks)) else 0


def _reads(form: Form, bones: Skeleton, text: str, at: int, end: int) -> bool:
    """Whether these letters are those of the form, or can only be read as them."""
    there = bones.letters[at:end]
    if there == form.letters:
        return True
    if form.digits or len(there) < 3 or sum(map(str.isdigit, there)) * 2 > len(there):
        return False
    return all(
        seen == meant
        or meant in READ_AS.get(seen, "")
        or (seen == "i" and meant == "l" and text[bones.places[at + k]] == "I")
        or (seen == "l" and meant == "i" and text[bones.places[at + k]] == "l" and k == 0)
        for k, (seen, meant) in enumerate(zip(there, form.letters, strict=True))
    )


def _end_of_number(form: Form, bones: Skeleton, at: int, end: int, begins: bool, ends: bool) -> int:
    """Numbers from seven digits may be grouped in any way; a shorter one is as it was given."""
    if not ends:
        return 0
    if not begins:
        first = next(k for k in range(at, -1, -1) if k in bones.starts)
        begins = form.country and at - first <= 4 and bones.letters[first:at].isdigit()
    grouped = len(form.letters) >= 7 or all(k - at in form.breaks for k in range(at + 1, end) if k in bones.starts)
    return end if begins and grouped else 0


def _spelt_apart(form: Form, bones: Skeleton, text: str, at: int, breaks: list[int]) -> bool:
    """Whether a value is torn apart where it is whole: `J a n e`, `Quor-rowby`; but `mart in` is two words."""
    length = len(form.letters)
    if len(breaks) + 1 >= length * 2 / 3:
        return True
    if length >= 9:
        return True
    between = (text[bones.places[k - 1] + 1 : bones.places[k]] for k in breaks if k - at not in form.breaks)
    return length >= 6 and all(" " not in gap for gap in between)


def _in_position(form: Form, bones: Skeleton, text: str, at: int, broken: bool) -> bool:
    """Whether an everyday word stands here as a name, and an initial as an initial."""
    if form.dotted:
        return all(_with_stop(bones, text, at + k) for k in range(len(form.letters)))
    if form.initial is not None and broken:
        there = at + form.initial
        stop = _with_stop(bones, text, there)
        # An article and a pronoun are letters alone as well.
        unsure = form.everyday or bones.letters[there] in "ai"
        return text[bones.places[there]].isupper() and (stop or not unsure)
    if form.initial is not None:
        return not form.everyday and len(form.letters) >= 5
    return not form.everyday or _like_a_name(bones, text, at, at + len(form.letters))


def _with_stop(bones: Skeleton, text: str, at: int) -> bool:
    place = bones.places[at]
    return text[place].isupper() and text[place + 1 : place + 2] in (".", "．")


def _like_a_name(bones: Skeleton, text: str, at: int, end: int) -> bool:
    """With a capital; not at the beginning of a sentence if sentences begin so; no month."""
    start, after = bones.places[at], bones.places[end - 1] + 1
    if not text[start].isupper() and not text[start].istitle():
        return False
    word = bones.letters[at:end]
    before = text[max(0, start - _NEAR) : start]
    follows = text[after : after + 2]
    if follows[:1] in ("'", "’") and follows[1:2] in ("s", "S"):
        return True
    if word in CALENDAR:
        last = _LAST_WORD.search(fold(before))
        if (last and last[1] in BEFORE_A_MONTH) or _NUMBER_FOLLOWS.match(text, after) or before.rstrip()[-1:].isdigit():
            return False
    if word not in OPENERS or _ABBREVIATED.search(before):
        return True
    return not _SENTENCE_BEGINS.search(before if start > _NEAR or before else "")
