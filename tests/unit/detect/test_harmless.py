"""What is no personal data stays: products, methods, laws, medicines and landscapes called after people; code."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.protect.detect import find_identifiers, find_spans

TEXTS = (Path(__file__).parent / "harmless.txt").read_text(encoding="utf-8").splitlines()
# Of a hundred texts, how many may be masked in part.
_MOST_PERCENT = 5

CODE = (
    "@property\ndef name(self): ...",
    "Use the @Override annotation above the method.",
    "npm install @types/node @angular/core",
    "@media screen and (max-width: 600px) { }",
    "git@{upstream} and HEAD@{1}",
    "password = getpass.getpass()",
    "if password is None: raise",
    "password=os.environ['DB_PASSWORD']",
    "api_key=API_KEY, timeout=30",
    "max_tokens: 4096 and token_count: 512",
    "the token expires, the password is wrong",
    "password: required, string",
    "sha512-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
    "0x9fceb02d is an error code",
    "loss 0.3412, 0.2981 after two epochs",
    "[0.1234, -1.2345, 3.4567, 0.9876]",
    "N 52 samples, E 13 errors",
    "psf/requests#1234 and issue #4821",
    "ISO 9001, DIN 276 and UTC 1200",
    "the plate has 12 mm bolts",
    "AB-12 is a part, 1234 ABC too",
    "born in 1980 or later",
    "Chapter 12, 10115 words",
    "x.com/search?q=loan",
    "https://github.com/psf/requests/issues/1234",
)


@pytest.mark.parametrize("text", [*TEXTS, *CODE])
def test_identifiers_are_not_seen_where_there_are_none(text: str) -> None:
    assert find_identifiers(text) == []


def test_things_called_after_people_are_no_people() -> None:
    masked = [text for text in TEXTS if find_spans(text)]
    assert len(masked) * 100 <= _MOST_PERCENT * len(TEXTS), masked


# The same words, where the sentence speaks of a person.
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Jenkins said the loan was refused.", "Jenkins"),
        ("My name is Julia.", "Julia"),
        ("Dear Jordan, thanks", "Jordan"),
        ("Ruby Jackson paid in cash", "Ruby Jackson"),
        ("Ada Lovelace lives here.", "Ada Lovelace"),
        ("The applicant, Jordan Fenwick, works at a bank", "Jordan Fenwick"),
        ("Mr Ford owes 300 euros", "Mr Ford"),
        ("my sister Victoria is a nurse", "Victoria"),
        ("I met Claude yesterday", "Claude"),
        ("Patient: Kelvin Weber", "Kelvin Weber"),
        ("She moved to China", "China"),
        ("I am from Jordan", "Jordan"),
        ("the Parkinson family", "Parkinson"),
    ],
)
def test_people_with_such_names_are_found(text: str, name: str) -> None:
    start = text.index(name)
    assert any(span.start <= start and start + len(name) <= span.end for span in find_spans(text))
