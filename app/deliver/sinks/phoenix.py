"""Verdicts to Phoenix: one annotation a span, written over when the verdict changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from app.deliver.sinks.judgement import RETRACTED, asked, data_of, details_of, json_of, place_of, rationale_of
from app.http import Http
from app.model.connection import Delivery
from app.model.errors import Undelivered
from app.model.policy import Strict

# Phoenix draws scores: the share of the upheld. A verdict that nobody could give counts for neither.
_SCORES = {"upheld": 1.0, "overturned": 0.0, "corrected": 0.0}


def _pair(text: str) -> str:
    key, _, value = text.partition(":")
    if not key or not value:
        raise ValueError("expected 'key:value', such as 'review.flag:high_risk'")
    return text


class PhoenixOptions(Strict):
    """One project of a server. The same options serve the source and its sink.

    `url`: the server's address. `project`: its name or id. `attributes`: `key:value` pairs that a span must all have
    to be pulled. `roots_only`: only spans without a parent. `since`: no span that began before (ISO 8601).
    `settle_seconds`: a span is taken this long after its end, when the spans under it have arrived; `overlap_minutes`:
    how much later than spans that began after it a span may arrive. `label` and `score`: dotted paths in the output,
    where it is an object. `token_secret`: the secret with an API key. `annotation`: the name of the annotation that
    verdicts are written to. `timeout_seconds` for connecting, sending and reading, each.
    """

    url: str
    project: Annotated[str, Field(min_length=1)] = "default"
    attributes: Annotated[list[Annotated[str, AfterValidator(_pair)]], Field(min_length=1)] = ["review.flag:high_risk"]
    roots_only: bool = True
    since: str = ""
    settle_seconds: Annotated[float, Field(ge=0, le=86_400)] = 30
    overlap_minutes: Annotated[float, Field(ge=0, le=10_080)] = 60
    label: str = "label"
    score: str = "score"
    token_secret: str = ""
    annotation: str = "verdict"
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 30


def connect(options: PhoenixOptions, secrets: Callable[[str], str]) -> Http:
    """The server that the options name. Raises SettingsError for the address, Unavailable for a missing secret."""
    headers = {}
    if options.token_secret:
        headers["authorization"] = f"Bearer {secrets(options.token_secret)}"
    return Http(options.url, headers, options.timeout_seconds)


class PhoenixSink:
    """Writes verdicts as span annotations."""

    Options = PhoenixOptions

    def __init__(self, options: PhoenixOptions, secrets: Callable[[str], str], root: Path) -> None:
        self._options = options
        self._http = connect(options, secrets)

    def send(self, delivery: Delivery) -> None:
        """Writes the annotation, or over it. Raises Undelivered; a span that Phoenix has not written yet is waited
        for."""
        span_id = place_of(delivery, "span_id", "Phoenix")
        data = data_of(delivery)
        annotation: dict[str, Any] = {
            "span_id": span_id,
            "name": self._options.annotation,
            "annotator_kind": "HUMAN",
            # Phoenix writes over an annotation with the same span, name and identifier.
            "identifier": f"secondlook:{data.get('queue')}",
            "result": _result(delivery),
            "metadata": details_of(delivery),
        }
        path = "/v1/span_annotations"
        answer = asked(self._http, "POST", path, params={"sync": "true"}, json={"data": [annotation]})
        written = json_of(answer)
        # A page that answers 200 to everything has kept nothing.
        if not isinstance(written, Mapping) or not written.get("data"):
            raise Undelivered(
                f"{self._http.base}{path}: expected 'data' with the annotation's id in the answer. Is this Phoenix? "
                "The verdict is kept and tried again."
            )

    def close(self) -> None:
        """Lets go of connections."""
        self._http.close()


def _result(delivery: Delivery) -> dict[str, Any]:
    """The verdict as label, score in [0, 1] and words. One that was taken back has no score."""
    if delivery.kind == "retracted":
        return {"label": "retracted", "score": None, "explanation": RETRACTED}
    data = data_of(delivery)
    verdict = str(data.get("verdict"))
    return {"label": verdict, "score": _SCORES.get(verdict), "explanation": rationale_of(data) or None}
