"""Known values: which count, where they are masked, and where offsets go."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.protect.known.everyday import WORDS
from app.protect.known.skeleton import fold
from app.protect.scrub import Scrubber, known_values, moved, scrubber


def made(text: str, *values: Any, attribute: str = "name") -> Scrubber | None:
    return scrubber(known_values([(attribute, value) for value in values]), text)


def masked(text: str, *values: Any, attribute: str = "name") -> str:
    found = made(text, *values, attribute=attribute)
    return found.text(text)[0] if found else text


@pytest.mark.parametrize(
    ("value", "text", "result"),
    [
        ("Anna Lee", "Anna Lee called", "[withheld: name] called"),
        ("Anna Lee", "anna lee, ANNA LEE", "[withheld: name], [withheld: name]"),
        ("Anna", "Anna's, annas, Joanna", "[withheld: name]'s, [withheld: name], Joanna"),
        ("Annabel", "MyAnnabelle", "My[withheld: name]le"),
        ("Anna", "user_anna_1", "user_[withheld: name]_1"),
        ("Lee", "Lee, Lees, in the lee", "[withheld: name], [withheld: name], in the lee"),
        ("Bo", "Bo", "Bo"),
        ("other", "the other day", "the other day"),
        ("12345", "12345 and 123456 and A12345", "[withheld: name] and 123456 and A12345"),
        ("1234", "1234", "1234"),
        (12345, "no. 12345", "no. [withheld: name]"),
        ("  Anna  Lee ", "Anna Lee", "[withheld: name]"),
        ("a.*b(c", "xa.*B(Cx", "x[withheld: name]x"),
        (["Anna Lee", {"more": "Zoë Ford"}], "Zoe Ford and Anna Lee", "[withheld: name] and [withheld: name]"),
        (True, "true", "true"),
        (None, "None", "None"),
        ("", "", ""),
        ("[withheld: name]", "[withheld: name]", "[withheld: name]"),
    ],
)
def test_masking(value: Any, text: str, result: str) -> None:
    assert masked(text, value) == result


def test_the_longest_value_wins() -> None:
    found = scrubber(known_values([("first", "Annabel"), ("full", "Annabel Leeds")]), "Annabel Leeds, Annabel")
    assert found is not None
    assert found.text("Annabel Leeds, Annabel")[0] == "[withheld: full], [withheld: first]"


def test_two_values_that_meet_in_one_ligature() -> None:
    found = made("abcde\ufb01xyzuv", "abcdef", "ixyzuv", attribute="tribe")
    assert found is not None
    text, edits = found.text("abcde\ufb01xyzuv")
    assert text == "[withheld: tribe][withheld: tribe]"
    assert [(edit.start, edit.end) for edit in edits] == [(0, 6), (6, 11)]


def test_what_does_not_occur_needs_no_scrubber() -> None:
    assert made("nobody here", "Anna Lee") is None


def test_a_number_is_masked_where_it_is_known() -> None:
    found = made("12345", 12345)
    assert found is not None
    assert found.number(12345) == "[withheld: name]"
    assert found.number(12346) == 12346


# Letters that fold to none, one or several others, and the values they may hide.
LETTERS = "ann aé\u0301ßﬁİ\u200b\u00adÅｘ1_.\n"
VALUES = st.lists(st.text(LETTERS, min_size=4, max_size=8), min_size=1, max_size=3)


@settings(max_examples=500, deadline=None)
@given(VALUES, st.lists(st.text(LETTERS, max_size=8) | st.integers(0, 2), max_size=6))
def test_offsets_follow_the_text(values: list[str], parts: list[str | int]) -> None:
    text = "".join(values[part % len(values)] if isinstance(part, int) else part for part in parts)
    found = made(text, *values)
    if found is None:
        return
    result, edits = found.text(text)
    end, rebuilt = 0, ""
    for edit in edits:
        assert end <= edit.start <= edit.end
        rebuilt += text[end : edit.start] + "[withheld: name]"
        end = edit.end
    assert rebuilt + text[end:] == result
    for offset in range(len(text)):
        inside = any(edit.start <= offset < edit.end for edit in edits)
        if not inside:
            assert result[moved(offset, edits)] == text[offset]
    assert moved(len(text), edits, end=True) == len(result)


@example("T\x08EN", "", "")  # the name is a word that stands before others' names
@settings(max_examples=300, deadline=None)
@given(st.text(min_size=4, max_size=12), st.text(max_size=5), st.text(max_size=5))
def test_a_value_as_it_was_given_is_always_found(value: str, before: str, after: str) -> None:
    text = f"{before} {value} {after}"
    # A name that is a word ("Close") stays where a sentence opens with it.
    if known_values([("name", value)]) and fold(value).strip() not in WORDS:
        assert made(text, value) is not None
        assert value.strip().casefold() not in masked(text, value).casefold() or value.strip() in "[withheld: name]"
