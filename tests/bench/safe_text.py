"""`safe_text`: microseconds a kilobyte (UTF-8) in each mix of text, and those of the driver's backstop for a frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import orjson

from app.protect.safe_text import hidden_characters, safe_line, safe_text
from screens.driver import harmless
from tests.builders import FIXTURES

from .figures import Bench, Figure, seconds

_LENGTH = 65_536
_PLAIN = {
    "ascii": "The quick brown fox\njumps over the lazy dog. ",
    "latin": "Größe, naïve façade, déjà vu – señor Ångström.\n",
    "cjk": "日本語の文章はここにあります。審査の結果、\n",
    "decomposed": "cafe\u0301 nai\u0308ve e\u0301a\u0308 plain ",
    "emoji": "fine 👍🏽 thanks 👩\u200d👩\u200d👧 ❤\ufe0f ",
    "escapes only": "\x1b",
    "tags only": "".join(chr(0xE0000 + ord(char)) for char in "approve"),
}


def run(bench: Bench) -> Iterator[Figure]:
    """The best of n calls on 64 Ki characters; the baseline copies the same text through UTF-8."""
    n = bench.size(15)
    for mix, text in _mixes().items():
        whole = (text * (_LENGTH // len(text) + 1))[:_LENGTH]
        encoded = whole.encode("utf-8", "surrogatepass")
        kilobytes = len(encoded) / 1024
        base = _best(lambda data=encoded: data.decode("utf-8", "surrogatepass"), n) / kilobytes  # type: ignore[misc]
        for act in (safe_text, safe_line, hidden_characters):
            name = f"{act.__name__}_{mix.replace(' ', '_')}"
            yield Figure(name, n, _best(lambda act=act, whole=whole: act(whole), n) / kilobytes, "µs/KB", base)  # type: ignore[misc]
    frame = _frame(200, 50)
    yield Figure("driver_frame_200x50", n, _best(lambda: harmless(frame), n) / 1000, "ms")


def _mixes() -> dict[str, str]:
    lines = (FIXTURES / "hostile" / "texts.jsonl").read_bytes().splitlines()
    return {**_PLAIN, "hostile": "\n".join(orjson.loads(line)["text"][:1000] for line in lines)}


def _best(act: Callable[[], object], n: int) -> float:
    """Microseconds of the quickest call."""
    return 1e6 * min(seconds(act) for _ in range(n))


def _frame(columns: int, lines: int) -> str:
    """A frame as the review screen writes it: fourteen stretches of colour a line."""
    word = "word ü─ ".ljust(columns // 14)
    stretch = f"\x1b[1;38;2;110;168;254;48;2;20;22;27m{word}\x1b[0m"
    return "\n".join(f"\x1b[{y};1H{stretch * 14}" for y in range(1, lines + 1))
