"""Sensitive values in disguise: no disguise on the lists below gets past the scrubber, says an independent judge."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.protect.scrub import known_values, scrubber
from tests.hostile.judge import read_date, read_name, read_number, read_words

LATIN = [
    ("Jane", "Smith"), ("Xanthippe", "Quorrowby"), ("Zbigniew", "Trzaskalski"), ("José", "Núñez"), ("Łukasz", "Żółć"),
    ("Søren", "Kierkegaard"), ("Jürgen", "Weißmüller"), ("Nguyễn", "Thịnh"), ("Chloë", "O'Brien"), ("İbrahim", "Çelik"),
    ("Amara", "Okonkwo-Eze"), ("Zoe", "Abt"),
]  # fmt: skip
OTHER = [
    "Иван Петров",
    "Ελένη Παπαδοπούλου",
    "محمد العلي",
    "דוד כהן",
    "王小明",
    "김철수",
    "山田 太郎",
    "अनिता शर्मा",
    "สมชาย ใจดี",
]

_CYRILLIC = str.maketrans("aeopcxijsAEOPCXIJSHKMTBY", "аеорсхіјѕАЕОРСХІЈЅНКМТВУ")
_GREEK = str.maketrans("aioAEIOHKMNPTXYZBv", "αιοΑΕΙΟΗΚΜΝΡΤΧΥΖΒν")
_WIDE = {code: code + 0xFEE0 for code in range(33, 127)}
_LEET = str.maketrans("eo", "30")


def _bare(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
    return plain.translate(str.maketrans("łŁøØßıİ", "lLoOsiI")).replace("s", "s")


def _mathematical(text: str) -> str:
    return "".join(chr(0x1D400 + ord(c) - 65) if c in CAPITALS else chr(0x1D41A + ord(c) - 97) if c in SMALL else c
                   for c in text)  # fmt: skip


CAPITALS, SMALL = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
FOUND: dict[str, Callable[[str, str], str]] = {
    "as it is": lambda f, n: f"{f} {n}",
    "capitals": lambda f, n: f"{f} {n}".upper(),
    "small letters": lambda f, n: f"{f} {n}".lower(),
    "first name": lambda f, n: f,
    "last name": lambda f, n: n,
    "last, first": lambda f, n: f"{n}, {f}",
    "last first": lambda f, n: f"{n} {f}",
    "initial": lambda f, n: f"{f[0]}. {n}",
    "initial without stop": lambda f, n: f"{f[0]} {n}",
    "initial behind": lambda f, n: f"{n}, {f[0]}.",
    "another middle name": lambda f, n: f"{f} Q. {n}",
    "title": lambda f, n: f"Dr. {n}",
    "no-break space": lambda f, n: f"{f}\u00a0{n}",
    "zero-width space": lambda f, n: f"{f[:2]}\u200b{f[2:]} \u2060{n[0]}\u200d{n[1:]}",
    "soft hyphen": lambda f, n: f"{f[:2]}\u00ad{f[2:]} {n[:3]}\u00ad{n[3:]}",
    "variation selectors": lambda f, n: "\ufe0f".join(f"{f} {n}"),
    "tag characters": lambda f, n: f"{f}\U000e0041 {n[:2]}\U000e0042{n[2:]}",
    "combining marks": lambda f, n: "\u0336".join(f"{f} {n}"),
    "Cyrillic letters": lambda f, n: f"{f} {n}".translate(_CYRILLIC),
    "Greek letters": lambda f, n: f"{f} {n}".translate(_GREEK),
    "newline": lambda f, n: f"{f}\r\n\t{n}",
    "line separator": lambda f, n: f"{f}\u2028{n}",
    "fullwidth": lambda f, n: f"{f}\u3000{n}".translate(_WIDE),
    "mathematical": lambda f, n: _mathematical(f"{f} {n}"),
    "dotted handle": lambda f, n: f"{f}.{n}".lower(),
    "underscored handle": lambda f, n: f"{f}_{n}@example.org".lower(),
    "joined handle": lambda f, n: f"{f}{n}".lower(),
    "camel case": lambda f, n: f"{f}{n}",
    "handle with a number": lambda f, n: f"{f}.{n}84".lower(),
    "initial and last": lambda f, n: f"{f[0]}{n}".lower(),
    "without diacritics": lambda f, n: _bare(f"{f} {n}"),
    "decomposed": lambda f, n: unicodedata.normalize("NFD", f"{f} {n}"),
    "letters apart": lambda f, n: " ".join(f) + "  " + " ".join(n),
    "letters hyphened": lambda f, n: "-".join(f),
    "letters dotted": lambda f, n: ".".join(n),
    "hyphened at the line's end": lambda f, n: f"{f} {n[:3]}-\n{n[3:]}",
    "possessive": lambda f, n: f"{n}'s",
    "possessive, curly": lambda f, n: f"{f}\u2019s",
    "plural": lambda f, n: f"{n}s",
    "digits for letters": lambda f, n: f"{f} {n}".translate(_LEET),
    "file name": lambda f, n: f"{n}_{f}_2024.pdf",
    "address of a page": lambda f, n: f"https://example.org/people/{f}-{n}/cv".lower(),
    "in quotes": lambda f, n: f'"{f}" «{n}»',
    "markdown": lambda f, n: f"**{f}** _{n}_",
    "with control characters": lambda f, n: f"{f}\x08 {n[:2]}\x00{n[2:]}",
}  # fmt: skip
# Known to get past: what the scrubber does not claim.
NOT_FOUND: dict[str, Callable[[str, str], str]] = {
    "backwards": lambda f, n: f"{n}"[::-1],
    "misspelt": lambda f, n: f"{n[:2]}{n[3:]}",
    "signs for letters": lambda f, n: f.replace("a", "@"),
    "words between the letters": lambda f, n: " dot ".join(f),
}  # fmt: skip


def protected(attribute: str, value: Any, text: str) -> str:
    found = scrubber(known_values([(attribute, value)]), text)
    return found.text(text)[0] if found else text


@pytest.mark.parametrize("disguise", FOUND)
@pytest.mark.parametrize("attribute", ["name", "subject", "customer_name"])
def test_no_disguise_of_a_name_leaks(disguise: str, attribute: str) -> None:
    for first, last in LATIN:
        written = FOUND[disguise](first, last)
        document = f"We spoke with {written} on the phone (ref. 12)."
        kept = protected(attribute, f"{first} {last}", document)
        assert read_name(kept, f"{first} {last}") == [], (written, kept)
        assert kept.startswith("We spoke with ") and kept.endswith(" on the phone (ref. 12).")


def test_the_judge_reads_disguises() -> None:
    unread = {
        disguise for disguise, write in FOUND.items() for first, last in LATIN[:3]
        if not read_name(f"We spoke with {write(first, last)} on the phone.", f"{first} {last}")
    }  # fmt: skip
    assert unread <= {"digits for letters"}
    assert read_name("We spoke with [withheld: name] on the phone.", "Jane Smith") == []
    assert read_number("call 0044 (20) 79460958", "+44 20 7946 0958")
    assert read_date("born 07.03.84", 1984, 3, 7)
    assert not read_date("born [withheld: age] 12 March 1984", 1984, 3, 7)


@pytest.mark.parametrize("name", OTHER)
def test_names_in_other_scripts_do_not_leak(name: str) -> None:
    parts = name.split()
    for written in (name, name.upper(), "\n".join(parts), " ".join(reversed(parts)), name.replace(" ", ""), *parts):
        kept = protected("name", name, f"to {written}: ok")
        assert written not in kept, kept


@pytest.mark.parametrize("disguise", NOT_FOUND)
def test_what_is_known_to_get_past(disguise: str) -> None:
    """Should one of these be found one day, move it up."""
    written = NOT_FOUND[disguise]("Xanthippa", "Quorrowby")
    assert written in protected("name", "Xanthippa Quorrowby", f"We spoke with {written} today.")


PHONES = {
    "+44 20 7946 0958": ["02079460958", "020 7946 0958", "+442079460958", "(020) 7946-0958", "0044 20 79460958",
                         "+44 (0)20 7946 0958", "44-20-7946-0958", "020.7946.0958", "０２０ ７９４６ ０９５８"],
    "02079460958": ["+44 20 7946 0958", "+442079460958", "020-7946-0958", "0044 2079460958", "tel:+442079460958"],
    "(212) 555-0187": ["+1 212 555 0187", "2125550187", "12125550187", "212.555.0187", "+1-212-555-0187"],
    "+49 151 23456789": ["0151 23456789", "0151/234 567 89", "004915123456789"],
}  # fmt: skip


@pytest.mark.parametrize("number", PHONES)
def test_no_grouping_of_a_telephone_number_leaks(number: str) -> None:
    for written in (number, *PHONES[number]):
        kept = protected("phone", number, f"call {written} now")
        assert not read_number(kept, number), kept
        assert kept.startswith("call ") and kept.endswith(" now")


DAYS = [
    "1984-03-07", "07/03/1984", "03/07/1984", "7/3/84", "7 March 1984", "March 7, 1984", "07.03.84",
    "7th of March, 1984", "7 Mar 1984", "19840307", "07-MAR-1984", "1984/3/7", "7. März 1984", "7 de marzo de 1984",
    "7 mars 1984",
    "1984-03-07T00:00:00Z", "7 March '84", "Mar 7th 1984", "07 03 1984", "07031984", "１９８４-０３-０７",
    "7\nMarch\n1984",
]  # fmt: skip


@pytest.mark.parametrize("given_as", ["1984-03-07", "7 March 1984", "1984-03-07T00:00:00Z", "07.03.1984"])
@pytest.mark.parametrize("attribute", ["date_of_birth", "age", "dob"])
def test_no_notation_of_a_day_leaks(attribute: str, given_as: str) -> None:
    for written in DAYS:
        kept = protected(attribute, given_as, f"born {written} in Leeds, seen 8 March 1984")
        if given_as == "07.03.1984" or written != "03/07/1984":
            assert not read_date(kept.replace("8 March 1984", ""), 1984, 3, 7), kept
        assert kept.endswith(" in Leeds, seen 8 March 1984")


PLACES = {
    "221B Baker Street, London NW1 6XE": ["221b baker street", "NW16XE", "nw1 6xe", "221B Baker St.",
                                         "221B\nBaker Street"],
    "Hauptstraße 12\n10115 Berlin": ["Hauptstrasse 12", "HAUPTSTRASSE 12", "10115 Berlin", "10115"],
    "12 Elm Avenue, Springfield, IL 62704": ["12 Elm Ave", "12 elm avenue", "62704", "Springfield"],
    "NW16XE": ["NW1 6XE", "nw1\u00a06xe", "NW1-6XE"],
}  # fmt: skip


@pytest.mark.parametrize("address", PLACES)
def test_no_part_of_an_address_leaks(address: str) -> None:
    for written in PLACES[address]:
        kept = protected("address", address, f"lives at {written} now")
        assert not read_words(kept, written), kept


@pytest.mark.parametrize("written", ["jane.smith@example.com", "Jane.Smith", "jane_smith", "janesmith", "Jane Smith"])
def test_the_own_part_of_an_e_mail_address_does_not_leak(written: str) -> None:
    assert "smith" not in protected("email", "jane.smith@example.com", f"user {written} here").casefold()


# Ways to write one letter of a name, or what stands between two, that a reader does not notice.
NOISE = st.sampled_from(["\u200b", "\u00ad", "\ufeff", "\u0336", "\u2060", "\U000e0041", "\ufe0e"])
WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "capital": str.upper,
    "small": str.lower,
    "Cyrillic": lambda letter: letter.translate(_CYRILLIC),
    "Greek": lambda letter: letter.translate(_GREEK),
    "wide": lambda letter: letter.translate(_WIDE),
}
GAPS = st.sampled_from([" ", "  ", "\u00a0", "\n", ".", "_", "-", ", ", "\u2003", " \u200b", "\t", "/"])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(LATIN), GAPS, st.lists(st.tuples(st.integers(0, 30), NOISE), max_size=5), st.data())
def test_no_mixture_of_disguises_leaks(
    name: tuple[str, str], gap: str, noise: list[tuple[int, str]], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(name))
    letters = list(gap.join(order))
    alphabets = data.draw(st.lists(st.sampled_from(sorted(WRITTEN)), min_size=1, max_size=9))
    for at, letter in enumerate(letters):
        how = alphabets[at % len(alphabets)]
        letters[at] = WRITTEN[how](letter) if letter.isalpha() else letter
    for at, sign in noise:
        letters.insert(min(at, len(letters)), sign)
    written = "".join(letters)
    kept = protected("name", " ".join(name), f"We met {written} there.")
    assert read_name(kept, " ".join(name)) == [], (written, kept)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Will May", "Will you come in May 2024? You may. He will."),
        ("Grace Young", "by the grace of a young clerk; Young people pay late"),
        ("Mark Price", "Price is high. They mark the price."),
        ("Jane Smith", "Janet Smithson, a blacksmith, pays"),
        ("Anna Lee", "Banana leek in the lee of a hill: annals"),
        ("Al Green", "a green apple"),
        ("Martin Hall", "a mart in the hall"),
        ("Ursula Stone", "made in the U.S. of stone"),
        ("Bo Li", "bold lines"),
    ],
)
def test_everyday_words_stay(name: str, text: str) -> None:
    assert protected("name", name, text) == text


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("Will May", "He met Will there.", "He met [withheld: name] there."),
        (
            "Will May",
            "Mr May left; Will's car; WILL MAY",
            "Mr [withheld: name] left; [withheld: name]'s car; [withheld: name]",
        ),
        ("Grace Young", "Grace called.", "[withheld: name] called."),
        ("Jane Smith", "signed J.S. today", "signed [withheld: name]. today"),
    ],
)
def test_everyday_words_in_the_place_of_a_name_go(name: str, text: str, kept: str) -> None:
    assert protected("name", name, text) == kept


def test_first_and_last_names_under_keys_of_their_own_are_one_name() -> None:
    pairs: list[tuple[str, Any]] = [("first_name", "Jane"), ("last_name", "Smith")]
    text = "janesmith, J. Smith, smithj"
    found = scrubber(known_values(pairs), text)
    assert found is not None
    assert found.text(text)[0] == ", ".join(["[withheld: first_name]"] * 3)


def test_thousands_of_values_are_all_found() -> None:
    names = [f"{first}{n:04} {last}x{n:04}" for n, (first, last) in enumerate(LATIN * 200)]
    names = [name.translate(str.maketrans("0123456789", "bcdfghjkmn")) for name in names]
    text = "\n".join(f"{name.upper()} said something" for name in names)
    found = scrubber(known_values([("name", name) for name in names]), text)
    assert found is not None
    assert set(found.text(text)[0].splitlines()) == {"[withheld: name] said something"}
