"""The desk pulls and sends behind the screens: cases appear, verdicts leave, what is dead is shown, keys are free."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from app.cli import main
from app.connecting import variable_of
from app.deliver.webhooks import new_key
from app.intake import sources
from tests.connections.receiver import Receiver
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


def hooked(template: Path, root: Path, url: str) -> Path:
    """A workspace whose summaries' verdicts go to a webhook."""
    copy_of(template, root, f'\n[sinks.hook]\ntype = "webhook"\nurl = "{url}"\nsecrets = ["hook"]\nprivate = true\n')
    path = root / "secondlook.toml"
    rubric = 'rubric = "ungrounded-summary"\n'
    path.write_text(path.read_text().replace(rubric, rubric + 'deliver = ["hook"]\n'))
    return root


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    made = new_key()
    monkeypatch.setenv(variable_of("hook"), made)
    return made


async def test_verdicts_leave_while_the_desk_is_open(template: Path, tmp_path: Path, key: str) -> None:
    with Receiver(key) as receiver:
        async with seated(hooked(template, tmp_path / "desk", receiver.url), size=(200, 50)) as seat:
            first = await seat.take_next("summaries")
            await seat.press("1", "1", "enter")
            await seat.next_after(first)
            await seat.until(lambda: len(receiver.events) == 1)
            await seat.press("escape")
            await seat.until(lambda: seat.shows("Connections", "↑ hook"))
    (event,) = receiver.events.values()
    assert event.get_subject() == first


async def test_a_sink_that_stops_is_named(template: Path, tmp_path: Path, key: str) -> None:
    with Receiver(key, lambda event_id, times: "410") as receiver:
        async with seated(hooked(template, tmp_path / "desk", receiver.url), size=(200, 50)) as seat:
            first = await seat.take_next("summaries")
            await seat.press("1", "1", "enter")
            await seat.next_after(first)
            await seat.press("escape")
            await seat.until(lambda: seat.shows("▲ hook stopped", "↑ hook"))


async def test_a_sink_that_hangs_is_in_nobodys_way(template: Path, tmp_path: Path, key: str) -> None:
    # It takes connections, as the system does for it, and never answers.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        async with seated(hooked(template, tmp_path / "desk", url)) as seat:
            case = await seat.take_next("summaries")
            for _ in range(3):
                await seat.press("1", "1", "enter")
                case = await seat.next_after(case)


async def test_sending_can_be_left_to_others(template: Path, tmp_path: Path, key: str) -> None:
    with Receiver(key) as receiver:
        root = hooked(template, tmp_path / "desk", receiver.url)
        settings = root / "secondlook.toml"
        settings.write_text(settings.read_text().replace("[desk]\n", "[desk]\ndeliver = false\n"))
        async with seated(root) as seat:
            first = await seat.take_next("summaries")
            await seat.press("1", "1", "enter")
            await seat.next_after(first)
        assert not receiver.came
        assert main(["--workspace", str(root), "deliver"]) == 0
        assert len(receiver.events) == 1


async def test_pulling_can_be_left_to_others(template: Path, tmp_path: Path) -> None:
    root = copy_of(template, tmp_path / "desk", DROPS)
    settings = root / "secondlook.toml"
    settings.write_text(settings.read_text().replace("[desk]\n", "[desk]\npull = false\n"))
    drop(root / "drops", "a.jsonl", "fresh-1")
    async with seated(root) as seat:
        await seat.take_next("summaries")
        assert (root / "drops" / "a.jsonl").exists()
