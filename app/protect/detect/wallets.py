"""Addresses of crypto currencies, by their check digits where they have some."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.protect.detect.spans import Span

_RUN = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9]{25,120}+(?![A-Za-z0-9_-])")
_BASE58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]+")
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_BECH32 = re.compile(r"[a-z]{1,20}?1[02-9ac-hj-np-z]{20,}|[A-Z]{1,20}?1[02-9AC-HJ-NP-Z]{20,}")
_BECH32_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_SUMS = (1, 0x2BC830A3)  # bech32 and bech32m
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_ETHEREUM = re.compile(r"(?<![A-Za-z0-9])0x[0-9a-fA-F]{40}(?![A-Za-z0-9])")
_HASH_BEFORE = re.compile(r"\b(?:commit|sha-?1?|hash|digest|checksum|tree|blob|revision)\W{0,3}$", re.I)
_CASH = re.compile(r"\bbitcoincash:[qp][02-9ac-hj-np-z]{41}\b")
_NAMES = re.compile(r"(?<![\w.@/-])[a-z0-9][a-z0-9-]{1,40}\.eth(?![\w-]|\.\w)")
_CUE = re.compile(
    r"\b(?:btc|bitcoin|ltc|litecoin|doge(?:coin)?|trx|tron|xrp|ripple|sol|solana|xmr|monero|usdt|usdc|tether|crypto"
    r"|wallet|blockchain|phantom|ada|cardano|polkadot|kusama|dot|ton|dash|zcash|spl)\b"
)
_PUBLIC_KEY_BYTES = 32
_MONERO_LENGTHS = (95, 106)


def wallets(folded: str, small: str) -> list[Span]:
    """Kind crypto_address. `small` is the folded text in small letters."""
    found = [Span(*hit.span(), "crypto_address") for hit in _RUN.finditer(folded) if _is_address(hit, small)]
    if "0x" in folded:
        found += _ethereum(folded)
    if ".eth" in folded:
        found += [Span(*hit.span(), "crypto_address") for hit in _NAMES.finditer(folded)]
    if "bitcoincash:" in folded:
        found += [Span(*hit.span(), "crypto_address") for hit in _CASH.finditer(folded)]
    return found


def _ethereum(folded: str) -> Iterator[Span]:
    """Nothing else is written with 0x and forty digits, a digest excepted that is called so."""
    for hit in _ETHEREUM.finditer(folded):
        if not _HASH_BEFORE.search(folded, max(0, hit.start() - 16), hit.start()):
            yield Span(*hit.span(), "crypto_address")


def _is_address(hit: re.Match[str], small: str) -> bool:
    run = hit.group()
    if not any(map(str.isdigit, run)):
        return False
    if _BECH32.fullmatch(run) and _is_bech32(run.lower()):
        return True
    if len(run) == 56 and run[0] in "GSM" and _is_stellar(run):
        return True
    if not _BASE58.fullmatch(run) or run.islower() or run.isupper():
        return False
    if len(run) in _MONERO_LENGTHS and run[0] in "48":
        return True
    if _is_base58_check(run, _ALPHABET) or (run[0] == "r" and _is_base58_check(run, _RIPPLE)):
        return True
    cue = _CUE.search(small, max(0, hit.start() - 48), min(len(small), hit.end() + 24))
    return bool(cue) and (
        (len(run) <= 36 and run[0] in "13LMDTAXrt") or len(_number(run, _ALPHABET)) == _PUBLIC_KEY_BYTES
    )


def _number(run: str, alphabet: str) -> bytes:
    """The bytes that a text in base 58 says."""
    number = 0
    for char in run:
        number = number * 58 + alphabet.index(char)
    zeros = len(run) - len(run.lstrip(alphabet[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _is_base58_check(run: str, alphabet: str) -> bool:
    """Whether the last four bytes are the digest of those before: Bitcoin and those made after it."""
    import hashlib

    raw = _number(run, alphabet)
    body, check = raw[:-4], raw[-4:]
    return len(raw) > 20 and hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4] == check


def _is_bech32(run: str) -> bool:
    prefix, _, data = run.rpartition("1")
    if not prefix or any(char not in _BECH32_ALPHABET for char in data):
        return False
    values = [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]
    check = 1
    for value in values + [_BECH32_ALPHABET.index(char) for char in data]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATORS):
            check ^= generator if top >> place & 1 else 0
    return check in _BECH32_SUMS


def _is_stellar(run: str) -> bool:
    import base64
    import binascii

    try:
        raw = base64.b32decode(run)
    except binascii.Error:
        return False
    return binascii.crc_hqx(raw[:-2], 0).to_bytes(2, "little") == raw[-2:]
