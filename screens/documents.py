"""What the panes of the review screen say: the case, why, similar cases, provenance, history.

Each function gives the lines for a width, from the record as the Desk handed it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from textual.content import Content

from app.model.case import CaseView, HistoryEntry, SimilarCase
from app.model.explanation import Evidence, Explanation, TextSpan
from app.model.explanation_warning import ExplanationWarning
from app.model.prediction import Flag, Prediction
from app.model.provenance import Completeness
from app.model.words import SEVERITIES
from screens.fields import PAPER_LINES, cut, left_out, warn_hidden, within
from screens.hidden import case_badge
from screens.inputs import grid, input_lines
from screens.text import join, line, plain, shorten, value_text
from screens.theme import SEVERITY_SHAPES, SEVERITY_STYLES
from screens.widgets.explanations import badge_lines, note_lines, render, title
from screens.widgets.explanations.badges import contradictions, of_explanation
from screens.widgets.explanations.layout import fit, hang, wrap

MUTED = "$muted"
BLANK = Content("")
# What gets a few lines is cut before it is wrapped.
_FEW_LINES = 2_000
_MOST_FLAGS = 50
_MOST_EXTRAS = 200
_HIDDEN = "░░ hidden until you have judged ░░"


def heading(text: str, width: int, note: str = "") -> Content:
    """A section's name on a rule."""
    start = Content.assemble((text, "bold $accent"), (f"  {note}" if note else "", MUTED), " ")
    return join(start, Content.styled("─" * max(0, width - start.cell_length), "$panel"))


def case_document(view: CaseView, width: int) -> list[Content]:
    """What has to be judged: the question, the output where it is a text, the inputs, the model's answer."""
    prediction = view.prediction
    lines = [*case_badge(prediction), *_question(prediction, width), *_flags(view, width)]
    if prediction.output.text:
        lines += [BLANK, heading("Output", width), *_output_text(prediction, width)]
    lines += [BLANK, heading("Inputs", width), *input_lines(prediction, width)]
    if prediction.task.type != "generation" or prediction.output.label is not None or view.hidden:
        lines += [BLANK, heading("Model", width), *_answer(view, width)]
    lines += _context(prediction, width)
    return within(lines, width)


def _question(prediction: Prediction, width: int) -> list[Content]:
    question = prediction.task.question
    return wrap(plain(_sentence(shorten(question, _FEW_LINES)), "bold"), width, most=4) if question else []


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(("?", ".", "!")) else text + "?"


def _flags(view: CaseView, width: int) -> list[Content]:
    if view.hidden:
        return [Content.styled("why it was flagged is shown after your first judgement", MUTED)]
    flags = view.prediction.flags or []
    if len(flags) > _MOST_FLAGS:
        flags = sorted(flags, key=lambda flag: -SEVERITIES.index(flag.severity))
    lines = [one for flag in flags[:_MOST_FLAGS] for one in _flag(flag, width)]
    over = len(flags) - _MOST_FLAGS
    return [*lines, *left_out(over, "flags, none graver", width)] if over > 0 else lines


def _flag(flag: Flag, width: int) -> list[Content]:
    mark = join(
        Content.styled(f"{SEVERITY_SHAPES[flag.severity]} {flag.severity}  ", SEVERITY_STYLES[flag.severity]),
        line(shorten(flag.code, 60), "bold"),
        Content("  "),
    )
    if not flag.detail:
        return [mark.truncate(width, ellipsis=True)]
    detail = plain(shorten(flag.detail, _FEW_LINES), MUTED)
    if mark.cell_length > width // 2:
        return [mark.truncate(width, ellipsis=True), *hang(Content("  "), detail, width, most=4)]
    return hang(mark, detail, width, most=4)


def _output_text(prediction: Prediction, width: int) -> list[Content]:
    """The generated text, with the stretches that evidence or attributions speak of underlined."""
    whole = prediction.output.text or ""
    text = cut(whole)
    content = plain(text)
    for explanation in prediction.explanations or ():
        if isinstance(explanation, Evidence | TextSpan) and _speaks_of_output(explanation):
            for item in explanation.items[:200]:
                if item.start is not None and item.end is not None and 0 <= item.start < item.end <= len(text):
                    content = content.stylize("underline", item.start, item.end)
    rest = left_out(len(whole) - len(text), "characters", width) if len(text) < len(whole) else []
    return [*wrap(content, width), *rest, *warn_hidden(whole)]


def _speaks_of_output(explanation: Evidence | TextSpan) -> bool:
    target = explanation.target.input if explanation.target else None
    return target in (None, "output.text")


def _answer(view: CaseView, width: int) -> list[Content]:
    """The model's label and score, with a bar against the threshold; or that it is hidden."""
    if view.hidden:
        return [Content.styled(_HIDDEN, MUTED)]
    prediction = view.prediction
    output = prediction.output
    lines: list[Content] = []
    if output.label is not None:
        lines.append(Content.assemble(line(output.label, "bold"), *_score(prediction)))
    lines += _contradicted(view, width)
    if output.score is not None:
        lines.append(_score_bar(output.score, output.threshold, min(width - 8, 50)))
    others = {shorten(k, 60): v for k, v in list((output.scores or {}).items())[:100] if k != output.label}
    if len(others) > 1 or (others and output.score is None):
        lines += wrap(line("   ".join(f"{k} {v:.2f}" for k, v in others.items()), MUTED), width, most=3)
    if output.baseline is not None:
        lines.append(line(f"baseline {value_text(output.baseline)}", MUTED).truncate(width, ellipsis=True))
    return lines or [Content.styled("no label", MUTED)]


def _contradicted(view: CaseView, width: int) -> list[Content]:
    """That an explanation says otherwise: it may stand on another paper."""
    if not contradictions(view.warnings):
        return []
    mark = Content.styled(f" {SEVERITY_SHAPES['critical']} critical ", "bold reverse $error")
    said = line("an explanation contradicts this answer: see Why", SEVERITY_STYLES["critical"])
    return hang(join(mark, Content(" ")), said, width)


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
        extras = list(prediction.extra.items())[:_MOST_EXTRAS]
        lines += grid([(shorten(k, 120), value_text(v, 120)) for k, v in extras], width, "entries")
        if len(prediction.extra) > _MOST_EXTRAS:
            lines += left_out(len(prediction.extra) - _MOST_EXTRAS, "entries", width)
    return lines


def why_document(view: CaseView, width: int) -> list[Content]:
    """Every explanation, one after the other, each with its warnings."""
    if view.hidden:
        said = "Explanations tell the model's answer: they are shown after your first judgement."
        return wrap(Content.styled(said, MUTED), width)
    explanations = view.prediction.explanations or []
    if not explanations:
        return wrap(Content.styled("This prediction came without an explanation.", MUTED), width)
    warnings = view.warnings
    lines = _contradictions_below(explanations, warnings, width)
    for number, explanation in enumerate(explanations):
        if len(lines) > PAPER_LINES:
            return [*lines, *left_out(len(explanations) - number, "explanations", width)]
        method = explanation.method or ""
        lines.append(heading(title(explanation), width, str(line(shorten(method, 30)))))
        mine = of_explanation(warnings, number)
        lines += badge_lines(mine, width)
        lines += [*render(explanation, view.prediction, width), *note_lines(mine, width), BLANK]
    return within(lines[:-1], width)


def _contradictions_below(
    explanations: list[Explanation], warnings: Sequence[ExplanationWarning], width: int
) -> list[Content]:
    """Contradictions of further explanations, said before the first: they may not be in sight."""
    below = [one for one in contradictions(warnings) if one.explanation > 0]
    if not below:
        return []
    first = below[0]
    about = f"{title(explanations[first.explanation])} below"
    more = f" (and {len(below) - 1:,} more)" if len(below) > 1 else ""
    return [*badge_lines([replace(first, message=first.message + more)], width, about), BLANK]


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
    return within(lines[:-1], width)


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
        said = shorten(said, _FEW_LINES)
        mark = Content.styled(f"{words[entry.status]} {entry.path:<24} ", styles[entry.status] or "bold")
        lines += hang(mark, line(said, styles[entry.status]), width, most=2)
    return within(lines, width)


def history_document(entries: list[HistoryEntry] | None, width: int) -> list[Content]:
    """What was done with the case, newest first."""
    if entries is None:
        return [Content.styled("reading …", MUTED)]
    if not entries:
        return [Content.styled("Nothing was done with this case yet.", MUTED)]
    lines: list[Content] = []
    for entry in entries:
        when = datetime.fromtimestamp(entry.at / 1000).strftime("%Y-%m-%d %H:%M")
        mark = Content.assemble(
            (f"{when}  ", MUTED), line(shorten(entry.actor, 14), "bold"), "  ", line(shorten(entry.action, 24))
        )
        detail = plain(shorten(entry.detail, _FEW_LINES), MUTED)
        lines += hang(join(mark, Content("  ")), detail, width, most=4) if entry.detail else [mark]
    return within(lines, width)
