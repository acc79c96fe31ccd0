"""Against a real Label Studio: predicted tasks are reviewed, and annotated once however often the verdict is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.deliver.sinks.label_studio import LabelStudioOptions, LabelStudioSink
from app.http import Http
from app.intake.sources.label_studio import LabelStudioSource
from app.model.case import CaseView
from app.model.connection import Delivery
from app.model.errors import Undelivered
from app.model.explanation import TextSpan
from app.model.policy import QueuePolicy
from tests.servers.processes import Workspace, executable, free_port, running

pytestmark = pytest.mark.servers

TOKEN = "0123456789abcdef0123456789abcdef01234567"
POLICY = QueuePolicy(rubric="content-moderation", undo_minutes=5)
CONFIG = """<View><Text name="post" value="$text"/>
<Choices name="decision" toName="post"><Choice value="keep"/><Choice value="remove"/></Choices>
<Labels name="spans" toName="post"><Label value="insult"/></Labels></View>"""
TEXT = "You 😂 are a fool, go away"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http]:
    """The server on SQLite, with one user whose legacy token is known."""
    folder = tmp_path_factory.mktemp("label-studio")
    port = free_port()
    words = [executable("SECONDLOOK_TEST_LABEL_STUDIO", "label-studio", "label-studio"), "start", "--no-browser"]
    words += ["--internal-host", "127.0.0.1", "--port", str(port), "--enable-legacy-api-token"]
    words += ["--username", "ada@example.org", "--password", "secret-secret", "--user-token", TOKEN]
    variables = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder / "data"),
        "LATEST_VERSION_CHECK": "0",
        "COLLECT_ANALYTICS": "0",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }
    base = f"http://127.0.0.1:{port}"
    with running(words, folder, f"{base}/health", **variables):
        http = Http(base, {"authorization": f"Token {TOKEN}"}, timeout=60)
        print("label-studio", http.ask("GET", "/api/version").get("release"))
        yield http
        http.close()


def region(label: str) -> dict[str, Any]:
    return {"from_name": "decision", "to_name": "post", "type": "choices", "value": {"choices": [label]}}


SPAN = {
    "from_name": "spans",
    "to_name": "post",
    "type": "labels",
    "value": {"start": 13, "end": 17, "text": "fool", "labels": ["insult"]},
    "score": 0.7,
}


@pytest.fixture
def project(server: Http) -> int:
    """A project with two predicted tasks and one without a prediction."""
    made = server.ask("POST", "/api/projects/", json={"title": "posts", "label_config": CONFIG})
    prediction = {"model_version": "m-1", "score": 0.81, "result": [region("remove"), SPAN]}
    tasks = [
        {"data": {"text": TEXT, "followers": 5}, "predictions": [prediction]},
        {"data": {"text": "Lovely weather", "followers": 7}, "predictions": [{"result": [region("keep")]}]},
        {"data": {"text": "Nobody predicted this"}},
    ]
    server.ask("POST", f"/api/projects/{made['id']}/import", json=tasks)
    return int(made["id"])


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path, "posts", POLICY)
    yield made
    made.close()


def options(server: Http, project: int) -> LabelStudioOptions:
    return LabelStudioOptions(url=server.base, project=project, token_secret="t", positive="remove")


def source(server: Http, project: int, workspace: Workspace, token: str = TOKEN) -> LabelStudioSource:
    return workspace.keep(LabelStudioSource(options(server, project), {"t": token}.__getitem__, Path()))


def sink(server: Http, project: int, workspace: Workspace, token: str = TOKEN) -> LabelStudioSink:
    return workspace.keep(LabelStudioSink(options(server, project), {"t": token}.__getitem__, Path()))


def annotated(server: Http, delivery: Delivery) -> list[Any]:
    found: list[Any] = server.ask("GET", f"/api/tasks/{delivery.reference['task']}/annotations/")
    return found


def overturn(view: CaseView) -> dict[str, Any]:
    other = "keep" if view.prediction.output.label == "remove" else "remove"
    return {"rule": "none", "label": other, "rationale": "The words mean something else here."}


def test_predicted_tasks_become_cases(server: Http, project: int, workspace: Workspace) -> None:
    done = workspace.pull(source(server, project, workspace))
    assert (done.admitted, done.quarantined, done.lag) == (2, 0, 0)
    shown = [workspace.decide(overturn).prediction for _ in range(2)]
    assert {one.output.label for one in shown} == {"remove", "keep"}
    first = next(one for one in shown if one.output.label == "remove")
    assert (first.output.score, first.task.labels, first.task.positive) == (0.81, ["keep", "remove"], "remove")
    span = next(e for e in first.explanations or () if isinstance(e, TextSpan))
    assert [(i.text, i.anchor) for i in span.items] == [("fool", "exact")]
    assert span.target and span.target.input == "text"


def test_the_cursor_goes_on(server: Http, project: int, workspace: Workspace) -> None:
    given = source(server, project, workspace)
    assert [workspace.pull(given, 1).admitted for _ in range(3)] == [1, 1, 0]


def test_a_verdict_becomes_one_annotation_however_often_it_is_sent(
    server: Http, project: int, workspace: Workspace
) -> None:
    workspace.pull(source(server, project, workspace))
    workspace.decide(overturn)
    (delivery,) = workspace.deliveries()
    target = sink(server, project, workspace)
    target.send(delivery)
    target.send(delivery)
    (annotation,) = annotated(server, delivery)
    assert annotation["result"][0]["value"] == {"choices": [delivery.event["data"]["label"]]}
    assert annotation["was_cancelled"] is annotation["ground_truth"] is False
    # An annotated task is not given again, even to one that begins at the first.
    fresh = source(server, project, workspace).pull(10, "")
    assert [item.reference["task"] for item in fresh.items] != [delivery.reference["task"]]
    assert len(fresh.items) == 1


def test_a_verdict_taken_back_takes_its_annotation_along(server: Http, project: int, workspace: Workspace) -> None:
    workspace.pull(source(server, project, workspace))
    workspace.decide(overturn)
    (delivery,) = workspace.deliveries()
    target = sink(server, project, workspace)
    target.send(delivery)
    workspace.desk.undo()
    (retraction,) = workspace.deliveries()
    assert retraction.kind == "retracted"
    target.send(retraction)
    target.send(retraction)
    assert annotated(server, delivery) == []


def test_nobody_could_tell_skips_the_task(server: Http, project: int, workspace: Workspace) -> None:
    workspace.pull(source(server, project, workspace))
    workspace.decide(lambda view: {"rule": "none", "label": "cannot tell"})
    (delivery,) = workspace.deliveries()
    sink(server, project, workspace).send(delivery)
    task = server.ask("GET", f"/api/tasks/{delivery.reference['task']}/")
    assert [a["was_cancelled"] for a in task["annotations"]] == [True]


def test_a_personal_access_token_is_exchanged(server: Http, project: int, workspace: Workspace) -> None:
    personal = server.ask("POST", "/api/token/", json={})["token"]
    workspace.pull(source(server, project, workspace, personal))
    workspace.decide(overturn)
    (delivery,) = workspace.deliveries()
    sink(server, project, workspace, personal).send(delivery)
    assert len(annotated(server, delivery)) == 1


def test_a_task_that_is_gone_is_said(server: Http, project: int, workspace: Workspace) -> None:
    workspace.pull(source(server, project, workspace))
    workspace.decide(overturn)
    (delivery,) = workspace.deliveries()
    server.request("DELETE", f"/api/tasks/{delivery.reference['task']}/")
    with pytest.raises(Undelivered, match="not there any more") as refused:
        sink(server, project, workspace).send(delivery)
    assert refused.value.final
