"""The workspace's key, and the keys derived from it.

One random 256-bit key per workspace. It makes pseudonyms and content digests, closes what is
quarantined, and signs checkpoints of the log. It cannot open anything else. It lives in the
keyring, or in a file that only its owner may read; an environment variable (or a file named by
one) comes first.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from app import keyrings
from app.model.errors import Unavailable

ENVIRONMENT = "SECONDLOOK_WORKSPACE_KEY"
KEY_FILE = "keys/workspace.key"


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys for separate purposes, each derived from the workspace's key."""

    pseudonym: bytes
    content: bytes
    quarantine: bytes
    checkpoint: bytes

    @classmethod
    def derive(cls, workspace_key: bytes) -> Keys:
        """HMAC-SHA256 of the purpose under the workspace's key, 32 bytes each."""
        return cls(
            *(hmac.digest(workspace_key, f"secondlook {purpose}".encode(), "sha256") for purpose in cls.__slots__)
        )

    @property
    def check(self) -> str:
        """Tells this key from others without telling anything of it: 8 hex digits."""
        return hmac.digest(self.content, b"check", "sha256")[:4].hex()


def load_keys(root: Path, store: str, check: str = "") -> Keys:
    """The keys of a workspace. Raises Unavailable where the key is missing, cannot be read, or is not the one that
    `check` was noted of."""
    text = _from_environment() or _from_store(root, store)
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise Unavailable(
            f"The workspace key in {whereabouts(root, store)} is not 32 bytes in base64. "
            "Nothing was changed; restore the right key."
        )
    keys = Keys.derive(key)
    if check and keys.check != check:
        raise Unavailable(
            f"This is not the key that the workspace was made with (its check is {keys.check}, not {check}). Nothing "
            f"was changed. Restore the right key; {ENVIRONMENT} in the environment comes before the keyring and the "
            "file."
        )
    return keys


def create_key(root: Path, require_keyring: bool, afresh: bool = False) -> str:
    """Makes a workspace's key and returns where it lives: `environment`, `keyring` or `file`. A file that is there is
    used as it is, or with `afresh` set aside."""
    if _from_environment():
        return "environment"
    text = base64.b64encode(secrets.token_bytes(32)).decode()
    if keyrings.probe().works and keyrings.put(_account(root), text):
        return "keyring"
    if require_keyring:
        raise Unavailable(
            "No keyring works here, and --require-keyring was given. Nothing was made. "
            f"Set {ENVIRONMENT}, or leave --require-keyring out to keep the key in a file."
        )
    path = root / KEY_FILE
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if afresh and path.exists():
        path.replace(path.with_name(path.name + ".old"))
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text + "\n")
    return "file"


def whereabouts(root: Path, store: str) -> str:
    """Where the workspace's key is taken from, in words."""
    for name in (ENVIRONMENT, f"{ENVIRONMENT}_FILE"):
        if os.environ.get(name):
            return f"the environment ({name})"
    return {"keyring": "the keyring", "environment": f"the environment ({ENVIRONMENT}), which is not set"}.get(
        store, f"the file {root / KEY_FILE}"
    )


def others_may_read(root: Path) -> bool:
    """Whether the key is in a file that others than its owner may read."""
    path = root / KEY_FILE
    return path.exists() and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _from_store(root: Path, store: str) -> str:
    if store == "keyring":
        return _from_keyring(root)
    if store == "environment" and not (root / KEY_FILE).exists():
        raise Unavailable(
            f"The workspace key comes from the environment, and {ENVIRONMENT} is not set. Nothing was changed; set it."
        )
    return _from_file(root / KEY_FILE)


def _from_environment() -> str | None:
    if os.environ.get(ENVIRONMENT):
        return os.environ[ENVIRONMENT]
    named = os.environ.get(f"{ENVIRONMENT}_FILE")
    if not named:
        return None
    try:
        return Path(named).read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise Unavailable(f"{ENVIRONMENT}_FILE names {named}, which cannot be read: {error.strerror}.") from None


def _from_file(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise Unavailable(
            f"The workspace key {path} cannot be read: {error.strerror}. Cases and decisions are kept; pseudonyms "
            "and quarantined records need the key. Restore it from your backup."
        ) from None


def _from_keyring(root: Path) -> str:
    found = keyrings.get(_account(root))
    if not found:
        raise Unavailable(
            "The workspace key is not in the keyring (locked, or another account). Cases and decisions are kept. "
            f"Unlock the keyring, or set {ENVIRONMENT}."
        )
    return found


def _account(root: Path) -> str:
    return f"workspace-key:{hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]}"
