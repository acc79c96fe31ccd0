"""The line of keys at the bottom: at most six, as they are bound now."""

from __future__ import annotations

from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

KEY_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "enter": "enter",
    "escape": "esc",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "space": "space",
}


class KeyBar(Static):
    """Shows bindings by their id, with the keys that the keymap gives them."""

    def __init__(self, *shown: tuple[str, str]) -> None:
        """`shown`: binding id, and one or two words on what it does."""
        super().__init__(id="keys", markup=False)
        self._shown = shown

    def on_mount(self) -> None:
        """Draws the keys."""
        self.show(*self._shown)

    def show(self, *shown: tuple[str, str]) -> None:
        """Shows other keys."""
        self._shown = shown
        keys = bound_keys(self.screen)
        parts = [Content.assemble((keys.get(binding, "?"), "bold $foreground"), f" {what}") for binding, what in shown]
        self.update(Content("   ").join(parts))


def bound_keys(screen: Screen[object]) -> dict[str, str]:
    """The keys of each binding id on a screen and its application, as one reads them."""
    keymap = screen.app._keymap
    found: dict[str, str] = {}
    for node in (screen, *screen.query("*"), screen.app):
        for bindings in node._bindings.key_to_bindings.values():
            for binding in bindings:
                if binding.id and binding.id not in found:
                    first = keymap.get(binding.id, binding.key).split(",")[0]
                    found[binding.id] = KEY_NAMES.get(first, first)
    return found
