"""The workspace's key: where it lives, who may read it, and what is said when it is broken."""

from __future__ import annotations

import base64
import stat
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backends import fail, null

from app.model.errors import Unavailable
from app.secrets import ENVIRONMENT, KEY_FILE, Keys, create_key, load_keys

KEY = b"k" * 32
NULL = null.Keyring()  # type: ignore[no-untyped-call]
FAIL = fail.Keyring()  # type: ignore[no-untyped-call]
TEXT = base64.b64encode(KEY).decode()


class Ring(keyring.backend.KeyringBackend):
    """A keyring in memory; `lossy` takes secrets and keeps none, `broken` raises."""

    priority = 1

    def __init__(self, lossy: bool = False, broken: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.lossy, self.broken = lossy, broken

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.broken:
            raise ModuleNotFoundError("no such backend")
        if not self.lossy:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.kept.pop((service, username), None)


@pytest.fixture(autouse=True)
def no_key_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (ENVIRONMENT, f"{ENVIRONMENT}_FILE"):
        monkeypatch.delenv(name, raising=False)
    use(monkeypatch, NULL)


def use(monkeypatch: pytest.MonkeyPatch, ring: Any) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", ring)


def unavailable(root: Path, store: str = "file") -> str:
    with pytest.raises(Unavailable) as caught:
        load_keys(root, store)
    return str(caught.value)


def test_without_a_keyring_the_key_is_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    assert create_key(tmp_path, require_keyring=False) == "file"
    path = tmp_path / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    key = base64.b64decode(path.read_text(encoding="ascii"))
    assert len(key) == 32
    assert load_keys(tmp_path, "file") == Keys.derive(key)


def test_a_key_is_never_replaced_and_never_the_same_elsewhere(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        create_key(tmp_path / name, require_keyring=False)
    first = (tmp_path / "a" / KEY_FILE).read_bytes()
    create_key(tmp_path / "a", require_keyring=False)
    assert (tmp_path / "a" / KEY_FILE).read_bytes() == first != (tmp_path / "b" / KEY_FILE).read_bytes()


@pytest.mark.parametrize("ring", [NULL, FAIL, Ring(lossy=True), Ring(broken=True)])
def test_a_keyring_that_keeps_nothing_counts_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ring: Any
) -> None:
    use(monkeypatch, ring)
    with pytest.raises(Unavailable, match="--require-keyring was given"):
        create_key(tmp_path, require_keyring=True)
    assert list(tmp_path.iterdir()) == []
    assert create_key(tmp_path, require_keyring=False) == "file"


def test_with_a_keyring_no_file_is_written_and_the_probe_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = Ring()
    use(monkeypatch, ring)
    assert create_key(tmp_path, require_keyring=True) == "keyring"
    assert list(tmp_path.iterdir()) == []
    (text,) = ring.kept.values()
    assert load_keys(tmp_path, "keyring") == Keys.derive(base64.b64decode(text))
    ring.kept.clear()
    assert "not in the keyring" in unavailable(tmp_path, "keyring")


def test_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_key(tmp_path, require_keyring=False)
    monkeypatch.setenv(ENVIRONMENT, TEXT)
    assert load_keys(tmp_path, "file") == load_keys(tmp_path, "keyring") == Keys.derive(KEY)


def test_a_file_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tmp_path / "elsewhere"
    named.write_text(TEXT + "\n", encoding="ascii")
    monkeypatch.setenv(f"{ENVIRONMENT}_FILE", str(named))
    assert load_keys(tmp_path, "file") == Keys.derive(KEY)
    named.unlink()
    with pytest.raises(Unavailable, match="cannot be read: No such file"):
        load_keys(tmp_path, "file")


def test_with_a_key_in_the_environment_none_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, TEXT)
    create_key(tmp_path, require_keyring=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"not base64!", base64.b64encode(b"short"), b"k" * 32])
def test_a_broken_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / KEY_FILE
    path.parent.mkdir()
    path.write_bytes(content)
    said = unavailable(tmp_path)
    assert "not 32 bytes in base64" in said
    assert "restore the right key" in said


def test_a_missing_key_says_what_is_kept(tmp_path: Path) -> None:
    said = unavailable(tmp_path)
    assert "workspace.key cannot be read: No such file" in said
    assert "Cases and decisions are kept" in said


def test_keys_serve_one_purpose_each() -> None:
    keys = Keys.derive(KEY)
    assert len({keys.pseudonym, keys.content, keys.quarantine, KEY}) == 4
    assert {len(key) for key in (keys.pseudonym, keys.content, keys.quarantine)} == {32}
