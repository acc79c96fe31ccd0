"""Break-glass: withheld values of a case, asked for with a reason, shown for minutes, then masked again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from app.model.errors import SecondlookError
from app.model.reveal import RevealRequest, SealedAnswer
from screens.clock import countdown, now_ms
from screens.text import Visible, join, line, plain, value_text
from screens.widgets.mark_list import MarkList

if TYPE_CHECKING:
    from app.desk.protocol import Desk
    from app.shell import Shell

_TICK = 1.0


class RevealScreen(ModalScreen[None]):
    """Asks, opens, shows. What was opened leaves the memory when the screen closes or its time is over."""

    HELP = (
        "Withheld values, for officers. Space or a digit marks fields, enter goes on and asks. Every reveal is in "
        "the log; what was opened is masked again after minutes, or with esc."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close; what is shown is masked again", id="reveal.close"),
    ]
    CSS = """
    RevealScreen .dialog { width: 76; max-height: 90%; }
    RevealScreen #offer { height: auto; max-height: 9; }
    RevealScreen #values { height: auto; max-height: 16; }
    RevealScreen #note { color: $muted; height: auto; }
    RevealScreen .dialog { overflow-y: auto; }
    """

    def __init__(self, case_id: int, name: str) -> None:
        super().__init__()
        self._case_id = case_id
        self._case = name
        self._request: RevealRequest | None = None
        self._approving: RevealRequest | None = None
        self._key_id = ""
        self._until: int | None = None
        self._busy = False

    def compose(self) -> ComposeResult:
        """One dialog; what it asks changes."""
        with Vertical(classes="dialog"):
            yield Static(
                join(Content.styled("Reveal withheld values of ", "bold"), line(self._case, "bold")), id="head"
            )
            yield Static(plain("looking for what is sealed …"), id="said", classes="said", markup=False)
            with VerticalScroll(id="offer", can_focus=False):
                yield MarkList(id="fields")
            yield Input(id="reason", placeholder="why? an auditor will read it", max_length=500, highlighter=Visible())
            yield Input(id="passphrase", placeholder="passphrase of your officer's key", password=True)
            with VerticalScroll(id="values"):
                yield Static(id="opened", markup=False)
            yield Static(plain("esc closes"), id="note", markup=False)

    def on_mount(self) -> None:
        """Looks for a request of one's own that waits to be opened, else for what can be asked."""
        self._stage()
        desk, case_id = self._desk, self._case_id

        def look() -> tuple[list[RevealRequest], tuple[str, ...]]:
            # Who is no officer is told so before anything else.
            self._key_id = desk.reveal_key(case_id)
            waiting = [r for r in desk.reveals(case_id) if r.state in ("asked", "approved")]
            return waiting, desk.sealed_fields(case_id)

        self._shell.in_thread(look, self._found, self._failed)
        self.set_interval(_TICK, self._tick)

    @property
    def _shell(self) -> Shell:
        return cast("Shell", self.app)

    @property
    def _desk(self) -> Desk:
        return self._shell.desk

    # -- asking ---------------------------------------------------------------------------------

    def _found(self, found: tuple[list[RevealRequest], tuple[str, ...]]) -> None:
        waiting, fields = found
        mine = [request for request in waiting if request.person == self._desk.person]
        others = [request for request in waiting if request.person != self._desk.person and request.state == "asked"]
        if mine:
            self._asked(mine[0])
        elif others:
            self._offer_approval(others[0])
        else:
            chosen = self.query_one("#fields", MarkList)
            chosen.offer(sorted(fields, key=_rank))
            self._stage("Which fields, and why? Space or a digit marks, enter goes on.", "#offer", "#reason")
            chosen.focus()

    @on(MarkList.Done)
    def _marked(self) -> None:
        self.query_one("#reason", Input).focus()

    @on(Input.Submitted, "#reason")
    def _ask(self, event: Input.Submitted) -> None:
        event.stop()
        fields, reason = self.query_one("#fields", MarkList).marked, event.value
        if not fields:
            self._note("Mark at least one field with space (shift+tab goes back to them).")
            return
        if not self._busy:
            self._busy = True
            desk, case_id = self._desk, self._case_id
            self._shell.in_thread(lambda: desk.ask_reveal(case_id, fields, reason), self._asked, self._failed)

    def _asked(self, request: RevealRequest) -> None:
        self._busy = False
        self._request = request
        fields = ", ".join(request.fields)
        if request.state == "asked":
            self._stage(
                f"Request {request.reveal_id} for {fields} waits for another officer, who approves it with\n"
                f"secondlook reveal approve {request.reveal_id}\nThen open this again."
            )
            return

        def key() -> bool:
            from app import officer_key

            return officer_key.asks_for_passphrase(self._key_id) and officer_key.passphrase_given() is None

        def unlock(closed: bool) -> None:
            if closed:
                self._stage(f"Request {request.reveal_id} for {fields} is approved. It opens once.", "#passphrase")
                self.query_one("#passphrase", Input).focus()
            else:
                self._open("")

        self._shell.in_thread(key, unlock, self._failed)

    # -- approving ------------------------------------------------------------------------------

    def _offer_approval(self, request: RevealRequest) -> None:
        """Another officer's request, to be approved with one's own key."""
        self._approving = request
        self._stage(
            f"{request.person} asks to see {', '.join(request.fields)}:\n“{request.reason}”\n"
            "Enter approves, with your key; esc leaves it open.",
            "#passphrase",
        )
        self.query_one("#passphrase", Input).focus()

    def _approve(self, words: str) -> None:
        request, desk = self._approving, self._desk
        if request is None or self._busy:
            return
        self._busy = True
        self._note("approving …")

        def work() -> RevealRequest:
            from app import officer_key
            from app.desk.revealing import approval_purpose
            from app.protect.envelope import answer

            key_id, closed = desk.approval_challenge(request.reveal_id)
            private = officer_key.load(key_id, lambda: words or officer_key.passphrase_given() or "")
            return desk.approve_reveal(request.reveal_id, answer(private, closed, approval_purpose(request.reveal_id)))

        def done(approved: RevealRequest) -> None:
            self._busy, self._approving = False, None
            self._stage(f"Approved: {approved.person} may see it, once. Nothing is shown to you.")

        self._shell.in_thread(work, done, self._failed)

    # -- opening --------------------------------------------------------------------------------

    @on(Input.Submitted, "#passphrase")
    def _passphrase(self, event: Input.Submitted) -> None:
        event.stop()
        words = event.value
        event.input.clear()
        if self._approving is not None:
            self._approve(words)
        else:
            self._open(words)

    def _open(self, words: str) -> None:
        request = self._request
        if self._busy or request is None:
            return
        self._busy = True
        self._note("opening …")
        desk, key_id = self._desk, self._key_id

        def work() -> tuple[SealedAnswer, dict[str, Any]]:
            from app import officer_key
            from app.protect.envelope import open_values

            # The key is tried before the request is used up: a mistyped passphrase costs nothing.
            private = officer_key.load(key_id, lambda: words or officer_key.passphrase_given() or "")
            handed = desk.open_reveal(request.reveal_id)
            return handed, open_values(private, handed.key, handed.values, handed.place)

        self._shell.in_thread(work, self._show, self._failed)

    def _show(self, opened: tuple[SealedAnswer, dict[str, Any]]) -> None:
        handed, values = opened
        self._busy = False
        self._until = handed.until
        lines = [
            join(line(field, "$muted"), Content("\n  "), plain(value_text(value, 4000), "bold"))
            for field, value in values.items()
        ]
        self.query_one("#opened", Static).update(Content("\n").join(lines))
        self._stage("These values are shown to you alone. Do not copy what you do not need.", "#values")
        self._tick()

    def _tick(self) -> None:
        if self._until is None:
            return
        left = self._until - now_ms()
        if left <= 0:
            self.dismiss()
        else:
            self._note(f"masked again in {countdown(left)}, or with esc")

    # -- what is on the screen ------------------------------------------------------------------

    def _stage(self, said: str = "", *shown: str) -> None:
        """Shows these parts of the dialog and hides the others."""
        for part in ("#offer", "#reason", "#passphrase", "#values"):
            self.query_one(part).display = part in shown
        if said:
            self.query_one("#said", Static).update(plain(said))
        self._note("esc closes")

    def _note(self, said: str) -> None:
        self.query_one("#note", Static).update(plain(said))

    def _failed(self, error: SecondlookError) -> None:
        self._busy = False
        self._note(f"▲ {error}")

    def action_close(self) -> None:
        """Masks what is shown and closes."""
        self.dismiss()

    def on_unmount(self) -> None:
        """Nothing of what was opened stays in the widgets."""
        self._until = self._request = None


def _rank(field: str) -> tuple[int, str]:
    """Sensitive attributes first, whole texts last."""
    beginnings = ("sensitive.", "subject", "inputs.", "elsewhere.", "text.")
    return next((n for n, start in enumerate(beginnings) if field.startswith(start)), len(beginnings)), field
