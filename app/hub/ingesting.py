"""The route by which programs send predictions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from pydantic.dataclasses import dataclass
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.hub.asking import allowed, answer, hub_of
from app.hub.hub import Hub, Identity
from app.hub.preparing import Preparing
from app.hub.problems import ANSWERS, problem
from app.hub.replays import REPLAYED_HEADER, Replays, idempotency_key
from app.intake.admission import Admission
from app.intake.read import Raw
from app.model.errors import BadInput

router = APIRouter(tags=["programs"])
_JSON, _LINES = "application/json", "application/x-ndjson"
_EVENT, _EVENTS = "application/cloudevents+json", "application/cloudevents-batch+json"
_TAKEN = (_JSON, _LINES, _EVENT, _EVENTS)
# CloudEvents of this type carry a prediction record as their data.
EVENT_TYPE = "io.secondlook.prediction.v1"
_MOST = 1000
_EXAMPLE = {
    "id": "loan-2611195",
    "task": {"type": "binary", "labels": ["approve", "decline"], "positive": "decline"},
    "inputs": [{"name": "amount", "kind": "number", "value": 7200}],
    "output": {"label": "decline", "score": 0.58},
}
_BODY = {
    "requestBody": {
        "required": True,
        "description": f"A record, or a list of at most {_MOST}; as CloudEvents their data. Lines of JSON "
        f"({_LINES}) work as well.",
        "content": {
            _JSON: {"schema": {"type": ["object", "array"]}, "example": _EXAMPLE},
            _EVENT: {
                "schema": {"type": "object"},
                "example": {
                    "specversion": "1.0",
                    "id": "1",
                    "source": "/scoring",
                    "type": EVENT_TYPE,
                    "data": _EXAMPLE,
                },
            },
            _EVENTS: {"schema": {"type": "array", "items": {"type": "object"}}},
        },
    }
}


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"headers": {REPLAYED_HEADER: {"description": "`true`: answered before.", "schema": {"type": "string"}}}},
    409: {**ANSWERS[409], "description": "The same request is being worked on."},
}


@dataclass
class Admitted:
    """What became of the predictions. Those that cannot be used are quarantined, `reasons` says why; nothing is lost.

    Sending the same again is harmless: it is found to be held.
    """

    admitted: int
    duplicates: int
    quarantined: int
    reasons: dict[str, int]


@router.post("/predictions", response_model=Admitted, openapi_extra=_BODY, responses=_ANSWERS)
async def ingest(
    request: Request,
    who: Annotated[Identity, Depends(allowed("ingest"))],
    queue: Annotated[str, Query(max_length=64, description="Into which queue.")],
    key: Annotated[str | None, Depends(idempotency_key)],
) -> Response:
    """Admits predictions to a queue, all in one transaction."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _TAKEN:
        return problem(415, f"The body has to be one of {', '.join(_TAKEN)}.")
    body = await request.body()
    replays: Replays = request.state.replays
    work = partial(_admit, hub_of(request), request.state.preparing, who, queue, kind, body)
    return await run_in_threadpool(replays.once, who, key, ("POST /v1/predictions", queue, kind, body), work)


def _admit(hub: Hub, preparing: Preparing, who: Identity, queue: str, kind: str, body: bytes) -> Response:
    policy = hub.policies.get(queue)
    if policy is None:
        raise BadInput("queue: there is no such queue for this token.")
    admission = Admission(hub.store, hub.keys, queue, policy, who.person, clock=hub.clock)
    count = admission.admit(list(_records(kind, body)), f"hub:{who.token_id}", preparing.prepare)
    return answer(Admitted, Admitted(**count.as_dict(), reasons=count.reasons))


def _records(kind: str, body: bytes) -> Iterator[Raw]:
    """The records of a body. Raises BadInput where it is no JSON, or holds too many."""
    if kind == _LINES:
        lines = [line for line in body.split(b"\n") if line.strip()]
        _check_count(len(lines))
        return (Raw(number, line) for number, line in enumerate(lines, 1))
    found = _json(body)
    records = found if isinstance(found, list) else [found]
    _check_count(len(records))
    if kind in (_EVENT, _EVENTS):
        records = [_data(event) for event in records]
    return (Raw(number, orjson.dumps(one)) for number, one in enumerate(records, 1))


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"The body is no JSON: {error.msg}. Nothing was taken.") from None


def _check_count(count: int) -> None:
    if not 1 <= count <= _MOST:
        raise BadInput(f"Send 1 to {_MOST} predictions at once, not {count}. Nothing was taken.")


def _data(event: Any) -> Any:
    """What a CloudEvent carries."""
    if not isinstance(event, dict) or event.get("specversion") != "1.0" or "data" not in event:
        raise BadInput("Expected CloudEvents 1.0 with the record as `data`. Nothing was taken.")
    return event["data"]
