"""Help: what the focused part is for, and every key with its id, as bound now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from screens.widgets.key_bar import KEY_NAMES

_WELL_KNOWN = (
    ("ctrl+p", "all commands, themes, a picture of the screen"),
    ("ctrl+q", "quit; the case is given back, drafts are kept"),
    ("?", "this help"),
)


@dataclass(frozen=True, slots=True)
class Key:
    """A binding as a person reads it."""

    id: str
    keys: str
    description: str
    run: Callable[[], Any]


def described_bindings(screen: Screen[Any]) -> list[Key]:
    """Bindings with a description: of the focused widget, its parents, the screen."""
    nodes: list[Any] = [screen]
    if screen.focused is not None:
        nodes = [*screen.focused.ancestors_with_self]
    keymap = screen.app._keymap
    found: dict[str, Key] = {}
    for node in nodes:
        if node is screen.app:
            continue
        for bindings in node._bindings.key_to_bindings.values():
            for binding in bindings:
                name = binding.id or binding.action
                if not binding.description or binding.system or name in found or not binding.id:
                    continue
                keys = keymap.get(binding.id, "") or ",".join(
                    b.key for bs in node._bindings.key_to_bindings.values() for b in bs if b.id == binding.id
                )
                shown = " ".join(KEY_NAMES.get(key, key) for key in dict.fromkeys(keys.split(",")))
                found[name] = Key(binding.id, shown, binding.description, _runner(node, binding.action))
    return list(found.values())


def _runner(node: Any, action: str) -> Callable[[], Any]:
    async def run() -> None:
        await node.run_action(action)

    return run


def help_for(screen: Screen[Any]) -> Content:
    """The text of the help for a screen as it is now."""
    focused = screen.focused
    abouts = [
        about
        for node in (focused.ancestors_with_self if focused else [screen])
        if isinstance(about := getattr(node, "HELP", None), str)
    ]
    parts: list[Content] = [Content.styled(about, "$foreground") for about in dict.fromkeys(abouts)]
    parts.append(Content(""))
    parts += [_line(key.keys, key.description, key.id) for key in described_bindings(screen)]
    parts += [_line(keys, what, "") for keys, what in _WELL_KNOWN]
    parts.append(Content(""))
    parts.append(Content.styled('Other keys: [desk.keys] in secondlook.toml, e.g. "case.skip" = "S".', "$muted"))
    return Content("\n").join(parts)


def _line(keys: str, what: str, name: str) -> Content:
    return Content.assemble((f"{keys:<20}", "bold $accent"), (f"{what:<37}", ""), (name, "$muted"))


class HelpScreen(ModalScreen[None]):
    """The help, over what it is about."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss", "Close", show=False),
    ]
    CSS = """
    HelpScreen .dialog { width: 88; padding: 1 2; }
    """

    def __init__(self, text: Content) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """A scrolling text."""
        with VerticalScroll(classes="dialog"):
            yield Static(self._text, markup=False)
