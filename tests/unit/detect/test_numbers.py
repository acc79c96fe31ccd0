"""Cards of all issuers and telephone numbers of many countries, as they are written there."""

from __future__ import annotations

import re

import phonenumbers
import pytest

from app.protect.detect import find_identifiers

from .covering import missed
from .generated import REGIONS, Maker

CUED = (
    "Call me at {} please",
    "Tel. {}",
    "my number is {}, text me",
    "{} mobile",
    "Can someone call me on {}? I have some questions",
)


@pytest.mark.parametrize("region", REGIONS)
def test_telephone_numbers_in_the_groups_of_their_country(region: str) -> None:
    forms = phonenumbers.PhoneNumberFormat
    for number in Maker(3).phones(region):
        national = phonenumbers.format_number(number, forms.NATIONAL)
        abroad = phonenumbers.format_number(number, forms.INTERNATIONAL)
        written = [
            national,
            abroad,
            re.sub(r"\D", "", national),
            f"00{abroad[1:]}",
            phonenumbers.format_number(number, forms.E164),
        ]
        assert not missed(find_identifiers, ((cue.format(text), text) for text in written for cue in CUED))
        assert not missed(find_identifiers, ((f"Ok, {text} then", text) for text in (abroad, f"00{abroad[1:]}")))


# Without a word beside them: three groups and more, as these countries write them.
@pytest.mark.parametrize(
    "number",
    [
        "0487 12 34 56",
        "01.84.17.61.18",
        "083 564 9312",
        "612 345 678",
        "(08) 8747 6301",
        "032 288 79 44",
        "(71) 4233-6306",
        "079 7123 4567",
    ],
)
def test_national_groups_are_enough(number: str) -> None:
    assert not missed(find_identifiers, [(f"She gave {number} and left", number), (number, number)])


@pytest.mark.parametrize("seed", range(3))
def test_cards_of_all_issuers(seed: int) -> None:
    written = ["".join(groups) for groups in Maker(seed).cards()] + [
        sign.join(groups) for groups in Maker(seed).cards() for sign in " -" if len(groups) > 1
    ]
    cues = (
        "{}",
        "She gave {} and left",
        "Increase the limit on my card #{} please",
        "card # {} is lost",
        "{} is my card",
    )
    assert not missed(find_identifiers, ((cue.format(text), text) for text in written for cue in cues))


@pytest.mark.parametrize(
    "text",
    [
        "order number 4111111111111111 was shipped", "item #4711000815", "between 1 234 567 and 9 876 543",
        "50331648 bytes",
        "population 83 240 525", "192.0.2.0/24 is a network", "2024-03-12 10:11:12", "0012345678",
    ],
)  # fmt: skip
def test_other_numbers_stay(text: str) -> None:
    assert all(span.kind == "ip" for span in find_identifiers(text))
