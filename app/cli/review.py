"""`next`, `judge`, `decide`, `release`, `undo`, `skip`, `unskip`: reviewing without the full screen."""

from __future__ import annotations

import argparse
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.opening import command_on_case, line_desk
from app.cli.output import emit, iso, narrate, say

if TYPE_CHECKING:
    from app.desk.protocol import Desk
    from app.model.case import Claim


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    following = commands.add_parser("next", parents=[common], help="claim the most urgent case")
    following.add_argument("--queue", metavar="Q")
    following.add_argument("--json", action="store_true")
    following.set_defaults(run=_next)
    one = command_on_case(commands, common, "claim", "claim one case", _claim)
    one.add_argument("--take-over", action="store_true", help="from another terminal of yours")
    judge = command_on_case(commands, common, "judge", "give a first judgement, then see the model's answer", _judge)
    judge.add_argument("--label", required=True, metavar="L")
    judge.add_argument("--confidence", type=int, default=3, metavar="1-5")
    decide = command_on_case(commands, common, "decide", "answer the rubric", _decide)
    decide.add_argument(
        "--answers", required=True, metavar="FILE", help="a JSON object {criterion: value}; - for stdin"
    )
    decide.add_argument("--decision-id", metavar="UUID", help="makes a repetition harmless")
    command_on_case(commands, common, "release", "give a case back", _release)
    command_on_case(commands, common, "skip", "give a case back and not be offered it again", _skip)
    undo = command_on_case(commands, common, "undo", "take a decision back and hold the case again", _undo)
    undo.add_argument("--release", action="store_true", help="give the case back at once")
    unskip = commands.add_parser("unskip", parents=[common], help="be offered skipped cases again")
    unskip.add_argument("--queue", metavar="Q")
    unskip.add_argument("--json", action="store_true")
    unskip.set_defaults(run=_unskip)


def _next(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        claim = desk.claim(arguments.queue)
    return _show_claim(claim, arguments)


def _claim(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        claim = desk.claim_case(desk.find(arguments.id, arguments.queue), arguments.take_over)
    return _show_claim(claim, arguments)


def _show_claim(claim: Claim, arguments: argparse.Namespace) -> int:
    from app.cli.plain import claim_json, print_rubric, print_view
    from app.desk.base import wall_clock

    if arguments.json:
        emit(claim_json(claim))
        return 0
    print_view(claim.view, wall_clock())
    print_rubric(claim.view.rubric, claim.view.prediction.task.labels)
    narrate(f"Yours until {iso(claim.lease.until)}. `secondlook decide {claim.view.row.id} --answers -` settles it.")
    return 0


def _judge(arguments: argparse.Namespace) -> int:
    from app.cli.plain import print_view, view_json
    from app.desk.base import wall_clock

    with line_desk(arguments) as desk:
        lease = desk.held_lease(desk.find(arguments.id, arguments.queue))
        view = desk.judge(lease, arguments.label, arguments.confidence)
    if arguments.json:
        emit(view_json(view))
    else:
        print_view(view, wall_clock())
    return 0


def _decide(arguments: argparse.Namespace) -> int:
    from app.desk.unsent_words import left_unsent, why_kept
    from app.model.case import Decision
    from app.model.errors import BadInput

    answers = _answers(arguments.answers)
    token = answers.pop("lease_token", None)
    if token is not None and (not isinstance(token, int) or isinstance(token, bool)):
        raise BadInput("lease_token: expected the whole number that `next` printed. Nothing was decided.")
    with line_desk(arguments) as desk:
        case_id = desk.find(arguments.id, arguments.queue)
        decision_id = arguments.decision_id or str(uuid.uuid4())
        _judge_first(desk, case_id, answers)
        receipt = desk.decide(Decision(decision_id, case_id, token, answers))
    if not receipt.sent:
        # Asked after the desk was closed: what was on its way is counted.
        narrate(f"{receipt.id} is kept here, not sent: {why_kept(desk.unsent())}. {left_unsent(desk.unsent())}")
    if arguments.json:
        emit(
            {
                "decision_id": receipt.decision_id,
                "id": receipt.id,
                "verdict": receipt.verdict,
                "label": receipt.label,
                "moved": receipt.moved,
                "undo_until": iso(receipt.undo_until) if receipt.sent else None,
                "repeated": receipt.repeated,
                "sent": receipt.sent,
            }
        )
    elif receipt.sent:
        say(f"{receipt.id} {receipt.verdict}{f' → {receipt.label}' if receipt.label else ''}")
        narrate(f"`secondlook undo {receipt.id}` takes it back until {iso(receipt.undo_until)}.")
    return 0


def _judge_first(desk: Desk, case_id: int, answers: dict[str, Any]) -> None:
    """Where the model's answer is hidden still, the label is the first judgement: it is kept before anything
    that the answers are told could give the model's away."""
    view = desk.view(case_id)
    criterion = view.rubric.label_criterion
    label = answers.get(criterion.id) if criterion else None
    if view.hidden and isinstance(label, str):
        desk.judge(desk.held_lease(case_id), label, None)


def _answers(name: str) -> dict[str, Any]:
    from app.intake.parse import parse_json
    from app.model.errors import BadInput, RecordError

    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return parse_json(data)
    except OSError as error:
        raise BadInput(f"{name} cannot be read: {error.strerror}. Nothing was decided.") from None
    except RecordError as error:
        raise BadInput(f"The answers are no JSON object: {error}. Nothing was decided.") from None


def _release(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        case_id = desk.find(arguments.id, arguments.queue)
        desk.release(desk.held_lease(case_id))
    return _done(arguments, "released")


def _skip(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        case_id = desk.find(arguments.id, arguments.queue)
        desk.skip(desk.held_lease(case_id))
    return _done(arguments, "skipped")


def _undo(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        claim = desk.undo(desk.find(arguments.id, arguments.queue))
        if arguments.release:
            desk.release(claim.lease)
    if arguments.json:
        from app.cli.plain import claim_json

        emit({"id": claim.view.row.id, "undone": True, "released": arguments.release, **claim_json(claim)})
        return 0
    say(f"{claim.view.row.id} undone")
    if not arguments.release:
        narrate(f"You hold it until {iso(claim.lease.until)}; your answers are its draft.")
    return 0


def _done(arguments: argparse.Namespace, what: str) -> int:
    if arguments.json:
        emit({"id": arguments.id, what: True})
    else:
        say(f"{arguments.id} {what}")
    return 0


def _unskip(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        n = desk.unskip(arguments.queue)
    if arguments.json:
        emit({"unskipped": n})
    else:
        say(f"{n} skipped cases are offered again")
    return 0 if n else 4
