"""Verdicts to MLflow 3: an assessment beside the trace, and an expectation where the reviewer knows better."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import Field

from app.deliver.sinks.judgement import RETRACTED, asked, data_of, details_of, json_of, place_of, rationale_of
from app.http import Http
from app.model.connection import Delivery
from app.model.errors import Undelivered
from app.model.policy import Strict
from app.model.rubric import UNRESOLVABLE

TRACES = "/api/3.0/mlflow/traces"
_LABEL, _RESPONSE = "expected_label", "expected_response"
# The key of an assessment's metadata that says it is ours: the event it was written for.
_REVIEW = "review_id"
_GONE = "The trace is not there any more: the verdict stays in this workspace alone."


class MlflowOptions(Strict):
    """One tracking server. The same options serve the source and its sink.

    `url`: the server's address. `experiments`: names of experiments to pull from. `filter`: which traces, in MLflow's
    search language. `taken`: the value that the tag `tag` gets once a trace is kept here; the filter must not find it
    then. `label` and `score`: dotted paths in the root span's outputs. `token_secret`: the secret with a bearer
    token; or `username` and `password_secret`. `assessment`: the name under which verdicts are written, `reviewer`
    who is said to have written them. `timeout_seconds` for connecting, sending and reading, each.
    """

    url: str
    experiments: Annotated[list[str], Field(min_length=1)] = ["Default"]
    filter: str = "tag.review = 'flagged'"
    tag: str = "review"
    taken: str = "in_review"
    label: str = "label"
    score: str = "score"
    token_secret: str = ""
    username: str = ""
    password_secret: str = ""
    assessment: str = "verdict"
    reviewer: str = "secondlook"
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 30


def connect(options: MlflowOptions, secrets: Callable[[str], str]) -> Http:
    """The server that the options name. Raises SettingsError for the address, Unavailable for a missing secret."""
    headers = {}
    if options.token_secret:
        headers["authorization"] = f"Bearer {secrets(options.token_secret)}"
    elif options.username:
        password = secrets(options.password_secret) if options.password_secret else ""
        word = base64.b64encode(f"{options.username}:{password}".encode()).decode()
        headers["authorization"] = f"Basic {word}"
    return Http(options.url, headers, options.timeout_seconds)


class MlflowSink:
    """Writes verdicts as assessments, one set for each trace and queue: a later verdict is written over the earlier."""

    Options = MlflowOptions

    def __init__(self, options: MlflowOptions, secrets: Callable[[str], str], root: Path) -> None:
        self._options = options
        self._http = connect(options, secrets)

    def send(self, delivery: Delivery) -> None:
        """Writes or voids. Raises Undelivered."""
        trace_id = place_of(delivery, "trace_id", "MLflow")
        if delivery.kind == "retracted":
            self._retract(trace_id, delivery)
        else:
            self._write(trace_id, delivery)

    def close(self) -> None:
        """Lets go of connections."""
        self._http.close()

    def _write(self, trace_id: str, delivery: Delivery) -> None:
        data, details = data_of(delivery), details_of(delivery)
        wanted: dict[str, dict[str, Any]] = {
            self._options.assessment: {
                "feedback": {"value": data.get("verdict")},
                "rationale": rationale_of(data),
                "metadata": details,
            }
        }
        for name, value in _expected(delivery).items():
            wanted[name] = {"expectation": {"value": value}, "metadata": details}
        for one in self._of_queue(trace_id, delivery):
            body = wanted.pop(str(one.get("assessment_name")), None)
            # What an earlier verdict expected and this one does not, and what a lost answer has doubled.
            if body is None:
                self._remove(trace_id, one)
            else:
                self._change(trace_id, one, body)
        for name, body in wanted.items():
            self._add(trace_id, name, body)

    def _retract(self, trace_id: str, delivery: Delivery) -> None:
        """The verdict stays and says that it is void; its expectations go, so that nothing is evaluated by them."""
        voided = data_of(delivery).get("supersedes")
        for one in self._of_queue(trace_id, delivery):
            if one["metadata"][_REVIEW] != voided:
                continue
            if "expectation" in one:
                self._remove(trace_id, one)
            else:
                said = {"feedback": {"value": "retracted"}, "rationale": RETRACTED}
                self._change(trace_id, one, {**said, "metadata": {"retracted_by": delivery.event_id}})

    def _of_queue(self, trace_id: str, delivery: Delivery) -> list[dict[str, Any]]:
        """What verdicts of the event's queue have left at a trace: each is written over by the next, whatever its
        review. Raises Undelivered, final where the trace is gone."""
        answer = asked(self._http, "GET", f"{TRACES}/{quote(trace_id, safe='')}", {404: _GONE})
        try:
            found = json_of(answer)["trace"]["trace_info"].get("assessments") or []
            queue = data_of(delivery).get("queue")
            return [one for one in found if _REVIEW in _metadata(one) and _metadata(one).get("queue") == queue]
        except (KeyError, TypeError, AttributeError):
            raise Undelivered(
                f"{self._http.base}: expected 'trace.trace_info' with 'assessments' in the answer for {trace_id}. "
                "Is this MLflow 3? The verdict is kept."
            ) from None

    def _add(self, trace_id: str, name: str, body: dict[str, Any]) -> None:
        source = {"source_type": "HUMAN", "source_id": self._options.reviewer}
        whole = {"assessment_name": name, "trace_id": trace_id, "source": source, **body}
        asked(self._http, "POST", self._path(trace_id), json={"assessment": whole})

    def _change(self, trace_id: str, known: dict[str, Any], body: dict[str, Any]) -> None:
        number = str(known.get("assessment_id"))
        # MLflow adds metadata to what is there: what holds no longer is emptied. A retraction only adds its own.
        over = {} if body["metadata"].get("retracted_by") else dict.fromkeys(_metadata(known), "")
        body = {**body, "metadata": over | body["metadata"]}
        whole = {"assessment_id": number, "trace_id": trace_id, **body}
        asked(
            self._http, "PATCH", self._path(trace_id, number), json={"assessment": whole, "update_mask": ",".join(body)}
        )  # fmt: skip

    def _remove(self, trace_id: str, known: dict[str, Any]) -> None:
        asked(self._http, "DELETE", self._path(trace_id, str(known.get("assessment_id"))))

    def _path(self, trace_id: str, number: str = "") -> str:
        path = f"{TRACES}/{quote(trace_id, safe='')}/assessments"
        return f"{path}/{quote(number, safe='')}" if number else path


def _metadata(assessment: dict[str, Any]) -> dict[str, Any]:
    return assessment.get("metadata") or {}


def _expected(delivery: Delivery) -> dict[str, str]:
    """What the model should have said, by the name MLflow's own evaluation looks for."""
    data = data_of(delivery)
    found = {}
    label, predicted = data.get("label"), data.get("predicted_label")
    if predicted is not None and label and label not in (predicted, UNRESOLVABLE):
        found[_LABEL] = str(label)
    if data.get("correction"):
        found[_RESPONSE] = str(data["correction"])
    return found
