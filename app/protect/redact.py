"""Detected personal data, masked in what people wrote.

Detectors look where prose stands: inputs, the output's text, flags, explanations, unknown keys. They leave
provenance alone: digests and links there are what it proves things by.

Whole identifiers come first: a text in which detectors find something is masked for known values in the same step, so
that of an e-mail address with a known name in it nothing is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from app.model.policy import QueuePolicy
from app.protect.cuts import Constant, Edit, Span, cut, united
from app.protect.masking import masked
from app.protect.scrub import Scrubber

Detector = Callable[[str], Iterable[Span]]

_PROSE = ("text", "chat", "json")
_TELLING = frozenset(("text", "evidence", "trace", "text_span"))
# Of an explanation: names of methods, models and targets.
_NOT_PROSE = ("kind", "method", "method_version", "explains", "target", "offset_unit")
_SPANS = frozenset(("evidence", "text_span"))
_PLAIN = frozenset((int, float, bool, type(None)))
# No identifier is shorter.
_SHORTEST = 6


class Redactor:
    """Masks what detectors find, and known values in the same texts; has the methods of a `Scrubber`."""

    def __init__(self, detectors: list[Detector], known: Scrubber | None = None) -> None:
        self._detectors = detectors
        self._known = known

    def text(self, text: str) -> tuple[str, list[Edit]]:
        """The masked text, and where it changed."""
        if isinstance(text, Constant):
            return text, []
        found = [(start, end, kind.replace("_", " ")) for find in self._detectors for start, end, kind in find(text)]
        if not found:
            # Known values in it are masked later, as everywhere else in the record.
            return text, []
        if self._known is not None:
            found = united(self._known.spans(text), found)
        shown, edits = cut(text, found)
        if self._known is not None:
            self._known.leave(shown)
        return shown, edits

    def number(self, number: float) -> float | str:
        """Numbers are left alone: detectors read text."""
        return number


class Redaction:
    """What a queue's policy says under `detect` and `detectors`; loads nothing before there is text."""

    def __init__(self, policy: QueuePolicy) -> None:
        self._policy = policy
        self._loaded: tuple[list[Detector], list[Detector]] | None = None

    def __bool__(self) -> bool:
        return self._policy.detect != "off" or bool(self._policy.detectors)

    def of(self, known: Scrubber | None) -> Redacting:
        """What masks the texts of a record whose known values are these."""
        prose, values = self._detectors
        return Redacting(Redactor(prose, known), Redactor(values, known))

    @property
    def _detectors(self) -> tuple[list[Detector], list[Detector]]:
        """For texts; for short values: names and places are not looked for in them."""
        if self._loaded is None:
            from app.protect.detect import find_identifiers, find_spans, load_detectors

            more: list[Detector] = list(load_detectors(self._policy.detectors))
            by_level: dict[str, list[Detector]] = {
                "off": [],
                "identifiers": [find_identifiers],
                "all": [find_spans],
            }
            values: list[Detector] = [] if self._policy.detect == "off" else [find_identifiers]
            self._loaded = ([*by_level[self._policy.detect], *more], values)
        return self._loaded


class Redacting:
    """Masks the parts of one record."""

    def __init__(self, prose: Redactor, values: Redactor) -> None:
        self.prose = prose
        self.values = values

    def redact(self, record: dict[str, Any]) -> dict[str, list[Edit]]:
        """Masks in place what is found in the record's own copies of its parts.

        Returns where the texts changed, by input name or `output.text`.
        """
        edits: dict[str, list[Edit]] = {}
        # Short words and numbers hold no identifier, and are most of what there is.
        record["inputs"] = [
            item
            if (kind := type(value := item.get("value"))) in _PLAIN or (kind is str and len(value) < _SHORTEST)
            else self._input(item, edits)
            for item in record["inputs"]
        ]
        text = record["output"].get("text")
        if isinstance(text, str):
            shown, edits["output.text"] = self.prose.text(text)
            record["output"] = {**record["output"], "text": shown}
        if record.get("flags"):
            record["flags"] = [
                {**flag, "detail": self.prose.text(flag["detail"])[0]} if flag.get("detail") else flag
                for flag in record["flags"]
            ]
        if record.get("explanations"):
            record["explanations"] = [self._explanation(e) for e in record["explanations"]]
        if record.get("extra"):
            record["extra"] = masked(record["extra"], self.values, own=False)
        return {name: changed for name, changed in edits.items() if changed}

    def _explanation(self, explanation: dict[str, Any]) -> dict[str, Any]:
        if explanation.get("kind") in _TELLING:
            said_by_tools = {key: explanation[key] for key in _NOT_PROSE if key in explanation}
            if explanation["kind"] in _SPANS and explanation.get("items"):
                said_by_tools["items"] = [self._span(item) for item in explanation["items"]]
                explanation = {key: value for key, value in explanation.items() if key != "items"}
            return {**masked(explanation, self.prose), **said_by_tools}
        from app.protect.detect import holds_identifier  # with its patterns, which most commands never need

        if holds_identifier(orjson.dumps(explanation)):
            return masked(explanation, self.values)  # type: ignore[no-any-return]  # as it came
        return explanation

    def _span(self, item: dict[str, Any]) -> dict[str, Any]:
        """A span. What it says stands in its text as well: where that is masked, the span says so when it is moved."""
        if item.get("anchor") != "exact" or not isinstance(item.get("text"), str):
            return masked(item, self.prose)  # type: ignore[no-any-return]  # as it came
        return {
            **masked({key: value for key, value in item.items() if key != "text"}, self.prose),
            "text": item["text"],
        }

    def _input(self, item: dict[str, Any], edits: dict[str, list[Edit]]) -> dict[str, Any]:
        value = item["value"]
        found = self.prose if item.get("kind") in _PROSE else self.values
        if isinstance(value, str):
            shown, edits[item["name"]] = found.text(value)
            return {**item, "value": shown} if shown != value else item
        return {**item, "value": masked(value, found, own=False)}
