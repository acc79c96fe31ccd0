"""Traces from MLflow 3: those that a filter finds, each with its spans. A trace that is kept here gets a tag, so that
the filter does not find it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from app.deliver.sinks.mlflow import TRACES, MlflowOptions, connect
from app.http import Answer, check
from app.intake.sources import mlflow_records
from app.intake.sources.span_records import kept_bytes
from app.intake.sources.spans import Misfit, expect, readable
from app.model.connection import Batch, Item
from app.model.errors import Unavailable

_PAGE = 100
# Answers for one trace that say something of this trace, and nothing of the server.
_OF_THE_TRACE = frozenset((400, 404, 500))
_NOTHING = "Nothing was taken."
_UNTAGGED = "What was pulled is kept; traces that could not get the tag '{tag}' come again and are known then."


class MlflowSource:
    """Pulls flagged traces. Safe to stop anywhere: what was not tagged is pulled again, and found to be held."""

    Options = MlflowOptions
    # What is asked about a trace is for the queue to say.
    brings_task = False

    def __init__(self, options: MlflowOptions, secrets: Callable[[str], str], root: Path) -> None:
        self._options = options
        self._http = connect(options, secrets)
        self._experiments: list[str] = []
        self._looked_up: dict[str, Any] = {}
        # Traces that MLflow gave no tag: pulled again, they would keep a pull going for ever.
        self._untagged: set[str] = set()

    def pull(self, limit: int, cursor: str) -> Batch:
        """At most `limit` traces, the oldest first. Raises Unavailable."""
        items: list[Item] = []
        for info in self._found():
            if len(items) >= limit:
                break
            items.append(self._item(info))
        return Batch(items)

    def acknowledge(self, batch: Batch) -> None:
        """Tags what was kept. A trace that was deleted meanwhile needs no tag."""
        body = {"key": self._options.tag, "value": self._options.taken}
        for item in batch.items:
            if not item.receipt:
                continue
            path = f"{TRACES}/{quote(item.receipt, safe='')}/tags"
            answer = self._http.request("PATCH", path, json=body)
            if answer.status in (400, 404):
                self._untagged.add(item.receipt)
                continue
            try:
                check(answer, self._http.base + path)
            except Unavailable as error:
                raise Unavailable(f"{error} {_UNTAGGED.format(tag=self._options.tag)}") from None

    def close(self) -> None:
        """Lets go of connections."""
        self._http.close()

    def _found(self) -> Iterator[Mapping[str, Any]]:
        """What the filter finds, page by page, without traces that are still running or have the tag of the taken."""
        token = ""
        while True:
            body = {
                "locations": [
                    {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": one}} for one in self._ids()
                ],
                "filter": self._options.filter,
                "max_results": _PAGE,
                "order_by": ["timestamp_ms ASC"],
            }
            answer = self._search(body | ({"page_token": token} if token else {}))
            # Without a find MLflow leaves the key out.
            if not isinstance(answer, Mapping) or not isinstance(answer.get("traces", []), list):
                raise Unavailable(
                    f"{self._http.base}: expected 'traces' (an array) in the answer to a search. Is this MLflow 3? "
                    + _NOTHING
                )
            for info in answer.get("traces", []):
                if not isinstance(info, Mapping) or not self._passed_over(info):
                    yield info
            token = answer.get("next_page_token") or ""
            if not token:
                return

    def _passed_over(self, info: Mapping[str, Any]) -> bool:
        """A filter need not speak of our tag: without this the same traces would be taken for ever."""
        tags = info.get("tags")
        taken = isinstance(tags, Mapping) and tags.get(self._options.tag) == self._options.taken
        return taken or info.get("state") == "IN_PROGRESS" or info.get("trace_id") in self._untagged

    def _search(self, body: dict[str, Any]) -> Any:
        """The answer to a search. Raises Unavailable; where the filter is refused, in MLflow's words."""
        path = f"{TRACES}/search"
        answer = self._http.request("POST", path, json=body)
        if answer.status == 400 and (said := _refusal(answer)):
            raise Unavailable(f"MLflow refuses the filter: {said[:300].rstrip('.')}. Mend `filter`. {_NOTHING}")
        return self._good(answer, path)

    def _ids(self) -> list[str]:
        """The experiments' ids. Raises Unavailable naming one that is not there."""
        if not self._experiments:
            self._experiments = [self._id_of(name) for name in self._options.experiments]
        return self._experiments

    def _id_of(self, name: str) -> str:
        path = "/api/2.0/mlflow/experiments/get-by-name"
        answer = self._http.request("GET", path, params={"experiment_name": name})
        if answer.status == 404 and _refusal(answer):
            raise Unavailable(f"{self._http.base} has no experiment '{name}': mend `experiments`. {_NOTHING}")
        try:
            found = expect(self._good(answer, path), "experiment", dict, path)
            number = str(expect(found, "experiment_id", str, f"{path}, experiment"))
        except Misfit as misfit:
            raise Unavailable(f"{self._http.base}{misfit}. Is this MLflow 3? {_NOTHING}") from None
        if found.get("lifecycle_stage") == "deleted":
            raise Unavailable(f"{self._http.base}: experiment '{name}' is deleted. Restore it there. {_NOTHING}")
        return number

    def _good(self, answer: Answer, path: str) -> Any:
        """A good answer's JSON. Raises Unavailable."""
        where = self._http.base + path
        if answer.status == 404 and not _refusal(answer):
            raise Unavailable(f"{where} answered 404: `url` is not the address of an MLflow 3 server. {_NOTHING}")
        check(answer, where)
        return answer.json()

    def _item(self, info: Any) -> Item:
        """One trace as a record, or with what is wrong about it."""
        trace_id = info.get("trace_id") if isinstance(info, Mapping) else None
        raw: Any = info
        try:
            trace_id = str(expect(info, "trace_id", str, "traces[]"))
            raw = self._trace(trace_id)
            with readable("trace"):
                data = mlflow_records.record_of(raw, self._options, self._look_up)
        except Misfit as misfit:
            known = str(trace_id) if trace_id else ""
            problem = f"MLflow trace {known or '(without an id)'}: {misfit}"
            return Item(kept_bytes(raw), reference=_reference(known), receipt=known, problem=problem)
        return Item(data, reference=_reference(trace_id), receipt=trace_id)

    def _trace(self, trace_id: str) -> Any:
        path = f"{TRACES}/get"
        answer = self._http.request("GET", path, params={"trace_id": trace_id, "allow_partial": "true"})
        if answer.status in _OF_THE_TRACE:
            raise Misfit(f"the server answered {answer.status} when asked for its spans")
        check(answer, self._http.base + path)
        return expect(answer.json(), "trace", dict, "traces/get")

    def _look_up(self, path: str, parts: Sequence[str]) -> Any:
        """What a run or a logged model says, `{}` where there is no such thing; each asked for once a source."""
        if path not in self._looked_up:
            answer = self._http.request("GET", path)
            found: Any = answer.json() if answer.status == 200 else {}
            for part in parts:
                found = found.get(part) if isinstance(found, Mapping) else None
            if len(self._looked_up) > 1000:
                self._looked_up.clear()
            self._looked_up[path] = found if isinstance(found, Mapping) else {}
        return self._looked_up[path]


def _refusal(answer: Answer) -> str:
    """MLflow's own words in a refusal; empty where something else has answered."""
    try:
        found = answer.json()
    except Unavailable:
        return ""
    return str(found.get("message") or found["error_code"]) if isinstance(found, dict) and "error_code" in found else ""


def _reference(trace_id: str) -> dict[str, str]:
    return {"trace_id": trace_id} if trace_id else {}
