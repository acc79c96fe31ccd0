"""`detect`: what it costs to search texts for personal data."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from app.protect.detect import Span, find_identifiers, find_spans

from .figures import Bench, Figure, seconds

_ROUNDS = 5
_PLAIN = (
    "The applicant asked for a higher limit and was told to wait.",
    "Income is stable, employment since 2017, two previous loans were paid back in time.",
    "Please review the attached summary; the model is not sure about the second paragraph.",
    "Order ORD-2024-{n:07} was shipped on 2024-03-12 for 1,234.56 EUR.",
    "Build v2.10.{n} failed with id 550e8400-e29b-41d4-a716-44665544{n:04}.",
)
_PERSONAL = (
    "My name is {a} {b} and I live at {n} {b} Street, Springfield, IL 62704.",
    "Call {a} at 212-555-{n:04} or write to {a}.{b}@mail.example.com.",
    "Dr. {b} from {b} Holdings saw the {age} year old patient in {a}ville.",
    "I lost my card 4111 1111 1111 1111, the account is GB82 WEST 1234 5698 7654 32.",
)
_SYLLABLES = ("ka", "lo", "mir", "ven", "to", "sa", "ril", "ne", "du", "fen")


def run(bench: Bench) -> Iterator[Figure]:
    """Two thirds of the sentences are nobody's. Values of few letters are counted apart: most fields are such."""
    texts = list(_texts(bench.size(2000)))
    size = sum(map(len, texts)) / 1024
    # Copying the texts is what any search costs at the least.
    baseline = _best(str.lower, texts) / size
    for find in (find_spans, find_identifiers):
        yield Figure(f"{find.__name__}_per_kb", len(texts), _best(find, texts) / size, "ms", baseline)
    short = ["own", "rent", "unskilled_resident", "A61", "car_loan", "married"] * (bench.size(2000) // 6 + 1)
    yield Figure("find_identifiers_short_value", len(short), 1000 * _best(find_identifiers, short) / len(short), "µs")


def _best(act: Callable[[str], str] | Callable[[str], list[Span]], texts: list[str]) -> float:
    """Milliseconds for all texts, at best of several rounds."""
    return 1000 * min(seconds(lambda: [act(text) for text in texts]) for _ in range(_ROUNDS))


def _texts(count: int) -> Iterator[str]:
    chance = random.Random(7)
    for _ in range(count):
        sentences = (
            chance.choice(_PERSONAL if chance.random() < 1 / 3 else _PLAIN).format(
                a=_name(chance), b=_name(chance), n=chance.randrange(1, 9999), age=chance.randrange(18, 99)
            )
            for _ in range(3)
        )
        yield " ".join(sentences)


def _name(chance: random.Random) -> str:
    return "".join(chance.choices(_SYLLABLES, k=chance.choice((2, 3)))).capitalize()
