"""Label Studio, the way back: a verdict becomes an annotation of the task.

Its `unique_id` is made from the event's id: sent twice, Label Studio answers 409 and nothing is doubled. The same id
stands at the annotation's regions, since Label Studio does not show `unique_id`: by it a retraction finds its own.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app.http import Answer, Http, check
from app.model.connection import Delivery
from app.model.errors import Unavailable, Undelivered
from app.model.policy import Strict
from app.model.words import Severity

_IDS = uuid.UUID("5f0c0cb0-8a54-5f0b-9b52-1d6b2f2f5a10")


class LabelStudioOptions(Strict):
    """`[sources.NAME]` with `type = "label-studio"`; the sink takes the same.

    `url` is the server's, `project` the number of a project. `token_secret` names the secret: a personal access token,
    or a legacy token. `from_name` names the control of the label config that holds the decision (default: its first
    Choices), `to_name` the object it belongs to (default: as the config says), `correction_from_name` a TextArea for
    better texts. `positive` is the label that counts as the risk. `severity` is what each task is flagged with.
    `subject` names the key of a task's data that says whom it is about.
    """

    url: str
    project: int
    token_secret: str
    from_name: str = ""
    to_name: str = ""
    correction_from_name: str = ""
    positive: str = ""
    question: str = ""
    severity: Severity = "medium"
    subject: str = ""


class LabelStudio:
    """A server, as this project's options say. A personal access token is exchanged for one that lasts minutes."""

    def __init__(self, options: LabelStudioOptions, secrets: Callable[[str], str]) -> None:
        self._token = secrets(options.token_secret)
        # A personal access token is a JWT, a legacy token forty hexadecimal digits.
        self._personal = self._token.count(".") == 2
        self._http = Http(options.url)
        self._access = "" if self._personal else f"Token {self._token}"
        self._lock = threading.Lock()

    def request(self, method: str, path: str, **more: Any) -> Answer:
        """Asks as the token's owner; returns whatever is answered."""
        access = self._access or self._renewed("")
        answer = self._http.request(method, path, headers={"authorization": access}, **more)
        if answer.status == 401 and self._personal:
            access = self._renewed(access)
            answer = self._http.request(method, path, headers={"authorization": access}, **more)
        return answer

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """Asks and returns the JSON of a good answer. Raises Unavailable."""
        answer = self.request(method, path, **more)
        check(answer, self._http.base + path)
        return answer.json() if answer.body else None

    def _renewed(self, old: str) -> str:
        with self._lock:
            if self._access == old:
                said = self._http.ask("POST", "/api/token/refresh", json={"refresh": self._token})
                if not isinstance(said, dict) or not isinstance(said.get("access"), str):
                    raise Unavailable("Label Studio's /api/token/refresh gave no 'access'. Check the token.")
                self._access = f"Bearer {said['access']}"
            return self._access

    def close(self) -> None:
        """Lets go of the connection."""
        self._http.close()


def control(options: LabelStudioOptions, project: Any) -> tuple[str, str, list[str]]:
    """Name, object and labels of the control that holds the decision. Raises Unavailable where there is none."""
    config = project.get("parsed_label_config") if isinstance(project, dict) else None
    if not isinstance(config, dict):
        raise Unavailable("Label Studio's project has no 'parsed_label_config': is this version 1.23 or later?")
    fits = [name for name, c in config.items() if isinstance(c, dict) and c.get("type") == "Choices"]
    name = options.from_name or next(iter(fits), "")
    if name not in config or not isinstance(config[name], dict):
        known = ", ".join(config) or "none"
        raise Unavailable(f"The label config has no Choices '{name}' (it has {known}): set `from_name`.")
    found = config[name]
    objects = found.get("to_name") or [""]
    return name, options.to_name or str(objects[0]), [str(label) for label in found.get("labels") or ()]


def unique_id(event_id: str) -> str:
    """The annotation's id for an event: a UUID, as Label Studio wants."""
    return str(uuid.uuid5(_IDS, event_id))


class LabelStudioSink:
    """Writes annotations."""

    Options = LabelStudioOptions

    def __init__(self, options: LabelStudioOptions, secrets: Callable[[str], str], root: Path) -> None:
        self._options = options
        self._server = LabelStudio(options, secrets)
        self._control: tuple[str, str, list[str]] | None = None

    def send(self, delivery: Delivery) -> None:
        """Adds the annotation, or deletes that of a verdict taken back. Raises Undelivered or Unavailable."""
        task = delivery.reference.get("task")
        if not isinstance(task, int):
            raise Undelivered("This case did not come from Label Studio: there is no task to annotate.", final=True)
        data = delivery.event["data"]
        if delivery.kind == "retracted":
            self._delete(task, str(data.get("supersedes")))
            return
        path = f"/api/tasks/{task}/annotations/"
        answer = self._server.request("POST", path, json=self._annotation(delivery.event_id, data))
        if answer.status == 404:
            raise Undelivered(f"Task {task} is not there any more: nobody waits for this verdict.", final=True)
        if answer.status == 400:
            # What the server says is left out: it may repeat the reviewer's words, and errors are kept in the open.
            raise Undelivered(
                f"Label Studio refuses the annotation of task {task} (400). Compare the label config with `from_name`, "
                "`to_name` and `correction_from_name` in the settings, then replay.",
                final=True,
            )
        if answer.status != 409:
            check(answer, path)
        if data.get("supersedes"):
            self._delete(task, str(data["supersedes"]))

    def _annotation(self, event_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
        if self._control is None:
            project = self._server.ask("GET", f"/api/projects/{self._options.project}/")
            self._control = control(self._options, project)
        name, to_name, labels = self._control
        label = data.get("label")
        if label is not None and labels and label not in labels:
            raise Undelivered(
                f"The label config has no '{label}' in '{name}' (it has {', '.join(labels)}). Add it, then replay.",
                final=True,
            )
        mine = unique_id(event_id)
        region: dict[str, Any] = {"id": mine, "from_name": name, "to_name": to_name, "type": "choices"}
        region |= {"value": {"choices": [] if label is None else [label]}, "meta": {"text": [_remark(event_id, data)]}}
        result = [region]
        if data.get("correction") and self._options.correction_from_name:
            better: dict[str, Any] = {"id": mine, "from_name": self._options.correction_from_name, "to_name": to_name}
            result.append({**better, "type": "textarea", "value": {"text": [data["correction"]]}})
        return {
            "result": result,
            # Skipped, as Label Studio calls it: nobody could tell.
            "was_cancelled": data.get("verdict") == "unresolvable",
            "ground_truth": False,
            "unique_id": mine,
        }

    def _delete(self, task: int, event_id: str) -> None:
        """Deletes the annotation of an event, if it is there."""
        answer = self._server.request("GET", f"/api/tasks/{task}/annotations/")
        if answer.status == 404:
            return
        check(answer, f"/api/tasks/{task}/annotations/")
        mine = unique_id(event_id)
        found = answer.json()
        for annotation in found if isinstance(found, list) else ():
            if any(isinstance(r, dict) and r.get("id") == mine for r in annotation.get("result") or ()):
                gone = self._server.request("DELETE", f"/api/annotations/{annotation['id']}/")
                if gone.status != 404:
                    check(gone, f"/api/annotations/{annotation['id']}/")

    def close(self) -> None:
        """Lets go of the connection."""
        self._server.close()


def _remark(event_id: str, data: Mapping[str, Any]) -> str:
    """What stands beside the label: the verdict, its reasons, and the event."""
    reasons = ", ".join(str(reason) for reason in data.get("reasons") or ())
    return f"secondlook: {data.get('verdict')}{f' ({reasons})' if reasons else ''}, event {event_id}"
