"""Opening sources and sinks by the name of their type, and the secrets they need."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app import keyrings
from app.model.connection import ConnectionSettings
from app.model.errors import SettingsError, Unavailable

# A secret's name in the settings → the secret. Raises Unavailable where it is nowhere.
Secrets = Callable[[str], str]


def opened(
    kind: str, name: str, settings: ConnectionSettings, built_in: Mapping[str, str], secrets: Secrets, root: Path
) -> Any:
    """A source or sink: `Type(options, secrets, root)` of the module for its type, or of another package's entry point.

    `options` is an instance of the type's own pydantic model, `Type.Options`. Raises SettingsError naming each wrong
    option, Unavailable where a secret is missing.
    """
    made = _class(kind, name, settings.type, built_in)
    try:
        options = made.Options.model_validate(settings.options)
    except ValidationError as error:
        from app.settings import describe

        raise SettingsError(f"[{kind}s.{name}]: {'; '.join(describe(error))}") from None
    return made(options, secrets, root)


def _class(kind: str, name: str, type_name: str, built_in: Mapping[str, str]) -> Any:
    if type_name in built_in:
        module, _, attribute = built_in[type_name].partition(":")
        return getattr(importlib.import_module(module), attribute)
    others = {point.name: point for point in entry_points(group=f"secondlook.{kind}s")}
    if type_name in others:
        return others[type_name].load()
    known = ", ".join([*built_in, *others])
    raise SettingsError(f"[{kind}s.{name}]: there is no {kind} type '{type_name}'. Types: {known}.")


def secrets_of(workspace: str) -> Secrets:
    """Secrets by name: from SECONDLOOK_SECRET_NAME (or the file that ..._FILE names), else from the keyring."""
    return lambda name: secret_and_place(workspace, name)[0]


def secret_and_place(workspace: str, name: str) -> tuple[str, str]:
    """A secret, and in words where it was found. Raises Unavailable where it is nowhere."""
    variable = variable_of(name)
    if os.environ.get(variable):
        return os.environ[variable].strip(), f"in the environment ({variable})"
    named = os.environ.get(f"{variable}_FILE")
    if named:
        try:
            return Path(named).read_text(encoding="utf-8").strip(), f"in the file {named}"
        except (OSError, UnicodeDecodeError) as error:
            raise Unavailable(f"{variable}_FILE names {named}, which cannot be read: {error}.") from None
    found = keyrings.get(account_of(workspace, name))
    if found is None:
        raise Unavailable(
            f"The secret '{name}' is neither in the environment ({variable}) nor in the keyring. "
            f"`secondlook secret set {name}` puts it there."
        )
    return found, "in the keyring"


def variable_of(name: str) -> str:
    """The environment variable that may hold a secret."""
    return "SECONDLOOK_SECRET_" + "".join(c if c.isalnum() else "_" for c in name.upper())


def account_of(workspace: str, name: str) -> str:
    """Under what a secret is kept in the keyring; `workspace` is its folder."""
    return f"connection:{workspace}:{name}"
