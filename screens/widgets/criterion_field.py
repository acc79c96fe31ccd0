"""One question of a rubric: its title, its options on a line or two, or a field to write in."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static, TextArea

from app.model.answers import normal
from app.model.rubric import Criterion, Option
from app.protect.safe_text import safe_line
from screens.text import join, line
from screens.widgets.explanations.layout import hang, wrap

HOW_TO_WRITE = "i writes here"
_DIGITS = "123456789"
_CHOOSING = ("choice", "label", "yes_no", "scale")


class AnswerArea(TextArea):
    """Writes an answer: enter is done, ctrl+j or shift+enter makes a new line, esc leaves the text as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "done(False)", "Stop writing", show=False),
        Binding("enter", "done(True)", "Done writing", show=False, priority=True),
        Binding("shift+enter,ctrl+j", "newline", "New line", show=False, priority=True),
    ]
    HELP = "Writing: enter is done, ctrl+j a new line, esc stops writing; the text stays."

    class Done(Message):
        """Writing is finished; `onward` asks for the next question."""

        def __init__(self, onward: bool) -> None:
            super().__init__()
            self.onward = onward

    def get_line(self, line_index: int) -> Text:
        """A line as it is drawn: what was pasted or drafted is as hostile as anything else."""
        return Text(safe_line(self.document.get_line(line_index)), end="", no_wrap=True)

    def on_focus(self) -> None:
        """The hint is for those who do not write yet."""
        self.placeholder = ""

    def on_blur(self) -> None:
        """Says again how to begin."""
        self.placeholder = HOW_TO_WRITE

    def action_done(self, onward: bool) -> None:
        """Ends the writing."""
        self.post_message(self.Done(onward))

    def action_newline(self) -> None:
        """A line break."""
        self.insert("\n")


class CriterionField(Widget, can_focus=True):
    """A question. Posts `Answered` on every change and `Onward` when the next one may come."""

    DEFAULT_CSS = """
    CriterionField { height: auto; padding: 0 1; margin: 0 0 1 0; border-left: blank; }
    CriterionField:focus, CriterionField:focus-within { border-left: outer $accent; }
    CriterionField.-idle { color: $text-disabled; }
    CriterionField Static { height: auto; }
    CriterionField AnswerArea {
        display: none; height: auto; min-height: 2; max-height: 6; border: none; padding: 0; background: $panel;
        margin-top: 0;
    }
    CriterionField.-writes AnswerArea { display: block; }
    CriterionField.-idle AnswerArea { background: transparent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("backspace,delete", "clear", "Clear this answer", show=False, id="answer.clear"),
        Binding("i", "write", "Write the answer", show=False, id="answer.write"),
        Binding("left,h", "shift(-1)", "Option to the left", show=False, id="answer.left"),
        Binding("right,l", "shift(1)", "Option to the right", show=False, id="answer.right"),
    ]

    class Answered(Message):
        """The answer changed; None where it was cleared."""

        def __init__(self, criterion_id: str, value: Any) -> None:
            super().__init__()
            self.criterion_id = criterion_id
            self.value = value

    class Onward(Message):
        """The answer is complete: the next question may take the focus.

        `submits`: it was finished with enter, which submits where nothing else is missing.
        """

        def __init__(self, criterion_id: str, submits: bool = False) -> None:
            super().__init__()
            self.criterion_id = criterion_id
            self.submits = submits

    class SpansWanted(Message):
        """Stretches of a text are to be marked."""

        def __init__(self, field: CriterionField) -> None:
            super().__init__()
            self.field = field

    class WritingWanted(Message):
        """Somebody wants to write, and nothing is written here."""

        def __init__(self, field: CriterionField) -> None:
            super().__init__()
            self.field = field

    class Picked(Message):
        """One of more than nine options is to be picked."""

        def __init__(self, field: CriterionField, options: list[Option]) -> None:
            super().__init__()
            self.field = field
            self.options = options

    def __init__(self, criterion: Criterion) -> None:
        super().__init__()
        self.criterion = criterion
        self.value: Any = None
        self.problem = ""
        self._labels: list[str] = []
        self._asked = True
        self._begin = ""
        self._width = 40
        self._lines = -1

    def compose(self) -> ComposeResult:
        """The question with its options; a field where one writes."""
        yield Static(markup=False)
        if self.writes:
            yield AnswerArea(soft_wrap=True, show_line_numbers=False, compact=True, placeholder=HOW_TO_WRITE)

    def on_mount(self) -> None:
        """Draws it."""
        self.set_class(self.writes, "-writes")
        self._draw()

    def set_width(self, width: int) -> None:
        """Options flow over this many cells; the form knows it also while the field is not shown."""
        if width != self._width:
            self._width = width
            self._draw()

    @property
    def writes(self) -> bool:
        """Whether it is answered by writing."""
        return self.criterion.kind in ("text", "number")

    @property
    def options(self) -> list[Option]:
        """What can be chosen in this case."""
        return self.criterion.choices(self._labels)

    def set_case(self, labels: list[str], value: Any, asked: bool, begin: str = "") -> None:
        """Another case: its labels, the drafted answer, whether it is asked now, and how writing begins."""
        self._begin = begin
        self._labels, self.value, self._asked, self.problem = labels, value, asked, ""
        if self.writes:
            area = self.query_one(AnswerArea)
            text = "" if value is None else str(value)
            if area.text != text:
                with self.prevent(TextArea.Changed):
                    area.load_text(text)
        self._draw()

    def set_asked(self, asked: bool) -> None:
        """Whether it is asked; what is not asked stays in its place, dimmed."""
        if asked != self._asked:
            self._asked = asked
            self._draw()

    @property
    def asked(self) -> bool:
        """Whether it is asked now."""
        return self._asked

    def complain(self, problem: str) -> None:
        """Says what is wrong with the answer."""
        self.problem = problem
        self._draw()

    def begin(self) -> None:
        """Takes the focus; a field for writing is ready for typing."""
        if self.writes and self._asked:
            self._write()
        else:
            self.focus()

    # -- keys -----------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Digits answer; y and n as well where the question is yes or no."""
        if not self.has_focus or not self._asked or event.character is None:
            return
        if self.criterion.kind == "yes_no" and event.character in "yn":
            event.stop()
            self._choose({"y": "yes", "n": "no"}[event.character])
        elif event.character.isdigit() and event.character.isascii() and not self.writes:
            event.stop()
            self._digit(event.character)
        elif event.key == "space" and self.criterion.kind == "text_span":
            event.stop()
            self.post_message(self.SpansWanted(self))

    def _digit(self, digit: str) -> None:
        options = self.options
        if self.criterion.kind == "text_span":
            self.post_message(self.SpansWanted(self))
        elif len(options) > len(_DIGITS):
            self.post_message(self.Picked(self, options))
        elif self.criterion.kind == "scale":
            if digit in [option.id for option in options]:
                self._choose(digit)
        elif digit in _DIGITS[: len(options)]:
            self._choose(options[_DIGITS.index(digit)].id)

    def _choose(self, option: str) -> None:
        if self.criterion.kind == "multi":
            chosen = [*(self.value or [])]
            if option in chosen:
                chosen.remove(option)
            else:
                chosen.append(option)
            self.answer([o.id for o in self.options if o.id in chosen] or None)
            return
        self.answer(int(option) if self.criterion.kind == "scale" else option)
        self.post_message(self.Onward(self.criterion.id))

    def answer(self, value: Any) -> None:
        """Takes an answer."""
        self.value, self.problem = value, ""
        self._draw()
        self.post_message(self.Answered(self.criterion.id, value))

    def action_clear(self) -> None:
        """Takes the answer back."""
        if self.has_focus and self.value is not None:
            self.answer(None)

    def action_shift(self, by: int) -> None:
        """The neighbouring option."""
        ids = [option.id for option in self.options]
        if not self._asked or self.criterion.kind not in _CHOOSING or not ids:
            return
        at = ids.index(str(self.value)) + by if str(self.value) in ids else (0 if by > 0 else len(ids) - 1)
        chosen = ids[max(0, min(at, len(ids) - 1))]
        self.answer(int(chosen) if self.criterion.kind == "scale" else chosen)

    def action_write(self) -> None:
        """Starts writing, or marking."""
        if self.writes and self._asked:
            self._write()
        elif self.criterion.kind == "text_span":
            self.post_message(self.SpansWanted(self))
        else:
            self.post_message(self.WritingWanted(self))

    def _write(self) -> None:
        """The cursor into the text; an empty one begins with what is to be changed."""
        area = self.query_one(AnswerArea)
        if self._begin and not area.text:
            area.load_text(self._begin)
        area.focus()

    @on(TextArea.Changed)
    def _written(self, event: TextArea.Changed) -> None:
        event.stop()
        text = event.text_area.text
        # What it begins with is no answer before something is changed.
        value: Any = text if text.strip() and text != self._begin else None
        if self.criterion.kind == "number" and value is not None:
            try:
                value = normal(self.criterion, text.strip(), [])
            except ValueError:
                value = text
        self.value, self.problem = value, ""
        self.post_message(self.Answered(self.criterion.id, value))

    @on(AnswerArea.Done)
    def _stopped_writing(self, event: AnswerArea.Done) -> None:
        event.stop()
        if event.onward and (problem := self._unfinished()):
            # Leaving would let the next words act as keys.
            self.complain(f"{problem}; esc leaves it for later")
            return
        self.focus()
        self._draw()
        if event.onward:
            self.post_message(self.Onward(self.criterion.id, submits=self.criterion.required))

    def _unfinished(self) -> str:
        """Why what is written cannot be the answer yet; empty: it can."""
        if self.value is None:
            if self._begin and self.query_one(AnswerArea).text == self._begin:
                return "nothing is changed yet"
            return "an answer is required" if self.criterion.required else ""
        if self.criterion.format == "json":
            try:
                normal(self.criterion, self.value, [])
            except ValueError as error:
                return str(error)
        return ""

    # -- drawing --------------------------------------------------------------------------------

    @property
    def hint(self) -> str:
        """What helps to answer: the chosen option's anchor, else the guidance."""
        chosen = {str(v) for v in (self.value if isinstance(self.value, list) else [self.value])}
        anchors = [f"{o.title or o.id}: {o.anchor}" for o in self.options if o.id in chosen and o.anchor]
        return anchors[-1] if anchors else self.criterion.guidance

    def _draw(self) -> None:
        self.set_class(not self._asked, "-idle")
        content = self._content()
        lines = content.plain.count("\n")
        self.query_one(Static).update(content, layout=lines != self._lines)
        self._lines = lines

    def _content(self) -> Content:
        answered = self.value not in (None, "", [])
        mark = "–" if not self._asked else "✓" if answered else "*" if self.criterion.required else " "
        head = Content.assemble(
            (f"{mark} ", "" if not self._asked else "bold $success" if answered else "bold $warning"),
            line(self.criterion.title, "bold" if self._asked else ""),
            ("" if self.criterion.required or not self._asked else "  optional", "$muted"),
        )
        rows = wrap(head, self._width)
        if not self.writes:
            rows += self._choices()
        if self.problem:
            rows += hang(Content.styled("  ▲ ", "$warning"), line(self.problem, "$warning"), self._width)
        return Content("\n").join(rows)

    def _choices(self) -> list[Content]:
        if self.criterion.kind == "text_span":
            n = len(self.value or [])
            return [Content.styled(f"  {n} marked, space marks" if n else "  space marks words of the text", "$muted")]
        options = self.options
        if len(options) > len(_DIGITS):
            return [join(line(f"  {self.value or '—'}", "bold"), Content.styled("   a digit opens the list", "$muted"))]
        chosen = {str(v) for v in (self.value if isinstance(self.value, list) else [self.value])}
        keys = [o.id for o in options] if self.criterion.kind == "scale" else _DIGITS
        parts = [self._option(key, option, option.id in chosen) for key, option in zip(keys, options, strict=False)]
        return _flow(parts, self._width - 2)

    def _option(self, key: str, option: Option, chosen: bool) -> Content:
        title = "" if self.criterion.kind == "scale" else f" {option.title or option.id}"
        if chosen:
            return line(f"▸{key}{title}", "bold $accent" if self._asked else "bold")
        return join(Content(" "), Content.styled(key, "bold" if self._asked else ""), line(title))


def _flow(parts: list[Content], width: int) -> list[Content]:
    """Parts side by side, never broken, over as many lines as they need."""
    lines: list[list[Content]] = []
    used = width + 1
    for part in parts:
        if used + 2 + part.cell_length > width:
            lines.append([])
            used = -2
        lines[-1].append(part)
        used += 2 + part.cell_length
    return [join(Content(" "), Content("  ").join(row)).truncate(width + 2, ellipsis=True) for row in lines]
