"""`audit checkpoint`, `verify --checkpoint`, `prove`: as a person, an auditor and a stranger use them."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.audit import log
from app.cli import main
from db.engine import open_store, sqlite_url

ROOT = Path(__file__).resolve().parents[2]
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER_KEY = "ERECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with five entries."""
    monkeypatch.setenv("SECONDLOOK_WORKSPACE_KEY", KEY)
    root = tmp_path / "desk"
    assert main(["init", str(root)]) == 0
    append(root, 5)
    return root


def append(root: Path, count: int) -> None:
    """Entries as the program makes them."""
    store = open_store(sqlite_url(root / "secondlook.db"))
    try:
        with store.write() as connection:
            for number in range(count):
                log.append(connection, 1_800_000_000_000 + number, "ada", "claimed", number, {"token": 1})
    finally:
        store.close()


@pytest.fixture
def run(place: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs an audit command; gives its exit code and what it wrote to each stream."""

    def act(*words: str, root: Path = place) -> tuple[int, str, str]:
        capfdbinary.readouterr()
        code = main(["--workspace", str(root), "audit", *words])
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return act


def tamper(root: Path, *statements: str) -> None:
    """What somebody does who may write to the file."""
    connection = sqlite3.connect(root / "secondlook.db", isolation_level=None)
    try:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    finally:
        connection.close()


CUT_OFF = "DELETE FROM audit WHERE seq > 3"


def kept_elsewhere(run: Run, folder: Path, **where: Path) -> tuple[Path, str]:
    """A checkpoint outside the workspace, and the verifier key."""
    path = folder / "kept.checkpoint"
    code, out, _ = run("checkpoint", "--out", str(path), "--json", **where)
    assert code == 0
    return path, json.loads(out)["vkey"]


def another_workspaces(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """A checkpoint of another workspace, as long as ours, and its verifier key."""
    monkeypatch.setenv("SECONDLOOK_WORKSPACE_KEY", OTHER_KEY)
    root = folder / "other"
    assert main(["init", str(root)]) == 0
    append(root, 5)
    kept = kept_elsewhere(run, folder, root=root)
    monkeypatch.setenv("SECONDLOOK_WORKSPACE_KEY", KEY)
    return kept


def test_a_checkpoint_is_kept_in_the_workspace_and_checked_by_itself(run: Run, place: Path) -> None:
    code, out, err = run("checkpoint")
    path = place / "checkpoints" / "5.checkpoint"
    assert code == 0
    assert str(path) in out
    assert "Copy the file" in err
    append(place, 2)
    code, out, _ = run("verify")
    assert code == 0
    assert f"as signed: entries 1…5, checkpoint {path}" in out
    tamper(place, CUT_OFF)
    code, out, _ = run("verify")
    assert code == 1
    assert f"checkpoint {path}: the log was cut off: it has 3 entries, the checkpoint says 5" in out


def test_the_same_checkpoint_twice_is_fine_another_one_is_not_replaced(run: Run, place: Path, tmp_path: Path) -> None:
    path = tmp_path / "kept.checkpoint"
    assert run("checkpoint", "--out", str(path))[0] == 0
    kept = path.read_bytes()
    assert run("checkpoint", "--out", str(path))[0] == 0
    append(place, 1)
    code, _, err = run("checkpoint", "--out", str(path))
    assert code == 2
    assert "Nothing was written" in err
    assert path.read_bytes() == kept


def test_a_printed_checkpoint_is_the_file(run: Run, tmp_path: Path) -> None:
    path, vkey = kept_elsewhere(run, tmp_path)
    code, out, err = run("checkpoint", "--out", "-")
    assert code == 0
    assert out.encode() == path.read_bytes()
    assert vkey in err


def test_a_log_with_a_problem_is_not_signed(run: Run, place: Path) -> None:
    tamper(place, "UPDATE audit SET actor = 'eve' WHERE seq = 2")
    for words in (("checkpoint",), ("prove", "--entry", "1")):
        code, out, err = run(*words)
        assert code == 1
        assert "entry 2: its columns differ" in out
        assert "Nothing was" in err
    assert not list(place.glob("checkpoints/*"))


def test_an_auditor_needs_no_secret(run: Run, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, vkey = kept_elsewhere(run, tmp_path)
    monkeypatch.delenv("SECONDLOOK_WORKSPACE_KEY")
    code, _, err = run("verify", "--checkpoint", str(path))
    assert code == 5
    assert "--vkey" in err
    code, out, _ = run("verify", "--checkpoint", str(path), "--vkey", vkey, "--json")
    assert code == 0
    assert json.loads(out)["checkpoints"] == [{"file": str(path), "size": 5}]
    assert run("verify", "--checkpoint", str(path), "--vkey", "nonsense")[0] == 2
    tamper(place, CUT_OFF)
    code, out, _ = run("verify", "--checkpoint", str(path), "--vkey", vkey, "--json")
    assert code == 1
    assert "was cut off" in json.loads(out)["problems"][0]


def test_another_workspaces_checkpoint_is_a_problem(
    run: Run, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = another_workspaces(run, tmp_path, monkeypatch)
    code, out, _ = run("verify", "--checkpoint", str(path))
    assert code == 1
    assert "is another workspace's" in out
    code, _, err = run("prove", "--entry", "1", "--checkpoint", str(path))
    assert code == 2
    assert "is another workspace's" in err
    (place / "checkpoints").mkdir()
    shutil.copy(path, place / "checkpoints")
    assert run("verify")[0] == 1


def test_a_file_that_is_no_checkpoint_is_bad_input_and_a_damaged_one_of_ours_a_problem(run: Run, place: Path) -> None:
    code, _, err = run("verify", "--checkpoint", str(place / "secondlook.toml"))
    assert code == 2
    assert "is no checkpoint" in err
    run("checkpoint")
    (place / "checkpoints" / "5.checkpoint").write_text("nonsense")
    code, out, _ = run("verify")
    assert code == 1
    assert "5.checkpoint is no checkpoint" in out


# -- the recipe of docs/audit.md ---------------------------------------------------------------------------


def check(folder: Path, proof: dict[str, Any], vkey: str) -> subprocess.CompletedProcess[str]:
    """Runs the recipe as it stands in the documentation."""
    (recipe,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "audit.md").read_text(), re.DOTALL)
    (folder / "check.py").write_text(recipe)
    (folder / "proof.json").write_text(json.dumps(proof))
    words = [sys.executable, "-I", "check.py", "proof.json", vkey]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def test_a_stranger_can_check_a_proof(run: Run, place: Path, tmp_path: Path) -> None:
    path, vkey = kept_elsewhere(run, tmp_path)
    append(place, 4)
    for words in ((), ("--checkpoint", str(path))):
        code, out, _ = run("prove", "--entry", "5", "--json", *words)
        assert code == 0
        done = check(tmp_path, json.loads(out), vkey)
        assert done.returncode == 0, done.stderr
        assert '"seq":5' in done.stdout


def flipped(text: str) -> str:
    """Hex with its first digit changed."""
    return ("1" if text[0] == "0" else "0") + text[1:]


CHANGES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "bytes": lambda p: {"body": "bm90aGluZw=="},
    "place": lambda p: {"leaf_index": 1},
    "no place": lambda p: {"leaf_index": 5},
    "size": lambda p: {"tree_size": 6},
    "a hash": lambda p: {"hashes": [flipped(p["hashes"][0]), *p["hashes"][1:]]},
    "a hash less": lambda p: {"hashes": p["hashes"][:-1]},
    "a hash more": lambda p: {"hashes": [*p["hashes"], p["root_hash"]]},
    "signed size": lambda p: {"checkpoint": p["checkpoint"].replace("\n5\n", "\n6\n"), "tree_size": 6},
    "signer": lambda p: {"checkpoint": p["checkpoint"].replace("secondlook.local", "other.local")},
    "signature": lambda p: {"checkpoint": p["checkpoint"].replace("= \n", "\n")[:-8] + "AAAAAA=\n"},
}


def test_a_stranger_is_not_deceived(run: Run, tmp_path: Path) -> None:
    _, vkey = kept_elsewhere(run, tmp_path)
    proof = json.loads(run("prove", "--entry", "3", "--json")[1])
    for name, change in CHANGES.items():
        done = check(tmp_path, proof | change(proof), vkey)
        assert done.returncode != 0, name
        assert "does not hold" in done.stderr or "InvalidSignature" in done.stderr, (name, done.stderr)


def test_a_key_of_somebody_else_proves_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proof = json.loads(run("prove", "--entry", "3", "--json")[1])
    _, vkey = another_workspaces(run, tmp_path, monkeypatch)
    done = check(tmp_path, proof, vkey)
    assert (done.returncode, "another log's" in done.stderr) == (1, True)


def test_what_cannot_be_proved_is_said(run: Run, place: Path, tmp_path: Path) -> None:
    path, _ = kept_elsewhere(run, tmp_path)
    append(place, 1)
    code, _, err = run("prove", "--entry", "6", "--checkpoint", str(path))
    assert (code, "covers entries 1…5" in err) == (2, True)
    code, _, err = run("prove", "nobody")
    assert (code, "There is no case 'nobody'" in err) == (2, True)
    tamper(place, "UPDATE audit SET body = x'00' WHERE seq = 2")
    code, _, err = run("prove", "--entry", "5", "--checkpoint", str(path))
    assert (code, "not the one that was signed" in err) == (3, True)
    tamper(place, CUT_OFF)
    assert run("prove", "--entry", "2", "--checkpoint", str(path))[0] == 3


def test_the_newest_decision_on_a_prediction_is_proved(run: Run, tmp_path: Path) -> None:
    root = tmp_path / "demo"
    assert main(["--workspace", str(root), "demo", "--no-ui"]) == 0
    with closing(sqlite3.connect(root / "secondlook.db")) as connection:
        query = "SELECT external_id, queue, max(seq), count(*) FROM reviews JOIN cases USING (case_id) GROUP BY case_id"
        decided = connection.execute(f"{query} ORDER BY count(*) DESC").fetchall()
        (undecided,) = connection.execute(
            "SELECT external_id FROM cases WHERE case_id NOT IN (SELECT case_id FROM reviews) LIMIT 1"
        ).fetchone()
    # The demo takes one decision back and makes it anew: that case has two.
    assert [row[3] for row in decided[:2]] == [2, 1]
    for name, queue, seq, _ in decided[:2]:
        proof = json.loads(run("prove", name, "--queue", queue, "--json", root=root)[1])
        assert (proof["entry"]["action"], proof["entry"]["seq"]) == ("decided", seq)
        code, out, _ = run("prove", name, root=root)
        assert (code, f"{seq} of " in out) == (0, True)
    code, _, err = run("prove", undecided, root=root)
    assert (code, "was never decided" in err) == (2, True)
