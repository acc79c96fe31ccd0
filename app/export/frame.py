"""Settled verdicts as a data frame: one row a correction, one column a plain input.

Columns: the inputs; `id`, `predicted_label`, `predicted_score`, `label`, `label_source`, `verdict`,
`overturned`, `sample_weight` (1 ÷ sampling probability, null where that is unknown),
`n_reviewers`, `agreement`, `model_name`, `model_version`, `rubric_version` (`id@version#hash`),
`split` (`train` 80 %, `validation` 10 %, `test` 10 %, by subject), `masked_after_review`; `output_text` and
`corrected_text` where there are texts. An input whose name is taken becomes `input_NAME`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import polars as pl

from db.corrections import Correction

_FIXED = {
    "id": pl.String,
    "predicted_label": pl.String,
    "predicted_score": pl.Float64,
    "label": pl.String,
    "label_source": pl.String,
    "verdict": pl.String,
    "overturned": pl.Boolean,
    "sample_weight": pl.Float64,
    "n_reviewers": pl.Int64,
    "agreement": pl.Float64,
    "model_name": pl.String,
    "model_version": pl.String,
    "rubric_version": pl.String,
    "split": pl.String,
    "masked_after_review": pl.Boolean,
}
_TEXTS = ("output_text", "corrected_text")
_TAKEN = frozenset({*_FIXED, *_TEXTS, "revision"})
_SPLITS = ((8000, "train"), (9000, "validation"), (10_000, "test"))


def to_frame(rows: list[tuple[Any, ...]], rubrics: dict[str, tuple[str, str]]) -> pl.DataFrame:
    """A chunk of corrections (in the order of `Correction`'s fields) as a frame; rows need a label."""
    columns: dict[str, tuple[Any, ...]] = dict(zip(Correction._fields, zip(*rows, strict=True), strict=True))
    base = pl.DataFrame(
        {name: columns[name] for name in Correction._fields if name not in ("features", "record")},
        schema_overrides=_RAW_TYPES,
    )
    names = {digest: f"{rid}@{version}#{digest[:12]}" for digest, (rid, version) in rubrics.items()}
    bucket = pl.col("split_bucket")
    split = pl.when(bucket < _SPLITS[0][0]).then(pl.lit(_SPLITS[0][1])).when(bucket < _SPLITS[1][0])
    fixed = base.select(
        "id",
        "revision",
        "predicted_label",
        "predicted_score",
        "label",
        pl.lit("human_review").alias("label_source"),
        "verdict",
        pl.col("verdict").is_in(["overturned", "corrected"]).alias("overturned"),
        (1.0 / pl.col("probability")).alias("sample_weight"),
        pl.col("reviewers").alias("n_reviewers"),
        "agreement",
        "model_name",
        "model_version",
        pl.col("rubric_hash").replace_strict(names, default=pl.col("rubric_hash")).alias("rubric_version"),
        split.then(pl.lit(_SPLITS[1][1])).otherwise(pl.lit(_SPLITS[2][1])).alias("split"),
        pl.col("masked").cast(pl.Boolean).alias("masked_after_review"),
    )
    return pl.concat([_features(columns["features"]), *_texts(columns), fixed], how="horizontal")


_RAW_TYPES = {
    "predicted_label": pl.String,
    "predicted_score": pl.Float64,
    "label": pl.String,
    "correction": pl.String,
    "probability": pl.Float64,
    "agreement": pl.Float64,
    "model_name": pl.String,
    "model_version": pl.String,
}


def _features(lines: Iterable[str]) -> pl.DataFrame:
    """The flat inputs. Columns that mix numbers and words become words."""
    lines = list(lines)
    if all(line == "{}" for line in lines):
        return pl.DataFrame()
    try:
        frame = pl.read_ndjson("\n".join(lines).encode(), infer_schema_length=None)
    except (pl.exceptions.PolarsError, ValueError):
        frame = _mixed([orjson.loads(line) for line in lines])
    return frame.rename({name: _free_name(name) for name in frame.columns if name in _TAKEN})


def _mixed(rows: list[dict[str, Any]]) -> pl.DataFrame:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pl.DataFrame({name: _column([row.get(name) for row in rows]) for name in names})


def _column(values: list[Any]) -> list[Any]:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} or len(kinds) <= 1:
        return [float(v) if v is not None and kinds == {int, float} else v for v in values]
    return [None if value is None else str(value) for value in values]


def _texts(columns: dict[str, tuple[Any, ...]]) -> list[pl.DataFrame]:
    """Texts of the record: text inputs as they are, chats and objects as JSON; output and corrected text."""
    if not any(columns["record"]):
        return []
    rows = [_text_row(record, better) for record, better in zip(columns["record"], columns["correction"], strict=True)]
    names = dict.fromkeys(name for row in rows for name in row)
    return [
        pl.DataFrame(
            {name: [row.get(name) for row in rows] for name in names}, schema_overrides=dict.fromkeys(names, pl.String)
        )
    ]


def _text_row(record: str | None, better: str | None) -> dict[str, str | None]:
    content = orjson.loads(record) if record else {"inputs": [], "output": {}}
    row: dict[str, str | None] = {}
    for item in content["inputs"]:
        value = item.get("value")
        if value is None or item.get("withheld") or item.get("kind", "category") in ("number", "category", "reference"):
            continue
        row[_free_name(item["name"])] = value if isinstance(value, str) else orjson.dumps(value).decode()
    return {**row, "output_text": content["output"].get("text"), "corrected_text": better}


def _free_name(name: str) -> str:
    return f"input_{name}" if name in _TAKEN else name
