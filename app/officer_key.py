"""An officer's private key: in the keyring, or in a file closed with a passphrase. Never in a plain file, and
never in the workspace: copies of a workspace must not open what is sealed in it."""

from __future__ import annotations

import os
import stat
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app import keyrings
from app.model.errors import BadInput, Unavailable
from app.protect.envelope import OfficerKey
from app.protect.seal import seal, unseal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

FOLDER = "SECONDLOOK_OFFICER_KEYS"
PASSPHRASE = "SECONDLOOK_OFFICER_PASSPHRASE"
NEW_PASSPHRASE = "SECONDLOOK_OFFICER_NEW_PASSPHRASE"
SHORTEST = 10
# scrypt (RFC 7914): 128 MB and about 0.4 s a try.
_COST = {"n": 2**17, "r": 8, "p": 1}
_SALT = 16
_FIRST_LINE = "secondlook officer key, closed with a passphrase (scrypt, AES-256-GCM), version 1"
_LINE = "secondlook-officer"


def folder() -> Path:
    """Where closed key files lie: SECONDLOOK_OFFICER_KEYS, or `officers` beside the user's settings."""
    named = os.environ.get(FOLDER)
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_config_dir("secondlook")) / "officers"


def make(person: str) -> tuple[X25519PrivateKey, OfficerKey]:
    """A new key pair."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    private = X25519PrivateKey.generate()
    return private, OfficerKey(person, private.public_key().public_bytes_raw())


def save(private: X25519PrivateKey, key_id: str, passphrase: Callable[[], str] | None) -> str:
    """Keeps a private key and returns where: in a file closed with a passphrase where one is given, else in the
    keyring. Raises Unavailable where there is no keyring, BadInput where the passphrase is too short."""
    if passphrase is None:
        if keyrings.probe().works and keyrings.put(_account(key_id), b64encode(private.private_bytes_raw()).decode()):
            return "the keyring"
        raise Unavailable(
            "No keyring works here, and a private key is never written to a plain file. Nothing was made. "
            "Run it again with --passphrase to keep the key in a file that only a passphrase opens."
        )
    words = passphrase()
    if len(words) < SHORTEST:
        raise BadInput(f"The passphrase needs at least {SHORTEST} characters. Nothing was made.")
    content = _closed(private, words, key_id)
    path = folder() / f"{key_id}.key"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    return str(path)


def load(key_id: str, passphrase: Callable[[], str]) -> X25519PrivateKey:
    """A private key. Raises Unavailable where it is not on this machine, BadInput with a wrong passphrase."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    path = folder() / f"{key_id}.key"
    if path.exists():
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Unavailable(f"{path} cannot be read: {error.strerror}. Nothing was changed.") from None
        return X25519PrivateKey.from_private_bytes(_opened(content, passphrase(), key_id, path))
    secret = keyrings.get(_account(key_id))
    if secret is None:
        raise Unavailable(
            f"The private key {key_id} is neither in the keyring (or that is locked) nor at {path}. Nothing was "
            "changed. Unlock the keyring, or do it where the key is."
        )
    return X25519PrivateKey.from_private_bytes(b64decode(secret))


def where(key_id: str) -> str | None:
    """Where a private key lies on this machine, in words; None where it is not here."""
    path = folder() / f"{key_id}.key"
    if path.exists():
        return str(path)
    return "the keyring" if keyrings.get(_account(key_id)) else None


def problem(key_id: str) -> str | None:
    """What is wrong with a private key's file, in words; None where nothing is, or where it is in the keyring."""
    path = folder() / f"{key_id}.key"
    if not path.exists():
        return None
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return f"others may read {path}: chmod 600 {path}"
    try:
        _parts(path.read_bytes(), path)
    except (BadInput, OSError) as error:
        return str(error)
    return None


def asks_for_passphrase(key_id: str) -> bool:
    """Whether the key is in a file that a passphrase opens."""
    return (folder() / f"{key_id}.key").exists()


def passphrase_given(name: str = PASSPHRASE) -> str | None:
    """The passphrase from an environment variable, or from the file that ..._FILE names."""
    if os.environ.get(name):
        return os.environ[name]
    named = os.environ.get(f"{name}_FILE")
    if not named:
        return None
    try:
        return Path(named).read_text(encoding="utf-8", errors="replace").rstrip("\r\n")
    except OSError as error:
        raise BadInput(f"{name}_FILE names {named}, which cannot be read: {error.strerror}.") from None


def ask_passphrase() -> str:
    """The passphrase of a key that there is. Raises BadInput where it is neither given nor can be asked for."""
    given = passphrase_given()
    return given if given is not None else _asked("Passphrase of the officer's key: ", PASSPHRASE)


def ask_new_passphrase(replaces: bool) -> str:
    """The passphrase of a key that is made, asked for twice; where it `replaces` one, it has a variable of its own."""
    name = NEW_PASSPHRASE if replaces else PASSPHRASE
    given = passphrase_given(name)
    if given is not None:
        return given
    words = _asked("Passphrase of the new key: ", name)
    if _asked("The new passphrase once more: ", name) != words:
        raise BadInput("The two passphrases differ. Nothing was made.")
    return words


def _asked(prompt: str, variable: str) -> str:
    if not sys.stdin.isatty():
        raise BadInput(f"The officer's key needs its passphrase: set {variable}_FILE, or run this in a terminal.")
    import getpass

    return getpass.getpass(prompt)


def to_line(officer: OfficerKey) -> str:
    """A public key as a line that can be handed on: `secondlook-officer NAME BASE64`."""
    return f"{_LINE} {officer.person} {b64encode(officer.public).decode()}"


def from_line(line: str) -> OfficerKey:
    """A public key from such a line. Raises BadInput where it is none."""
    words = line.split()
    try:
        if len(words) >= 3 and words[0] == _LINE and len(public := b64decode(words[-1], validate=True)) == 32:
            return OfficerKey(" ".join(words[1:-1]), public)
    except ValueError:
        pass
    raise BadInput(f"This is no officer's public key: it looks like '{_LINE} NAME BASE64'. Nothing was changed.")


def _closed(private: X25519PrivateKey, passphrase: str, key_id: str) -> bytes:
    salt = os.urandom(_SALT)
    sealed = seal(_stretched(passphrase, salt), private.private_bytes_raw(), _context(key_id))
    return f"{_FIRST_LINE}\n{b64encode(salt + sealed).decode()}\n".encode()


def _opened(content: bytes, passphrase: str, key_id: str, path: Path) -> bytes:
    """The private key (32 bytes) in a closed file."""
    salt, sealed = _parts(content, path)
    try:
        return unseal(_stretched(passphrase, salt), sealed, _context(key_id))
    except Unavailable:
        raise BadInput(f"The passphrase does not open {path}. Nothing was changed; try again.") from None


def _parts(content: bytes, path: Path) -> tuple[bytes, bytes]:
    """Salt and closed key of a file. Raises BadInput where it holds none."""
    first, _, rest = content.partition(b"\n")
    try:
        data = b64decode(rest.strip(), validate=True)
    except ValueError:
        data = b""
    if first.decode(errors="replace") != _FIRST_LINE or len(data) <= _SALT:
        raise BadInput(f"{path} is not an officer's key, or was damaged. Nothing was changed; restore it from a copy.")
    return data[:_SALT], data[_SALT:]


def _stretched(passphrase: str, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=32, **_COST).derive(passphrase.encode())


def _context(key_id: str) -> str:
    return f"officer|{key_id}"


def _account(key_id: str) -> str:
    return f"officer-key:{key_id}"
