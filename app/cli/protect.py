"""`protect`: what visible fields tell of withheld ones."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING, Any

from app.cli.opening import opened_store, workspace_of
from app.cli.output import emit, narrate, say
from app.cli.proxies import Judge, exposure_lines, field_line, print_queue, toml_key

if TYPE_CHECKING:
    from app.intake.prepare import Recipe
    from app.intake.proxies import Association, Measured, Sampler
    from app.settings import Workspace
    from db.associations import Exposure, Figures
    from db.engine import Store

# Fields that are named after an import, and names of the policy that no record has.
_NAMED = 4
_UNMET = 3


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the command."""
    protect = commands.add_parser("protect", help="what visible fields tell of withheld ones")
    acts = protect.add_subparsers(metavar="ACT", required=True)
    report = acts.add_parser("report", parents=[common], help="visible fields beside withheld attributes")
    report.add_argument("files", nargs="*", metavar="FILE", help="measure these instead; nothing is kept")
    report.add_argument("--queue", metavar="Q")
    report.add_argument("--threshold", type=_share, metavar="NMI", help="from where a field 'tells' (0.1)")
    report.add_argument("--auc", type=_share, metavar="AUC", help="from where one 'predicts' (0.6)")
    report.add_argument("--format", choices=("jsonl", "csv", "parquet"), help="where the name does not tell")
    report.add_argument("--map", action="append", default=[], metavar="COLUMN=FIELD", help="what a column means")
    report.add_argument("--json", action="store_true")
    report.set_defaults(run=_report)


def _share(text: str) -> float:
    """A number from 0 to 1."""
    share = float(text)
    if not 0 <= share <= 1:
        raise ValueError(text)
    return share


def after_import(store: Store, sampler: Sampler, recipe: Recipe, now: int) -> None:
    """Measures what an import brought, keeps the figures, and says the most important in a few lines.

    A few records more do not take the place of what many have shown.
    """
    from app.intake.proxies import FEW, measure
    from db import associations

    found = measure(sampler, recipe)
    with store.write() as connection:
        if found.n and (found.n >= FEW or associations.most_records(connection, recipe.queue) < FEW):
            rows = [one.row(now) for one in found.associations]
            associations.replace(connection, recipe.queue, rows, _exposure(recipe.queue, found, now))
    for line in (*_named(found), *_together(found), *_unmet(found, recipe.queue)):
        narrate(line)


def _exposure(queue: str, found: Measured, now: int) -> Exposure:
    from db.associations import Exposure

    return Exposure(queue, [one.facts() for one in found.joint], [one.facts() for one in found.shown], now)


def _named(found: Measured) -> list[str]:
    """The fields that tell of a withheld one, those that look like one, and what to do."""
    from app.intake.proxies import ALIKE, PREDICTS, THRESHOLD

    judge = Judge(THRESHOLD, PREDICTS, {})
    telling: dict[str, str] = {}
    looking: dict[str, str] = {}
    example = None
    for one in found.associations:
        predicts = one.auc is not None and judge.is_predicted(one.auc.auc, one.auc.by_chance)
        if predicts or (one.information is not None and one.information >= THRESHOLD):
            telling.setdefault(one.field, f"{one.field} tells {one.attribute} ({_strength(one)})")
        elif one.likeness >= ALIKE:
            looking.setdefault(one.field, f"{one.field} ({one.attribute})")
        else:
            continue
        example = example or (None if one.said else one)
    lines = []
    if telling:
        fields = "1 visible field tells" if len(telling) == 1 else f"{len(telling)} visible fields tell"
        lines.append(f"{fields} of a withheld one (NMI ≥ {THRESHOLD:.2f} or AUC ≥ {PREDICTS:.2f}, n = {found.n}): "
                     f"{_some(telling.values())}.")  # fmt: skip
    if looking := {name: text for name, text in looking.items() if name not in telling}:
        lines.append(f"By name, like a withheld one: {_some(looking.values())}.")
    if lines:
        lines[-1] += " `secondlook protect report` shows all, and what to do"
        if example:
            setting = f'reveals = {{ {toml_key(example.attribute)} = ["{example.field}"] }}'
            lines[-1] += f"; to withhold one: `{setting}` in secondlook.toml"
        lines[-1] += "."
    return lines


def _strength(one: Association) -> str:
    """How much a field tells: NMI, and AUC where it was measured."""
    nmi = f"{one.information:.2f}" if one.information is not None else ""
    return ", ".join(part for part in (nmi, f"AUC {one.auc.auc:.2f}" if one.auc else "") if part)


def _together(found: Measured) -> list[str]:
    """What all fields tell together, in one line, and how many cases they single out, in another."""
    from app.intake.proxies import FEW, PREDICTS, THRESHOLD

    judge = Judge(THRESHOLD, PREDICTS, {})
    best: dict[str, str] = {}
    for one in sorted((o for o in found.joint if o.auc is not None), key=lambda o: -(o.auc or 0)):
        if judge.is_predicted(one.auc, one.by_chance):
            text = f"{one.attribute} (AUC {one.auc:.2f}, {one.low:.2f} to {one.high:.2f}, from {one.sees})"
            best.setdefault(one.attribute, text)
    lines = [f"All visible fields together predict {_some(best.values())}."] if best else []
    shown = next((one for one in found.shown if one.sees == "inputs" and one.banded), None)
    if shown and shown.n >= FEW and shown.unique and found.joint:
        share = f"{shown.unique} of {shown.n} cases are"
        lines.append(f"{share} the only ones with what their inputs show, even with numbers in ten groups.")
    return lines


def _some(texts: Iterable[str]) -> str:
    texts = list(texts)
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return ", ".join(texts[:_NAMED]) + more


def _unmet(found: Measured, queue: str) -> list[str]:
    """Names in the policy that nothing bears: a mistyped one protects nothing."""
    lines = []
    for one in found.unmet[:_UNMET]:
        meant = f"; did you mean '{one.meant}'?" if one.meant else "."
        records = "the one record" if found.n == 1 else f"none of {found.n} records"
        has = "does not have" if found.n == 1 else "has"
        lines.append(f"The policy of '{queue}' names '{one.name}' ({one.setting}), which {records} {has}{meant}")
    if len(found.unmet) > _UNMET:
        others = ", ".join(f"'{one.name}'" for one in found.unmet[_UNMET : _UNMET + 5])
        lines[-1] += f" Nor: {others}{' …' if len(found.unmet) > _UNMET + 5 else ''}."
    return lines


def _report(arguments: argparse.Namespace) -> int:
    from app.intake.proxies import PREDICTS, THRESHOLD

    workspace = workspace_of(arguments)
    if arguments.queue is not None:
        workspace.policy(arguments.queue)
    if arguments.files:
        rows, exposures = _of_files(arguments, workspace)
    else:
        with opened_store(workspace) as store:
            rows, exposures = _kept(store, arguments.queue)
    threshold = THRESHOLD if arguments.threshold is None else arguments.threshold
    predicts = PREDICTS if arguments.auc is None else arguments.auc
    judge = Judge(threshold, predicts, dict(workspace.settings.queues))
    lines = [field_line(row, judge) for row in rows]
    lines += [line for one in exposures for line in exposure_lines(one, judge)]
    if arguments.json:
        emit(lines)
    else:
        _print(lines, judge)
    return 0


def _print(lines: list[dict[str, Any]], judge: Judge) -> None:
    by_queue = sorted(lines, key=lambda line: str(line["queue"]))
    for number, (_, group) in enumerate(groupby(by_queue, key=lambda line: line["queue"])):
        if number:
            say()
        print_queue(list(group), judge)
    if lines:
        narrate(
            f"NMI: normalised mutual information; 'tells' from {judge.threshold:g}. AUC: 0.5 is guessing, 1 certainty; "
            f"'predicts' from {judge.predicts:g}.\nTexts are not compared. No mark does not mean that nothing is given "
            "away: docs/proxies.md."
        )


def _kept(store: Store, queue: str | None) -> tuple[list[Figures], list[Exposure]]:
    """The figures of the last imports. Raises NothingToDo where nothing was imported."""
    from app.model.errors import NothingToDo
    from db import associations, lists

    with store.read() as connection:
        rows = associations.stored(connection, queue)
        exposures = associations.exposures(connection, queue)
        imported = {row.queue for row in lists.backlog(connection, 0)}
    where = f"queue '{queue}'" if queue else "any queue"
    if not rows and not (queue in imported if queue else imported):
        raise NothingToDo(
            f"Nothing was imported into {where} yet. An import measures; or measure a file without importing it: "
            f"`secondlook protect report FILE --queue {queue or 'Q'}`."
        )
    if not rows:
        narrate(f"No figures for {where}: its last import had nothing withheld, and no field that looks like it.")
    return rows, exposures


def _of_files(arguments: argparse.Namespace, workspace: Workspace) -> tuple[list[Figures], list[Exposure]]:
    """The figures of files that are only read."""
    import time

    from app.cli.intake import columns_of
    from app.intake.joint import THOROUGH
    from app.intake.mapping import check_mapping
    from app.intake.prepare import Recipe
    from app.intake.proxies import Sampler, measure
    from app.intake.read import open_stream
    from app.model.errors import BadInput
    from db.associations import Figures

    if arguments.queue is None:
        raise BadInput("--queue Q is needed with files: its policy says what is withheld.")
    policy = workspace.policy(arguments.queue)
    columns = {**policy.csv.columns, **columns_of(arguments.map)}
    check_mapping(columns)
    sampler = Sampler()
    for name in arguments.files:
        for _ in sampler.passing(open_stream(name, arguments.format).items):
            pass
    keys = workspace.keys()
    found = measure(sampler, Recipe(arguments.queue, policy, keys, columns), THOROUGH)
    for line in _unmet(found, arguments.queue):
        narrate(line)
    if not found.associations:
        narrate(f"Nothing is withheld in {found.n} records, and no field looks like it.")
    now = time.time_ns() // 1_000_000
    rows = [Figures(queue=arguments.queue, **one.row(now)) for one in found.associations]
    return rows, [_exposure(arguments.queue, found, now)]
