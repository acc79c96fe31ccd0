"""The desk in a real browser: painted, worked by keys, and asking nobody else for anything.

    apt-get install chromium
    python -m pytest -m browser

SECONDLOOK_TEST_CHROMIUM names a Chromium elsewhere; SECONDLOOK_TEST_PICTURES a folder for what was on the screen.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.screens.seat import make_template
from tests.web.chromium import chromium
from tests.web.serving import served

pytestmark = pytest.mark.browser


async def test_a_case_is_claimed_and_answered(tmp_path: Path) -> None:
    root = make_template(tmp_path / "desk")
    pictures = Path(os.environ.get("SECONDLOOK_TEST_PICTURES") or tmp_path)
    with served(root) as desk:
        async with chromium(tmp_path / "profile") as page:
            await page.open(desk.address, 1280, 800)
            await page.until(lambda: "credit" in page.painted and "summaries" in page.painted)
            inbox = await page.picture()
            (pictures / "web-inbox.png").write_bytes(inbox)
            assert await page.value("location.pathname + location.search") == "/" + desk.page.split("/", 3)[3]
            assert await page.value("document.cookie") == ""
            assert await page.value("document.fonts.check('16px \"Roboto Mono\"')")
            await page.press("n")
            (case,) = await page.until(desk.held)
            await page.until(lambda: case in page.painted)
            await page.rest()
            await page.press("1")
            shown = await page.picture()
            (pictures / "web.png").write_bytes(shown)
            assert shown[:4] == inbox[:4] == b"\x89PNG" and shown != inbox
            foreign = [one for one in page.asked if not one.startswith((desk.origin, "ws://" + desk.host, "data:"))]
            assert not foreign and not page.complaints
        # The browser is gone: so is the desk behind its tab, and the case is free.
        await page.until(lambda: not desk.held())
        # What was answered is kept.
        ((draft,),) = desk.query("SELECT body FROM drafts")
        print(draft)
        assert len(json.loads(draft)["answers"]) == 1
