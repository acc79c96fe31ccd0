"""Made-up identifiers of many kinds, each with the check digits or the shape its issuer gives it."""

from __future__ import annotations

import hashlib
import random
import string
from collections.abc import Iterator
from itertools import count

import phonenumbers
from stdnum import luhn
from stdnum.de import idnr
from stdnum.fr import nif
from stdnum.iso7064 import mod_11_10

from app.protect.detect.words import word_set

_LETTERS_DIGITS = string.ascii_letters + string.digits
_URL_SAFE = f"{_LETTERS_DIGITS}-_"
_HEX = "0123456789abcdef"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)

REGIONS = sorted(
    word_set(
        "US GB DE FR ES IT PT NL BE AT CH DK SE NO FI IS EE PL CZ SK HU SI HR RO BG GR CY TR UA RU IL AE ZA NG KE IN "
        "CN HK JP KR SG MY AU NZ MX BR AR CL CO UY TN EG "
    )
)
# How issuers' numbers begin, and how many digits they have.
CARDS = (
    ("4", 16), ("4", 13), ("4", 19), ("51", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15), ("300", 14),
    ("36", 14),
    ("6011", 16), ("65", 16), ("3528", 16), ("1800", 15), ("2131", 15), ("5018", 12), ("5020", 16), ("6304", 12),
    ("6761", 14),
    ("6763", 19), ("62", 16), ("2200", 16),
)  # fmt: skip


class Maker:
    """Makes the same things again from the same seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def chars(self, size: int, alphabet: str = _LETTERS_DIGITS) -> str:
        """Random characters."""
        return "".join(self._chance.choices(alphabet, k=size))

    def digits(self, size: int) -> str:
        """Random digits."""
        return self.chars(size, string.digits)

    def tokens(self) -> Iterator[str]:
        """Keys and tokens as well-known issuers give them out."""
        capitals = string.ascii_uppercase + string.digits
        for prefix, size, alphabet in (
            ("AKIA", 16, capitals), ("ASIA", 16, capitals), ("ghp_", 36, _LETTERS_DIGITS),
            ("gho_", 36, _LETTERS_DIGITS),
            ("github_pat_", 82, _LETTERS_DIGITS), ("glpat-", 20, _URL_SAFE), ("sk_live_", 24, _LETTERS_DIGITS),
            ("rk_live_", 24, _LETTERS_DIGITS), ("pk_live_", 24, _LETTERS_DIGITS), ("sk-", 48, _LETTERS_DIGITS),
            ("sk-proj-", 80, _URL_SAFE), ("sk-ant-api03-", 95, _URL_SAFE), ("AIza", 35, _URL_SAFE),
            ("ya29.", 68, _URL_SAFE),
            ("npm_", 36, _LETTERS_DIGITS), ("pypi-AgEIcHlwaS5vcmc", 70, _URL_SAFE), ("SK", 32, _HEX), ("AC", 32, _HEX),
            ("hf_", 34, string.ascii_letters), ("dop_v1_", 64, _HEX), ("shpat_", 32, _HEX),
            ("glsa_", 32, _LETTERS_DIGITS),
            ("gsk_", 52, _LETTERS_DIGITS), ("whsec_", 32, _LETTERS_DIGITS), ("hvs.", 90, _URL_SAFE),
            ("dapi", 32, _HEX),
        ):  # fmt: skip
            yield prefix + self.chars(size, alphabet)
        yield f"xoxb-{self.digits(12)}-{self.digits(13)}-{self.chars(24)}"
        yield f"SG.{self.chars(22, _URL_SAFE)}.{self.chars(43, _URL_SAFE)}"
        yield f"9{self.digits(9)}:AA{self.chars(33, _URL_SAFE)}"
        yield f"eyJ{self.chars(33, _URL_SAFE)}.eyJ{self.chars(60, _URL_SAFE)}.{self.chars(43, _URL_SAFE)}"

    def crypto_addresses(self) -> Iterator[str]:
        """Addresses of Bitcoin (four kinds), Litecoin, Dogecoin, Tron, XRP, Ethereum and Monero."""
        for version in (0, 5, 0x30, 0x1E, 0x41):
            yield _base58_check(bytes([version]) + self._chance.randbytes(20), _BASE58)
        yield _base58_check(b"\0" + self._chance.randbytes(20), _RIPPLE)
        yield self._bech32(0, 32, 1)
        yield self._bech32(1, 52, 0x2BC830A3)
        yield f"0x{self.chars(40, _HEX + 'ABCDEF')}"
        yield f"4{self.chars(94, _BASE58)}"

    def _bech32(self, version: int, size: int, checksum: int) -> str:
        data = [version, *(self._chance.randrange(32) for _ in range(size))]
        check = 1
        for value in [ord(c) >> 5 for c in "bc"] + [0] + [ord(c) & 31 for c in "bc"] + data + [0] * 6:
            top = check >> 25
            check = (check & 0x1FFFFFF) << 5 ^ value
            for place, generator in enumerate(_GENERATORS):
                check ^= generator if top >> place & 1 else 0
        check ^= checksum
        return "bc1" + "".join(_BECH32[value] for value in [*data, *(check >> 5 * (5 - i) & 31 for i in range(6))])

    def coordinates(self) -> Iterator[str]:
        """A place, in the usual ways to write one."""
        lat, lon = self._chance.uniform(1, 80), self._chance.uniform(1, 170)
        yield f"{-lat:.4f}, {lon:.4f}"
        yield f"{lat:.6f},{-lon:.6f}"
        yield f"{lat:.4f}° N, {lon:.4f}° W"
        yield f"{lat:.0f}°31'12\"N {lon:.0f}°24'18\"E"
        yield f"{lat:.0f}° 05′ 12.4″ S, {lon:.0f}° 24′ 18.0″ E"
        yield f"N{lat:.0f} 31.200 E{lon:.0f} 24.300"
        yield f"geo:{lat:.4f},{lon:.4f}"

    def plates(self) -> Iterator[str]:
        """Number plates of Germany, France and Italy, Spain, India, Britain, Brazil and the United States."""
        letters = "BCDFGHJKLMNPRSTVWXYZ"
        for shape in (
            "B-LL DDDD", "M LL DDD", "HH-LLDDDD", "LL-DDD-LL", "DDDD LLL", "DDDDLLL", "KA DD LL DDDD", "MHDDLLDDDD",
            "LLDD LLL",
            "LLDDLLL", "LLLDLDD", "LLL-DDDD", "DLLLDDD",
        ):  # fmt: skip
            # Only the places after the sign of the district are drawn.
            head = shape[:2] if shape[:2] in ("HH", "KA", "MH") else ""
            yield head + "".join(
                self.chars(1, letters) if char == "L" else self.digits(1) if char == "D" else char
                for char in shape[len(head) :]
            )

    def german_tax_number(self) -> str:
        """A Steuer-ID: no digit stands more than three times, and the last one checks."""
        for _ in count():
            body = str(self._chance.randrange(1, 10)) + self.digits(9)
            number = body + str(mod_11_10.calc_check_digit(body))
            if idnr.is_valid(number):
                return number
        raise AssertionError

    def french_tax_number(self) -> str:
        """A numéro fiscal."""
        body = str(self._chance.randrange(4)) + self.digits(9)
        number = body + nif.calc_check_digits(body)
        assert nif.is_valid(number)
        return number

    def french_social_number(self) -> str:
        """A numéro de sécurité sociale, in its groups."""
        month, county = self._chance.randrange(1, 13), self._chance.randrange(1, 95)
        body = f"{self._chance.choice('12')}{self.digits(2)}{month:02}{county:02}{self.digits(6)}"
        return f"{body[0]} {body[1:3]} {body[3:5]} {body[5:7]} {body[7:10]} {body[10:]} {97 - int(body) % 97:02}"

    def cards(self) -> Iterator[tuple[str, ...]]:
        """Card numbers, as groups of digits."""
        for prefix, size in CARDS:
            body = prefix + self.digits(size - 1 - len(prefix))
            number = body + luhn.calc_check_digit(body)
            yield (number,)
            if size in (14, 15):
                yield (number[:4], number[4:10], number[10:])
            elif size in (16, 19):
                yield tuple(number[start : start + 4] for start in range(0, size, 4))

    def phones(self, region: str) -> Iterator[phonenumbers.PhoneNumber]:
        """A mobile and a fixed number that are valid in a country."""
        for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
            example = phonenumbers.example_number_for_type(region, kind)
            assert example is not None
            yield next((number for number in self._like(example) if phonenumbers.is_valid_number(number)), example)

    def _like(self, example: phonenumbers.PhoneNumber) -> Iterator[phonenumbers.PhoneNumber]:
        digits = str(example.national_number)
        for _ in range(100):
            kept = self._chance.randrange(2, len(digits) - 2)
            yield phonenumbers.PhoneNumber(
                country_code=example.country_code,
                national_number=int(digits[:kept] + self.digits(len(digits) - kept)),
                italian_leading_zero=example.italian_leading_zero,
            )


def _base58_check(body: bytes, alphabet: str) -> str:
    raw = body + hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4]
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = alphabet[rest] + text
    return alphabet[0] * (len(raw) - len(raw.lstrip(b"\0"))) + text
