"""Officers, reveals, erasing and `doctor` from the command line, as docs/officers.md shows them."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from app import officer_key
from app.cli import main
from tests.builders import record
from tests.unit.test_secrets import NULL, use

Run = Callable[..., tuple[int, str, str]]
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
SUBJECT = "Quastenflosser-7781"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(officer_key.FOLDER, str(tmp_path / "officers"))
    monkeypatch.setenv(officer_key.PASSPHRASE, "correct horse battery")
    for name in ("SECONDLOOK_WORKSPACE_KEY", "SECONDLOOK_WORKSPACE_KEY_FILE", "SECONDLOOK_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    use(monkeypatch, NULL)
    root = tmp_path / "desk"
    assert main(["init", str(root)]) == 0
    return root


@pytest.fixture
def run(root: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs a command as somebody; gives its exit code and what it wrote to each stream."""

    def act(person: str, *words: str) -> tuple[int, str, str]:
        capfdbinary.readouterr()
        code = main(["--workspace", str(root), "--as", person, *words])
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return act


def bring_in(run: Run, root: Path, *cases: str) -> None:
    path = root.parent / "in.jsonl"
    rows = [record(id=case, subject=SUBJECT, sensitive=[{"name": "sex", "value": "female"}]) for case in cases]
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    assert run("mel", "import", str(path), "--queue", "credit")[0] == 0


def shown(out: str) -> Any:
    return json.loads(out)


def test_the_walk_in_the_docs(run: Run, root: Path) -> None:
    code, line, said = run("olga", "officer", "setup", "--passphrase")
    assert code == 0
    assert "first officer" in said
    bring_in(run, root, "a")

    code, line, said = run("omar", "officer", "setup", "--passphrase")
    assert "Hand this line to an officer" in said
    code, _, said = run("omar", "officer", "admit", line.strip())
    assert (code, "omar is no officer here" in said) == (3, True)
    code, _, said = run("olga", "officer", "admit", line.strip())
    assert code == 0
    assert "1 older cases can be opened" in said
    rows = shown(run("olga", "officer", "list", "--json")[1])
    assert [(row["person"], row["cases"]) for row in rows] == [("olga", 1), ("omar", 1)]

    assert shown(run("olga", "reveal", "fields", "a", "--json")[1]) == ["sensitive.sex", "subject"]
    code, number, said = run("olga", "reveal", "ask", "a", "--fields", "subject", "--reason", "asked for their file")
    assert (code, number.strip()) == (0, "1")
    assert run("olga", "reveal", "open", "1")[0] == 4
    assert run("olga", "reveal", "approve", "1")[0] == 3
    assert run("omar", "reveal", "open", "1")[0] == 3
    assert run("omar", "reveal", "approve", "1")[0] == 0
    code, out, _ = run("olga", "reveal", "open", "1", "--json")
    assert shown(out)["fields"] == {"subject": SUBJECT}
    code, out, said = run("olga", "reveal", "open", "1")
    assert (code, out) == (3, "")
    assert "opened already" in said
    (request,) = shown(run("audrey", "reveal", "list", "--json")[1])
    assert (request["person"], request["approver"], request["state"]) == ("olga", "omar", "opened")
    assert SUBJECT not in run("audrey", "audit", "log")[1]
    assert run("audrey", "audit", "verify")[0] == 0


def test_a_mistyped_passphrase_costs_nothing(run: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = root / "secondlook.toml"
    settings.write_text(settings.read_text() + "\n[queues.credit.reveal]\napproval = false\n")
    run("olga", "officer", "setup", "--passphrase")
    bring_in(run, root, "a")
    run("olga", "reveal", "ask", "a", "--fields", "subject", "--reason", "asked for their file")
    monkeypatch.setenv(officer_key.PASSPHRASE, "something else")
    code, _, said = run("olga", "reveal", "open", "1")
    assert code == 2
    assert "try again" in said
    monkeypatch.setenv(officer_key.PASSPHRASE, "correct horse battery")
    code, out, _ = run("olga", "reveal", "open", "1")
    assert code == 0
    assert SUBJECT in out


def test_rotating_hands_everything_on(run: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("olga", "officer", "setup", "--passphrase")
    bring_in(run, root, "a", "b")
    old = shown(run("olga", "officer", "list", "--json")[1])[0]["key"]
    code, _, said = run("olga", "officer", "rotate", "--passphrase")
    assert (code, officer_key.NEW_PASSPHRASE in said) == (2, True)
    monkeypatch.setenv(officer_key.NEW_PASSPHRASE, "staple battery horse")
    code, new, _ = run("olga", "officer", "rotate", "--passphrase")
    assert code == 0
    monkeypatch.setenv(officer_key.PASSPHRASE, "staple battery horse")
    rows = {row["key"]: row for row in shown(run("olga", "officer", "list", "--json")[1])}
    assert rows[old]["retired_at"] is not None
    assert (rows[new.strip()]["cases"], rows[old]["cases"]) == (2, 0)
    assert run("olga", "officer", "retire", new.strip())[0] == 2
    assert run("bert", "officer", "retire", new.strip(), "--yes", "--last")[0] == 3
    code, _, said = run("olga", "officer", "retire", new.strip(), "--yes")
    assert code == 3
    assert "last officer's key" in said
    assert run("olga", "audit", "verify")[0] == 0


def test_without_a_keyring_or_a_passphrase_no_officer_is_made(run: Run) -> None:
    code, out, said = run("olga", "officer", "setup")
    assert (code, out) == (5, "")
    assert "never written to a plain file" in said
    assert shown(run("olga", "officer", "list", "--json")[1]) == []


def test_erasing_asks_first(run: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bring_in(run, root, "a", "b")
    assert run("dpo", "erase")[0] == 2
    assert run("dpo", "erase", "a", "--subject", SUBJECT)[0] == 2
    code, _, said = run("dpo", "erase", "--subject", SUBJECT)
    assert code == 2
    assert "--yes" in said
    plan = shown(run("dpo", "erase", "--subject", SUBJECT, "--dry-run", "--json")[1])
    assert sorted(case["id"] for case in plan["cases"]) == ["a", "b"]
    done = shown(run("dpo", "erase", "--subject", SUBJECT, "--yes", "--json")[1])
    assert (done["cases"], done["unreached"]) == (2, [])
    assert run("dpo", "erase", "--subject", SUBJECT, "--yes")[0] == 4
    assert run("dpo", "erase", "--finish")[0] == 0
    assert run("dpo", "audit", "verify")[0] == 0


def test_a_leak_from_the_command_line(run: Run, root: Path) -> None:
    path = root.parent / "in.jsonl"
    path.write_bytes(orjson.dumps(record(id="a", inputs=[{"name": "n", "kind": "text", "value": "it was Ottokar W."}])))
    run("mel", "import", str(path), "--queue", "credit")
    assert shown(run("ada", "leak", "a", "--text", "Ottokar", "--json")[1]) == {"id": "a", "reported": True}
    assert "Ottokar" not in run("ada", "show", "a")[1]
    assert run("ada", "leak", "a", "--text", "Ottokar")[0] == 2
    assert run("ada", "leak", "--text", "Ottokar")[0] == 2


def test_a_lead_lists_and_dismisses_reports(run: Run, root: Path) -> None:
    path = root.parent / "in.jsonl"
    task = {"type": "binary", "labels": ["approve", "decline"], "question": "Should Ottokar get it?"}
    path.write_bytes(orjson.dumps(record(id="a", task=task)))
    run("mel", "import", str(path), "--queue", "credit")
    assert run("ada", "leak", "--list")[:2] == (0, "")
    run("ada", "leak", "a", "--text", "Ottokar")
    assert "ada: Ottokar" in run("mel", "leak", "--list")[1]
    report = shown(run("mel", "leak", "--list", "--json")[1])
    assert (report["id"], report["queue"], report["person"]) == ("a", "credit", "ada")
    assert run("mel", "leak", "b", "--list")[1] == ""
    assert shown(run("mel", "leak", "a", "--dismiss", "--json")[1]) == {"id": "a", "dismissed": True}
    assert run("mel", "leak", "a", "--dismiss")[0] == 4
    assert run("mel", "leak", "--list")[1] == ""


def test_another_workspace_key_is_refused_in_words(run: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDLOOK_WORKSPACE_KEY", KEY)
    path = root.parent / "in.jsonl"
    path.write_bytes(orjson.dumps(record()))
    code, _, said = run("mel", "import", str(path), "--queue", "credit")
    assert code == 5
    assert "not the key that the workspace was made with" in said
    findings = shown(run("mel", "doctor", "--json")[1])
    assert [f["state"] for f in findings if f["what"] == "workspace key"] == ["wrong"]


def test_doctor_says_where_each_secret_lives(run: Run, root: Path) -> None:
    run("olga", "officer", "setup", "--passphrase")
    code, out, _ = run("olga", "doctor", "--json")
    found = {finding["what"]: finding for finding in shown(out)}
    assert code == 0
    assert str(root / "keys" / "workspace.key") in found["workspace key"]["detail"]
    assert str(root.parent / "officers") in found["officer"]["detail"]
    (root / "keys" / "workspace.key").chmod(0o644)
    code, out, _ = run("olga", "doctor")
    assert code == 1
    assert "chmod 600" in out


def test_doctor_without_a_workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--workspace", str(tmp_path / "nowhere"), "doctor"]) == 1
    assert "no workspace" in capsys.readouterr().out


def test_a_lost_database_is_not_replaced_by_an_empty_one(run: Run, root: Path) -> None:
    bring_in(run, root, "a")
    backup = shown(run("ops", "backup", "--json")[1])["file"]
    database = root / "secondlook.db"
    for file in root.glob("secondlook.db*"):
        file.unlink()
    for words in (("cases",), ("audit", "verify"), ("next",), ("backup",)):
        code, out, said = run("ada", *words)
        assert (code, out) == (5, ""), words
        assert backup in said
    assert run("ada", "doctor")[0] == 1
    assert not database.exists()
    database.write_bytes(Path(backup).read_bytes())
    assert run("ada", "audit", "verify")[0] == 0
    assert shown(run("ada", "cases", "--json")[1])["id"] == "a"


def test_without_the_workspace_key_a_prediction_can_still_be_erased(run: Run, root: Path) -> None:
    bring_in(run, root, "a", "b")
    (root / "keys" / "workspace.key").unlink()
    assert run("dpo", "erase", "--subject", SUBJECT, "--yes")[0] == 5
    code, out, _ = run("dpo", "erase", "a", "--yes", "--json")
    done = shown(out)
    assert (code, done["cases"]) == (1, 1)
    assert "being imported again" in done["unreached"][0]
    assert run("dpo", "init", str(root), "--new-key")[0] == 0
    assert run("dpo", "init", str(root), "--new-key")[0] == 3
    assert run("dpo", "audit", "verify")[0] == 0
    bring_in(run, root, "new")


def test_doctor_tells_of_a_cut_log_and_a_broken_key_file(run: Run, root: Path) -> None:
    run("olga", "officer", "setup", "--passphrase")
    bring_in(run, root, "a")
    (key,) = (root.parent / "officers").iterdir()
    key.write_text("junk")
    with closing(sqlite3.connect(root / "secondlook.db")) as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET actor = 'mallory' WHERE seq = 1")
        connection.commit()
    code, out, _ = run("ops", "doctor", "--json")
    wrong = {finding["what"]: finding["detail"] for finding in shown(out) if finding["state"] == "wrong"}
    assert code == 1
    assert "was damaged" in wrong["officer"]
    assert "entry 1" in wrong["log"]


def test_a_lost_private_key_is_replaced_by_another_officer(run: Run, root: Path) -> None:
    run("olga", "officer", "setup", "--passphrase")
    line = shown(run("omar", "officer", "setup", "--passphrase", "--json")[1])["line"]
    run("olga", "officer", "admit", line)
    lost = shown(run("omar", "officer", "list", "--json")[1])[1]["key"]
    (root.parent / "officers" / f"{lost}.key").unlink()
    code, out, said = run("omar", "officer", "setup", "--passphrase", "--json")
    assert code == 0
    assert f"officer retire {lost}" in said
    assert run("olga", "officer", "admit", shown(out)["line"])[0] == 0
    assert run("olga", "officer", "retire", lost, "--yes")[0] == 0
    assert run("olga", "audit", "verify")[0] == 0


def test_a_field_may_have_commas_in_its_name(run: Run, root: Path) -> None:
    run("olga", "officer", "setup", "--passphrase")
    path = root.parent / "in.jsonl"
    sensitive = [{"name": "missed payments, 24 months", "value": "many"}]
    path.write_bytes(orjson.dumps(record(id="a", subject=SUBJECT, sensitive=sensitive)))
    run("mel", "import", str(path), "--queue", "credit")
    wanted = "subject, sensitive.missed payments, 24 months"
    code, out, _ = run("olga", "reveal", "ask", "a", "--fields", wanted, "--reason", "asked for it", "--json")
    assert code == 0
    assert shown(out)["fields"] == ["subject", "sensitive.missed payments, 24 months"]
