"""Explanations: one neutral shape for ten kinds.

Readers of explainers' own formats turn them into these; renderers know only these.
Keys that are not named here are kept (`extra="allow"`), never dropped.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Fidelity = Literal["exact", "approximation", "surrogate", "human", "unverified"]
Anchor = Literal["exact", "shifted", "searched", "failed"]
Kind = Literal[
    "attribution",
    "text_span",
    "image_region",
    "counterfactual",
    "example",
    "rule",
    "evidence",
    "trace",
    "text",
    "none",
]


class Part(BaseModel):
    """Base of everything inside a record: unknown keys are kept in `model_extra`.

    Validators are built at the first validation: a program that shows a list needs none of them."""

    # Strict: what passes is used as it came, so `"3"` must not pass for 3.
    model_config = ConfigDict(extra="allow", validate_by_alias=True, allow_inf_nan=False, strict=True, defer_build=True)


class Explains(Part):
    """Which model and input an explanation was made for."""

    model: str | None = None
    version: str | None = None
    artifact_digest: str | None = None
    input_digest: str | None = None


class Target(Part):
    """What is explained: a label, in which space contributions count, over which text."""

    label: str | None = None
    space: str | None = None
    input: str | None = None


class FidelityScore(Part):
    """How faithful a surrogate is, e.g. `r2` 0.26."""

    name: str
    value: float


class ExplanationBase(Part):
    """What all ten kinds share. `base_value` and `output_value` are in `target.space` units."""

    method: str | None = None
    method_version: str | None = None
    explains: Explains | None = None
    target: Target | None = None
    base_value: float | None = None
    output_value: float | None = None
    fidelity: Fidelity | None = None
    fidelity_score: FidelityScore | None = None


class AttributionItem(Part):
    """One feature's (or interaction's) signed contribution."""

    feature: str | list[str]
    value: Any = None
    contribution: float
    reveals: list[str] = []


class Attribution(ExplanationBase):
    """Additive feature attributions (SHAP, LIME, coefficients).

    `withheld` counts items that were folded away because they name a withheld attribute,
    `withheld_contribution` is their sum.
    """

    kind: Literal["attribution"]
    items: list[AttributionItem] = []
    withheld: int = 0
    withheld_contribution: float = 0.0


class SpanItem(Part):
    """A stretch of a text with a signed contribution. Offsets are code points after intake.

    A word with one weight for all its places is one item a place: they share a `place_group`, and the first holds the
    weight. A `special_token` (`[CLS]`) stands for no words of the text.
    """

    start: int | None = None
    end: int | None = None
    text: str | None = None
    contribution: float | None = None
    anchor: Anchor | None = None
    place_group: int | None = None
    special_token: bool | None = None


class TextSpan(ExplanationBase):
    """Contributions over the tokens of one text (`target.input` names it)."""

    kind: Literal["text_span"]
    offset_unit: str | None = None
    items: list[SpanItem] = []


class RegionItem(Part):
    """A rectangle of an image, in pixels or fractions, with what it contributes."""

    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None
    label: str | None = None
    contribution: float | None = None


class ImageRegion(ExplanationBase):
    """Contributions over regions of an image (shown as a list; a terminal draws no image)."""

    kind: Literal["image_region"]
    items: list[RegionItem] = []


class Change(Part):
    """One feature's change in a counterfactual."""

    feature: str
    from_: Any = Field(None, alias="from")
    to: Any = None
    actionable: bool | None = None


class OutputLike(Part):
    """A label and score that a counterfactual would give."""

    label: str | None = None
    score: float | None = None


class CounterfactualItem(Part):
    """A set of changes that would give another output."""

    changes: list[Change] = []
    output: OutputLike | None = None
    valid: bool | None = None


class Counterfactual(ExplanationBase):
    """What would have to differ for another outcome (DiCE, alibi)."""

    kind: Literal["counterfactual"]
    immutable: list[str] = []
    items: list[CounterfactualItem] = []


class ExampleItem(Part):
    """A known case near to this one."""

    ref: str | None = None
    role: str | None = None
    distance: float | None = None
    label: str | None = None
    values: dict[str, Any] = {}


class Example(ExplanationBase):
    """Nearest same, nearest other, prototypes."""

    kind: Literal["example"]
    items: list[ExampleItem] = []


class RuleItem(Part):
    """One condition of a rule, with precision and coverage of the rule so far."""

    feature: str
    op: str
    value: Any = None
    precision_so_far: float | None = None
    coverage_so_far: float | None = None


class Rule(ExplanationBase):
    """An anchor or decision rule, conditions in order."""

    kind: Literal["rule"]
    items: list[RuleItem] = []


class EvidenceSource(Part):
    """Where a claim is supported or contradicted."""

    uri: str | None = None
    digest: str | None = None
    start: int | None = None
    end: int | None = None
    text: str | None = None


class EvidenceItem(Part):
    """A claim in the output, its judgement, and its source."""

    start: int | None = None
    end: int | None = None
    text: str | None = None
    label: str | None = None
    source: EvidenceSource | None = None
    anchor: Anchor | None = None


class Evidence(ExplanationBase):
    """Claims of a generated text against sources."""

    kind: Literal["evidence"]
    offset_unit: str | None = None
    items: list[EvidenceItem] = []


class TraceItem(Part):
    """One step of an agent. `risk` names why it is risky; `duration_ms` in milliseconds."""

    step: int | str | None = None
    name: str | None = None
    arguments: Any = None
    status: str | None = None
    risk: list[str] = []
    duration_ms: float | None = None


class Trace(ExplanationBase):
    """The steps of an agent or a pipeline."""

    kind: Literal["trace"]
    items: list[TraceItem] = []


class TextNote(ExplanationBase):
    """A rationale in words."""

    kind: Literal["text"]
    text: str | None = None
    items: list[Any] = []


class NoExplanation(ExplanationBase):
    """There is none, and why. Does not count as covered."""

    kind: Literal["none"]
    reason: str | None = None
    items: list[Any] = []


Explanation = Annotated[
    Attribution
    | TextSpan
    | ImageRegion
    | Counterfactual
    | Example
    | Rule
    | Evidence
    | Trace
    | TextNote
    | NoExplanation,
    Field(discriminator="kind"),
]

KINDS: tuple[Kind, ...] = get_args(Kind)
