"""Personal data in free text: what is found, what has to survive, and that no text is too much."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.metadata import EntryPoint
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.model.errors import BadInput
from app.protect.detect import Span, disjoint, find_identifiers, find_spans, load_detectors

# Label and text, the labelled stretch between « and ». All of it is made up.
IDENTIFIERS = [
    ("email", "Write to «ada.lund+desk@mail.example.com», please."),
    ("email", "«ada@example.org»"),
    ("email", "«a\u200bda@exa\u200bmple.org»"),
    ("email", "reach «ada＠example.org» any time"),
    ("phone", "call me at «555-867-5309» tonight"),
    ("phone", "Tel. «(020) 7946 0958»"),
    ("phone", "my mobile is «07700900123»"),
    ("phone", "«+46 (0)8 123 45 67»"),
    ("phone", "phone:\n«60-14-85-91»"),
    ("phone", "ring «(212) 555-0143 x55»"),
    ("phone", "ring «２１２-５５５-０１４３»"),
    ("card", "«4111 1111 1111 1111»"),
    ("card", "«4111\u200b1111\u200b1111\u200b1111»"),
    ("card", "the card «676770043219» was stolen"),
    ("card", "«378282246310005» is my card"),
    ("iban", "Pay to «GB82 WEST 1234 5698 7654 32» and wait"),
    ("iban", "«de89370400440532013000»"),
    ("national_id", "SSN: «536-90-4399»"),
    ("national_id", "«536-90-4399»"),
    ("national_id", "my social security number is «536904399»"),
    ("national_id", "«111.444.777-35» is the CPF"),
    ("licence", "driver's license number is «D1234567»"),
    ("licence", "licence no. «A123-4567-8901»"),
    ("ip", "from «203.0.113.77», twice"),
    ("ip", "host «fe80::1ff:fe23:4567:890a» answered"),
    ("date_of_birth", "DOB: «1980-03-12»"),
    ("date_of_birth", "born on «12 March 1980» in"),
    ("address", "I live at «12 Oak Street, Springfield, IL 62704»"),
    ("address", "Post it to «12 rue de la Paix, 75002 Paris»"),
    ("address", "«Hauptstraße 5, 10115 Berlin»"),
    ("secret", "password: «hunter2!x»"),
    ("crypto_address", "to «1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa» now"),
    ("coordinates", "seen at «52.5200, 13.4050» again"),
    ("handle", "follow «@ada_lund» there"),
    ("number_plate", "license plate «B-AL 1234»"),
    ("national_id", "Steuer-ID «12 345 678 911»"),
]
OTHERS = [
    ("url", "see «https://www.lund-family.example/ada?x=1»."),
    ("url", "my page is «adalund.com»"),
    ("email", "«ada (at) example (dot) com»"),
    ("zip", "ZIP code: «90210-1234»"),
    ("zip", "our postcode is «SW1A 1AA»"),
    ("age", "This «79» year old woman"),
    ("age", "She retired at the age of «61»."),
    ("age", "He just turned «45»"),
    ("account", "account number «0012345678»"),
    ("address", "«1987 Lindvägen 4\n Suite 680\n Falun\n Sweden 36903»"),
    ("address", "meet me at «2407 tawastintie 6, suite 4, espoo, finland»"),
    ("person", "My name is «Oduya Fenwick» and more"),
    ("person", "my name is «oduya fenwick»"),
    ("person", "MY NAME IS «ODUYA FENWICK»"),
    ("person", "follow up with «oduya fenwick» in a week"),
    ("person", "Ask «Dr. Young» about it"),
    ("person", "«Fenwick» said no"),
    ("person", "we met «Anneli M. Fenwick-Oduya» there"),
    ("person", "What's your last name? «Fenwick»"),
    ("place", "We moved here from «Kenosha»"),
    ("place", "we moved here from «tunisia»"),
    ("place", "«Estonia» was fun to visit"),
    ("nationality", "a nice «Norwegian» place"),
    ("organisation", "I worked for «Fenwick Holdings» then"),
    ("belief", "they are «lutheran» too"),
]
SURVIVE = """550e8400-e29b-41d4-a716-446655440000
12345678-1234-1234-1234-123456789012
commit da39a3ee5e6b4b0d3255bfef95601890afd80709
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
ORD-2024-0012345
order number 4111111111111111 was shipped
v2.10.3
Python 3.11.7
build 20240312.4
version 1.2.3.4
Version 10.0.19045.4170
2024-03-12T10:11:12.123456Z
2024-03-12 10:11:12+00:00
1,234,567.89
The total was $1,234,567.89, or 1 234 567,89 EUR.
EUR 12 345 678
#123456
gpt-4o-mini-2024-07-18 and Llama 3.1 70B
xgboost-credit-v3.2.1
ISBN 978-3-16-148410-0
ISBN 0-306-40615-2
192.168
42.5% of 12.5 %
x = foo(3.14159265358)
def find_spans(text: str) -> list[Span]: return []
df["AMT_CREDIT_SUM"].rolling(window=30).mean()
SELECT name, age FROM users WHERE id = 12345678;
a::b std::vector
self.user.name = row.id
from 2019-2020 and 2019/2020
timestamp 1710242074123
CVE-2021-44228
10.1000/xyz123 doi:10.1038/s41586-020-2649-2
tracking number 1Z999AA10123456784
Quarterly Risk Assessment Overview
Terms and Conditions of Service
Executive Summary
Loan Amount, Interest Rate and Annual Income
Galaxy S23 Ultra and iPhone 15 Pro Max
Random Forest Classifier
ALL APPLICATIONS MUST BE REVIEWED BEFORE DECISION
Recommended Action: Decline
The meeting is on Monday, 12 March 2024 at 10:30.
In 2019 the rate fell to 3 percent
true
self-employed
A61""".splitlines()

# Pieces that a pattern could stumble over when they come by the thousand.
ROUNDS = [
    "a@",
    "1-1-",
    "((((",
    "A_A_",
    "a.",
    "1_",
    "0",
    "@",
    ".",
    ":",
    "::",
    "1.1.1.1.",
    "A.",
    "12_Aa_",
    "Aa_",
    "name_is_",
    "Aa,_",
    "zip_",
    "dob_",
    "card_",
    "+1",
    "at_1_Ab",
    "a-",
    "(at)",
    "www.",
    "http://",
    "DE89_",
    "DE89",
    "the_corner_of_",
    "St._",
    "1a",
    "born_",
    "age_",
    "AB12_",
    "Aa_de_",
    "u._",
    "1,_",
    "x@x.",
    "rue_des_aaaa_",
    "a_(at)_",
    "he_is_",
    "Dr._",
    "1/1/",
    "phone_1_",
    "password:_",
    "pass=",
    "secret_is_",
    "-----BEGIN PRIVATE KEY-----",
    "://a:b@",
    "eyJaaaaaaaa.",
    "api_key_",
    "0x",
    "1L",
    "bc1q",
    "1.123456,_",
    "1°1'N_",
    "lat_1.23_",
    "@a_",
    "t.me/",
    "insta:_",
    "a#1",
    "plate_A_1_",
    "car_AB_1_",
    "KA_01_",
    "born_on_the_",
    "born_1_may_",
    "one_",
    "rue_1,_10000_A",
    "1_Aa_Road,_",
    "C/_A_1,_",
    "Aa_1,_10115_",
    "Flat_1,_",
    "560001_",
    "Aa_and_",
    "the_Aa_",
]


def parted(labelled: str) -> tuple[str, int, int]:
    start, end = labelled.index("«"), labelled.index("»") - 1
    return labelled.replace("«", "").replace("»", ""), start, end


@pytest.mark.parametrize(("kind", "labelled"), IDENTIFIERS)
@pytest.mark.parametrize("find", [find_spans, find_identifiers])
def test_identifiers_are_found_to_the_letter(find: Callable[[str], list[Span]], kind: str, labelled: str) -> None:
    text, start, end = parted(labelled)
    assert find(text) == [(start, end, kind)]


@pytest.mark.parametrize(("kind", "labelled"), OTHERS)
def test_other_data_is_found(kind: str, labelled: str) -> None:
    text, start, end = parted(labelled)
    assert (start, end, kind) in find_spans(text)
    assert find_identifiers(text) == []


@pytest.mark.parametrize("text", SURVIVE)
def test_what_is_nobodys_survives(text: str) -> None:
    assert find_spans(text) == []
    assert find_identifiers(text) == []


def test_two_numbers_side_by_side_are_two() -> None:
    text = "Call 212-555-0143 4111 1111 1111 1111"
    assert [text[a:b] for a, b, _ in find_spans(text)] == ["212-555-0143", "4111 1111 1111 1111"]


@pytest.mark.parametrize("find", [find_spans, find_identifiers])
@settings(max_examples=300, deadline=None)
@given(
    text=st.text(st.characters(codec=None), max_size=200)
    | st.lists(st.sampled_from([*ROUNDS, *(parted(row[1])[0] for row in IDENTIFIERS + OTHERS)])).map("".join)
)
def test_any_text_gives_spans_in_order(find: Callable[[str], list[Span]], text: str) -> None:
    spans = find(text)
    pieces, place = [], 0
    for start, end, kind in spans:
        assert place <= start < end <= len(text)
        assert kind.isidentifier()
        pieces += [text[place:start], text[start:end]]
        place = end
    assert "".join([*pieces, text[place:]]) == text


@pytest.mark.parametrize(
    "piece", [piece.replace("_", " ") for piece in ROUNDS] + ["\x00", "\ud800", "é", "１", "\u200b"]
)
def test_long_runs_take_time_in_proportion(piece: str) -> None:
    """The bound is far above what a linear search takes, and far below a quadratic one at this size."""
    text = (piece * 50_000)[:50_000]
    began = time.process_time()
    find_spans(text)
    find_identifiers(text)
    assert time.process_time() - began < 5


def test_a_million_of_one_character() -> None:
    for char in "a", "A", "1", " ", "\ud800", "\x00":
        assert all(0 <= start < end <= 1_000_000 for start, end, _ in find_spans(char * 1_000_000))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.sampled_from(["a", "b"])), max_size=12))
def test_overlaps_become_one(rows: list[tuple[int, int, str]]) -> None:
    spans = [Span(*row) for row in rows]
    merged = disjoint(spans)
    assert all(one.end <= two.start for one, two in pairwise(merged))
    covered = {place for span in spans for place in range(span.start, span.end)}
    assert covered == {place for span in merged for place in range(span.start, span.end)}


def test_detectors_of_other_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("words", "builtins:sorted", "secondlook.detectors"),
        EntryPoint("gone", "no_such_package_of_ours:find", "secondlook.detectors"),
        EntryPoint("constant", "math:pi", "secondlook.detectors"),
    ]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)
    assert load_detectors([]) == []
    assert load_detectors(["words", "words"]) == [sorted]
    with pytest.raises(BadInput, match="no detector 'ner'; there are: constant, gone, words"):
        load_detectors(["words", "ner"])
    with pytest.raises(BadInput, match="'gone' cannot be loaded"):
        load_detectors(["gone"])
    with pytest.raises(BadInput, match="'constant' is no function"):
        load_detectors(["constant"])


def test_without_any_detector_the_error_says_so() -> None:
    with pytest.raises(BadInput, match="no detector 'no-such-one'"):
        load_detectors(["no-such-one"])
