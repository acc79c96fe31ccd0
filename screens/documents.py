"""What the panes of the review screen say: the case, why, similar cases, provenance, history.

Each function gives the lines for a width, from the record as the Desk handed it out.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from textual.content import Content

from app.model.case import CaseView, HistoryEntry, SimilarCase
from app.model.explanation import Evidence, TextSpan
from app.model.prediction import Input, Prediction
from app.model.provenance import Completeness
from app.protect.safe_text import hidden_characters
from screens.text import join, line, plain, shorten, value_text
from screens.theme import SEVERITY_SHAPES, SEVERITY_STYLES
from screens.widgets.explanations import badges, render, title
from screens.widgets.explanations.layout import fit, hang, more, paragraph, wrap

MUTED = "$muted"
BLANK = Content("")
# A field shows so many characters; the rest is paged with `space` only where it fits one screenful of reading.
_FIELD_LIMIT = 65_536
_HIDDEN = "░░ hidden until you have judged ░░"


def heading(text: str, width: int, note: str = "") -> Content:
    """A section's name on a rule."""
    start = Content.assemble((text, "bold $accent"), (f"  {note}" if note else "", MUTED), " ")
    return join(start, Content.styled("─" * max(0, width - start.cell_length), "$panel"))


def case_document(view: CaseView, width: int) -> list[Content]:
    """What has to be judged: the question, the output where it is a text, the inputs, the model's answer."""
    prediction = view.prediction
    lines = [*_question(prediction, width), *_flags(view, width)]
    if prediction.output.text:
        lines += [BLANK, heading("Output", width), *_output_text(prediction, width)]
    lines += [BLANK, heading("Inputs", width), *_inputs(prediction, width)]
    if prediction.task.type != "generation" or prediction.output.label is not None or view.hidden:
        lines += [BLANK, heading("Model", width), *_answer(view, width)]
    lines += _context(prediction, width)
    return lines


def _question(prediction: Prediction, width: int) -> list[Content]:
    question = prediction.task.question
    return wrap(plain(_sentence(question), "bold"), width, most=4) if question else []


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(("?", ".", "!")) else text + "?"


def _flags(view: CaseView, width: int) -> list[Content]:
    if view.hidden:
        return [Content.styled("why it was flagged is shown after your first judgement", MUTED)]
    lines: list[Content] = []
    for flag in view.prediction.flags or ():
        mark = join(
            Content.styled(f"{SEVERITY_SHAPES[flag.severity]} {flag.severity}  ", SEVERITY_STYLES[flag.severity]),
            line(flag.code, "bold"),
            Content("  "),
        )
        lines += hang(mark, plain(flag.detail or "", MUTED), width, most=4) if flag.detail else [mark]
    return lines


def _output_text(prediction: Prediction, width: int) -> list[Content]:
    """The generated text, with the stretches that evidence or attributions speak of underlined."""
    text = (prediction.output.text or "")[:_FIELD_LIMIT]
    content = plain(text)
    for explanation in prediction.explanations or ():
        if isinstance(explanation, Evidence | TextSpan) and _speaks_of_output(explanation):
            for item in explanation.items[:200]:
                if item.start is not None and item.end is not None and 0 <= item.start < item.end <= len(text):
                    content = content.stylize("underline", item.start, item.end)
    return [*wrap(content, width), *_warn_hidden(prediction.output.text or "")]


def _speaks_of_output(explanation: Evidence | TextSpan) -> bool:
    target = explanation.target.input if explanation.target else None
    return target in (None, "output.text")


def _inputs(prediction: Prediction, width: int) -> list[Content]:
    shown = [i for i in prediction.inputs if i.withheld is None]
    small = [i for i in shown if i.kind in ("number", "category", "reference") and len(str(i.value)) <= 60]
    lines = _grid([(i.name, value_text(i.value)) for i in small], width)
    for item in shown:
        if item not in small:
            lines += [*([BLANK] if lines else []), *_large(item, width)]
    names = [i.name for i in prediction.inputs if i.withheld is not None]
    names += [s.name for s in prediction.sensitive or () if s.name not in names]
    if names:
        lines += [BLANK, *hang(Content.styled("withheld  ", "bold"), line(", ".join(names), MUTED), width, most=3)]
    return lines


def _grid(pairs: list[tuple[str, str]], width: int) -> list[Content]:
    """Names and values in as many columns as the width takes, read from top to bottom.

    What does not fit a cell gets a line of its own below: a name that was cut cannot be read.
    """
    columns = max(1, min(3, (width + 3) // 34))
    cell = (width - 3 * (columns - 1)) // columns
    fitting = [p for p in pairs if len(p[0]) + 1 + len(p[1]) <= cell]
    name_width = max((len(name) for name, _ in fitting), default=8)
    value_width = max((len(value) for _, value in fitting), default=8)
    # Values line up where the widest name and value leave room for that, else they follow their name.
    name_width = min(name_width, cell - 1 - min(value_width, cell // 3))
    cells = [
        _cell(name, value, max(name_width, len(name) if len(name) > name_width else 0), cell) for name, value in fitting
    ]
    height = -(-len(cells) // columns)
    gap = Content("   ")
    lines = [gap.join(cells[at::height]).rstrip() for at in range(height)]
    for name, value in pairs:
        if len(name) + 1 + len(value) > cell:
            lines += hang(join(line(name, MUTED), Content(" ")), line(value, "bold"), width, most=3)
    return lines


def _cell(name: str, value: str, name_width: int, width: int) -> Content:
    return join(
        fit(line(name, MUTED), name_width), Content(" "), fit(line(value, "bold"), max(1, width - name_width - 1))
    )


def _large(item: Input, width: int) -> list[Content]:
    """A text, a chat, or an object."""
    role = f"  {item.role}" if item.role else ""
    lines = [join(line(item.name, "bold"), line(role, MUTED))]
    if item.kind == "chat" and isinstance(item.value, list):
        for turn in item.value[:100]:
            lines += _turn(turn, width)
        return [*lines, *([more(len(item.value) - 100, "turns")] if len(item.value) > 100 else [])]
    text = item.value if isinstance(item.value, str) else value_text(item.value, 4000)
    return [*lines, *paragraph(text[:_FIELD_LIMIT], width), *_warn_hidden(text)]


def _turn(turn: Any, width: int) -> list[Content]:
    if not isinstance(turn, dict):
        return paragraph(value_text(turn, 4000), width)
    role = str(turn.get("role") or turn.get("author") or "?")
    said = value_text(turn.get("content") or turn.get("text") or "", 8000)
    return [*hang(fit(line(shorten(role, 10), "bold $accent"), 11), plain(said), width), *_warn_hidden(said)]


def _warn_hidden(text: str) -> list[Content]:
    n = hidden_characters(text)
    return [Content.styled(f"▲ hidden characters: {n}", "$warning")] if n else []


def _answer(view: CaseView, width: int) -> list[Content]:
    """The model's label and score, with a bar against the threshold; or that it is hidden."""
    if view.hidden:
        return [Content.styled(_HIDDEN, MUTED)]
    prediction = view.prediction
    output = prediction.output
    lines: list[Content] = []
    if output.label is not None:
        lines.append(Content.assemble(line(output.label, "bold"), *_score(prediction)))
    if output.score is not None:
        lines.append(_score_bar(output.score, output.threshold, min(width - 8, 50)))
    others = {k: v for k, v in (output.scores or {}).items() if k != output.label}
    if len(others) > 1 or (others and output.score is None):
        lines += wrap(line("   ".join(f"{k} {v:.2f}" for k, v in others.items()), MUTED), width, most=3)
    if output.baseline is not None:
        lines.append(line(f"baseline {value_text(output.baseline)}", MUTED).truncate(width, ellipsis=True))
    return lines or [Content.styled("no label", MUTED)]


def _score(prediction: Prediction) -> list[tuple[str, str]]:
    """Of what the score is: of the label that counts as the risk, where the task names one."""
    output = prediction.output
    if output.score is None:
        return []
    of = prediction.task.positive
    said = "" if of is None or of == output.label else f" for {shorten(of, 30)}"
    threshold = "" if output.threshold is None else f", threshold {output.threshold:.2f}"
    return [("   score ", MUTED), (f"{output.score:.2f}", "bold"), (str(line(said + threshold)), MUTED)]


def _score_bar(score: float, threshold: float | None, width: int) -> Content:
    """`0 ━━━━━━━│───── 1`: filled to the score, a bar at the threshold."""
    width = max(10, width)
    filled = round(score * (width - 1))
    cells = ["━" if at < filled else "─" for at in range(width)]
    if threshold is not None:
        cells[min(width - 1, round(threshold * (width - 1)))] = "┃"
    cells[min(filled, width - 1)] = "●"
    bar = Content("".join(cells)).stylize("$accent", 0, filled + 1).stylize("$panel-lighten-2", filled + 1, width)
    return join(Content.styled("0 ", MUTED), bar, Content.styled(" 1", MUTED))


def _context(prediction: Prediction, width: int) -> list[Content]:
    """Where it comes from, in one line; unknown keys as they came."""
    facts = [prediction.domain, prediction.created_at, prediction.subject]
    if prediction.sampling and prediction.sampling.reason and prediction.flags is not None:
        probability = prediction.sampling.probability
        facts.append(f"sampled: {prediction.sampling.reason}" + (f" at {probability:g}" if probability else ""))
    lines = [BLANK, line("  ·  ".join(f for f in facts if f), MUTED).truncate(width, ellipsis=True)]
    if prediction.extra:
        lines += [BLANK, heading("More in the record", width)]
        lines += _grid([(k, value_text(v, 120)) for k, v in prediction.extra.items()], width)
    return lines


def why_document(view: CaseView, width: int) -> list[Content]:
    """Every explanation, one after the other, each with its warnings."""
    if view.hidden:
        return [
            Content.styled("Explanations tell the model's answer: they are shown after your first judgement.", MUTED)
        ]
    explanations = view.prediction.explanations or []
    if not explanations:
        return [Content.styled("This prediction came without an explanation.", MUTED)]
    lines: list[Content] = []
    for explanation in explanations:
        method = explanation.method or ""
        lines.append(heading(title(explanation), width, str(line(shorten(method, 30)))))
        for warning in badges(explanation, view.prediction):
            lines += hang(Content.styled("▲ ", "$warning"), line(warning, "$warning"), width, most=3)
        lines += [*render(explanation, view.prediction, width), BLANK]
    return lines[:-1]


def similar_document(found: list[SimilarCase] | None, hidden: bool, width: int) -> list[Content]:
    """Near cases, the nearest opposite one marked; without answers until the first judgement."""
    if found is None:
        return [Content.styled("looking for similar cases …", MUTED)]
    if not found:
        return [Content.styled("No similar case is held in this queue.", MUTED)]
    lines = []
    if hidden:
        lines += [Content.styled("their answers are shown after your first judgement", MUTED), BLANK]
    for case in found:
        lines += [*_similar(case, width), BLANK]
    return lines[:-1]


def _similar(case: SimilarCase, width: int) -> list[Content]:
    head = Content.assemble((f"{case.likeness:.0%} ", "bold"), line(case.id, "bold"))
    if case.role:
        mark = "≠ opposite" if case.role == "opposite" else "= same"
        head = join(head, Content.styled(f"  {mark}", "bold $warning" if case.role == "opposite" else MUTED))
    if case.label:
        head = join(head, line(f"  model: {case.label}"))
    if case.verdict:
        head = join(head, line(f"  {case.verdict}", "bold"))
    lines = [head.truncate(width, ellipsis=True)]
    if case.differences:
        for difference in case.differences:
            text = join(
                fit(line(difference.name, MUTED), min(28, width // 2)),
                line(f"  {value_text(difference.there, 40)}"),
                line(f"  (here {value_text(difference.here, 40)})", MUTED),
            )
            lines.append(join(Content("  "), text).truncate(width, ellipsis=True))
    else:
        lines += hang(Content("  "), plain(case.excerpt), width, most=3)
    return lines


def provenance_document(found: Completeness, width: int) -> list[Content]:
    """The evidence pack: present, malformed, missing, not applicable, each with its weight."""
    score = found.score
    head = f"{found.count('present')} of {found.applicable} present"
    if score is not None:
        head += f", {score:.0%} by weight"
    lines = [Content.styled(head, "bold"), BLANK]
    words = {"present": "✓", "malformed": "▲", "missing": "·", "not_applicable": "–"}
    styles = {"present": "", "malformed": "$warning", "missing": MUTED, "not_applicable": MUTED}
    for entry in found.entries:
        said = entry.value or {"missing": "missing", "not_applicable": f"not applicable: {entry.note}"}.get(
            entry.status, ""
        )
        if entry.status == "malformed":
            said = f"{entry.note}: {said}"
        mark = Content.styled(f"{words[entry.status]} {entry.path:<24} ", styles[entry.status] or "bold")
        lines += hang(mark, line(said, styles[entry.status]), width, most=2)
    return lines


def history_document(entries: list[HistoryEntry] | None, width: int) -> list[Content]:
    """What was done with the case, newest first."""
    if entries is None:
        return [Content.styled("reading …", MUTED)]
    if not entries:
        return [Content.styled("Nothing was done with this case yet.", MUTED)]
    lines: list[Content] = []
    for entry in entries:
        when = datetime.fromtimestamp(entry.at / 1000).strftime("%Y-%m-%d %H:%M")
        mark = Content.assemble((f"{when}  ", MUTED), line(shorten(entry.actor, 14), "bold"), "  ", line(entry.action))
        lines += hang(join(mark, Content("  ")), plain(entry.detail, MUTED), width, most=4) if entry.detail else [mark]
    return lines
