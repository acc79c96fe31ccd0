"""What crosses the Desk as JSON: one form for the hub and for the desk that talks to it.

Bytes (sealed values) travel as base64. Types of `app.model` are checked on arrival, so that neither side works with a
shape it does not know.
"""

from __future__ import annotations

import base64
from functools import cache
from typing import Any, TypeVar, cast

import orjson
from pydantic import TypeAdapter, ValidationError

from app.model import errors, reveal
from app.model.errors import SecondlookError, Unavailable

T = TypeVar("T")
# An error's kind in a problem document → its class.
_KINDS: dict[str, type[SecondlookError]] = {
    "bad-input": errors.BadInput,
    "refused": errors.Refused,
    "gone": errors.Gone,
    "nothing-to-do": errors.NothingToDo,
    "unavailable": errors.Unavailable,
}
STATUS = {"bad-input": 422, "refused": 403, "lease-lost": 409, "gone": 410, "nothing-to-do": 404, "unavailable": 503}
TYPE = "urn:secondlook:problem:"


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def dump(kind: Any, value: Any) -> bytes:
    """A value of a type as JSON."""
    return _adapter(kind).dump_json(value, by_alias=True)


def load(kind: type[T], data: Any) -> T:
    """A value of a type from what JSON gave. Raises Unavailable where it is none: the two sides differ in version."""
    try:
        found: T = _adapter(cast("Any", kind)).validate_python(data)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise Unavailable(
            f"The hub answers in a form that this version does not know (at '{place}'). Nothing was changed. Use the "
            "same version of secondlook on both sides."
        ) from None
    return found


# -- errors ------------------------------------------------------------------------------------------


def problem_of(error: SecondlookError) -> dict[str, Any]:
    """An error as a problem document (RFC 9457)."""
    if isinstance(error, errors.LeaseLost):
        more: dict[str, Any] = {"holder": error.holder, "settled": error.settled}
        return _problem("lease-lost", str(error), **more)
    if isinstance(error, errors.RubricError):
        return _problem("bad-input", str(error), problems=error.problems)
    if isinstance(error, errors.RecordError):
        more = {"code": error.code, "field": error.field, "expected": error.expected}
        return _problem("bad-input", str(error), **more)
    name = next((name for name, made in _KINDS.items() if type(error) is made), None)
    if name is None:
        name = next((name for name, made in _KINDS.items() if isinstance(error, made)), "unavailable")
    return _problem(name, str(error))


def _problem(name: str, detail: str, **more: Any) -> dict[str, Any]:
    title = name.replace("-", " ")
    return {"type": TYPE + name, "title": title, "status": STATUS[name], "detail": detail, **more}


def error_of(document: Any) -> SecondlookError:
    """The error behind a problem document; Unavailable for one that is none of ours."""
    if not isinstance(document, dict):
        return Unavailable("The hub answers without saying what is wrong.")
    name = str(document.get("type", "")).removeprefix(TYPE)
    detail = str(document.get("detail") or document.get("title") or "The hub refuses.")
    problems = document.get("problems")
    if isinstance(problems, list) and all(isinstance(one, str) for one in problems):
        return errors.RubricError(problems)
    if name == "lease-lost":
        holder = document.get("holder")
        return errors.LeaseLost(detail, holder if isinstance(holder, str) else None, document.get("settled") is True)
    return _KINDS.get(name, Unavailable)(detail)


# -- sealed values -----------------------------------------------------------------------------------


def dump_sealed(answer: reveal.SealedAnswer) -> bytes:
    """Sealed values as JSON."""
    return orjson.dumps(
        {
            "values": {name: base64.b64encode(value).decode() for name, value in answer.values.items()},
            "key": base64.b64encode(answer.key).decode(),
            "key_id": answer.key_id,
            "place": answer.place,
            "until": answer.until,
        }
    )


def load_sealed(data: Any) -> reveal.SealedAnswer:
    """Sealed values from what JSON gave. Raises Unavailable."""
    try:
        values = {str(name): base64.b64decode(value, validate=True) for name, value in data["values"].items()}
        key = base64.b64decode(data["key"], validate=True)
        return reveal.SealedAnswer(values, key, str(data["key_id"]), str(data["place"]), int(data["until"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Unavailable("The hub answers sealed values in a form that this version does not know.") from None
