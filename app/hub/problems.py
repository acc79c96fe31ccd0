"""Every refusal as a problem document (RFC 9457): what happened, what was kept, what to do. No hint of what exists."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.crash import crash_report
from app.desk.wire import TYPE, problem_of
from app.hub.asking import hub_of
from app.hub.hub import Denied
from app.model.errors import SecondlookError

MEDIA_TYPE = "application/problem+json"
_WORDS = {400: "bad-request", 401: "not-signed-in", 403: "refused", 404: "not-found", 405: "no-such-method"}
_WORDS |= {406: "not-acceptable", 409: "being-worked-on"}
_WORDS |= {413: "too-large", 415: "wrong-type", 422: "bad-input", 429: "too-many-requests", 500: "defect"}
_log = logging.getLogger("secondlook.hub")


class Problem(BaseModel):
    """Why a request was refused."""

    type: str
    title: str
    status: int
    detail: str


# What any route may answer beside its own.
ANSWERS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": words, "content": {MEDIA_TYPE: {}}}
    for status, words in {
        400: "The body is no JSON.",
        401: "No valid token.",
        403: "The roles of this token do not allow it, or the state of the case does not.",
        404: "There is no such thing, or nothing to do.",
        405: "Not with this method.",
        409: "The lease is over or somebody else's.",
        410: "The case was erased.",
        413: "The body is too large.",
        415: "The body is not what it says.",
        422: "A value cannot be used.",
        429: "Too many requests.",
        503: "The database cannot serve now.",
    }.items()
}


def problem(status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """A problem document by its status."""
    name = _WORDS.get(status, "refused")
    body = {"type": TYPE + name, "title": name.replace("-", " "), "status": status, "detail": detail, **more}
    return Response(orjson.dumps(body), status, headers, MEDIA_TYPE)


def refusal(error: SecondlookError) -> Response:
    """A problem document by the error behind it."""
    document = problem_of(error)
    headers = {"retry-after": "5"} if document["status"] == 503 else None
    return Response(orjson.dumps(document), document["status"], headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Makes problem documents of everything that is raised."""

    def refused(_request: Request, error: Exception) -> Response:
        assert isinstance(error, SecondlookError)
        return refusal(error)

    def denied(request: Request, error: Exception) -> Response:
        assert isinstance(error, Denied)
        hub_of(request).note_refusal("hub", error.why)
        said = "There is no valid token with this request. `secondlook login` asks for one."
        return problem(401, said, {"www-authenticate": 'Bearer realm="secondlook"'})

    def invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        if first["type"] == "json_invalid":
            return problem(400, "The body is no JSON.")
        return problem(422, f"{place}: {first['msg'][0].lower()}{first['msg'][1:]}")

    def http(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem(error.status_code, str(error.detail), dict(error.headers or {}))

    def defect(_request: Request, error: Exception) -> Response:
        # Where it happened, without values: a message may quote a record.
        _log.error("%s", crash_report(error))
        return problem(500, "The hub met an error it did not expect. Nothing was changed by this request.")

    app.add_exception_handler(SecondlookError, refused)
    app.add_exception_handler(Denied, denied)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, defect)
