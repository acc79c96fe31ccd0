"""One template workspace a run, a copy for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.screens.seat import copy_of, make_template


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with all samples."""
    return make_template(tmp_path_factory.mktemp("template") / "desk")


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    """A workspace of this test's own."""
    return copy_of(template, tmp_path / "desk")
