"""A reported leak in one record: whether it stands in what a person sees, and the record with it masked.

What the desk decides by stays as it is, wherever the reported text stands in it: ids, labels, codes, names of inputs,
the question. How the parts that a first judgement must not see are masked never depends on them where others show.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import ValidationError

from app.model.prediction import InputKind, Prediction, TaskType
from app.model.rubric import Rubric
from app.protect.known.skeleton import fold
from app.protect.masking import FORMAT_WORDS, Masker, texts_of
from app.protect.protector import joined_texts, scrubbed
from app.protect.scrub import Edit, known_values, scrubber, withheld

_LEAK = "reported leak"
MASKED = withheld(_LEAK)
_CONSTANTS = re.compile(r"\[withheld: [^\[\]]*\]")
# Parts that tell the model's answer.
_ANSWER = ("output", "flags", "explanations", "sampling", "extra")
# Inputs of these kinds are features of the model.
_FEATURES = frozenset(("number", "category", "reference"))
# Words by which chats say who speaks and what a part is.
_CHAT_WORDS = frozenset(
    (
        *("assistant", "developer", "function", "system", "tool", "user", "content", "message", "name", "role", "type"),
        *("function_call", "tool_call", "tool_calls", "tool_result", "tool_use", "input_text", "output_text", "text"),
    )
)
_FORMAT = FORMAT_WORDS | _CHAT_WORDS | frozenset((*get_args(TaskType), *get_args(InputKind)))


class Reported:
    """A text that was reported. Falsy where it is too short or too common to be looked for."""

    def __init__(self, text: str) -> None:
        self._word = _word(text)
        self._known = {} if self._word in _FORMAT_FOLDED else known_values([(_LEAK, text.strip())])

    def __bool__(self) -> bool:
        return bool(self._known)

    def occurs(self, seen: dict[str, Any]) -> bool:
        """Whether it stands anywhere in what is seen of a record, beside what is withheld there."""
        texts = [_CONSTANTS.sub(" ", text) for text in texts_of(seen)]
        found = scrubber(self._known, "\n".join(texts))
        return found is not None and any(found.text(text)[1] for text in texts)

    def names(self, seen: dict[str, Any], rubric: Rubric) -> bool:
        """Whether it is a word by which a case is decided: a label, a code, a feature's name, an answer. Such a word is
        masked nowhere."""
        return self._word in {_word(name) for name in (*_labels(seen), *_features(seen), *_answers(rubric))}

    def masker(self, texts: str, spared: frozenset[str] = frozenset()) -> Masker | None:
        """What masks it in texts; None where it cannot be in them. Texts in `spared` are left whole."""
        found = scrubber(self._known, texts)
        return None if found is None else _Sparing(found, spared)

    def mask(self, record: dict[str, Any]) -> tuple[dict[str, Any], Masker | None]:
        """The record with it masked, and what masked the parts that are seen before a first judgement."""
        joined = joined_texts(record)
        spared = frozenset(_fixed(record))
        found = self.masker(joined, spared)
        if found is None:
            return record, None
        kept = scrubbed(record, found)
        more = spared | frozenset(_labels(record))
        if more != spared and (other := self.masker(joined, more)) is not None:
            kept = _with_answer(kept, scrubbed(record, other))
        return _valid(kept, record), found


@dataclass(frozen=True, slots=True)
class _Sparing:
    """Masks with `found`, but neither in the texts of `spared` nor in the constants that stand for withheld values."""

    found: Masker
    spared: frozenset[str]

    def text(self, text: str) -> tuple[str, list[Edit]]:
        """The masked text, and where it changed."""
        if text in self.spared:
            return text, []
        constants = [(hit.start(), hit.end()) for hit in _CONSTANTS.finditer(text)]
        if not constants:
            return self.found.text(text)
        pieces: list[str] = []
        edits: list[Edit] = []
        at = 0
        for start, end in (*constants, (len(text), len(text))):
            masked, changed = self.found.text(text[at:start])
            pieces += (masked, text[start:end])
            edits += [Edit(edit.start + at, edit.end + at, edit.length) for edit in changed]
            at = end
        return "".join(pieces), edits

    def number(self, number: float) -> float | str:
        """The number, or what stands in its place."""
        return self.found.number(number)


def _with_answer(kept: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The record `kept` with the parts of `other` that tell the model's answer."""
    made = {**kept, **{name: other[name] for name in _ANSWER if name in other}}
    if "text" in kept["output"]:
        made["output"] = {**made["output"], "text": kept["output"]["text"]}
    return made


def _valid(kept: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    """The masked record, without the changes to sections that would make it no record any more."""
    try:
        Prediction.model_validate(kept)
    except ValidationError as error:
        broken = {str(one["loc"][0]) for one in error.errors(include_input=False, include_url=False) if one["loc"]}
        return {**kept, **{name: record[name] for name in broken if name in record}}
    return kept


def _fixed(record: dict[str, Any]) -> Iterable[str]:
    """Texts by which the desk tells, routes and decides cases, of the parts that everybody sees."""
    task = record["task"]
    yield from _texts(record.get(name) for name in ("id", "schema", "domain", "language", "subject"))
    yield from _texts((task.get("type"), task.get("positive"), task.get("question"), *(task.get("labels") or ())))
    for item in record["inputs"]:
        yield from _texts((item.get("name"), item.get("kind"), item.get("role"), item.get("withheld")))
    yield from _texts(item.get("name") for item in record.get("sensitive") or ())


def _labels(record: dict[str, Any]) -> Iterable[str]:
    """Labels and codes of flags, as far as they are there."""
    task, output = record["task"], record.get("output") or {}
    yield from _texts((*(task.get("labels") or ()), task.get("positive"), output.get("label")))
    yield from _texts(output.get("scores") or ())
    yield from _texts(flag.get("code") for flag in record.get("flags") or ())
    yield from _texts(((record.get("sampling") or {}).get("reason"),))


def _features(record: dict[str, Any]) -> Iterable[str]:
    return (item["name"] for item in record["inputs"] if item.get("kind", "category") in _FEATURES)


def _answers(rubric: Rubric) -> Iterable[str]:
    for criterion in rubric.criteria:
        yield criterion.id
        yield from (word for option in criterion.options for word in (option.id, option.title))


def _texts(values: Iterable[Any]) -> Iterable[str]:
    return (value for value in values if isinstance(value, str) and value)


def _word(text: str) -> str:
    """A text as words are compared: folded, with `_` and `-` as spaces."""
    return " ".join(re.split(r"[\s_-]+", fold(text))).strip()


_FORMAT_FOLDED = frozenset(map(_word, _FORMAT))
