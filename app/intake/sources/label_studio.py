"""Label Studio: tasks of a project that have a prediction and no annotation.

The cursor is the number of the last task: predictions are to be there when a task is pulled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from app.deliver.sinks.label_studio import LabelStudio, LabelStudioOptions, control
from app.model.connection import Batch, Item
from app.model.errors import Unavailable

_MOST_TASKS = 100
# From so many characters on a text stands below the others, not in the grid.
_LONG = 60


class LabelStudioSource:
    """Pulls tasks."""

    Options = LabelStudioOptions

    def __init__(self, options: LabelStudioOptions, secrets: Callable[[str], str], root: Path) -> None:
        self._options = options
        self._server = LabelStudio(options, secrets)

    def pull(self, limit: int, cursor: str) -> Batch:
        """Tasks after the one that the cursor names, in the order of their numbers."""
        after = int(cursor) if cursor.isdecimal() else 0
        project = self._server.ask("GET", f"/api/projects/{self._options.project}/")
        name, _, labels = control(self._options, project)
        texts = _texts(project)
        size = max(1, min(limit, _MOST_TASKS))
        said = self._server.ask("GET", "/api/tasks/", params=self._query(after, size))
        tasks = said.get("tasks") if isinstance(said, dict) else None
        if not isinstance(tasks, list):
            raise Unavailable("Label Studio's /api/tasks/ answered no 'tasks'. Nothing was taken.")
        items = [self._item(task, name, labels, texts) for task in tasks]
        numbers = [task["id"] for task in tasks if isinstance(task, dict) and isinstance(task.get("id"), int)]
        total = said.get("total")
        lag = max(0, total - len(tasks)) if isinstance(total, int) else None
        return Batch(items, cursor=str(max(numbers)) if numbers else None, lag=lag)

    def acknowledge(self, batch: Batch) -> None:
        """Nothing: the cursor goes on, and an annotated task is not given again."""

    def close(self) -> None:
        """Lets go of the connection."""
        self._server.close()

    def _query(self, after: int, size: int) -> dict[str, str | int]:
        wanted = [("total_annotations", "equal", 0), ("total_predictions", "greater", 0), ("id", "greater", after)]
        items = [
            {"filter": f"filter:tasks:{name}", "operator": operator, "type": "Number", "value": value}
            for name, operator, value in wanted
        ]
        query = {"filters": {"conjunction": "and", "items": items}, "ordering": ["tasks:id"]}
        asked: dict[str, str | int] = {"project": self._options.project, "page": 1, "page_size": size, "fields": "all"}
        return asked | {"query": orjson.dumps(query).decode()}

    def _item(self, task: Any, name: str, labels: list[str], texts: frozenset[str]) -> Item:
        problem = _problem(task)
        if problem:
            return Item(orjson.dumps(task, option=orjson.OPT_SORT_KEYS), problem=problem)
        prediction = max(task["predictions"], key=lambda p: p.get("id") or 0)
        record = self._record(task, prediction, name, labels, texts)
        reference = {"task": task["id"], "project": self._options.project, "prediction": prediction.get("id")}
        return Item(orjson.dumps(record, option=orjson.OPT_SORT_KEYS), reference=reference)

    def _record(
        self,
        task: Mapping[str, Any],
        prediction: Mapping[str, Any],
        name: str,
        labels: list[str],
        texts: frozenset[str],
    ) -> dict[str, Any]:
        options, data = self._options, task["data"]
        result = [r for r in prediction["result"] if isinstance(r, dict) and isinstance(r.get("value"), dict)]
        chosen = next((r["value"].get("choices") for r in result if r.get("from_name") == name), None)
        output: dict[str, Any] = {}
        if isinstance(chosen, list) and chosen:
            output["label"] = str(chosen[0])
        score = prediction.get("score")
        if isinstance(score, int | float) and 0 <= score <= 1:
            output["score"] = float(score)
        kind: dict[str, Any] = {"type": "binary" if len(labels) == 2 else "multiclass", "labels": labels}
        if options.positive:
            kind["positive"] = options.positive
        if options.question:
            kind["question"] = options.question
        record: dict[str, Any] = {
            "schema": "secondlook.prediction/1",
            "id": f"label-studio-{options.project}-{task['id']}",
            "created_at": prediction.get("created_at"),
            "task": kind,
            "inputs": [_input(key, data[key], key in texts) for key in sorted(data)],
            "output": output,
            "flags": [{"code": "label_studio", "severity": options.severity}],
            "explanations": _spans(result, data),
        }
        if prediction.get("model_version"):
            record["provenance"] = {"model": {"version": str(prediction["model_version"])}}
        if options.subject and data.get(options.subject) is not None:
            record["subject"] = str(data[options.subject])
            record["inputs"] = [one for one in record["inputs"] if one["name"] != options.subject]
        return record


def _problem(task: Any) -> str:
    """What is missing in a task, in words."""
    if not isinstance(task, dict) or not isinstance(task.get("id"), int):
        return "id: a number was expected at each task of /api/tasks/"
    if not isinstance(task.get("data"), dict) or not task["data"]:
        return f"data: an object with values was expected at task {task['id']}"
    predictions = task.get("predictions")
    if not isinstance(predictions, list) or not predictions or not all(isinstance(p, dict) for p in predictions):
        return f"predictions: a list with the predictions was expected at task {task['id']}"
    newest = max(predictions, key=lambda p: p.get("id") or 0)
    if not isinstance(newest.get("result"), list):
        return f"predictions.result: a list of regions was expected at task {task['id']}"
    return ""


def _texts(project: Mapping[str, Any]) -> frozenset[str]:
    """The keys of a task's data that the label config shows as texts."""
    controls = [c for c in project["parsed_label_config"].values() if isinstance(c, dict)]
    shown = [i for c in controls for i in c.get("inputs") or () if isinstance(i, dict)]
    return frozenset(str(i.get("value")) for i in shown if i.get("type") in ("Text", "HyperText", "Paragraphs"))


def _input(name: str, value: Any, is_text: bool) -> dict[str, Any]:
    if isinstance(value, bool) or value is None:
        kind = "category"
    elif isinstance(value, int | float):
        kind = "number"
    elif isinstance(value, dict | list):
        kind = "json"
    else:
        kind = "text" if is_text or len(value) > _LONG else "category"
    return {"name": name[:300], "kind": kind, "value": value, "role": "feature"}


def _spans(result: list[Any], data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Regions of texts as spans, one explanation for each text. Label Studio counts as JavaScript does."""
    by_text: dict[str, list[dict[str, Any]]] = {}
    names = [key for key in sorted(data) if isinstance(data[key], str)]
    for region in result:
        value = region["value"]
        start, end, text = value.get("start"), value.get("end"), value.get("text")
        if type(start) is not int or type(end) is not int:
            continue
        # The region names the object of the label config, not the key of the data: the key is where the text stands.
        to_name = str(region.get("to_name"))
        holds = [key for key in names if isinstance(text, str) and text in data[key]]
        key = to_name if to_name in names else next(iter(holds or names), "")
        span: dict[str, Any] = {"start": start, "end": end, "text": text if isinstance(text, str) else None}
        if isinstance(region.get("score"), int | float):
            span["contribution"] = float(region["score"])
        labels = value.get("labels") or value.get("hypertextlabels")
        if isinstance(labels, list) and labels:
            span["label"] = str(labels[0])
        by_text.setdefault(key, []).append(span)
    base = {"kind": "text_span", "method": "label-studio", "offset_unit": "utf16"}
    return [{**base, "target": {"input": key}, "items": spans} for key, spans in by_text.items()]
