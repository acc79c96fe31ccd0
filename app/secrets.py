"""The workspace's key, and the keys derived from it.

One random 256-bit key per workspace. It makes pseudonyms and content digests, and closes what is
quarantined. It cannot open anything else. It lives in the keyring, or in a file that only its
owner may read; an environment variable (or a file named by one) comes first.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.model.errors import BadInput, Unavailable

ENVIRONMENT = "SECONDLOOK_WORKSPACE_KEY"
KEY_FILE = "keys/workspace.key"
_SERVICE = "secondlook"
# A locked or broken keyring may hang; longer than this it counts as not there.
_KEYRING_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys for separate purposes, each derived from the workspace's key."""

    pseudonym: bytes
    content: bytes
    quarantine: bytes

    @classmethod
    def derive(cls, workspace_key: bytes) -> Keys:
        """HMAC-SHA256 of the purpose under the workspace's key, 32 bytes each."""
        return cls(
            *(hmac.digest(workspace_key, f"secondlook {purpose}".encode(), "sha256") for purpose in cls.__slots__)
        )


def load_keys(root: Path, store: str) -> Keys:
    """The keys of a workspace. Raises Unavailable where the key is missing or cannot be read."""
    text = _from_environment() or (_from_keyring(root) if store == "keyring" else _from_file(root / KEY_FILE))
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise Unavailable("The workspace key is not 32 bytes in base64. Nothing was changed; restore the right key.")
    return Keys.derive(key)


def create_key(root: Path, require_keyring: bool) -> str:
    """Makes a workspace's key and returns where it lives: `keyring` or `file`."""
    if _from_environment():
        return "file"
    text = base64.b64encode(secrets.token_bytes(32)).decode()
    if _keyring_works():
        import keyring

        keyring.set_password(_SERVICE, _account(root), text)
        return "keyring"
    if require_keyring:
        raise Unavailable(
            "No keyring works here, and --require-keyring was given. Nothing was made. "
            f"Set {ENVIRONMENT}, or leave --require-keyring out to keep the key in a file."
        )
    path = root / KEY_FILE
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text + "\n")
    return "file"


def _from_environment() -> str | None:
    if os.environ.get(ENVIRONMENT):
        return os.environ[ENVIRONMENT]
    named = os.environ.get(f"{ENVIRONMENT}_FILE")
    if not named:
        return None
    try:
        return Path(named).read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise BadInput(f"{ENVIRONMENT}_FILE names {named}, which cannot be read: {error.strerror}.") from None


def _from_file(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise Unavailable(
            f"The workspace key {path} cannot be read: {error.strerror}. Cases and decisions are kept; pseudonyms "
            "and quarantined records need the key. Restore it from your backup."
        ) from None


def _from_keyring(root: Path) -> str:
    import keyring

    found = _within(lambda: keyring.get_password(_SERVICE, _account(root)))
    if not found:
        raise Unavailable(
            "The workspace key is not in the keyring (locked, or another account). Cases and decisions are kept. "
            f"Unlock the keyring, or set {ENVIRONMENT}."
        )
    return found


def _keyring_works() -> bool:
    """Writes, reads and deletes a probe: some backends accept a secret and keep nothing."""
    probe = secrets.token_hex(8)

    def round_trip() -> str | None:
        import keyring
        from keyring.backends import fail, null

        if isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring):
            return None
        keyring.set_password(_SERVICE, f"probe-{probe}", probe)
        found = keyring.get_password(_SERVICE, f"probe-{probe}")
        keyring.delete_password(_SERVICE, f"probe-{probe}")
        return found

    return _within(round_trip) == probe


def _within(act: Callable[[], str | None]) -> str | None:
    """What `act` returns, or None where it fails or hangs. A daemon thread: a hung backend must not keep us."""
    answers: list[str | None] = []

    def attempt() -> None:
        # Backends raise what they like, from ModuleNotFoundError to D-Bus errors.
        with contextlib.suppress(Exception):
            answers.append(act())

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(_KEYRING_SECONDS)
    return answers[0] if answers else None


def _account(root: Path) -> str:
    return f"workspace-key:{hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]}"
