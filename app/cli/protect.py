"""`protect`: what visible fields tell of withheld ones."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from app.cli.opening import opened_store, workspace_of
from app.cli.output import emit, iso, narrate, table

if TYPE_CHECKING:
    from app.intake.prepare import Recipe
    from app.intake.proxies import Measured, Sampler
    from app.settings import Workspace
    from db.associations import Figures
    from db.engine import Store

# Fields that are named after an import, and names of the policy that no record has.
_NAMED = 4
_UNMET = 3

# So many pairs are printed at least, marked or not.
_UNMARKED = 10


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the command."""
    protect = commands.add_parser("protect", help="what visible fields tell of withheld ones")
    acts = protect.add_subparsers(metavar="ACT", required=True)
    report = acts.add_parser("report", parents=[common], help="visible fields beside withheld attributes")
    report.add_argument("files", nargs="*", metavar="FILE", help="measure these instead; nothing is kept")
    report.add_argument("--queue", metavar="Q")
    report.add_argument("--threshold", type=_share, metavar="NMI", help="from where a field is marked (0.1)")
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
    """Measures what an import brought, keeps the figures, and says the most important in at most five lines.

    A few records more do not take the place of what many have shown.
    """
    from app.intake.proxies import FEW, measure
    from db import associations

    found = measure(sampler, recipe)
    with store.write() as connection:
        if found.n and (found.n >= FEW or associations.most_records(connection, recipe.queue) < FEW):
            associations.replace(connection, recipe.queue, [one.row(now) for one in found.associations])
    for line in (*_named(found), *_unmet(found, recipe.queue)):
        narrate(line)


def _named(found: Measured) -> list[str]:
    """The fields that tell of a withheld one, those that look like one, and what to do."""
    from app.intake.proxies import ALIKE, THRESHOLD

    telling: dict[str, str] = {}
    looking: dict[str, str] = {}
    example = None
    for one in found.associations:
        if one.information is not None and one.information >= THRESHOLD:
            telling.setdefault(one.field, f"{one.field} tells {one.attribute} ({one.information:.2f})")
        elif one.likeness >= ALIKE:
            looking.setdefault(one.field, f"{one.field} ({one.attribute})")
        else:
            continue
        example = example or one
    if example is None:
        return []
    lines = []
    if telling:
        fields = "1 visible field tells" if len(telling) == 1 else f"{len(telling)} visible fields tell"
        lines.append(f"{fields} of a withheld one (NMI ≥ {THRESHOLD:.2f}, n = {found.n}): {_some(telling.values())}.")
    if looking := {name: text for name, text in looking.items() if name not in telling}:
        lines.append(f"By name, like a withheld one: {_some(looking.values())}.")
    lines[-1] += (
        " `secondlook protect report` shows all; to withhold one: "
        f'`reveals = {{ {_key(example.attribute)} = ["{example.field}"] }}` in secondlook.toml.'
    )
    return lines


def _key(name: str) -> str:
    """A name as a key in TOML."""
    plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if plain else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


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
    from app.intake.proxies import THRESHOLD

    workspace = workspace_of(arguments)
    if arguments.queue is not None:
        workspace.policy(arguments.queue)
    if arguments.files:
        rows = _of_files(arguments, workspace)
    else:
        with opened_store(workspace) as store:
            rows = _kept(store, arguments.queue)
    threshold = THRESHOLD if arguments.threshold is None else arguments.threshold
    lines = [_line(row, _marks(row, threshold, workspace)) for row in rows]
    if arguments.json:
        emit(lines)
    elif lines:
        _print(rows, lines, threshold)
    return 0


def _kept(store: Store, queue: str | None) -> list[Figures]:
    """The figures of the last imports. Raises NothingToDo where nothing was imported."""
    from app.model.errors import NothingToDo
    from db import associations, lists

    with store.read() as connection:
        rows = associations.stored(connection, queue)
        imported = {row.queue for row in lists.backlog(connection, 0)}
    where = f"queue '{queue}'" if queue else "any queue"
    if not rows and not (queue in imported if queue else imported):
        raise NothingToDo(
            f"Nothing was imported into {where} yet. An import measures; or measure a file without importing it: "
            f"`secondlook protect report FILE --queue {queue or 'Q'}`."
        )
    if not rows:
        narrate(f"No figures for {where}: its last import had nothing withheld, and no field that looks like it.")
    return rows


def _of_files(arguments: argparse.Namespace, workspace: Workspace) -> list[Figures]:
    """The figures of files that are only read."""
    import time

    from app.cli.intake import columns_of
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
    found = measure(sampler, Recipe(arguments.queue, policy, keys, columns))
    for line in _unmet(found, arguments.queue):
        narrate(line)
    if not found.associations:
        narrate(f"Nothing is withheld in {found.n} records, and no field looks like it.")
    now = time.time_ns() // 1_000_000
    return [Figures(queue=arguments.queue, **one.row(now)) for one in found.associations]


def _marks(row: Figures, threshold: float, workspace: Workspace) -> list[str]:
    """Why a row is to be looked at, and whether its field is withheld meanwhile."""
    from app.intake.proxies import ALIKE

    marks = []
    if row.information is not None and row.information >= threshold:
        marks.append("tells")
    if row.likeness >= ALIKE:
        marks.append("name")
    policy = workspace.settings.queues.get(row.queue)
    if policy is not None:
        from app.protect.names import Withheld

        revealing = {name: attribute for attribute, names in policy.reveals.items() for name in names}
        if Withheld(policy.withhold, revealing, policy.show).attribute(row.field):
            marks.append("withheld now")
    return marks


def _line(row: Figures, marks: list[str]) -> dict[str, Any]:
    from app.intake.proxies import why

    return {**row._asdict(), "at": iso(row.at), "measured": why(row.information, row.n), "marks": marks}


def _print(rows: Sequence[Figures], lines: list[dict[str, Any]], threshold: float) -> None:
    from app.intake.proxies import ALIKE

    queues = len({row.queue for row in rows}) > 1
    shown = [at for at, line in enumerate(lines) if line["marks"] or at < _UNMARKED]
    left = len(lines) - len(shown)
    rows, lines = [rows[at] for at in shown], [lines[at] for at in shown]
    header = ("field", "attribute", "NMI", "name", "n", "mark")
    cells = [
        (
            line["field"],
            line["attribute"],
            line["measured"] if line["information"] is None else f"{line['information']:.3f}",
            f"{line['likeness']:.2f}",
            line["n"],
            ", ".join(line["marks"]),
        )
        for line in lines
    ]
    if queues:
        table(("queue", *header), [(row.queue, *cell) for row, cell in zip(rows, cells, strict=True)])
    else:
        table(header, cells)
    if left:
        narrate(f"{left} more pairs stay below; --json prints all.")
    narrate(
        f"NMI: normalised mutual information, corrected for chance; 'tells' from {threshold:g}, 'name' from a "
        f"likeness of {ALIKE:g}. A field is withheld with `reveals` in secondlook.toml. docs/proxies.md says more."
    )
