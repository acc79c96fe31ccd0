"""The machine's keyring: whether it works, and a secret in it. A locked or broken one may hang or raise anything;
nothing here waits longer than two seconds or lets its errors through."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

SERVICE = "secondlook"
# A keyring that takes longer counts as not there.
_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class State:
    """What a probe found: the backend's name, and whether a secret that was written could be read again."""

    backend: str
    works: bool


def probe() -> State:
    """Writes, reads and deletes a secret: some backends accept one and keep nothing."""
    word = secrets.token_hex(8)
    name: list[str] = []

    def round_trip() -> str | None:
        import keyring
        from keyring.backends import fail, null

        backend = keyring.get_keyring()
        name.append(f"{type(backend).__module__}.{type(backend).__name__}")
        if isinstance(backend, fail.Keyring | null.Keyring):
            return None
        keyring.set_password(SERVICE, f"probe-{word}", word)
        found = keyring.get_password(SERVICE, f"probe-{word}")
        keyring.delete_password(SERVICE, f"probe-{word}")
        return found

    works = _within(round_trip) == word
    return State(name[0] if name else "none", works)


def get(account: str) -> str | None:
    """A secret, or None where it is not there or the keyring cannot be read."""

    def read() -> str | None:
        import keyring

        return keyring.get_password(SERVICE, account)

    return _within(read)


def put(account: str, secret: str) -> bool:
    """Keeps a secret; returns whether it can be read again."""

    def write() -> str | None:
        import keyring

        keyring.set_password(SERVICE, account, secret)
        return keyring.get_password(SERVICE, account)

    return _within(write) == secret


def delete(account: str) -> None:
    """Forgets a secret, if it is there."""

    def forget() -> str | None:
        import keyring

        keyring.delete_password(SERVICE, account)
        return None

    _within(forget)


def _within(act: Callable[[], str | None]) -> str | None:
    """What `act` returns, or None where it fails or hangs. A daemon thread: a hung backend must not keep us."""
    answers: list[str | None] = []

    def attempt() -> None:
        # Backends raise what they like, from ModuleNotFoundError to D-Bus errors.
        with contextlib.suppress(Exception):
            answers.append(act())

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(_SECONDS)
    return answers[0] if answers else None
