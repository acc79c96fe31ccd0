"""The rubric as a form: one field a criterion, always in the same place.

Before the model's answer may be seen, two questions come first: the label, and how sure one is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Static

from app.model.answers import asked
from app.model.case import CaseView, Draft
from app.model.prediction import Input, Output, Task
from app.model.rubric import Criterion, Rubric
from screens.text import line
from screens.widgets.criterion_field import CriterionField

# Padding, border and scrollbar of a field.
_FIELD_FRAME = 4
_LABEL = Criterion(
    id="first_label",
    kind="label",
    title="Your first judgement",
    guidance="What you would decide. The model's answer is shown after it; both are kept.",
    unresolvable=False,
)
_CONFIDENCE = Criterion(
    id="first_confidence",
    kind="scale",
    title="How sure are you? This shows the answer",
    guidance="1 is a guess, 5 is certain. Your judgement is kept then, and the model's answer shown.",
    anchors={"1": "a guess", "5": "certain"},
)


class RubricForm(Vertical):
    """Fields of one rubric. Posts `Changed` on every answer and `Judged` after the first judgement."""

    DEFAULT_CSS = """
    RubricForm { height: 1fr; }
    RubricForm #fields { height: 1fr; scrollbar-size-vertical: 1; }
    RubricForm #first { height: auto; display: none; }
    RubricForm #questions { height: auto; }
    RubricForm #hint { height: 3; padding: 0 1; color: $muted; background: $surface; }
    """

    class Changed(Message):
        """An answer changed."""

    class Complete(Message):
        """The last required text was finished with enter, and nothing is missing."""

    class Judged(Message):
        """The first judgement is given."""

        def __init__(self, label: str, confidence: int) -> None:
            super().__init__()
            self.label = label
            self.confidence = confidence

    def __init__(self, *, id: str) -> None:  # noqa: A002  # Textual's own name for it
        super().__init__(id=id)
        self.rubric: Rubric | None = None
        self.answers: dict[str, Any] = {}
        self._asked_of: Task | None = None
        self._output = Output()
        self._hidden = False

    def compose(self) -> ComposeResult:
        """The first judgement, the questions, and a hint for the focused one."""
        with VerticalScroll(id="fields", can_focus=False):
            with Vertical(id="first"):
                yield CriterionField(_LABEL)
                yield CriterionField(_CONFIDENCE)
            yield Vertical(id="questions")
        yield Static(id="hint", markup=False)

    # -- content --------------------------------------------------------------------------------

    async def show(self, view: CaseView, draft: Draft, read_only: bool = False) -> None:
        """Shows a case's questions with the drafted answers, and focuses the first open one."""
        if self.rubric is None or self.rubric.hash != view.rubric.hash:
            await self._build(view.rubric)
        self.rubric = view.rubric
        self.answers = dict(draft.answers)
        self._set_prediction(view)
        self._set_widths()
        labels = view.prediction.task.labels
        asked_now = self._asked_ids()
        for field in self.fields:
            answer = self.answers.get(field.criterion.id)
            field.set_case(
                labels, answer, field.criterion.id in asked_now, beginning(field.criterion, view.prediction.inputs)
            )
            field.disabled = read_only
        for field in self.first_fields:
            field.set_case(labels, None, True)
            field.disabled = read_only
        self.query_one("#fields").scroll_home(animate=False)
        if not read_only:
            self.focus_first()

    def on_resize(self) -> None:
        """Fields flow over the width there is."""
        self._set_widths()

    def _set_widths(self) -> None:
        width = max(20, self.size.width - _FIELD_FRAME)
        for field in (*self.first_fields, *self.fields):
            field.set_width(width)

    def reveal(self, view: CaseView, label: str) -> None:
        """The first judgement is kept: the model's answer counts from now on; the label starts as judged."""
        self._set_prediction(view)
        criterion = view.rubric.label_criterion
        if criterion and criterion.id not in self.answers:
            field = self.field(criterion.id)
            if field is not None:
                field.answer(label)
                self.answers[criterion.id] = label
        self._ask_again()
        self.focus_first()

    def _set_prediction(self, view: CaseView) -> None:
        self._asked_of, self._output, self._hidden = view.prediction.task, view.prediction.output, view.hidden
        # Not by a class: restyling every field costs a frame.
        self.query_one("#first").display = view.hidden
        self.query_one("#questions").display = not view.hidden

    async def _build(self, rubric: Rubric) -> None:
        questions = self.query_one("#questions", Vertical)
        await questions.remove_children()
        await questions.mount_all(CriterionField(criterion) for criterion in rubric.criteria)

    @property
    def fields(self) -> list[CriterionField]:
        """The rubric's fields, in order."""
        return list(self.query_one("#questions").query(CriterionField))

    @property
    def first_fields(self) -> list[CriterionField]:
        """The fields of the first judgement."""
        return list(self.query_one("#first").query(CriterionField))

    @property
    def hidden(self) -> bool:
        """Whether the model's answer is hidden, and the first judgement asked."""
        return self._hidden

    @property
    def shown_fields(self) -> list[CriterionField]:
        """The fields that can be reached now."""
        return self.first_fields if self._hidden else self.fields

    def field(self, criterion_id: str) -> CriterionField | None:
        """The field of a criterion."""
        return next((f for f in self.fields if f.criterion.id == criterion_id), None)

    def missing(self) -> list[CriterionField]:
        """Required fields without an answer."""
        if self._hidden:
            return [f for f in self.first_fields if f.value is None]
        if self.rubric is None or self._asked_of is None:
            return []
        wanted = {c.id for c in asked(self.rubric, self.answers, self._asked_of, self._output).missing}
        return [f for f in self.fields if f.criterion.id in wanted]

    def complain(self, problems: list[str]) -> None:
        """Shows what is wrong beside the answers, and focuses the first of them."""
        wrong = []
        for problem in problems:
            criterion_id, _, said = problem.partition(": ")
            field = self.field(criterion_id)
            if field is not None:
                field.complain(said)
                wrong.append(field)
        if wrong:
            wrong[0].begin()

    # -- focus ----------------------------------------------------------------------------------

    def focus_first(self) -> None:
        """The first question without an answer, else the first."""
        fields = self.shown_fields
        (self.missing() or fields)[0].focus() if fields else None

    def move(self, by: int) -> None:
        """The next or previous question that is asked."""
        fields = [f for f in self.shown_fields if f.asked]
        current = next((i for i, f in enumerate(fields) if f.has_focus or f.has_focus_within), None)
        if not fields:
            return
        target = 0 if current is None else max(0, min(len(fields) - 1, current + by))
        fields[target].focus()
        fields[target].scroll_visible(animate=False)

    @on(CriterionField.Onward)
    def _onward(self, event: CriterionField.Onward) -> None:
        event.stop()
        if self._hidden:
            self._first_answered()
            return
        missing = self.missing()
        later = [f for f in missing if f.criterion.id != event.criterion_id]
        if later:
            later[0].begin()
            later[0].scroll_visible(animate=False)
        elif event.submits and not missing:
            self.post_message(self.Complete())

    def _first_answered(self) -> None:
        label, confidence = self.first_fields
        if label.value is None:
            label.focus()
        elif confidence.value is None:
            confidence.focus()
        else:
            self.post_message(self.Judged(label.value, int(confidence.value)))

    @on(CriterionField.WritingWanted)
    def _write_next(self, event: CriterionField.WritingWanted) -> None:
        """The nearest question below that is answered by writing, else the first one."""
        event.stop()
        fields = [f for f in self.shown_fields if f.writes and f.asked]
        below = [f for f in fields if f.virtual_region.y > event.field.virtual_region.y]
        if fields:
            (below or fields)[0].begin()

    # -- answers --------------------------------------------------------------------------------

    @on(CriterionField.Answered)
    def _answered(self, event: CriterionField.Answered) -> None:
        event.stop()
        if self._hidden:
            return
        if event.value is None:
            self.answers.pop(event.criterion_id, None)
        else:
            self.answers[event.criterion_id] = event.value
        self._ask_again()
        self.show_hint()
        self.post_message(self.Changed())

    def _asked_ids(self) -> set[str]:
        if self.rubric is None or self._asked_of is None:
            return set()
        return {c.id for c in asked(self.rubric, self.answers, self._asked_of, self._output).criteria}

    def _ask_again(self) -> None:
        wanted = self._asked_ids()
        for field in self.fields:
            field.set_asked(field.criterion.id in wanted)

    def show_hint(self) -> None:
        """The focused question's guidance, or the chosen option's anchor."""
        focused = next((f for f in self.shown_fields if f.has_focus or f.has_focus_within), None)
        self.query_one("#hint", Static).update(line(focused.hint if focused else ""), layout=False)

    def on_descendant_focus(self) -> None:
        """Another question has the focus."""
        self.show_hint()


def beginning(criterion: Criterion, inputs: Sequence[Input]) -> str:
    """What writing begins with: the named input's value, as JSON where that is asked for. Of inputs that are numbered
    (`arguments 1`, `arguments 2`) a list."""
    if not criterion.begin:
        return ""
    values = [i.value for i in inputs if i.name == criterion.begin]
    numbered = [
        i.value
        for i in inputs
        if i.name.startswith(f"{criterion.begin} ") and i.name[len(criterion.begin) :].strip().isdigit()
    ]
    value = values[0] if values else numbered or None
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, indent=2) if criterion.format == "json" else str(value)
