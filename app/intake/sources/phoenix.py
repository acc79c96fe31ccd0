"""Spans from Phoenix: those that have the attributes asked for, in the order in which they began.

Phoenix keeps no mark of what was taken, and a span may arrive after others that began later. So the cursor stays behind
the newest start by an overlap, and names the spans beyond it that are held.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from app.deliver.sinks.phoenix import PhoenixOptions, connect
from app.http import check
from app.intake.sources import phoenix_records
from app.intake.sources.span_records import kept_bytes
from app.intake.sources.spans import Misfit, Span, decoded, expect, from_phoenix, iso, nanoseconds, readable
from app.model.connection import Batch, Item
from app.model.errors import SettingsError, Unavailable

_PAGE = 100
# Pages of spans that are read of one trace.
_MOST_PAGES = 5
_NOTHING = "Nothing was taken."
_NEEDS = f"Phoenix 20 does; older versions may not. {_NOTHING}"


@dataclass(slots=True)
class Position:
    """Where a pull goes on: spans that began at `start` (nanoseconds since 1970; 0: from the beginning) or later, but
    for those in `held`, by id with their start."""

    start: int = 0
    held: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: str, since: int) -> Position:
        """The position that a cursor holds; one that cannot be read begins anew, which takes nothing twice."""
        try:
            found = orjson.loads(cursor or b"{}")
            return cls(max(since, int(found.get("start", 0))), {str(k): int(v) for k, v in found["held"].items()})
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls(since)

    def moved(self, waits: int | None, overlap: int) -> str:
        """The cursor after a pull; `waits` is the earliest start of a span that was too young, `overlap` in
        nanoseconds."""
        start = max(self.held.values(), default=self.start) - overlap
        start = max(self.start, start if waits is None else min(start, waits))
        held = {span: began for span, began in self.held.items() if began >= start}
        return orjson.dumps({"start": start, "held": held}).decode()


class PhoenixSource:
    """Pulls flagged spans with what is below them."""

    Options = PhoenixOptions
    # What is asked about a trace is for the queue to say.
    brings_task = False

    def __init__(self, options: PhoenixOptions, secrets: Callable[[str], str], root: Path) -> None:
        self._options = options
        self._http = connect(options, secrets)
        self._path = f"/v1/projects/{quote(options.project, safe='')}/spans"
        try:
            self._since = nanoseconds(options.since, "since") if options.since else 0
        except Misfit as misfit:
            raise SettingsError(str(misfit)) from None

    def pull(self, limit: int, cursor: str) -> Batch:
        """At most `limit` spans. Raises Unavailable."""
        position = Position.read(cursor, self._since)
        young = time.time_ns() - round(self._options.settle_seconds * 1e9)
        waits: int | None = None
        items: list[Item] = []
        for raw, span in self._found(position.start):
            if span is None:
                held = _id_of(raw)
                if held not in position.held:
                    items.append(self._item(raw, None))
                    position.held[held] = max(position.held.values(), default=position.start)
            elif span.id in position.held:
                continue
            elif span.end > young:
                waits = span.start if waits is None else min(waits, span.start)
            else:
                items.append(self._item(raw, span))
                position.held[span.id] = span.start
            if len(items) >= limit:
                break
        if not items:
            return Batch(items)
        return Batch(items, position.moved(waits, round(self._options.overlap_minutes * 60e9)))

    def acknowledge(self, batch: Batch) -> None:
        """Nothing to say: the cursor remembers."""

    def close(self) -> None:
        """Lets go of connections."""
        self._http.close()

    def _found(self, start: int) -> Iterator[tuple[Any, Span | None]]:
        """Spans with the attributes, each beside the answer's object; None for one that cannot be read."""
        query = [("attribute", pair) for pair in self._options.attributes]
        query += [("sort", "start_time"), ("order", "asc"), ("limit", str(_PAGE))]
        query += [("parent_id", "null")] if self._options.roots_only else []
        query += [("start_time", iso(start))] if start else []
        before = 0
        for raw in self._pages(query):
            try:
                with readable("data[]"):
                    span = from_phoenix(raw, "data[]")
            except Misfit:
                yield raw, None
                continue
            self._check_filter(span, before)
            before = span.start
            yield raw, span

    def _pages(self, query: list[tuple[str, str]], most: int | None = None) -> Iterator[Any]:
        """The spans of a query, page by page; of `most` pages at most."""
        cursor, pages = "", 0
        while True:
            asked = urlencode(query + ([("cursor", cursor)] if cursor else []))
            answer = self._page(asked)
            try:
                yield from expect(answer, "data", list, self._path)
            except Misfit as misfit:
                raise Unavailable(f"{self._http.base}{misfit}. Is this Phoenix? {_NOTHING}") from None
            cursor, pages = answer.get("next_cursor") or "", pages + 1
            if not cursor or pages == most:
                return

    def _page(self, asked: str) -> Any:
        """One page of spans. Raises Unavailable."""
        answer = self._http.request("GET", f"{self._path}?{asked}")
        if answer.status == 404:
            raise Unavailable(
                f"{self._http.base} has no project '{self._options.project}', or `url` is not Phoenix's address. "
                f"Mend `project`; a project is there once it has a span. {_NOTHING}"
            )
        check(answer, self._http.base + self._path)
        return answer.json()

    def _check_filter(self, span: Span, before: int) -> None:
        """Raises Unavailable where the server does not do what was asked: it would pour in everything it has."""
        if span.start < before:
            raise Unavailable(f"{self._http.base} does not sort spans by their start. {_NEEDS}")
        for pair in self._options.attributes:
            key, _, wanted = pair.partition(":")
            if not _has(span.attributes, key, wanted):
                raise Unavailable(f"{self._http.base} gave a span without {pair}: it does not filter. {_NEEDS}")

    def _item(self, raw: Any, span: Span | None) -> Item:
        """One span as a record, or with what is wrong about it."""
        try:
            with readable("data[]"):
                span = span or from_phoenix(raw, "data[]")
            reference = {"span_id": span.id, "trace_id": span.trace_id}
            try:
                with readable("span"):
                    data = phoenix_records.record_of(span, self._trace(span), self._options)
                return Item(data, reference=reference)
            except Misfit as misfit:
                return Item(kept_bytes(raw), reference=reference, problem=f"Phoenix span {span.id}: {misfit}")
        except Misfit as misfit:
            return Item(kept_bytes(raw), problem=f"Phoenix span {_id_of(raw)}: {misfit}")

    def _trace(self, span: Span) -> list[Span]:
        """All spans of a span's trace. Raises Misfit."""
        query = [("trace_id", span.trace_id), ("limit", "1000")]
        return [
            from_phoenix(raw, f"trace {span.trace_id}, data[{number}]")
            for number, raw in enumerate(self._pages(query, _MOST_PAGES))
        ]


def _id_of(raw: Any) -> str:
    """What tells a span that cannot be read from others."""
    context = raw.get("context") if isinstance(raw, Mapping) else None
    found = context.get("span_id") if isinstance(context, Mapping) else None
    return str(found or (raw.get("id") if isinstance(raw, Mapping) else None) or "(without an id)")


def _has(attributes: Any, key: str, wanted: str) -> bool:
    """Whether an attribute has a value, written as in the filter: as JSON, or else a string."""
    found = decoded(attributes)
    for part in key.split("."):
        found = decoded(found.get(part)) if isinstance(found, Mapping) else None
    try:
        value = orjson.loads(wanted)
    except orjson.JSONDecodeError:
        value = wanted
    return bool(found == value) or str(found) == wanted
