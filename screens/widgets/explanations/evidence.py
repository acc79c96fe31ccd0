"""Claims of a generated text against their sources: the judgement first, then claim and source."""

from __future__ import annotations

from dataclasses import dataclass, field

from textual.content import Content

from app.model.explanation import Evidence, EvidenceItem, EvidenceSource
from app.model.prediction import Prediction
from screens.text import join, line, plain, shorten
from screens.widgets.explanations import layout, words
from screens.widgets.explanations.anchors import anchored, moved, target_text

SIDE_BY_SIDE = 70
_MARGIN = 2
_MOST_LINES = 12


@dataclass(slots=True)
class Claim:
    """One span with one judgement, and who gave it."""

    item: EvidenceItem
    raters: set[str] = field(default_factory=set)


def render(explanation: Evidence, prediction: Prediction, width: int) -> list[Content]:
    """One block a claim, in the order in which they stand in the text, then the fidelity."""
    all_raters = {rater for item in explanation.items if (rater := _rater(item))}
    claims, left_out = layout.capped(_claims(explanation.items))
    text = target_text(explanation.target, prediction)
    lines: list[Content] = []
    for claim in claims:
        lines += [*_heading(claim, len(all_raters), width), *_body(claim.item, text, width)]
    if not claims:
        lines.append(line("no claims marked", layout.MUTED))
    if any(moved(claim.item) for claim in claims):
        lines.append(line(words.FOUND_BY_WORDS, layout.MUTED))
    if left_out:
        lines.append(layout.more(left_out, "claims"))
    return [*lines, *words.footer(explanation, width)]


def _claims(items: list[EvidenceItem]) -> list[Claim]:
    """Identical spans with the same label and source made one; those without a place come last."""
    found: dict[tuple[object, ...], Claim] = {}
    for item in items:
        source = item.source
        where = (source.uri, source.digest, source.start, source.end, source.text) if source else None
        claim = found.setdefault((item.start, item.end, item.text, item.label, where), Claim(item))
        if rater := _rater(item):
            claim.raters.add(rater)
    return sorted(found.values(), key=lambda claim: (not anchored(claim.item), claim.item.start or 0))


def _rater(item: EvidenceItem) -> str:
    return words.short((item.model_extra or {}).get("rater") or "")


def _heading(claim: Claim, raters: int, width: int) -> list[Content]:
    label = claim.item.label
    agreed = f"  {len(claim.raters)} of {words.count(raters, 'rater')}" if claim.raters else ""
    return layout.wrap(
        join(
            line(words.short(label, 60) if label else "not judged", "bold"),
            line(agreed, layout.MUTED),
            line(f"  {words.MOVED}" if moved(claim.item) else "", layout.MUTED),
            line("" if anchored(claim.item) else f"  {words.NOT_ANCHORED}", "$warning"),
        ),
        width,
    )


def _body(item: EvidenceItem, text: str | None, width: int) -> list[Content]:
    words_of_claim = item.text
    if words_of_claim is None and text is not None and anchored(item):
        words_of_claim = text[item.start : item.end]
    claim = layout.quoted(words_of_claim) if words_of_claim is not None else line("(no text)", layout.MUTED)
    has_text = bool(item.source and item.source.text)
    side = width >= SIDE_BY_SIDE and has_text
    left = width // 2 - 1 if side else width
    claim_lines = [row.pad_left(_MARGIN) for row in layout.wrap(claim, left - _MARGIN - 1, _MOST_LINES)]
    if not item.source:
        return claim_lines
    if not side:
        return [*claim_lines, *(row.pad_left(_MARGIN) for row in _source(item.source, width - _MARGIN))]
    return layout.beside(claim_lines, _source(item.source, width - left - 2), left)


def _source(source: EvidenceSource, width: int) -> list[Content]:
    lines: list[Content] = []
    if source.text:
        body = plain(shorten(source.text, 2_000))
        lines += layout.hang(line("source ", layout.MUTED), body, width, _MOST_LINES)
    name = source.uri or source.digest
    if name:
        at = f" [{source.start}–{source.end}]" if source.start is not None and source.end is not None else ""
        lines += layout.wrap(line(("" if source.text else "source ") + shorten(name, 200) + at, layout.MUTED), width)
    return lines
