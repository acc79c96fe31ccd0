"""Stored text on a terminal: nothing acts, nothing hides, and every offset stays where it was."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.protect.safe_text import hidden_characters, safe_line, safe_text

EVERY_CODE_POINT = [chr(code) for code in range(0x110000)]

ESCAPES = {
    "OSC 52 write": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "OSC 52 query": "\x1b]52;c;?\x1b\\",
    "OSC 8 link": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "OSC 0 title": "\x1b]0;approved\x07",
    "OSC 2 title": "\x1b]2;approved\x1b\\",
    "OSC 9 notification": "\x1b]9;done\x07",
    "OSC 777 notification": "\x1b]777;notify;a;b\x07",
    "CSI 21t title report": "\x1b[21t",
    "CSI erase and home": "\x1b[2J\x1b[H",
    "C1 CSI": "\x9b2J",
    "C1 OSC": "\x9d0;x\x9c",
    "DCS": "\x1bPq#0;2;0;0;0\x1b\\",
    "APC": "\x1b_Gf=24;AAAA\x1b\\",
    "PM": "\x1b^x\x1b\\",
    "alternate screen": "\x1b[?1049l",
    "bracketed paste": "\x1b[?2004h",
    "unterminated OSC": "\x1b]0;never ends",
    "nested ESC": "\x1b\x1b[\x1b]x",
    "10k parameters": "\x1b[" + "1;" * 10_000 + "m",
    "carriage return": "declined\rapproved",
    "backspace": "no\b\byes",
    "NUL and DEL": "a\x00b\x7fc",
    "form feed and vertical tab": "a\x0cb\x0bc",
    "NEL": "a\x85b",
    "right-to-left override": "\u202edevorppa",
    "isolate": "\u2067abc\u2069",
    "split name": "Ann\u200ba",
    "joiner flood": "\u200d" * 100,
    "tag characters": "".join(chr(0xE0000 + ord(c)) for c in "approve"),
    "marks": "e" + "\u0301" * 1000,
    "marks with a joiner between": ("e" + "\u0301\u034f" * 100),
    "Thai marks": "\u0e01" + "\u0e49" * 100,
    "Arabic and Hebrew marks": "\u0628" + "\u064b\u05b0" * 100,
    "lone surrogates": "\ud800x\udfff",
    "mark of byte order": "a\ufeffb",
    "line separator": "a\u2028b\u2029c",
    "soft hyphen": "de\u00adcline",
    "variation selectors": "a\ufe0fb\U000e0100",
    "Hangul filler": "\u3164\u115f\uffa0",
    "interlinear annotation": "\ufff9a\ufffab\ufffb",
    "noncharacter": "\ufffe\ufdd0\U0010ffff",
}


def assert_harmless(text: str) -> None:
    for char in text:
        category = unicodedata.category(char)
        assert char == "\n" or category not in ("Cc", "Cf", "Cs", "Zl", "Zp"), f"U+{ord(char):04X}"


def test_every_code_point_becomes_one_harmless_character() -> None:
    assert all(len(safe_text(char)) == 1 for char in EVERY_CODE_POINT)
    assert_harmless("".join(map(safe_text, EVERY_CODE_POINT)))


def test_all_code_points_at_once_keep_their_places() -> None:
    text = "".join(EVERY_CODE_POINT)
    shown = safe_text(text)
    assert len(shown) == len(text)
    assert_harmless(shown)
    assert hidden_characters(text) == sum(a != b for a, b in zip(text, shown, strict=True)) - 1  # the tab


def test_plain_text_is_left_alone() -> None:
    for text in (
        "",
        "plain",
        "two\nlines",
        "größe, naïve, 日本語, עברית, हिन्दी, 👍🏽",
        "e\u0301 a\u0308\u0304",
        "\u0e1b\u0e35\u0e48\u0e19\u0e49\u0e33 \u05d1\u05bc\u05b0 \u064b\u0651",
        "a  b",
        "[red]x[/]",
    ):
        assert safe_text(text) == text
        assert hidden_characters(text) == 0


@pytest.mark.parametrize("name", ESCAPES)
def test_nothing_acts_and_what_was_hidden_is_counted(name: str) -> None:
    text = f"a {ESCAPES[name]} z"
    shown = safe_text(text)
    assert len(shown) == len(text)
    assert_harmless(shown)
    assert shown != text
    assert hidden_characters(text) == sum(a != b for a, b in zip(text, shown, strict=True)) > 0
    assert safe_text(shown) == shown
    assert hidden_characters(shown) == 0


@pytest.mark.parametrize(
    ("text", "shown", "hidden"),
    [
        ("\x1b[31m", "␛[31m", 1),
        ("a\tb", "a b", 0),
        ("a\r\nb", "a␍\nb", 1),
        ("a\x00\x7f", "a␀␡", 2),
        ("a\x9bb", "a\ufffdb", 1),
        ("a\u200bb", "a·b", 1),
        ("a\ud800b", "a\ufffdb", 1),
        ("a\u2028b", "a␤b", 1),
        ("e" + "\u0301" * 6, "e" + "\u0301" * 4 + "··", 2),
    ],
)
def test_what_is_shown_instead(text: str, shown: str, hidden: int) -> None:
    assert safe_text(text) == shown
    assert hidden_characters(text) == hidden


def test_many_different_characters_at_once() -> None:
    text = "".join(map(chr, range(0xA0))) + "審" + "".join(map(chr, range(0xE0000, 0xE0080)))
    shown = safe_text(text)
    assert_harmless(shown)
    assert shown == "".join(map(safe_text, text))
    assert hidden_characters(text) == sum(a not in (b, "\t") for a, b in zip(text, shown, strict=True))


def test_an_escape_that_is_split_over_two_fields_stays_apart() -> None:
    assert safe_text("\x1b") + safe_text("[2J") == "␛[2J"


def test_a_line_has_no_line_ends() -> None:
    assert safe_line("a\nb\r\n\x1b") == "a␤b␍␤␛"
    assert len(safe_line("".join(EVERY_CODE_POINT)).splitlines()) == 1


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters() | st.sampled_from("\u0301\u034f\u200b\ufe0f\x1b\n\t"), max_size=60))
def test_any_text(text: str) -> None:
    shown = safe_text(text)
    assert len(shown) == len(text)
    assert_harmless(shown)
    assert safe_text(shown) == shown
    assert hidden_characters(text) == sum(a != b and a != "\t" for a, b in zip(text, shown, strict=True))
