"""The desk pulls behind the screens: cases appear, a dead source is shown, and none of it is in the way of keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.intake import sources
from tests.connections.test_folder import drop
from tests.screens.seat import copy_of, seated

DROPS = """
[sources.drops]
type = "folder"
queue = "credit"
path = "drops"
settle_seconds = 0
every_seconds = 0.05
"""


async def test_dropped_cases_appear_in_the_list(template: Path, tmp_path: Path) -> None:
    root = copy_of(template, tmp_path / "desk", DROPS)
    drop(root / "drops", "a.jsonl", "fresh-1")
    async with seated(root) as seat:
        await seat.until(lambda: seat.cases.count == 73)
        drop(root / "drops", "b.jsonl", "fresh-2", "fresh-3")
        await seat.until(lambda: seat.cases.count == 75)


async def test_a_source_that_fails_is_named(template: Path, tmp_path: Path) -> None:
    async with seated(copy_of(template, tmp_path / "desk", DROPS), size=(200, 50)) as seat:
        await seat.until(lambda: seat.shows("▲ drops failing", "Connections", "The folder"))
        drop(seat.root / "drops", "a.jsonl", "fresh-1")


async def test_a_source_that_hangs_is_in_nobodys_way(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sources.BUILT_IN, "hung", "tests.connections.test_pulling:HungSource")
    settings = '\n[sources.hung]\ntype = "hung"\nqueue = "credit"\nevery_seconds = 0.05\n'
    async with seated(copy_of(template, tmp_path / "desk", settings)) as seat:
        first = await seat.take_next("summaries")
        await seat.press("1", "1", "enter")
        await seat.next_after(first)


async def test_pulling_can_be_left_to_others(template: Path, tmp_path: Path) -> None:
    root = copy_of(template, tmp_path / "desk", DROPS)
    settings = root / "secondlook.toml"
    settings.write_text(settings.read_text().replace("[desk]\n", "[desk]\npull = false\n"))
    drop(root / "drops", "a.jsonl", "fresh-1")
    async with seated(root) as seat:
        await seat.take_next("summaries")
        assert (root / "drops" / "a.jsonl").exists()
        assert seat.shell._background is None
