"""Withheld values in a sender's own JSON: found by their keys, by what names them, and standing alone.

The JSON may hold anything: objects, tables, pairs, tool calls, JSON documents in strings. Where a key or a name speaks
of a withheld attribute, what stands there is taken out; a lone value that equals a withheld one as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from app.protect import named_values
from app.protect.feature_names import FeatureNames
from app.protect.names import CONSTANT
from app.protect.raw_values import RawValues
from app.protect.scrub import Constant, withheld

# A longer string is no document that somebody put into another.
_LONGEST_DOCUMENT = 1_000_000
_DOCUMENTS = {"{": "}", "[": "]"}
_OPENING = frozenset("{[ \t\r\n\ufeff")
_NESTED = frozenset((dict, list))
# Notes what was taken out, and as which attribute.
TakeOut = Callable[[str, Any], None]


class UserData:
    """Masks withheld values in JSON of one record."""

    def __init__(
        self, names: FeatureNames, raw: RawValues, take_out: TakeOut, visible: Mapping[str, Any] | None = None
    ) -> None:
        """`raw`: the values that are known to be withheld. `visible`: values of inputs that are shown, which may be
        repeated under their names."""
        self._names = names
        self._raw = raw
        self._take_out = take_out
        self._visible = visible or {}

    def masked(self, value: Any, parent: str = "", lone: bool = True) -> Any:
        """A value without what is withheld; the same object where nothing is.

        `parent` is the key it stands under. `lone`: whether values that stand alone are compared with withheld ones.
        """
        if isinstance(value, dict):
            return self._object(value, parent, lone)
        if isinstance(value, list):
            return self._list(value, parent, lone)
        if isinstance(value, str):
            document = self.document(value, lone)
            if document is not None:
                return document
        return self._lone(value, parent) if lone else value

    def was_silent(self, written: bytes) -> bool:
        """Whether nothing was taken out of this JSON, in a record of the same inputs."""
        return self._names.holds_nothing(written)

    def note_silent(self, written: bytes) -> None:
        """Notes that nothing was taken out of JSON whose lone values are not compared."""
        self._names.note_nothing(written)

    def document(self, text: str, lone: bool = True) -> str | None:
        """A JSON document in a string, without what is withheld; None where there is none, or nothing to take out."""
        beginning = text[:64].lstrip()[:1]
        if beginning not in _DOCUMENTS or not text.rstrip().endswith(_DOCUMENTS[beginning]):
            return None
        if len(text) > _LONGEST_DOCUMENT:
            return None
        try:
            inner = orjson.loads(text)
        except orjson.JSONDecodeError:
            return None
        kept = self.masked(inner, lone=lone)
        return None if kept == inner else orjson.dumps(kept).decode()

    def beside(self, mapping: Mapping[str, Any], named_by: str, attribute: str) -> dict[str, Any]:
        """A mapping that speaks of a withheld attribute: what names it and what says nothing of its value."""
        kept: dict[str, Any] = {}
        for key, value in mapping.items():
            if key == named_by:
                kept[key] = self._name(value, attribute)
            elif value is None or named_values.is_harmless(key, value):
                kept[key] = value
            elif named_values.is_value_key(key):
                kept[key] = self._taken(attribute, value)
            else:
                # Not noted as a value: words beside one are no reason to mask them elsewhere.
                kept[key] = value if self._is_taken(value) else withheld(attribute)
        return kept

    def _object(self, mapping: dict[str, Any], parent: str, lone: bool) -> dict[str, Any]:
        if self._names.say_nothing(tuple(mapping)):
            return self._silent(mapping, lone)
        named = named_values.feature_named(mapping)
        table = named if named and _holds_lists(mapping, named[0]) else named_values.header_of(mapping)
        if named and named is not table:
            attribute = next((found for name in named[1] if (found := self.speaks_of(name))), None)
            if attribute is not None and not self._repeats_visible(mapping, named[1]):
                return self.beside(mapping, named[0], attribute)
        columns = self._columns(table[1]) if table else {}
        kept: dict[str, Any] = {}
        for key, value in mapping.items():
            if table and columns:
                value = self._header(value) if key == table[0] else self._rows(value, columns, len(table[1]))
            inner = self.under(mapping, key, value, parent, lone, is_label=bool(named and key == named[0]))
            kept[self._key(key, kept) if self._is_taken(inner) else key] = inner
        return kept

    def _silent(self, mapping: dict[str, Any], lone: bool) -> dict[str, Any]:
        """An object whose keys say nothing; the same one where nothing is taken out of its values."""
        kept = mapping
        for key, value in mapping.items():
            kind = type(value)
            if not lone and kind not in _NESTED and (kind is not str or value[:1] not in _OPENING):
                continue
            inner = self.masked(value, key, lone)
            if inner is not value:
                kept = {**kept, key: inner}
        return kept

    def _key(self, key: str, taken: Mapping[str, Any]) -> str:
        """A key whose value is withheld; one that holds a value itself, like `race_Black`, is masked as well."""
        attribute = self.speaks_of(key)
        if attribute is None or self._names.says_no_value(key):
            return key
        masked, n = str(withheld(attribute)), 1
        while masked in taken:
            n += 1
            masked = f"{withheld(attribute)} ({n})"
        return masked

    def _name(self, name: Any, attribute: str) -> Any:
        """What names a withheld value; a name that may hold a value itself is masked."""
        if isinstance(name, list):
            return [self._name(one, self.speaks_of(one) or attribute) for one in name]
        return name if self.speaks_of(name) is None or self._names.says_no_value(name) else withheld(attribute)

    def _repeats_visible(self, mapping: Mapping[str, Any], names: Sequence[str]) -> bool:
        """Whether a mapping says of one input what is shown of it anyway."""
        return len(names) == 1 and self._is_visible(names[0], mapping.get("value"))

    def _is_visible(self, name: str, value: Any) -> bool:
        """Whether a plain value is what is shown of the input of this name."""
        if value is None or isinstance(value, dict | list):
            return False
        return name in self._visible and self._visible[name] == value

    def under(
        self, mapping: dict[str, Any], key: str, value: Any, parent: str, lone: bool = True, is_label: bool = False
    ) -> Any:
        """What is kept of `value` under one key of a mapping, which itself stands under `parent`."""
        if value is None or self._is_taken(value) or self._is_visible(key, value):
            return value
        attribute = self._names.key(key)
        if attribute == "name" and not named_values.names_a_person(mapping, key, parent):
            # A label, a tool or a file: what stands there may still hold a withheld value.
            attribute = None
            lone = lone and not is_label
        attribute = attribute or next(iter(self._names.coarse(key)), None)
        if attribute is not None:
            return self._taken(attribute, value)
        return self.masked(value, key, lone)

    def speaks_of(self, name: str) -> str | None:
        """The withheld attribute, or the input shown less exactly, that a name speaks of."""
        return self._names.speaks_of(name)

    def _list(self, values: list[Any], parent: str, lone: bool) -> list[Any]:
        rows: Sequence[Any] = values
        pairs = len(rows) > 0 and all(map(named_values.is_pair, rows))
        if named_values.is_header_row(values) and not (pairs and any(self._is_known(row[0]) for row in values[1:])):
            if columns := self._columns(values[0]):
                rows = [self._header(values[0]), *(self._row(row, columns) for row in values[1:])]
            # Two columns of words may be either; then both are masked.
            pairs = pairs and not all(map(self._is_known, values[0]))
        return [self._pair(inner, lone) if pairs else self.masked(inner, parent, lone) for inner in rows]

    def _is_known(self, name: str) -> bool:
        """Whether a text is the name of an input, or speaks of a withheld one."""
        return name in self._names.visible or self.speaks_of(name) is not None

    def _pair(self, pair: list[Any], lone: bool) -> list[Any]:
        attribute = self.speaks_of(pair[0])
        if attribute is None or pair[1] is None or self._is_taken(pair[1]):
            return [self.masked(inner, lone=lone) for inner in pair]
        return [self._name(pair[0], attribute), self._taken(attribute, pair[1])]

    def _header(self, names: list[Any]) -> list[Any]:
        return [self._name(name, self.speaks_of(name) or "") if isinstance(name, str) else name for name in names]

    def _columns(self, names: Sequence[str]) -> dict[int, str]:
        """Places of withheld columns in a table's header, with their attributes."""
        found = ((place, self.speaks_of(name)) for place, name in enumerate(names) if name)
        return {place: attribute for place, attribute in found if attribute is not None}

    def _rows(self, value: Any, columns: Mapping[int, str], width: int) -> Any:
        """A row of a table, or rows, or rows by name, without withheld columns."""
        if isinstance(value, dict):
            return {key: self._rows(inner, columns, width) for key, inner in value.items()}
        if not isinstance(value, list):
            return value
        if value and all(isinstance(row, list) for row in value):
            return [self._rows(row, columns, width) for row in value]
        return self._row(value, columns) if len(value) == width else value

    def _row(self, row: list[Any], columns: Mapping[int, str]) -> list[Any]:
        return [
            self._taken(columns[place], cell)
            if place in columns and cell is not None and not self._is_taken(cell)
            else cell
            for place, cell in enumerate(row)
        ]

    def _lone(self, value: Any, parent: str) -> Any:
        attribute = self._raw.attribute(value)
        if attribute is None or self._is_visible(parent, value):
            return value
        return withheld(attribute)

    def _taken(self, attribute: str, value: Any) -> Any:
        if self._is_taken(value):
            return value
        self._take_out(attribute, value)
        return withheld(attribute)

    def _is_taken(self, value: Any) -> bool:
        """Whether a value is what stands in place of one."""
        if isinstance(value, Constant):
            return True
        ours = isinstance(value, str) and value.startswith(CONSTANT) and value.endswith("]")
        return ours and self._names.withheld(value[len(CONSTANT) : -1]) is not None


def _holds_lists(mapping: Mapping[str, Any], named_by: str) -> bool:
    """Whether a mapping's names are those of parallel lists, of which only some may be withheld."""
    return isinstance(mapping[named_by], list) and any(
        isinstance(value, list) and len(value) == len(mapping[named_by])
        for key, value in mapping.items()
        if key != named_by
    )
