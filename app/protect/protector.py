"""Protection at the door: what may be kept of a record, and nothing else.

Values under `sensitive` and values of withheld names are taken out, also where they stand again in
texts, keys, explanations and provenance; the subject becomes a pseudonym; what the policy says is made
coarse; detectors mask personal data in texts. What is left is safe to store. It is not anonymous: it is
what the policy shows.
"""

from __future__ import annotations

import base64
import hmac
import unicodedata
from collections.abc import Iterator
from functools import partial
from operator import is_
from typing import Any

import orjson

from app.model.policy import QueuePolicy
from app.model.prediction import CODE_LENGTH, NAME_LENGTH, Prediction
from app.protect.coarsen import Coarser
from app.protect.explanations import Seen, target_of, without_withheld
from app.protect.feature_names import FeatureNames
from app.protect.known.beside_names import BesideNames, may_stand_in
from app.protect.known.glance import glance
from app.protect.known.readings import readings
from app.protect.masking import Masker, masked, texts_of
from app.protect.names import Withheld
from app.protect.raw_values import RawValues
from app.protect.redact import Redaction
from app.protect.scrub import ByName, Edit, Scrubber, known_values, moved, scrubber, withheld
from app.protect.sections import without_withheld_keys
from app.protect.stated import StatedValues
from app.protect.user_data import UserData

# Keys of the record that are the format's own, or handled one by one.
_OWN_KEYS = frozenset(Prediction.model_fields) - {"schema_"} | {"schema"}
_FREE_TEXT = "free text"
_PROSE = frozenset(("text", "chat", "json"))
# Kinds of explanations without prose of their own.
_IN_NUMBERS = frozenset(("attribution", "counterfactual", "example", "rule", "text_span", "evidence", "image_region"))
# The most sets of input names for which a judge of feature names is cached.
_CACHED_FORMS = 256
# A second pass finds where values stand that only the first one knew to be withheld.
_MOST_PASSES = 2
# Unknown keys may hold prose as well; a value longer than this, with spaces, counts as such.
_SHORT = 40


class Taken:
    """What protection took out of a record: (attribute, value) pairs, and each value under a field's name."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, Any]] = []
        self.named: list[tuple[str, str, Any]] = []
        """Name of a field, its attribute, and value."""
        self.fields: dict[str, Any] = {}

    def add(self, attribute: str, field: str, value: Any) -> None:
        """Notes a value; an empty one is nothing to keep."""
        self.pairs.append((attribute, value))
        self.named.append((field.partition(".")[2] or field, attribute, value))
        self.keep(field, value)

    def elsewhere(self, attribute: str, value: Any) -> None:
        """Notes a value that stood under a name of its own."""
        self.add(attribute, f"elsewhere.{attribute}", value)

    def keep(self, field: str, value: Any) -> None:
        """Notes a value to be kept for officers, and not to be looked for elsewhere."""
        if value is None:
            return
        name, n = field, 1
        while name in self.fields:
            n += 1
            name = f"{field} ({n})"
        self.fields[name] = value


class Protector:
    """Protects the records of one queue. Not thread-safe; cheap to make."""

    def __init__(self, policy: QueuePolicy, pseudonym_key: bytes) -> None:
        self._policy = policy
        self._key = pseudonym_key
        self._revealing = {name: attribute for attribute, names in policy.reveals.items() for name in names}
        self._by_attributes: dict[tuple[str, ...], Withheld] = {}
        self._by_inputs: dict[Any, FeatureNames] = {}
        self._coarser = Coarser(policy)
        # Most policies coarsen nothing: every input would be asked in vain.
        self._coarsens = bool(self._coarser)
        self._redaction = Redaction(policy)
        self._texts = None if policy.texts is None else frozenset(policy.texts)
        self.told_by_id = False
        """Whether the id of the record that was protected last holds a withheld value."""
        self.told_by_file = False
        """Whether the name of the file that it came in does."""

    def protect(self, record: dict[str, Any]) -> dict[str, Any]:
        """A new record without what is withheld. The record must have passed validation."""
        return self.take_out(record)[0]

    def take_out(
        self, record: dict[str, Any], own_id: str | None = None, file: str = ""
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The protected record, and what was taken out of it by field: `sensitive.sex`, `inputs.age`, `subject`,
        `elsewhere.email` for other keys, `text.inputs.note` for the original of a text that was masked.

        `own_id`: the record's id, where a token stands in its place; `file`: the name of the file that it came in."""
        sensitive = record.get("sensitive") or []
        rules = self._rules(record, sensitive)
        taken = Taken()
        for item in sensitive:
            taken.add(item["name"], f"sensitive.{item['name']}", item.get("value"))
        kept = {key: value for key, value in record.items() if key in _OWN_KEYS and key not in ("sensitive", "subject")}
        unknown = {key: value for key, value in record.items() if key not in _OWN_KEYS}
        if unknown:
            kept["extra"] = {**(record.get("extra") or {}), **unknown}
        kept["inputs"] = self._inputs(record, rules, taken)
        subject = record.get("subject")
        if subject is not None:
            taken.add("subject", "subject", subject)
        if self._texts is not None and kept.get("extra"):
            kept["extra"] = self._declared(kept["extra"], taken)
        kept = self._structure(kept, rules, taken)
        if own_id is not None:
            taken.add("id", "id", own_id)
        stated = self._names_of(kept["inputs"], rules).stated
        found = self._known(kept, taken, stated, record["id"] if own_id is None else "", file)
        if self._redaction:
            kept = self._redacted(kept, found)
        if found:
            kept = scrubbed(kept, found)
        _keep_masked_texts(record, kept, taken)
        if sensitive:
            names = [found.text(s["name"])[0] if found else s["name"] for s in sensitive]
            kept["sensitive"] = [{"name": name[:NAME_LENGTH], "value": None} for name in names]
        if subject is not None:
            kept["subject"] = self.pseudonym(f"case:{record['id']}", "subject", str(subject))
        # Names of fields come from the sender as well.
        return kept, {found.text(field)[0]: value for field, value in taken.fields.items()} if found else taken.fields

    def _known(
        self, kept: dict[str, Any], taken: Taken, stated: StatedValues, visible_id: str, file: str
    ) -> Scrubber | None:
        """What masks known values in the record; notes whether its id and the name of its file hold any."""
        known = known_values(taken.pairs)
        by_name = _by_name(kept, taken, stated)
        found = scrubber(known, f"{joined_texts(kept)} {file}", by_name) if known or by_name else None
        self.told_by_id = bool(found and visible_id and found.spans(visible_id))
        self.told_by_file = bool(found and file and found.spans(file))
        if self.told_by_id or self.told_by_file:
            # What stands in these only need not be looked for in the rest.
            found = scrubber(known, joined_texts({key: kept[key] for key in kept if key != "id"}), by_name)
        return found

    def withheld_of(self, record: dict[str, Any]) -> dict[str, str]:
        """Input name → the attribute because of which it is withheld, for those that are."""
        rules = self._rules(record, record.get("sensitive") or [])
        found = {i["name"]: self._attribute(i, rules) for i in record["inputs"]}
        return {name: attribute for name, attribute in found.items() if attribute is not None}

    def pseudonym(self, scope: str, field: str, value: str) -> str:
        """A stable token for a value within a scope: HMAC-SHA256 over `scope|field|NFKC(value)`."""
        if value.startswith("subj-") and len(value) == 21:
            return value
        return "subj-" + base64.b32encode(self._mac(scope, field, value)[:10]).decode().lower()

    def bucket(self, subject: str) -> int:
        """A number in 0…9999 that is the same for all cases of a subject and tells nothing else."""
        return int.from_bytes(self._mac("split", "subject", subject)[:4], "big") % 10_000

    def _mac(self, scope: str, field: str, value: str) -> bytes:
        return hmac.digest(
            self._key,
            f"{scope}|{field}|{value if value.isascii() else unicodedata.normalize('NFKC', value)}".encode(),
            "sha256",
        )

    def _rules(self, record: dict[str, Any], sensitive: list[dict[str, Any]]) -> Withheld:
        declared = (*self._policy.withhold, *(s["name"] for s in sensitive))
        rules = self._by_attributes.get(declared)
        if rules is None:
            rules = Withheld(declared, self._revealing, self._policy.show)
            if len(self._by_attributes) < 1000:
                self._by_attributes[declared] = rules
        revealing = _said_to_reveal(record, rules)
        return Withheld(declared, {**self._revealing, **revealing}, self._policy.show) if revealing else rules

    def _attribute(self, item: dict[str, Any], rules: Withheld) -> str | None:
        """Why an input is withheld: by its name, or as a text that the policy does not declare."""
        found = item.get("withheld")
        if found is None and not (self._coarsens and self._coarser.handles(item["name"])):
            found = rules.attribute(item["name"])
        if found is None and self._texts is not None and item["name"] not in self._texts and _is_prose(item):
            return _FREE_TEXT
        return found

    def _inputs(self, record: dict[str, Any], rules: Withheld, taken: Taken) -> list[dict[str, Any]]:
        kept = []
        by_name_only = not self._coarsens and self._texts is None
        attribute_of = rules.attribute
        for item in record["inputs"]:
            name = item["name"]
            attribute = item.get("withheld") or attribute_of(name) if by_name_only else self._attribute(item, rules)
            if attribute is None:
                coarse = self._coarsens and self._coarser.handles(name)
                kept.append(self._coarse(record["id"], item, taken) if coarse else item)
                continue
            if attribute == _FREE_TEXT:
                taken.keep(f"inputs.{name}", item.get("value"))
            else:
                taken.add(attribute, f"inputs.{name}", item.get("value"))
            kept.append({"name": name, "kind": item.get("kind", "category"), "value": None, "withheld": attribute})
        return kept

    def _coarse(self, case: str, item: dict[str, Any], taken: Taken) -> dict[str, Any]:
        name, value = item["name"], item.get("value")
        shown = self._shown(case, name, value)
        if shown == value:
            return item
        taken.add(name, f"inputs.{name}", value)
        return {**item, "kind": "category", "value": shown}

    def _shown(self, case: str, name: str, value: Any) -> Any:
        """What is shown of a feature's value, as coarse as the policy says."""
        if not self._coarser.handles(name):
            return value
        return self._coarser.shown(name, value, lambda field, text: self._token(case, field, text))

    def _token(self, case: str, field: str, value: str) -> str:
        if value.startswith("id-") and len(value) == 19:
            return value
        return "id-" + base64.b32encode(self._mac(f"case:{case}", field, value)[:10]).decode().lower()

    def _structure(self, kept: dict[str, Any], rules: Withheld, taken: Taken) -> dict[str, Any]:
        """The record without what names, keys and explainers' features say is withheld."""
        for _ in range(_MOST_PASSES):
            known = len(taken.pairs)
            seen = self._seen(kept, rules, taken)
            explanations = kept.get("explanations")
            if explanations:
                kept = {**kept, "explanations": [without_withheld(one, seen) for one in explanations]}
            kept = _without_lost_spans(kept, without_withheld_keys(kept, seen.data))
            # What was found just now may stand somewhere else without a name.
            if len(taken.pairs) == known:
                break
        return kept

    def _seen(self, kept: dict[str, Any], rules: Withheld, taken: Taken) -> Seen:
        inputs = kept["inputs"]
        names = self._names_of(inputs, rules)
        values = {item["name"]: item.get("value") for item in inputs}
        data = UserData(names, RawValues(taken.pairs), taken.elsewhere, values)
        return Seen(names, data, values, partial(self._shown, kept["id"]) if self._coarsens else None)

    def _names_of(self, inputs: list[dict[str, Any]], rules: Withheld) -> FeatureNames:
        """What judges feature names; the records of a stream mostly have the same inputs."""
        hidden = tuple([(item["name"], item["withheld"]) for item in inputs if item.get("withheld") is not None])
        key = (rules, tuple([item["name"] for item in inputs]), hidden)
        found = self._by_inputs.get(key)
        if found is None:
            found = FeatureNames(rules, inputs, self._coarser.handles if self._coarsens else None)
            if len(self._by_inputs) >= _CACHED_FORMS:
                self._by_inputs.clear()
            self._by_inputs[key] = found
        return found

    def _declared(self, extra: dict[str, Any], taken: Taken) -> dict[str, Any]:
        """Unknown keys without prose that the policy does not declare."""
        kept = {}
        for key, value in extra.items():
            prose = key not in (self._texts or ()) and any(len(t) > _SHORT and " " in t for t in texts_of(value))
            if prose:
                taken.keep(f"elsewhere.{key}", value)
            kept[key] = withheld(_FREE_TEXT) if prose else value
        return kept

    def _redacted(self, kept: dict[str, Any], found: Scrubber | None) -> dict[str, Any]:
        """The record with what detectors find masked, and spans moved to where their texts went."""
        shown = {**kept}
        edits = self._redaction.of(found).redact(shown)
        if edits:
            _move_spans(kept.get("explanations") or (), shown, edits)
        return shown


def _is_prose(item: dict[str, Any]) -> bool:
    return item.get("value") is not None and item.get("kind") in _PROSE


def _said_to_reveal(record: dict[str, Any], rules: Withheld) -> dict[str, str]:
    """Names that the record itself marks as revealing a withheld attribute."""
    found: dict[str, str] = {}
    marked = [(i.get("name"), i.get("reveals")) for i in record["inputs"] if "reveals" in i]
    for explanation in record.get("explanations") or ():
        for item in explanation.get("items") or ():
            if isinstance(item, dict) and item.get("reveals"):
                feature = item.get("feature")
                marked += [(name, item["reveals"]) for name in (feature if isinstance(feature, list) else [feature])]
    for name, attributes in marked:
        if not isinstance(name, str):
            continue
        for attribute in attributes if isinstance(attributes, list) else [attributes]:
            if isinstance(attribute, str) and rules.attribute(attribute):
                found[name] = rules.attribute(attribute) or attribute
    return found


def scrubbed(record: dict[str, Any], found: Masker) -> dict[str, Any]:
    """The record with known values masked, and spans moved to where their texts went."""
    edits = {name: found.text(text)[1] for name, text in texts(record).items()}
    kept: dict[str, Any] = masked(record, found)
    # What the desk decides by and where it answers to stays as it is.
    for section, fixed in (("task", ("type", "labels", "positive")), ("reply_to", ("url",))):
        if kept.get(section):
            kept[section] |= {key: record[section][key] for key in fixed if key in record[section]}
    kept |= {key: record[key] for key in ("id", "schema") if key in record}
    # What stands in place of a value may be longer than it was; a record must stay one.
    for item in kept["inputs"]:
        item["name"] = item["name"][:NAME_LENGTH]
    for flag in kept.get("flags") or ():
        flag["code"] = flag["code"][:CODE_LENGTH]
    _move_spans(record.get("explanations") or (), kept, edits)
    return kept


def texts(record: dict[str, Any]) -> dict[str, str]:
    """The texts that spans can speak of, by input name or `output.text`; of two inputs the first counts."""
    found = {i["name"]: i["value"] for i in reversed(record["inputs"]) if isinstance(i.get("value"), str)}
    output = record["output"].get("text")
    return {**found, "output.text": output} if isinstance(output, str) else found


def _move_spans(before: Any, kept: dict[str, Any], edits: dict[str, list[Edit]]) -> None:
    """Moves the spans of explanations in place; `before` are the explanations as they named their targets."""
    now = texts(kept)
    for old, explanation in zip(before, kept.get("explanations") or (), strict=True):
        target = target_of(old)
        if explanation["kind"] in ("text_span", "evidence") and target in edits and target in now:
            for item in explanation.get("items") or ():
                _move(item, now[target], edits[target])


def _move(span: dict[str, Any], text: str, edits: list[Edit]) -> None:
    """Moves a span in place. One that touches a masked stretch covers all of it; it says what stands there now."""
    if span.get("start") is None or span.get("end") is None:
        return
    span |= {"start": moved(span["start"], edits), "end": moved(span["end"], edits, end=True)}
    if span.get("text") is not None:
        span["text"] = text[span["start"] : span["end"]]


def _keep_masked_texts(record: dict[str, Any], kept: dict[str, Any], taken: Taken) -> None:
    """Notes the original of each text that was masked."""
    for before, after in zip(record["inputs"], kept["inputs"], strict=True):
        if before is after or after.get("withheld") is not None or before.get("kind") not in _PROSE:
            continue
        if before.get("value") != after.get("value"):
            taken.keep(f"text.inputs.{before['name']}", before["value"])
    text = record["output"].get("text")
    if text != kept["output"].get("text"):
        taken.keep("text.output", text)


def _by_name(kept: dict[str, Any], taken: Taken, stated: StatedValues) -> tuple[ByName, ...]:
    """What finds values beside the names of their fields in what people and models wrote, where some stand there."""
    written = "\n".join(_prose(kept)) if taken.pairs else ""
    if not written:
        return ()
    if glance(written).encoded:
        written = "\n".join((written, *(reading.text for reading in readings(written))))
    found: list[ByName] = [stated] if stated.may_be_in(written) else []
    if may_stand_in(written, taken.named):
        beside = BesideNames(taken.named)
        found += [beside] if beside.spans(written) else []
    return tuple(found)


def _prose(kept: dict[str, Any]) -> Iterator[str]:
    """The texts of a record that people or models wrote."""
    for item in kept["inputs"]:
        if item.get("kind") in _PROSE and item.get("value") is not None:
            yield from texts_of(item["value"])
    if isinstance(kept["output"].get("text"), str):
        yield kept["output"]["text"]
    yield from (flag["detail"] for flag in kept.get("flags") or () if flag.get("detail"))
    for explanation in kept.get("explanations") or ():
        if explanation.get("kind") not in _IN_NUMBERS:
            yield from texts_of(explanation)
    if kept.get("extra"):
        yield from texts_of(kept["extra"])


def joined_texts(kept: dict[str, Any]) -> str:
    """All texts of a record, to search in. Where JSON escapes nothing, its serialisation holds them as they are."""
    document = orjson.dumps(kept).decode()
    return "\n".join(texts_of(kept)) if "\\" in document else document


def _without_lost_spans(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The record whose spans into a JSON document that was rewritten point nowhere."""
    if not after.get("explanations") or _same_texts(before, after):
        return after
    old, new = texts(before), texts(after)
    changed = {name for name, text in new.items() if old.get(name) is not text and old.get(name) != text}
    if not changed:
        return after
    return {
        **after,
        "explanations": [_lost(one) if target_of(one) in changed else one for one in after["explanations"]],
    }


def _same_texts(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether no text was rewritten: what was left alone is the same object."""
    return before["output"] is after["output"] and all(map(is_, before["inputs"], after["inputs"]))


def _lost(explanation: dict[str, Any]) -> dict[str, Any]:
    if explanation["kind"] not in ("text_span", "evidence"):
        return explanation
    lost = {"start": None, "end": None, "anchor": "failed"}
    return {**explanation, "items": [{**item, **lost} for item in explanation.get("items") or ()]}
