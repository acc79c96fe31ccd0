"""Rubrics as people write them: what is refused and how it is said; what the hash pins."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.model.errors import BadInput, RubricError
from app.settings import load_rubric
from tests.builders import FIXTURES

HEAD = 'id = "r"\nversion = "1"\ntitle = "R"\n'
LABEL = '[[criteria]]\nid = "label"\nkind = "label"\ntitle = "Decision"\n'
CHOICE = '[[criteria]]\nid = "c"\nkind = "choice"\ntitle = "C"\noptions = [{id = "a"}, {id = "b"}]\n'
SCALE = '[[criteria]]\nid = "s"\nkind = "scale"\ntitle = "S"\n'


def problems(folder: Path, text: str) -> str:
    path = folder / "r.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RubricError) as caught:
        load_rubric(path)
    assert all(problem.startswith("r.toml") for problem in caught.value.problems)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # Keys
        (HEAD + LABEL + "requird = false\n", ["criterion 'label'", "requird", "did you mean 'required'?"]),
        (HEAD + 'titel = "R"\n' + LABEL, ["titel: unknown key", "did you mean 'title'?"]),
        (HEAD + LABEL + CHOICE.replace('{id = "a"}', '{id = "a", ancor = "x"}'), ["'c'", "did you mean 'anchor'?"]),
        (HEAD + LABEL + 'xyzzy = "1"\n', ["xyzzy: unknown key"]),
        ('id = "r"\nversion = "1"\n' + LABEL, ["title: is missing"]),
        (HEAD, ["criteria: is missing"]),
        (HEAD + "criteria = []\n", ["criteria"]),
        (HEAD + LABEL.replace('"label"\nkind', '"Label 1"\nkind'), ["id", "pattern"]),
        (HEAD + LABEL + 'when = "yes"\n', ["when"]),
        (HEAD + LABEL.replace('kind = "label"', 'kind = "labels"'), ["criterion 'label'", "kind", "'label'"]),
        # Options and scales
        (HEAD + LABEL + CHOICE.replace(', {id = "b"}', ""), ["criterion 'c'", "at least two options"]),
        (HEAD + LABEL + CHOICE.replace('"b"', '"a"'), ["criterion 'c'", "two options have the same id"]),
        (HEAD + LABEL + CHOICE + 'critical = ["z"]\n', ["criterion 'c'", "'z'", "a, b"]),
        (HEAD + LABEL + CHOICE.replace('{id = "a"}', '{id = "a", score = 1.5}'), ["criterion 'c'", "score"]),
        (HEAD + LABEL + CHOICE + 'role = "verdict"\n', ["criterion 'c'", "upheld, overturned"]),
        (HEAD + LABEL + SCALE + 'anchors = {6 = "six", 1 = "one", 5 = "five"}\n', ["anchor '6'", "1–5"]),
        (HEAD + LABEL + SCALE + 'anchors = {1 = "one"}\n', ["both ends of the scale"]),
        (HEAD + LABEL + SCALE + "min = 0\nmax = 10\n", ["0 ≤ min < max ≤ 9"]),
        (HEAD + LABEL + SCALE + "min = 3\nmax = 3\n", ["0 ≤ min < max ≤ 9"]),
        (HEAD + LABEL + SCALE + "min = 0.5\n", ["whole numbers"]),
        (HEAD + LABEL + SCALE + "max = 4.5\n", ["whole numbers"]),
        (HEAD + LABEL + SCALE + "max = inf\n", ["max"]),
        (HEAD + LABEL + SCALE + "weight = -1\n", ["weight"]),
        # The whole
        (HEAD + LABEL + CHOICE + CHOICE, ["criterion id 'c' is used twice"]),
        (HEAD + LABEL + LABEL.replace('id = "label"', 'id = "other"'), ["at most one criterion of kind 'label'"]),
        (HEAD + CHOICE, ["must say what is decided"]),
        (HEAD + LABEL + (CHOICE + 'role = "reasons"\n') + (SCALE + 'role = "reasons"\n'), ["two", "role 'reasons'"]),
        (HEAD + LABEL + CHOICE + 'when = {lable = ["a"]}\n', ["criterion 'c'", "when names 'lable'", "before it"]),
        (HEAD + LABEL + CHOICE + 'when = {s = [1]}\n' + SCALE, ["'s'", "before it"]),
        (HEAD + LABEL + CHOICE + 'when = {c = ["a"]}\n', ["'c'", "before it"]),
        (HEAD + LABEL + CHOICE + 'when = {verdict = ["overturn"]}\n', ["verdict is 'overturn'", "never is"]),
        (HEAD + CHOICE + LABEL + 'when = {c = ["z"]}\n', ["c is 'z'", "a, b"]),
        (HEAD + SCALE + LABEL + "when = {s = [6]}\n", ["s is '6'"]),
        ("id = ", ["not valid TOML"]),
    ],
)  # fmt: skip
def test_a_rubric_that_cannot_be_used_says_where_and_why(tmp_path: Path, text: str, words: list[str]) -> None:
    said = problems(tmp_path, text)
    assert [word for word in words if word not in said] == []


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.toml cannot be read: No such file"):
        load_rubric(tmp_path / "none.toml")
    (tmp_path / "r.toml").write_bytes(b'id = "\xff"')
    with pytest.raises(RubricError, match="not valid TOML"):
        load_rubric(tmp_path / "r.toml")


def hash_of(folder: Path, text: str) -> str:
    path = folder / "r.toml"
    path.write_text(text, encoding="utf-8")
    return load_rubric(path).hash


ONE = HEAD + LABEL + 'guidance = "g"\n' + SCALE + 'anchors = {1 = "one", 5 = "five"}\n'


@pytest.mark.parametrize(
    "same",
    [
        "# a note\n" + ONE,
        'title = "R"  # moved\nversion = "1"\nid = "r"\n' + ONE.removeprefix(HEAD),
        ONE.replace('id = "label"\nkind = "label"', 'kind = "label"\nid = "label"'),
        ONE.replace('1 = "one", 5 = "five"', '5 = "five", 1 = "one"'),
        ONE + "required = true\n",
    ],
)
def test_the_hash_does_not_see_comments_order_or_defaults(tmp_path: Path, same: str) -> None:
    assert hash_of(tmp_path, same) == hash_of(tmp_path, ONE)


@pytest.mark.parametrize(
    "other",
    [
        ONE.replace('"g"', '"G"'),
        ONE.replace('version = "1"', 'version = "2"'),
        ONE.replace("five", "Five"),
        ONE + "required = false\n",
        ONE + "reverse = true\n",
        ONE + 'when = {label = ["approve"]}\n',
        HEAD + SCALE + 'anchors = {1 = "one", 5 = "five"}\n' + LABEL + 'guidance = "g"\n',
    ],
)
def test_the_hash_sees_what_a_reviewer_would(tmp_path: Path, other: str) -> None:
    assert hash_of(tmp_path, other) != hash_of(tmp_path, ONE)


@pytest.mark.parametrize("path", sorted((FIXTURES / "rubrics").glob("*.toml")), ids=lambda path: path.stem)
def test_rubrics_that_ship_load(path: Path) -> None:
    assert load_rubric(path).id == path.stem
