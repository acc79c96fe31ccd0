"""`[hub.oidc]` in the settings: what it may hold, and that the hub takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.serve import _hub
from app.model.errors import SettingsError
from app.settings import load_workspace
from db.engine import open_store
from tests.screens.seat import make_template

GOOD = """
[hub.oidc]
issuer = "https://id.example.com/realms/desk"
client_id = "secondlook"
roles = { desk-reviewers = ["reviewer"] }
"""


def test_the_settings(tmp_path: Path) -> None:
    (tmp_path / "secondlook.toml").write_text(GOOD)
    found = load_workspace(tmp_path).settings.hub.oidc
    assert found and (found.hours, found.person, found.roles_claim) == (12, "preferred_username", "groups")


def test_serve_takes_them(tmp_path: Path) -> None:
    root = make_template(tmp_path / "desk")
    with (root / "secondlook.toml").open("a") as file:
        file.write(GOOD)
    workspace = load_workspace(root)
    store = open_store(workspace.database_url)
    made = _hub(workspace, store)
    store.close()
    assert made.id_tokens and made.id_tokens.settings.client_id == "secondlook"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("clientid = 'x'", "unknown key (did you mean 'client_id'?)"),
        ("hours = 25", "less than or equal to 24"),
        ("scopes = 'profile'", "'openid' has to be among them"),
        ("roles_claim = ''", "roles_claim"),
        ("address = 'http://hub.example.com'", "only https"),
    ],
)
def test_settings_that_cannot_be(line: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "secondlook.toml").write_text(GOOD + line + "\n")
    with pytest.raises(SettingsError, match=r"hub\.oidc") as caught:
        load_workspace(tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("https://id", "http://id"),
        ("https://id.example.com/realms/desk", ""),
        ('["reviewer"]', '["boss"]'),
        ('["reviewer"]', "[]"),
        ('{ desk-reviewers = ["reviewer"] }', "{}"),
    ],
)
def test_settings_that_are_needed(before: str, after: str, tmp_path: Path) -> None:
    (tmp_path / "secondlook.toml").write_text(GOOD.replace(before, after))
    with pytest.raises(SettingsError, match=r"hub\.oidc"):
        load_workspace(tmp_path)
