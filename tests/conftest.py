"""For all tests: no keyring and no state folder (a test must neither find nor leave anything in those of whoever runs
it), and how many processes work."""

from __future__ import annotations

import os
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


@pytest.fixture(scope="session", autouse=True)
def no_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a hub does not have yet is kept in a folder of the run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Several processes for everything; one for a few files, and for suites that want the machine for themselves."""
    chosen = any(argument.partition("::")[0].endswith(".py") for argument in config.args)
    if chosen or config.option.markexpr in ("heavy", "servers", "browser"):
        return 0
    # One more than there are processors: much of what these tests do is to wait for a server or a terminal.
    return min(4, 1 + (os.cpu_count() or 1))
