"""secondlook.toml: what is wrong in it is named, with a guess for what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.model.errors import BadInput, SettingsError
from app.settings import Workspace, find_workspace, load_workspace

QUEUE = '[queues.credit]\nrubric = "adverse-credit-decision"\n'


@pytest.fixture(autouse=True)
def nothing_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECONDLOOK_WORKSPACE", "SECONDLOOK_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")


def workspace(folder: Path, text: str = QUEUE) -> Workspace:
    (folder / "secondlook.toml").write_text(text, encoding="utf-8")
    return load_workspace(folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (QUEUE + "wihthold = []\n", ["queues.credit.wihthold: unknown key", "did you mean 'withhold'?"]),
        (QUEUE + "leaseminutes = 5\n", ["queues.credit.leaseminutes", "did you mean 'lease_minutes'?"]),
        (QUEUE + "[queues.credit.priority]\nnear_treshold = 1\n", ["priority.near_treshold", "'near_threshold'?"]),
        (QUEUE + "[queues.credit.due]\ncriticl = 1\n", ["due.criticl", "did you mean 'critical'?"]),
        (QUEUE + "[queues.credit.csv]\ncolums = {}\n", ["csv.colums", "did you mean 'columns'?"]),
        (QUEUE + "[desk]\npersn = 'a'\n", ["desk.persn", "did you mean 'person'?"]),
        (QUEUE + "[secrets]\nstore = 'fiel'\n", ["secrets.store", "'keyring', 'file' or 'environment'"]),
        ("[queus.credit]\nrubric = 'r'\n", ["queus: unknown key", "did you mean 'queues'?"]),
        ("[queues.credit]\n", ["queues.credit.rubric: is missing"]),
        ("[queues.'Credit Cards']\nrubric = 'r'\n", ["queues.Credit Cards", "pattern"]),
        (QUEUE + "lease_minutes = 0\n", ["queues.credit.lease_minutes", "greater than 0"]),
        (QUEUE + "lease_minutes = nan\n", ["queues.credit.lease_minutes", "finite"]),
        (QUEUE + "undo_minutes = -1\n", ["queues.credit.undo_minutes"]),
        (QUEUE + "max_claims = 0\n", ["queues.credit.max_claims"]),
        (QUEUE + "withhold = 'sex'\n", ["queues.credit.withhold", "list"]),
        (QUEUE + "[queues.credit.priority.severity]\nhihg = 1\n", ["priority.severity.hihg", "'high'"]),
        (QUEUE + "[desk]\nidle_seconds = 1\n", ["desk.idle_seconds"]),
        (QUEUE + "xyzzyx = 1\nlease_minutes = 0\n", ["xyzzyx: unknown key", "lease_minutes", "; "]),
        ("queues = ", ["is not valid TOML"]),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        workspace(tmp_path, text)
    said = str(caught.value)
    assert said.startswith(str(tmp_path / "secondlook.toml"))
    assert [word for word in words if word not in said] == []


def test_settings_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "secondlook.toml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="is not valid TOML"):
        load_workspace(tmp_path)
    (tmp_path / "secondlook.toml").unlink()
    (tmp_path / "secondlook.toml").mkdir()
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load_workspace(tmp_path)


def test_a_folder_that_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"is no workspace: it has no secondlook\.toml\. `secondlook init"):
        load_workspace(tmp_path)


def test_the_workspace_is_found_around_the_current_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no workspace here") as caught:
        find_workspace(None)
    assert "--workspace DIR" in str(caught.value)
    workspace(tmp_path)
    assert find_workspace(None).root == tmp_path.resolve()


def test_what_is_named_comes_before_what_is_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace(tmp_path)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        workspace(tmp_path / name)
    monkeypatch.setenv("SECONDLOOK_WORKSPACE", str(tmp_path / "one"))
    assert find_workspace(None).root.name == "one"
    assert find_workspace(str(tmp_path / "two")).root.name == "two"
    with pytest.raises(BadInput, match="is no workspace"):
        find_workspace(str(tmp_path / "three"))


def test_a_queue_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no queue 'credti' \(did you mean 'credit'\?\)\. Queues in .*: credit\."):
        workspace(tmp_path).policy("credti")
    with pytest.raises(BadInput, match=r"no queue 'a'\. Queues in secondlook\.toml: none\."):
        workspace(tmp_path, "").policy("a")


def test_a_rubric_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no rubric 'content-moderatoin' \(did you mean 'content-moderation'\?\)"):
        workspace(tmp_path, '[queues.q]\nrubric = "content-moderatoin"\n').rubrics  # noqa: B018


def test_an_own_rubric_comes_before_one_that_ships(tmp_path: Path) -> None:
    found = workspace(tmp_path)
    assert found.rubrics["credit"].title == "Adverse credit decision"
    (tmp_path / "rubrics").mkdir()
    shipped = found.rubric_path("adverse-credit-decision").read_text(encoding="utf-8")
    own = tmp_path / "rubrics" / "adverse-credit-decision.toml"
    own.write_text(shipped.replace('"Adverse credit decision"', '"Ours"'), encoding="utf-8")
    assert load_workspace(tmp_path).rubrics["credit"].title == "Ours"
    assert found.rubric_names()[0] == "adverse-credit-decision"


def test_the_database_lies_in_the_folder_unless_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = workspace(tmp_path)
    assert found.database_url == f"sqlite:///{tmp_path.resolve()}/secondlook.db"
    monkeypatch.setenv("SECONDLOOK_DATABASE_URL", "postgresql://x/y")
    assert found.database_url == "postgresql://x/y"


def test_the_person_is_named_or_the_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    assert workspace(tmp_path).person == "ann"
    assert workspace(tmp_path, "[desk]\nperson = 'bo'\n").person == "bo"
