"""What is said about visible fields that give a withheld attribute away: rows, lines and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from app.cli.output import iso, say, table

if TYPE_CHECKING:
    from app.model.policy import QueuePolicy
    from db.associations import Exposure, Figures

# At least this number of fields is printed, marked or not.
_UNMARKED = 5
# Fields that are named in a sentence.
_SOME = 3
# From this share of unique cases on, that is said first.
_MANY = 0.05
# The model's own words on the command line.
_OUTPUT = "inputs and output"


class Judge:
    """Says of figures why they are to be looked at."""

    def __init__(self, threshold: float, predicts: float, policies: dict[str, QueuePolicy]) -> None:
        """`threshold` of normalised mutual information; `predicts` of AUC."""
        self.threshold = threshold
        self.predicts = predicts
        self._policies = policies

    def marks(self, row: Figures) -> list[str]:
        """Why a field is to be looked at, and whether it is withheld meanwhile."""
        from app.intake.proxies import ALIKE

        marks = []
        if row.information is not None and row.information >= self.threshold:
            marks.append("tells")
        if self.is_predicted(row.auc, row.by_chance):
            marks.append("predicts")
        if row.likeness >= ALIKE:
            marks.append("name")
        if self._is_withheld(row):
            marks.append("withheld now")
        return marks

    def is_predicted(self, auc: float | None, by_chance: float | None) -> bool:
        """Whether an AUC is high, and is so by luck less than one time in a thousand."""
        from app.intake.proxies import LUCK

        return auc is not None and auc >= self.predicts and by_chance is not None and by_chance <= LUCK

    def provisional(self, queue: str) -> bool:
        """Whether the model's answer is shown only after a first judgement."""
        policy = self._policies.get(queue)
        return policy is not None and policy.provisional

    def _is_withheld(self, row: Figures) -> bool:
        from app.protect.names import Withheld

        policy = self._policies.get(row.queue)
        if policy is None:
            return False
        revealing = {name: attribute for attribute, names in policy.reveals.items() for name in names}
        return Withheld(policy.withhold, revealing, policy.show).attribute(row.field) is not None


def field_line(row: Figures, judge: Judge) -> dict[str, Any]:
    """A field beside an attribute, as JSON."""
    from app.intake.proxies import why

    facts = {**row._asdict(), "said": bool(row.said), "at": iso(row.at)}
    return {"kind": "field", **facts, "measured": why(row.information, row.n), "marks": judge.marks(row)}


def exposure_lines(found: Exposure, judge: Judge) -> Iterator[dict[str, Any]]:
    """All fields together, as JSON."""
    base = {"queue": found.queue, "at": iso(found.at)}
    for one in found.joint:
        marks = ["predicts"] if judge.is_predicted(one["auc"], one["by_chance"]) else []
        yield {"kind": "joint", **base, **one, "marks": marks}
    for one in found.shown:
        yield {"kind": "unique", **base, **one}


def print_queue(lines: Sequence[dict[str, Any]], judge: Judge) -> None:
    """The report on one queue: what is told together, by single fields, and who is singled out; then what to do."""
    fields = [line for line in lines if line["kind"] == "field"]
    joint = [line for line in lines if line["kind"] == "joint"]
    unique = [line for line in lines if line["kind"] == "unique"]
    queue = lines[0]["queue"]
    say(f"Queue {queue}: what reviewers see, and what it gives away of what is withheld")
    if joint:
        say("\nAll visible fields together (a model that predicts the attribute, on records it has not seen)")
        table(("attribute", "from", "AUC", "95 % interval", "n", "mark"), map(_joint_cells, joint))
    if fields:
        say("\nSingle fields (* what the model said)")
        shown = [line for at, line in enumerate(_ordered(fields)) if line["marks"] or at < _UNMARKED]
        table(("field", "attribute", "NMI", "AUC", "name", "n", "mark"), map(_field_cells, shown))
        if len(shown) < len(fields):
            say(f"{len(fields) - len(shown)} more pairs are not marked; --json prints all.")
    if unique:
        say("\nCases that are the only ones with all that they show")
        header = ("from", "numbers", "unique", "fewer than 5 alike", "fields", "n")
        table(header, map(_unique_cells, unique))
        for line in _singling(unique):
            say(line)
    advice = list(what_to_do(lines, judge))
    if advice:
        say("\nWhat to do, in this order")
        for number, text in enumerate(advice, 1):
            say(_wrapped(f"{number}. ", text))


def what_to_do(lines: Sequence[dict[str, Any]], judge: Judge) -> Iterator[str]:
    """What a lead can do about what is marked, the most effective first."""
    marked = [one for one in lines if one["kind"] == "field" and set(one["marks"]) & {"tells", "predicts", "name"}]
    marked = _ordered([one for one in marked if "withheld now" not in one["marks"]])
    said = _names(one for one in marked if one["said"])
    joint = [one for one in lines if one["kind"] == "joint" and one["marks"]]
    by_output = [one["attribute"] for one in joint if one["sees"] == _OUTPUT and _adds(one, joint)]
    if said or by_output:
        told = f"{', '.join(said[:_SOME])} gives a withheld attribute away" if said else (
            f"With what the model said, {', '.join(dict.fromkeys(by_output))} comes back better than without it"
        )  # fmt: skip
        yield told + _about_output(said, judge.provisional(lines[0]["queue"]))
    inputs = [one for one in marked if not one["said"]]
    if inputs:
        one = inputs[0]
        yield (
            f"Ask of each marked input whether the decision needs it ({', '.join(_names(inputs)[:_SOME])}). If not: "
            f'reveals = {{ {toml_key(one["attribute"])} = ["{one["field"]}"] }} withholds it.'
        )
    if joint:
        yield (
            "Where fields tell only together, show fewer of them or coarser ones (withhold, band), and measure again: "
            "secondlook protect report FILE --queue Q."
        )
    unique = [one for one in lines if one["kind"] == "unique" and one["sees"] == "inputs" and one["n"]]
    if unique and max(one["unique"] / one["n"] for one in unique) >= _MANY:
        yield (
            "Cases that are unique can be recognised by who knows the person: band numbers, show less, and route cases "
            "away from people who may know the subject (recuse)."
        )


def _about_output(said: Sequence[str], provisional: bool) -> str:
    from app.intake.exposed import OTHERS

    parts = []
    if OTHERS in said:
        parts.append("send explanations without base_value and output_value, or without the withheld feature's items")
    if any(name.startswith("output.baseline") for name in said):
        parts.append('leave the baseline out of the records (withhold = ["baseline"])')
    if provisional:
        parts.append("the queue is provisional already: it is visible only after the first judgement")
    else:
        parts.append("provisional = true shows it only after the first judgement")
    return ": " + "; ".join(parts) + "."


def _adds(one: dict[str, Any], joint: Sequence[dict[str, Any]]) -> bool:
    """Whether what the model said adds to what inputs tell: the interval lies above their AUC."""
    inputs = [o["auc"] for o in joint if o["attribute"] == one["attribute"] and o["sees"] == "inputs"]
    return not inputs or one["low"] > inputs[0]


def _ordered(fields: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that are marked first, and those that predict most."""
    return sorted(fields, key=lambda one: (not one["marks"], -(one["auc"] or 0), -(one["information"] or 0)))


def _names(fields: Any) -> list[str]:
    return list(dict.fromkeys(one["field"] for one in fields))


def _joint_cells(one: dict[str, Any]) -> tuple[object, ...]:
    attribute = f"{one['attribute']} (above the median)" if one["cut"] == "median" else one["attribute"]
    if one["values"] > 1:
        attribute = f"{one['attribute']} (best of {one['values']} groups)"
    if one["auc"] is None:
        return attribute, one["sees"], "too few", "", one["n"], ""
    interval = f"{one['low']:.2f} to {one['high']:.2f}"
    return attribute, one["sees"], f"{one['auc']:.3f}", interval, one["n"], ", ".join(one["marks"])


def _field_cells(one: dict[str, Any]) -> tuple[object, ...]:
    information = one["measured"] if one["information"] is None else f"{one['information']:.3f}"
    auc = "" if one["auc"] is None else f"{one['auc']:.3f}"
    name = one["field"] + (" *" if one["said"] else "")
    return name, one["attribute"], information, auc, f"{one['likeness']:.2f}", one["n"], ", ".join(one["marks"])


def _unique_cells(one: dict[str, Any]) -> tuple[object, ...]:
    numbers = "in ten groups" if one["banded"] else "as shown"
    return one["sees"], numbers, _share(one["unique"], one["n"]), _share(one["rare"], one["n"]), one["fields"], one["n"]


def _singling(unique: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The few fields that single out most, and the fields that were not counted."""
    for one in unique:
        if one["singling"]:
            names = " + ".join(name for name, _ in one["singling"])
            yield f"A few suffice: {names} make {_share(one['singling'][-1][1], one['n'])} unique."
    if unique[0]["left_out"]:
        yield f"Not counted, since nearly every case has another text: {', '.join(unique[0]['left_out'][:_SOME])}."


def _share(count: int, n: int) -> str:
    """A share in percent, never 100 or 0 unless it is all or none."""
    if not n:
        return ""
    percent = min(99, max(1, round(100 * count / n))) if 0 < count < n else round(100 * count / n)
    return f"{percent} %"


def toml_key(name: str) -> str:
    """A name as a key in TOML."""
    plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if plain else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _wrapped(first: str, text: str) -> str:
    """A paragraph that fits into 80 columns."""
    import textwrap

    return textwrap.fill(text, 80, initial_indent=first, subsequent_indent=" " * len(first), break_long_words=False)
