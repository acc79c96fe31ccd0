"""Routes to sealed values. What is handed out is sealed to the officer, whose key never comes here."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from pydantic.dataclasses import dataclass
from starlette.responses import Response

from app.desk.wire import dump_sealed
from app.hub.asking import Body, Number, Revealing, Text, Word, answer, nothing
from app.model.errors import BadInput
from app.model.reveal import RevealRequest

router = APIRouter(tags=["reveal"])


class Asked(Body):
    """Which fields of a case, and why."""

    case_id: Number
    fields: Annotated[list[Word], Field(max_length=1000)]
    reason: Text


class Proof(Body):
    """What the challenge held, in base64."""

    secret: Annotated[str, Field(max_length=1000)]


@dataclass
class Challenge:
    """The name of the approving officer's key, and a secret sealed to it, in base64."""

    key_id: str
    sealed: str


@dataclass
class Sealed:
    """Sealed values by field, the data key sealed to the officer's key; bytes in base64."""

    values: dict[str, str]
    key: str
    key_id: str
    place: str
    until: int


@router.post("/reveals", response_model=RevealRequest)
def ask(desk: Revealing, wanted: Asked) -> Response:
    """Asks to see withheld fields."""
    return answer(RevealRequest, desk.ask_reveal(wanted.case_id, wanted.fields, wanted.reason))


@router.get("/reveals", response_model=list[RevealRequest])
def reveals(desk: Revealing, case_id: Annotated[int | None, Query(ge=0, lt=2**63)] = None) -> Response:
    """Requests of the last 30 days, newest first."""
    return answer(list[RevealRequest], desk.reveals(case_id))


@router.get("/reveals/{reveal_id}/challenge", response_model=Challenge)
def challenge(desk: Revealing, reveal_id: Number) -> Response:
    """What an approving officer has to open first."""
    key_id, secret = desk.approval_challenge(reveal_id)
    return answer(Challenge, Challenge(key_id, base64.b64encode(secret).decode()))


@router.post("/reveals/{reveal_id}/approve", response_model=RevealRequest)
def approve(desk: Revealing, reveal_id: Number, proof: Proof) -> Response:
    """Approves another officer's request."""
    try:
        secret = base64.b64decode(proof.secret, validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("secret: expected base64. Nothing was approved.") from None
    return answer(RevealRequest, desk.approve_reveal(reveal_id, secret))


@router.post("/reveals/{reveal_id}/decline", status_code=204)
def decline(desk: Revealing, reveal_id: Number) -> Response:
    """Says no to a request."""
    desk.decline_reveal(reveal_id)
    return nothing()


@router.post("/reveals/{reveal_id}/open", response_model=Sealed)
def open_(desk: Revealing, reveal_id: Number) -> Response:
    """Hands out an approved request's sealed values, once."""
    return Response(dump_sealed(desk.open_reveal(reveal_id)), media_type="application/json")


@router.get("/cases/{case_id}/reveal-key", response_model=str)
def reveal_key(desk: Revealing, case_id: Number) -> Response:
    """The name of this person's key that opens the case's values."""
    return answer(str, desk.reveal_key(case_id))
