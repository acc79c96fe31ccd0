"""API keys, tokens, private keys and passwords.

A key is known by its public prefix and shape, or by the word that stands beside it (`password=`, `api key:`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from app.protect.detect.issuers import HEX_PREFIXES, PREFIX_LENGTHS, PREFIXES, WEAK_PREFIXES
from app.protect.detect.spans import Span
from app.protect.detect.words import any_of, is_common, word_set

# Runs that may be a key. What joins its parts (`.`, `:`) is looked at by the patterns below.
_RUN = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{16,}+")

_HEX = re.compile(r"[0-9a-f]+")
# Of random letters every second or third one changes its case; of words hardly any.
_LETTERS_PER_CHANGE = 4

# Keys in several parts.
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{8,}+\.[\w-]{4,}+(?:\.[\w-]*+){0,3}")
_DOTTED = re.compile(
    r"(?<![\w.-])(?:SG\.[\w-]{16,32}\.[\w-]{32,64}|ya29\.[\w.-]{20,}+|1//0[\w-]{30,}+|hv[sbr]\.[\w-]{20,}+"
    r"|sl\.[\w-]{60,}+"
    r"|dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{30,}+|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,}+|pat[\w]{14}\.[0-9a-f]{64}"
    r"|v2\.local\.[\w-]{20,}+|[0-9a-f]{32}-us\d{1,2}(?!\w))"
)
_BOT = re.compile(r"(?<![\w:/-])(?:bot)?\d{8,10}:A[\w-]{33,35}(?![\w-])|(?<=/bot)\d{8,10}:A[\w-]{33,35}(?![\w-])")
_DISCORD = re.compile(r"[MNO][\w-]{23,27}\.[\w-]{6,7}\.[\w-]{27,40}(?![\w-])")
# What has to be in a text for these to fit.
_DOTTED_SIGNS = ("SG.", "ya29.", "1//0", "hvs.", "hvb.", "hvr.", "sl.", "dp.", ".atlasv1.", "pat", "v2.local.", "-us")
_IN_PARTS = (("eyJ", _JWT), (":A", _BOT))
_HOOK = re.compile(
    r"hooks\.slack\.com/(?:services|workflows)/([\w/]{20,}+)|discord(?:app)?\.com/api/webhooks/(\d{16,20}/[\w-]{40,}+)"
    r"|webhook\.office\.com/webhookb2/([\w@/-]{40,}+)"
)
_USERINFO = re.compile(r"(?<=://)([^\s/@:\"'<>]{0,64}+:[^\s/@\"'<>]{1,128}+)@")
_BEARER = re.compile(r"[ :]{1,2}([a-z0-9+/_.~=-]{16,512}+)")
_BASIC = re.compile(r"authorization[\"']?[:=] ?[\"']?(?:[a-z]{3,12} )?([a-z0-9+/_.~=-]{12,512}+)")

_PRIVATE = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_BASE64_LINES = re.compile(r"(?:[\s\\nr]{0,4}[A-Za-z0-9+/=]{16,}+)*+")

# The word beside a secret, in small letters. The value follows a sign, or "is" in one of several languages.
_CUES = {
    **dict.fromkeys((
        "password", "passwd", "passwort", "passcode", "kennwort", "mot de passe", "contrasena", "palavra passe",
        "palavra-passe", "senha", "wachtwoord", "losenord", "adgangskode", "salasana", "haslo", "parola", "clave",
        "mdp", "pwd", "pass", "psk", "pw",
    ), "word"),
    **dict.fromkeys((
        "secret", "token", "jeton", "zugangstoken", "credential", "sig", "schlussel", "cle api",
        "cle secrete", "chave api", "chave de api", "chave secreta", "llave api", "clave api", "bearer", "key",
        "key id", "key_id",
    ), "key"),
    **dict.fromkeys((
        "seed phrase", "recovery phrase", "mnemonic phrase", "secret phrase", "backup phrase", "seed words",
        "recovery words", "mnemonic", "passphrase", "frase semilla", "phrase de recuperation", "seed",
    ), "phrase"),
    **dict.fromkeys((
        "pin", "pin code", "pin-code", "otp", "cvv", "cvv2", "cvc", "cvc2", "security code", "verification code",
        "one-time code", "one-time password", "2fa code", "tan", "code pin", "codigo pin", "sicherheitscode",
    ), "code"),
}  # fmt: skip
_CUE = any_of(_CUES)
# Those that hold none of the others.
_SHORTEST_CUES = tuple(word for word in _CUES if not any(other in word for other in _CUES if other != word))
# Words that are part of many others.
_WHOLE = frozenset(
    ("pass", "pw", "psk", "mdp", "clave", "sig", "pin", "otp", "tan", "cvv", "cvc", "cvv2", "cvc2", "seed")
)
_KEY_BEFORE = re.compile(
    r"(?:api|access|secret|private|auth|account|encryption|signing|subscription|master|client|service|application|app"
    r"|consumer|ssh|session|license|recovery|deploy|functions?|storage|webhook|hmac|aes"
    r"|signature)[ _-]?(?:access[ _-]?)?$"
)
_SIGN = re.compile(
    r"[\"'`]?(?: ?(?:for|of|to|fur|pour|para|de)(?: [\w.@-]{1,24}){1,3}?)? ?(?:(?:has been |was )?(?:set|changed"
    r"|reset) to"
    r"|(?::=|=>|->|==|[:=])|is|was|ist|lautet|est|es|e|era|war)(?=[\s\"'`:<*\w+/$#@!%&]) ?(?:now )?[:=]? ?[\"'`]?"
)
_FLAG = re.compile(r"[ =][\"'`]?")
_VALUE = re.compile(r"[^\s\"'`<>,;(){}\[\]\\]{4,512}+")
_WORDS = re.compile(r"[\"'`]?[a-z]{3,8}(?:[ ,]{1,2}[a-z]{3,8}){3,24}")
_LONG_VALUE = re.compile(r"[\w+/=.~-]{16,}+")
_NEXT_VALUE = re.compile(r" [\"'`]?([^\s\"'`<>,;(){}\[\]\\]{6,512}+)")
_CODE = re.compile(r"\d{3,8}(?![\w.,:/-]?\d)(?!\w)")
_CODE_AFTER = re.compile(r" ?(?:=|\+|\|\||&&|if |or |and None)")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAME_OF_SOMETHING = re.compile(r"[A-Za-z_][A-Za-z_]*(?:\.[A-Za-z_]+)+|[A-Z_]+|[a-z]+(?:_[a-z]+)+|\$.*|%.*%|x+|\*+|\.+")
_DIGEST_BETWEEN = re.compile(r"hash|digest|sha-?\d|md5|commit|checksum|count|length|limit|usage")
_NO_SECRET = word_set(
    "null none nil undefined true false required optional string str int bytes number text redacted hidden masked "
    "example changeme placeholder unknown empty yes no token password secret username admin root reset expired"
)


def keys(folded: str, small: str) -> list[Span]:
    """Kind secret: what its prefix, its shape or its place in a link or header tells. `small` is the folded text in
    small letters."""
    found = list(_prefixed(folded))
    found += _in_parts(folded)
    if "-----BEGIN" in folded:
        found += _private_keys(folded)
    if "authorization" in small:
        found += [Span(*hit.span(1), "secret") for hit in _BASIC.finditer(small)]
    if "://" in folded:
        found += [Span(*hit.span(1), "secret") for hit in _USERINFO.finditer(folded)]
    return found


def _prefixed(folded: str) -> Iterator[Span]:
    for hit in _RUN.finditer(folded):
        run = hit.group()
        if any(run[:length] in PREFIXES and _fits(run, length) for length in PREFIX_LENGTHS) or _is_hex_key(run):
            yield Span(*hit.span(), "secret")
        elif run[0] in "MNO" and (parts := _DISCORD.match(folded, hit.start())):
            yield Span(*parts.span(), "secret")


def _fits(run: str, length: int) -> bool:
    """Whether what follows the prefix is long enough, and no words."""
    prefix, rest = run[:length], run[length:]
    if prefix in WEAK_PREFIXES:
        return len(rest) >= PREFIXES[prefix] and _is_random(rest)
    if len(rest) < min(12, PREFIXES[prefix]) or not any(map(str.isalpha, rest)):
        return False
    return any(map(str.isdigit, rest)) or _changes(rest) * _LETTERS_PER_CHANGE >= len(rest)


def _is_hex_key(run: str) -> bool:
    return any(
        run.startswith(prefix) and len(run) == len(prefix) + size and _HEX.fullmatch(run, len(prefix))
        for prefix, size in HEX_PREFIXES.items()
    )


def _in_parts(folded: str) -> Iterator[Span]:
    patterns = [pattern for sign, pattern in _IN_PARTS if sign in folded]
    if any(sign in folded for sign in _DOTTED_SIGNS):
        patterns.append(_DOTTED)
    for pattern in patterns:
        yield from (Span(*hit.span(), "secret") for hit in pattern.finditer(folded))
    for hit in _HOOK.finditer(folded) if "hook" in folded else ():
        yield Span(*hit.span(hit.lastindex or 0), "secret")


def _private_keys(folded: str) -> Iterator[Span]:
    """From the line that begins a private key to the one that ends it; without one, what is base64."""
    start = 0
    ends = True
    while hit := _PRIVATE.search(folded, start):
        last = folded.find("-----END", hit.end()) if ends else -1
        ends = last >= 0
        if ends:
            close = folded.find("-----", last + len("-----END"), last + 80)
            end = close + 5 if close >= 0 else last + len("-----END")
        else:
            lines = _BASE64_LINES.match(folded, hit.end())
            end = lines.end() if lines else hit.end()
        yield Span(hit.start(), end, "secret")
        start = end


def beside_words(folded: str, small: str) -> list[Span]:
    """Kind secret: what follows a word that speaks of one. `small` is the folded text in small letters."""
    return list(_beside_words(folded, small)) if any(map(small.__contains__, _SHORTEST_CUES)) else []


def _beside_words(folded: str, small: str) -> Iterator[Span]:
    for cue in _CUE.finditer(small):
        kind = _CUES[cue.group()]
        if cue.group() in ("bearer", "token") and (hit := _BEARER.match(small, cue.end())):
            if _is_random(folded[slice(*hit.span(1))]):
                yield Span(*hit.span(1), "secret")
        elif _is_cue(small, cue) and (span := _beside(folded, small, cue, kind)):
            yield span


def _is_cue(small: str, cue: re.Match[str]) -> bool:
    """Whether the word stands alone, or as part of a telling name: "pin" not in "shipping", "key" after "api" only."""
    word, before = cue.group(), small[max(0, cue.start() - 24) : cue.start()]
    after = small[cue.end() : cue.end() + 1]
    if word in _WHOLE and (after.isalpha() or before[-1:].isalpha()):
        return False
    if word.startswith("key"):
        return _KEY_BEFORE.search(before) is not None and after not in ("b", "w", "n")
    if word == "sig":
        return after == "="
    return word != "pass" or after in (":", "=")


def _beside(folded: str, small: str, cue: re.Match[str], kind: str) -> Span | None:
    """The secret that a word speaks of."""
    end = cue.end()
    sign = _SIGN.match(small, end)
    if small.startswith(("s", "less", "ly"), end) or not sign:
        flagged = small[max(0, cue.start() - 12) : cue.start()].rpartition(" ")[2].startswith("--")
        if flagged and (sign := _FLAG.match(small, end)):
            return _plain_value(folded, sign.end(), quoted=True)
        return _next_value(folded, end) or (_far_value(folded, small, end) if kind == "key" else None)
    if kind == "code":
        hit = _CODE.match(folded, sign.end())
        return Span(*hit.span(), "secret") if hit else None
    if kind == "phrase" and (hit := _WORDS.match(small, sign.end())):
        return Span(*hit.span(), "secret")
    if kind == "phrase" and cue.group() != "passphrase":
        return None
    quoted = sign.group().endswith(("'", '"', "`"))
    if kind == "key":
        return _key_value(folded, sign.end(), quoted) or _far_value(folded, small, end)
    return _plain_value(folded, sign.end(), quoted)


def _plain_value(folded: str, start: int, quoted: bool) -> Span | None:
    """A password: anything that is no word of the sentence, nor the name of something in a program."""
    hit = _VALUE.match(folded, start)
    if not hit:
        return None
    value = hit.group().rstrip(".?:")
    if len(value) < 4 or folded.startswith(("(", "["), hit.end()) or value.lower() in _NO_SECRET:
        return None
    if value.lower() in _CUES or (not quoted and _CODE_AFTER.match(folded, hit.end())):
        return None
    plain = value.isalpha() and (is_common(value) or (value.islower() and len(value) > 24))
    if plain and not (quoted and value.lower() not in _NO_SECRET):
        return None
    if _NAME_OF_SOMETHING.fullmatch(value) and not quoted:
        return None
    return Span(hit.start(), hit.start() + len(value), "secret")


def _key_value(folded: str, start: int, quoted: bool) -> Span | None:
    """A key or token: letters and digits, eight at least."""
    hit = _VALUE.match(folded, start)
    if not hit or folded.startswith(("(", "["), hit.end()):
        return None
    value = hit.group().rstrip(".?:")
    letters = any(map(str.isalpha, value)) and any(map(str.isdigit, value))
    letters = letters or (value.isalpha() and _changes(value) > 3)
    if len(value) < 8 or not letters or _NAME_OF_SOMETHING.fullmatch(value):
        return None
    return Span(hit.start(), hit.start() + len(value), "secret")


def _next_value(folded: str, end: int) -> Span | None:
    """What looks random right behind "password" or "token", with nothing between them."""
    hit = _NEXT_VALUE.match(folded, end)
    if not hit or not _is_random(hit[1]) or _UUID.fullmatch(hit[1]):
        return None
    return Span(*hit.span(1), "secret")


def _far_value(folded: str, small: str, end: int) -> Span | None:
    """What looks random a few words after "API key" or "token"."""
    hit = _LONG_VALUE.search(folded, end, end + 160)
    if not hit or hit.start() - end > 32 or "\n" in folded[end : hit.start()]:
        return None
    between = small[end : hit.start()]
    if _DIGEST_BETWEEN.search(between) or _UUID.fullmatch(hit.group()) or not _is_random(hit.group()):
        return None
    value = hit.group().rstrip(".")
    return Span(hit.start(), hit.start() + len(value), "secret")


def _is_random(text: str) -> bool:
    """Whether letters and digits change as they do in keys, and not as they do in words, names and dates."""
    if _HEX.fullmatch(text) and len(text) >= 24:
        return any(map(str.isdigit, text)) and any(map(str.isalpha, text))
    return any(map(str.isdigit, text)) and _changes(text) * _LETTERS_PER_CHANGE >= len(text)


def _changes(text: str) -> int:
    """How often a letter stands beside a digit, or a small one beside a capital."""
    return sum(
        one.isdigit() != two.isdigit() or (one.islower() and two.isupper()) or (one.isupper() and two.islower())
        for one, two in pairwise(text)
    )
