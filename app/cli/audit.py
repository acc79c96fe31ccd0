"""`audit`: the log, whether it is whole, checkpoints of it, and proofs from it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.opening import opened_store, workspace_of
from app.cli.output import emit, iso, narrate, say, table

if TYPE_CHECKING:
    from app.audit.checkpoint import Checkpoint, VerifierKey
    from app.audit.prove import Proof
    from app.audit.verify import Verification
    from app.settings import Workspace
    from db.engine import Connection, Store


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    audit = commands.add_parser("audit", help="the log of what was done")
    acts = audit.add_subparsers(metavar="ACT", required=True)
    verify = acts.add_parser("verify", parents=[common], help="is the log whole, do the reviews agree with it?")
    verify.add_argument("--checkpoint", action="append", default=[], metavar="FILE", help="one that was kept elsewhere")
    verify.add_argument("--vkey", metavar="VKEY", help="who signed, where the workspace key is not at hand")
    verify.add_argument("--json", action="store_true")
    verify.set_defaults(run=_verify)
    sign = acts.add_parser("checkpoint", parents=[common], help="sign how far the log goes, to be kept elsewhere")
    sign.add_argument("--out", metavar="FILE", help="where to (default: checkpoints/ in the workspace); - prints it")
    sign.add_argument("--json", action="store_true")
    sign.set_defaults(run=_checkpoint)
    prove = acts.add_parser("prove", parents=[common], help="prove to a stranger that an entry is in the log")
    which = prove.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", metavar="ID", help="a prediction's id: its newest decision")
    which.add_argument("--entry", type=_number, metavar="SEQ", help="an entry's number")
    prove.add_argument("--queue", metavar="Q", help="where several queues hold the prediction")
    prove.add_argument("--checkpoint", metavar="FILE", help="the one that the stranger has (default: a new one)")
    prove.add_argument("--json", action="store_true", help="the proof itself, for docs/audit.md's recipe")
    prove.set_defaults(run=_prove)
    log = acts.add_parser("log", parents=[common], help="print entries")
    log.add_argument("--after", type=int, default=0, metavar="SEQ")
    log.add_argument("--limit", type=int, default=None, metavar="N")
    log.add_argument("--json", action="store_true")
    log.set_defaults(run=_log)


def _number(text: str) -> int:
    """An entry's number; anything that the database cannot hold is none."""
    number = int(text)
    if not 0 < number < 2**63:
        raise ValueError(text)
    return number


def _verify(arguments: argparse.Namespace) -> int:
    workspace = workspace_of(arguments)
    points, doubts = _checkpoints(workspace, arguments.checkpoint, arguments.vkey)
    with opened_store(workspace) as store:
        found, problems = _examined(store, points, doubts)
    if arguments.json:
        emit(
            {
                "ok": not problems,
                "entries": found.entries,
                "reviews": found.reviews,
                "head": found.head,
                "root": found.root,
                "checkpoints": [{"file": point.name, "size": point.size} for point in points],
                "problems": problems,
            }
        )
        return 1 if problems else 0
    if problems:
        return _complain(problems, "The log or what stands beside it was changed")
    say(f"whole: {found.entries} entries, {found.reviews} reviews, head {found.head}, root {found.root}")
    for point in points:
        say(f"as signed: entries 1…{point.size}, checkpoint {point.name}")
    narrate(
        "What was cut off before it was signed cannot be seen, nor what somebody signed who has the key: "
        "keep checkpoints elsewhere (`secondlook audit checkpoint`), and give them with --checkpoint."
    )
    return 0


def _complain(problems: list[str], what: str) -> int:
    for problem in problems:
        say(problem)
    narrate(f"{what}: {len(problems)} problem{'s' if len(problems) > 1 else ''}.")
    return 1


def _examined(store: Store, points: list[Checkpoint], doubts: list[str]) -> tuple[Verification, list[str]]:
    """The verification, and all problems: doubts about the checkpoints themselves come first."""
    from app.audit.verify import verify

    found = verify(store, points)
    return found, [*doubts, *found.problems]


def _checkpoints(workspace: Workspace, given: list[str], vkey: str | None) -> tuple[list[Checkpoint], list[str]]:
    """The checkpoints that are properly signed (given ones, and the workspace's own), and doubts about the others.

    A given file that cannot be read is the caller's mistake and raises BadInput; one of the workspace's
    own was damaged there.
    """
    from app.audit import checkpoint
    from app.model.errors import BadInput

    named = _verifier(workspace, vkey) if vkey else None
    points = [checkpoint.read(Path(name)) for name in given]
    doubts = []
    for path in checkpoint.kept_in(workspace.root):
        try:
            points.append(checkpoint.read(path))
        except BadInput as error:
            doubts.append(f"checkpoint {error}")
    if not points:
        return points, doubts
    key = named or _verifier(workspace, None)
    doubted = [(point, point.doubt(key)) for point in points]
    doubts += [f"checkpoint {point.name}: {doubt}" for point, doubt in doubted if doubt]
    return [point for point, doubt in doubted if not doubt], doubts


def _verifier(workspace: Workspace, vkey: str | None) -> VerifierKey:
    """Whose checkpoints count: the named key's, else the workspace's own. Raises BadInput, Unavailable."""
    from app.audit.checkpoint import VerifierKey, verifier_of
    from app.model.errors import Unavailable

    if vkey:
        return VerifierKey.parse(vkey)
    try:
        return verifier_of(_seed(workspace))
    except Unavailable as error:
        raise Unavailable(f"{error} To check checkpoints without it, give --vkey VKEY.") from None


def _seed(workspace: Workspace) -> bytes:
    return workspace.keys().checkpoint


def _signed(workspace: Workspace, store: Store) -> tuple[Checkpoint, list[str]]:
    """A new checkpoint of the log as it is, and the problems that forbid to give it out."""
    from app.audit import checkpoint

    seed = _seed(workspace)
    found, problems = _examined(store, *_checkpoints(workspace, [], None))
    note = checkpoint.sign(seed, found.entries, bytes.fromhex(found.root))
    return checkpoint.parse(note, "the new checkpoint"), problems


def _checkpoint(arguments: argparse.Namespace) -> int:
    from app.audit import checkpoint

    workspace = workspace_of(arguments)
    with opened_store(workspace) as store:
        point, problems = _signed(workspace, store)
    if problems:
        return _complain(problems, "Nothing was signed. The log or what stands beside it was changed")
    vkey = str(checkpoint.verifier_of(_seed(workspace)))
    if arguments.out == "-":
        # Exactly these bytes were signed, whatever the terminal's encoding is.
        sys.stdout.buffer.write(point.note)
        narrate(f"Verifier key: {vkey}")
        return 0
    path = Path(arguments.out) if arguments.out else checkpoint.own_file(workspace.root, point.size)
    if not arguments.out:
        path.parent.mkdir(exist_ok=True)
    new = checkpoint.write(path, point.note)
    if arguments.json:
        emit({"path": str(path), "size": point.size, "root": point.root.hex(), "vkey": vkey,
              "checkpoint": point.note.decode()})  # fmt: skip
    else:
        say(f"checkpoint   {path}")
        say(f"verifier     {vkey}")
    narrate(
        f"The log is signed as it is: {point.size} entries.{'' if new else ' The file was there already, the same.'} "
        "Copy the file to where nobody who may write here can write: only that shows later whether the log "
        "was cut off or written anew."
    )
    return 0


def _prove(arguments: argparse.Namespace) -> int:
    from app.audit.prove import prove

    workspace = workspace_of(arguments)
    with opened_store(workspace) as store:
        seq = arguments.entry or _decision_of(store, workspace, arguments.id, arguments.queue)
        if arguments.checkpoint:
            point = _given(workspace, arguments.checkpoint)
        else:
            point, problems = _signed(workspace, store)
            if problems:
                return _complain(problems, "Nothing was proved. The log or what stands beside it was changed")
        proof = prove(store, seq, point)
    if arguments.json:
        emit(proof.as_dict())
    else:
        _tell(proof)
    return 0


def _given(workspace: Workspace, name: str) -> Checkpoint:
    """A checkpoint of this workspace from a file. Raises BadInput."""
    from app.audit import checkpoint
    from app.model.errors import BadInput

    point = checkpoint.read(Path(name))
    doubt = point.doubt(checkpoint.verifier_of(_seed(workspace)))
    if doubt:
        raise BadInput(f"The checkpoint {name} {doubt}. Nothing was proved.")
    return point


def _decision_of(store: Store, workspace: Workspace, reference: str, queue: str | None) -> int:
    """The entry of the newest decision on a prediction. Raises BadInput."""
    from app.model.errors import BadInput
    from db import audit, cases

    with store.read() as connection:
        found = cases.find(connection, reference, queue) or _by_own_id(workspace, connection, reference, queue)
        if len(found) > 1:
            raise BadInput(f"'{reference}' is in several queues ({', '.join(q for _, q in found)}): add --queue.")
        where = f" in queue '{queue}'" if queue else ""
        if not found:
            raise BadInput(f"There is no case '{reference}'{where}. `secondlook search` looks for words.")
        seq = audit.newest(connection, found[0][0], "decided")
    if seq is None:
        raise BadInput(f"'{reference}' was never decided{where}. --entry SEQ proves any other entry.")
    return seq


def _by_own_id(
    workspace: Workspace, connection: Connection, reference: str, queue: str | None
) -> list[tuple[int, str]]:
    """case_id and queue of what had this id before a token took its place."""
    from app.protect.own_id import is_pseudonymised, token_of
    from db import cases

    hidden = [q for q, policy in workspace.settings.queues.items() if queue in (None, q) and is_pseudonymised(policy)]
    return [
        found for q in hidden for found in cases.find(connection, token_of(workspace.keys().pseudonym, q, reference), q)
    ]


def _tell(proof: Proof) -> None:
    """The proof for a person."""
    facts = proof.as_dict()
    say(f"entry        {proof.index + 1} of {proof.checkpoint.size}")
    say(f"bytes        {proof.body.decode(errors='replace')}")
    for name, label in (("leaf_hash", "leaf"), ("root_hash", "root")):
        say(f"{label:12} {facts[name]}")
    for number, value in enumerate(facts["hashes"]):
        say(f"{'hashes' if number == 0 else '':12} {value}")
    for number, line in enumerate(facts["checkpoint"].splitlines()):
        say(f"{'checkpoint' if number == 0 else '':12} {line}".rstrip())
    narrate("--json gives what a stranger can check; docs/audit.md says how.")


def _log(arguments: argparse.Namespace) -> int:
    import orjson

    from db import audit

    with opened_store(workspace_of(arguments)) as store, store.read() as connection:
        rows = []
        for entry in audit.entries(connection, arguments.after, arguments.limit):
            data = orjson.loads(entry.body)["data"]
            if arguments.json:
                emit({"seq": entry.seq, "at": iso(entry.at), "actor": entry.actor, "action": entry.action,
                      "case_id": entry.case_id, "data": data, "hash": entry.hash.hex()})  # fmt: skip
            else:
                detail = " ".join(f"{key}={str(value)[:40]}" for key, value in data.items())
                rows.append((entry.seq, iso(entry.at), entry.actor, entry.action, entry.case_id, detail))
    if rows:
        table(("seq", "at", "who", "did", "case", "detail"), rows)
    return 0
