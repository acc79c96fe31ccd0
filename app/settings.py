"""The workspace: a folder with `secondlook.toml`, rubrics, keys and (by default) the database."""

from __future__ import annotations

import getpass
import os
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from app.bundled import bundled
from app.model.connection import SinkSettings, SourceSettings
from app.model.errors import BadInput, RubricError, SettingsError, Unavailable
from app.model.oidc import HubSettings, OidcSettings
from app.model.policy import QueuePolicy, Strict
from app.model.rubric import Rubric
from app.workspace_place import SETTINGS_FILE, hub_of, place_of

if TYPE_CHECKING:
    from app.secrets import Keys

DATABASE_FILE = "secondlook.db"
# Where `migrate` leaves the embedded database.
MOVED_FILE = "secondlook-moved.db"


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class DeskSettings(Strict):
    """How the desk behaves. `keys` maps a binding's id to keys, e.g. `case.skip = "S"`; `pull`, `deliver`: whether it
    pulls from the sources, and sends verdicts, while it is open."""

    person: str = ""
    theme: str = "secondlook"
    idle_seconds: Annotated[int, Field(ge=5, le=3600)] = 60
    keys: dict[str, str] = {}
    pull: bool = True
    deliver: bool = True


class SecretSettings(Strict):
    """Where the workspace's key lives; `check` tells it from other keys."""

    store: Literal["keyring", "file", "environment"] = "file"
    check: str = ""


class Settings(Strict):
    """secondlook.toml as a whole."""

    desk: DeskSettings = DeskSettings()
    secrets: SecretSettings = SecretSettings()
    hub: HubSettings = HubSettings()
    queues: dict[Name, QueuePolicy] = {}
    sources: dict[Name, SourceSettings] = {}
    sinks: dict[Name, SinkSettings] = {}

    @property
    def connected(self) -> bool:
        """Whether the desk has connections to look after."""
        return bool(self.sources or self.sinks) and (self.desk.pull or self.desk.deliver)

    @model_validator(mode="after")
    def _names_meet(self) -> Settings:
        """Sources name queues, queues name sinks; a source and a sink of one name would be one address."""
        for name, source in self.sources.items():
            if source.queue not in self.queues:
                raise ValueError(
                    f"sources.{name}: there is no queue '{source.queue}'{_meant(source.queue, self.queues)}"
                )
        for name, policy in self.queues.items():
            for sink in policy.deliver:
                if sink not in self.sinks:
                    raise ValueError(f"queues.{name}.deliver: there is no sink '{sink}'{_meant(sink, self.sinks)}")
        for name in self.sources.keys() & self.sinks.keys():
            raise ValueError(f"sinks.{name}: a source has this name already")
        return self


@dataclass(frozen=True)
class Workspace:
    """A folder and what its settings say. Nothing is opened until it is asked for. `hub`: where the cases are, if they
    are behind one."""

    root: Path
    settings: Settings
    hub: str = ""

    @property
    def database_url(self) -> str:
        """SECONDLOOK_DATABASE_URL, or the embedded database in the folder."""
        from_environment = os.environ.get("SECONDLOOK_DATABASE_URL")
        if from_environment:
            return from_environment
        from db.engine import sqlite_url

        return sqlite_url(self.root / DATABASE_FILE)

    def check_database(self) -> None:
        """Raises Unavailable where the embedded database is not there: an empty one must not take its place."""
        if self.hub:
            raise Unavailable(
                f"This terminal works through the hub at {self.hub}: this command works where the hub's workspace is "
                "(--workspace DIR)."
            )
        if os.environ.get("SECONDLOOK_DATABASE_URL") or (self.root / DATABASE_FILE).exists():
            return
        if (self.root / MOVED_FILE).exists():
            raise Unavailable(
                "This workspace was moved to PostgreSQL: set SECONDLOOK_DATABASE_URL. What was embedded lies in "
                f"{self.root / MOVED_FILE}."
            )
        copies = sorted((self.root / "backups").glob("*.db"))
        restore = f"the newest backup here is {copies[-1]}" if copies else "there is no backup in this folder"
        raise Unavailable(
            f"The database {self.root / DATABASE_FILE} is missing. Nothing was made in its place. Restore it: "
            f"{restore}; docs/protection.md says how."
        )

    def keys(self) -> Keys:
        """The keys derived from the workspace's key. Raises Unavailable where it is missing or another one."""
        from app.secrets import load_keys

        return load_keys(self.root, self.settings.secrets.store, self.settings.secrets.check)

    @property
    def person(self) -> str:
        """Who is working: the settings' `desk.person`, else the name of the account."""
        return self.settings.desk.person or _account_name()

    def policy(self, queue: str) -> QueuePolicy:
        """The policy of a queue. Raises BadInput naming the queues there are."""
        policy = self.settings.queues.get(queue)
        if policy is None:
            raise BadInput(
                f"There is no queue '{queue}'{_meant(queue, self.settings.queues)}. "
                f"Queues in {SETTINGS_FILE}: {', '.join(self.settings.queues) or 'none'}."
            )
        return policy

    @cached_property
    def rubrics(self) -> dict[str, Rubric]:
        """The current rubric of each queue, by queue."""
        return {name: self.rubric(policy.rubric) for name, policy in self.settings.queues.items()}

    def rubric(self, rubric_id: str) -> Rubric:
        """A rubric of the workspace's folder `rubrics/`, else one that ships."""
        return load_rubric(self.rubric_path(rubric_id))

    def rubric_path(self, rubric_id: str) -> Path:
        """The file of a rubric. Raises BadInput where there is none."""
        own = self.root / "rubrics" / f"{rubric_id}.toml"
        shipped = bundled("rubrics") / f"{rubric_id}.toml"
        if own.exists() or not shipped.exists():
            if not own.exists():
                raise BadInput(
                    f"There is no rubric '{rubric_id}'{_meant(rubric_id, self.rubric_names())}. "
                    f"Put it at {own} or name another in {SETTINGS_FILE}."
                )
            return own
        return shipped

    def rubric_names(self) -> list[str]:
        """All rubrics that can be named, own ones first."""
        folders = (self.root / "rubrics", bundled("rubrics"))
        return list(dict.fromkeys(path.stem for folder in folders for path in sorted(folder.glob("*.toml"))))


def find_workspace(given: str | None) -> Workspace:
    """The workspace named by `--workspace`, SECONDLOOK_WORKSPACE, or around the current folder."""
    place, hub = place_of(given), hub_of(given)
    if not hub:
        return load_workspace(place)
    settings = load_workspace(place).settings if (place / SETTINGS_FILE).exists() else Settings()
    return Workspace(place, Settings(desk=settings.desk), hub)


def load_workspace(root: Path) -> Workspace:
    """Reads a workspace's settings. Raises SettingsError naming each wrong key."""
    path = root / SETTINGS_FILE
    try:
        content = tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        raise BadInput(
            f"{root} is no workspace: it has no {SETTINGS_FILE}. `secondlook init {root}` makes one."
        ) from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None
    try:
        settings = Settings.model_validate(content)
    except ValidationError as error:
        raise SettingsError(f"{path}: {'; '.join(describe(error))}") from None
    return Workspace(root.resolve(), settings)


def load_rubric(path: Path) -> Rubric:
    """Reads one rubric. Raises RubricError with every problem."""
    try:
        content = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RubricError([f"{path.name} is not valid TOML: {error}"]) from None
    try:
        return Rubric.model_validate(content)
    except ValidationError as error:
        raise RubricError([f"{path.name}: {problem}" for problem in describe(error, content)]) from None


def describe(error: ValidationError, content: dict[str, Any] | None = None) -> list[str]:
    """A validation error in words: the place, what was expected, and a guess for a mistyped key."""
    return [_problem(detail, content) for detail in error.errors(include_url=False)]


def _problem(detail: Any, content: dict[str, Any] | None) -> str:
    location = [part for part in detail["loc"] if part != "[key]"]
    place = _place(location, content)
    if detail["type"] == "extra_forbidden":
        model = QueuePolicy if "queues" in location and len(location) == 3 else None
        known = list(model.model_fields) if model else _KNOWN_KEYS
        return f"{place}: unknown key{_meant(str(location[-1]), known)}"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "missing":
        message = "is missing"
    return f"{place}: {message}" if place else message


def _place(location: list[Any], content: dict[str, Any] | None) -> str:
    words = ""
    for part in location:
        words += f"[{part}]" if isinstance(part, int) else f".{part}" if words else str(part)
    if content and len(location) > 1 and location[0] == "criteria" and isinstance(location[1], int):
        criterion = content["criteria"][location[1]]
        if isinstance(criterion, dict) and isinstance(criterion.get("id"), str):
            rest = _place(location[2:], None)
            return f"criterion '{criterion['id']}'{': ' + rest if rest else ''}"
    return words


def _meant(word: str, known: Any) -> str:
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean '{near[0]}'?)" if near else ""


def _known_keys() -> list[str]:
    from app.model.policy import Due, Mapping, Priority, Retention, RevealPolicy, Reviews
    from app.model.rubric import Criterion, Option

    models = (
        Settings,
        DeskSettings,
        SecretSettings,
        HubSettings,
        OidcSettings,
        SourceSettings,
        SinkSettings,
        QueuePolicy,
        Priority,
        RevealPolicy,
        Retention,
        Reviews,
        Due,
        Mapping,
        Rubric,
        Criterion,
        Option,
    )
    return [name for model in models for name in model.model_fields]


_KNOWN_KEYS = _known_keys()


def _account_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "reviewer"
