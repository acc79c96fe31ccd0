"""Checkpoints: the size and the root of the log, signed, to be kept where nobody who may write here can write.

The formats are public ones, so that others can check them: C2SP tlog-checkpoint in a C2SP signed note with
an Ed25519 signature (https://c2sp.org/tlog-checkpoint, https://c2sp.org/signed-note). A checkpoint is

    secondlook.local/4bd0…                      the origin: who signs
    1234                                        how many entries
    47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=    the root over them, base64
                                                an empty line
    — secondlook.local/4bd0… base64(key hash ‖ signature)
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from app.model.errors import BadInput

FOLDER = "checkpoints"
# Room for the signatures of many witnesses.
_LONGEST = 64 * 1024
_ED25519 = b"\x01"
_SIGNATURE = re.compile("\u2014 ([^\\s+]+) ([A-Za-z0-9+/]+={0,2})")
_VKEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """Whose signatures count: a name, and an Ed25519 public key of 32 bytes."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """A key as `name+hash+base64` (the vkey of signed notes). Raises BadInput."""
        match = _VKEY.fullmatch(text.strip())
        coded = _decoded(match[3]) if match else None
        if match is None or coded is None or len(coded) != 33 or coded[:1] != _ED25519:
            raise BadInput(
                "This is no verifier key. Expected NAME+HASH+KEY, as `secondlook audit checkpoint` prints it."
            )
        key = cls(match[1], coded[1:])
        if key.hash.hex() != match[2]:
            raise BadInput("The verifier key was mistyped: its hash does not fit its name and key.")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @property
    def hash(self) -> bytes:
        """The four bytes by which a signature names its key."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint as read from a file `name` with the bytes `note`, of which `signed` were signed.

    A signature is a key's name, the key's hash (4 bytes) and the rest.
    """

    name: str
    note: bytes
    origin: str
    size: int
    root: bytes
    signed: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def doubt(self, key: VerifierKey) -> str | None:
        """Why this is not that key's checkpoint; None if it is. Signatures of others do not matter."""
        if self.origin != key.name:
            return f"is another workspace's: {self.origin}, not {key.name}"
        own = [rest for name, hashed, rest in self.signatures if (name, hashed) == (key.name, key.hash)]
        if not own:
            return "was not signed with this workspace's key"
        return None if all(_verifies(key, rest, self.signed) for rest in own) else "its signature is wrong"


def signing_name(public: bytes) -> str:
    """The origin that a public key signs as: it stays the same wherever the workspace lies."""
    return f"secondlook.local/{sha256(public).hexdigest()[:16]}"


def verifier_of(seed: bytes) -> VerifierKey:
    """The public side of a workspace's signing seed (32 bytes)."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return VerifierKey(signing_name(public), public)


def sign(seed: bytes, size: int, root: bytes) -> bytes:
    """The bytes of a checkpoint of a log with `size` entries and this root; the same for the same log."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = verifier_of(seed)
    text = f"{key.name}\n{size}\n{base64.b64encode(root).decode()}\n".encode()
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(text)
    return text + f"\n\u2014 {key.name} {base64.b64encode(key.hash + signature).decode()}\n".encode()


def parse(data: bytes, name: str) -> Checkpoint:
    """A checkpoint from its bytes; nothing is verified yet. Raises BadInput that says what is wrong."""
    if len(data) > _LONGEST:
        raise _bad(name, "it is too long")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise _bad(name, "it is not UTF-8 text") from None
    if any(character < " " and character != "\n" for character in text):
        raise _bad(name, "it holds control characters")
    head, separator, tail = text.rpartition("\n\n")
    if not separator:
        raise _bad(name, "the empty line before the signature is missing")
    origin, size, root = _body(head.split("\n"), name)
    return Checkpoint(name, data, origin, size, root, f"{head}\n".encode(), _signatures(tail, name))


def read(path: Path) -> Checkpoint:
    """A checkpoint from a file. Raises BadInput."""
    try:
        with path.open("rb") as file:
            return parse(file.read(_LONGEST + 1), str(path))
    except (OSError, ValueError) as error:
        # ValueError: a name with a NUL in it.
        raise BadInput(f"The checkpoint {path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def write(path: Path, note: bytes) -> bool:
    """Writes a checkpoint to a new file; False where the file holds the same already.

    Raises BadInput where the file holds something else: a checkpoint is never replaced.
    """
    try:
        file = path.open("xb")
    except FileExistsError:
        if path.is_file() and path.read_bytes() == note:
            return False
        raise BadInput(
            f"{path} is there already and holds something else. Nothing was written. If it is a checkpoint of "
            f"this log, `secondlook audit verify` says whether the log still fits it; --out names another file."
        ) from None
    try:
        with file:
            file.write(note)
    except OSError:
        # Half a checkpoint would look like one that somebody changed.
        path.unlink(missing_ok=True)
        raise
    return True


def kept_in(root: Path) -> list[Path]:
    """The checkpoint files in a workspace's own folder, smallest first."""
    return sorted((root / FOLDER).glob("*.checkpoint"), key=lambda path: (len(path.name), path.name))


def own_file(root: Path, size: int) -> Path:
    """Where a workspace keeps its checkpoint of `size` entries."""
    return root / FOLDER / f"{size}.checkpoint"


def _body(lines: list[str], name: str) -> tuple[str, int, bytes]:
    """Origin, size and root. Lines after these are extensions: signed, and nothing to us."""
    if len(lines) < 3:
        raise _bad(name, "it needs three lines: origin, number of entries, root")
    origin, size, root = lines[:3]
    if not origin:
        raise _bad(name, "its origin (line 1) is empty")
    if not re.fullmatch(r"0|[1-9][0-9]{0,17}", size):
        raise _bad(name, "its number of entries (line 2) is no whole number")
    decoded = _decoded(root)
    if decoded is None or len(decoded) != 32:
        raise _bad(name, "its root (line 3) is not 32 bytes in base64")
    if "" in lines:
        raise _bad(name, "there is an empty line too many")
    return origin, int(size), decoded


def _signatures(tail: str, name: str) -> tuple[tuple[str, bytes, bytes], ...]:
    """The signature lines: `— name base64(key hash ‖ signature)`."""
    if not tail:
        raise _bad(name, "the signature is missing")
    if not tail.endswith("\n"):
        raise _bad(name, "it ends in the middle of a line")
    found = []
    for line in tail[:-1].split("\n"):
        match = _SIGNATURE.fullmatch(line)
        coded = _decoded(match[2]) if match else None
        if match is None or coded is None or len(coded) < 5:
            raise _bad(name, "a signature line is not `\u2014 NAME BASE64`")
        found.append((match[1], coded[:4], coded[4:]))
    return tuple(found)


def _decoded(text: str) -> bytes | None:
    """Standard base64 in its one canonical spelling, or None."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return decoded if base64.b64encode(decoded).decode() == text else None


def _verifies(key: VerifierKey, signature: bytes, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _bad(name: str, why: str) -> BadInput:
    return BadInput(f"{name} is no checkpoint: {why}. Nothing was changed; take the file as it was written.")
