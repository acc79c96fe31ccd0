"""An officer's private key: never in a plain file, opened by its passphrase only; clear words for what goes wrong."""

from __future__ import annotations

import stat
from pathlib import Path

import keyring
import pytest

from app import keyrings, officer_key
from app.model.errors import BadInput, Unavailable
from tests.unit.test_secrets import FAIL, NULL, Ring, use

WORDS = "correct horse battery"


@pytest.fixture(autouse=True)
def nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(officer_key.FOLDER, str(tmp_path / "officers"))
    for name in (officer_key.PASSPHRASE, f"{officer_key.PASSPHRASE}_FILE"):
        monkeypatch.delenv(name, raising=False)
    use(monkeypatch, NULL)


def never() -> str:
    raise AssertionError("no passphrase is needed")


def test_a_file_opens_with_its_passphrase_only() -> None:
    private, public = officer_key.make("olga")
    path = Path(officer_key.save(private, public.key_id, lambda: WORDS))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert private.private_bytes_raw() not in path.read_bytes()
    again = officer_key.load(public.key_id, lambda: WORDS)
    assert again.private_bytes_raw() == private.private_bytes_raw()
    assert officer_key.where(public.key_id) == str(path)
    assert officer_key.asks_for_passphrase(public.key_id)
    with pytest.raises(BadInput, match="does not open"):
        officer_key.load(public.key_id, lambda: WORDS + "!")


def test_a_short_passphrase_makes_nothing(tmp_path: Path) -> None:
    private, public = officer_key.make("olga")
    with pytest.raises(BadInput, match="at least 10 characters"):
        officer_key.save(private, public.key_id, lambda: "short")
    assert not (tmp_path / "officers").exists()


@pytest.mark.parametrize("ring", [NULL, FAIL, Ring(lossy=True), Ring(broken=True)])
def test_without_a_keyring_that_keeps_nothing_falls_back_silently(
    ring: keyring.backend.KeyringBackend, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch, ring)
    private, public = officer_key.make("olga")
    with pytest.raises(Unavailable, match="never written to a plain file"):
        officer_key.save(private, public.key_id, None)
    assert not (tmp_path / "officers").exists()
    assert keyrings.probe().works is False


def test_a_keyring_keeps_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Ring())
    private, public = officer_key.make("olga")
    assert officer_key.save(private, public.key_id, None) == "the keyring"
    assert officer_key.load(public.key_id, never).private_bytes_raw() == private.private_bytes_raw()
    assert officer_key.where(public.key_id) == "the keyring"
    assert not officer_key.asks_for_passphrase(public.key_id)


def test_a_hung_keyring_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    never_set = threading.Event()

    class Hung(Ring):
        def get_password(self, service: str, username: str) -> str | None:
            never_set.wait(60)
            return None

    monkeypatch.setattr(keyrings, "_SECONDS", 0.05)
    use(monkeypatch, Hung())
    assert keyrings.probe().works is False
    with pytest.raises(Unavailable, match="neither in the keyring"):
        officer_key.load("0" * 16, never)
    never_set.set()


@pytest.mark.parametrize("content", [b"", b"secret", b"\xff\xfe", b"secondlook officer key\n!!!"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "officers" / f"{'0' * 16}.key"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(BadInput, match="not an officer's key, or was damaged"):
        officer_key.load("0" * 16, lambda: WORDS)


def test_a_public_line_can_be_handed_on() -> None:
    _, public = officer_key.make("Olga of the Night Watch")
    assert officer_key.from_line(officer_key.to_line(public)) == public


@pytest.mark.parametrize(
    "line", ["", "secondlook-officer", "secondlook-officer olga", "secondlook-officer o !!!!", "x y z"]
)
def test_a_line_that_is_none(line: str) -> None:
    with pytest.raises(BadInput, match="no officer's public key"):
        officer_key.from_line(line)


def test_the_passphrase_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "passphrase"
    path.write_text(WORDS + "\n")
    monkeypatch.setenv(f"{officer_key.PASSPHRASE}_FILE", str(path))
    assert officer_key.ask_passphrase() == WORDS
    path.unlink()
    with pytest.raises(BadInput, match="cannot be read"):
        officer_key.ask_passphrase()
