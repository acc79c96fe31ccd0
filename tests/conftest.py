"""For all tests: no keyring. A test must neither find nor leave a secret in the keyring of whoever runs it."""

from __future__ import annotations

from collections.abc import Iterator

import keyring
import pytest
from keyring.backends import null


@pytest.fixture(scope="session", autouse=True)
def no_keyring() -> Iterator[None]:
    """The backend that keeps nothing; tests of keyrings put their own in its place."""
    before = keyring.core._keyring_backend
    keyring.set_keyring(null.Keyring())  # type: ignore[no-untyped-call]
    yield
    keyring.core._keyring_backend = before
