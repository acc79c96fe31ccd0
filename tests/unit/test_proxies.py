"""Proxies: what a sample tells of withheld attributes, that nothing withheld is told, and the commands around it."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.cli.run import run
from app.cli.workspace import make_workspace
from app.insight.forest import Growth
from app.insight.recovery import Effort
from app.intake.joint import Work
from app.intake.prepare import Recipe
from app.intake.proxies import Measured, Sampler, measure
from app.intake.read import Raw
from tests.builders import KEYS, POLICY, lines, opened, record
from tests.predictions import PREDICTIONS

Values = dict[str, Any]


def recipe(**policy: Any) -> Recipe:
    return Recipe("credit", POLICY.model_copy(update=policy), KEYS, {})


def sampled(items: Iterable[Any], **sizes: int) -> Sampler:
    sampler = Sampler(**sizes)
    for _ in sampler.passing(lines(items)):
        pass
    return sampler


def measured(items: Iterable[Any], **policy: Any) -> Measured:
    return measure(sampled(items), recipe(**policy))


def person(number: int, sensitive: Values, **inputs: Any) -> dict[str, Any]:
    return record(
        id=f"c{number}",
        inputs=[
            {"name": name, "kind": "number" if isinstance(value, int) else "category", "value": value}
            for name, value in inputs.items()
        ],
        sensitive=[{"name": name, "value": value} for name, value in sensitive.items()],
    )


def people(count: int, make: Callable[[random.Random, str], Values] | None = None) -> list[dict[str, Any]]:
    """Records with a sex, a job that mostly goes with it, and an income that does not."""
    rng = random.Random(count)
    found = []
    for number in range(count):
        sex = rng.choice(["female", "male"])
        job = ("nurse" if sex == "female" else "welder") if rng.random() < 0.8 else rng.choice(["clerk", "cook"])
        more = make(rng, sex) if make else {}
        found.append(person(number, {"sex": sex}, job_title=job, income=rng.randrange(100), **more))
    return found


def figures(found: Measured) -> dict[tuple[str, str], float | None]:
    return {(one.field, one.attribute): one.information for one in found.associations}


@given(st.integers(0, 300), st.integers(1, 50))
def test_a_sample_is_bounded_passes_everything_on_and_is_the_same_again(count: int, size: int) -> None:
    items = list(lines(record(id=f"c{number}") for number in range(count)))
    ids = []
    for _ in range(2):
        sampler = Sampler(records=size)
        assert list(sampler.passing(items)) == items
        ids.append([r["id"] for r in sampler.records(recipe())])
    assert ids[0] == ids[1]
    assert len(ids[0]) == min(count, size)
    assert ids[0] == sorted(ids[0], key=lambda name: int(name[1:]))


def test_a_sample_is_uniform_also_after_large_items_made_it_smaller() -> None:
    items = [Raw(n, b"%d" % n + b" " * (400 if n < 40 else 10)) for n in range(100)]
    drawn: Counter[int] = Counter()
    for seed in range(400):
        sampler = Sampler(records=50, size=4000)
        sampler._draw = random.Random(seed).random
        for _ in sampler.passing(items):
            pass
        assert sampler._held <= 4000
        drawn.update(int(data) for _, _, data, _ in sampler._kept)
    halves = [sum(drawn[n] for n in range(start, start + 20)) for start in (0, 40, 60, 80)]
    assert max(halves[1:]) < 1.15 * min(halves[1:])


def test_a_field_that_tells_is_told_from_one_that_does_not() -> None:
    found = measured(people(500))
    assert found.n == 500
    assert figures(found)["job_title", "sex"] == pytest.approx(0.8, abs=0.1)
    assert figures(found)["income", "sex"] == 0
    assert found.associations[0].field == "job_title"


def test_a_withheld_input_is_an_attribute_and_no_field() -> None:
    rng = random.Random(5)
    ages = [rng.randrange(20, 80) for _ in range(300)]
    found = measured([person(n, {}, age=age, seniority=age // 12, noise=n % 7) for n, age in enumerate(ages)])
    assert set(figures(found)) == {("seniority", "age"), ("noise", "age")}
    assert (figures(found)["seniority", "age"] or 0) > 0.7


def test_an_input_withheld_for_what_it_gives_away_is_not_the_attribute() -> None:
    """Who withholds a proxy, as advised, wants to know what still tells of the attribute, not of the proxy."""
    rng = random.Random(7)
    rows = [person(n, {"sex": sex}, branch=rng.choice("abcd")) for n, sex in enumerate("fm" * 200)]
    for row in rows:
        row["inputs"].append({"name": "desk", "kind": "category", "value": row["inputs"][0]["value"] * 2})
    assert figures(measured(rows))["desk", "sex"] == 0
    assert figures(measured(rows, reveals={"sex": ["branch"]})) == {("desk", "sex"): 0}
    told = [row | {"inputs": [row["inputs"][0] | {"reveals": ["sex"]}, row["inputs"][1]]} for row in rows]
    assert figures(measured(told)) == {("desk", "sex"): 0}
    # Where no record has the attribute, what gives it away stands for it.
    bare = [row | {"sensitive": []} for row in rows]
    assert figures(measured(bare, reveals={"sex": ["branch"]}))["desk", "sex"] == pytest.approx(1)


def test_measured_is_what_the_reviewer_sees() -> None:
    rng = random.Random(6)
    rows = [person(n, {"sex": sex}, code=2 * rng.randrange(8) + (sex == "f")) for n, sex in enumerate("fm" * 200)]
    assert figures(measured(rows))["code", "sex"] == pytest.approx(1)
    assert figures(measured(rows, band={"code": 100.0}))["code", "sex"] == 0
    assert "code" not in {field for field, _ in figures(measured(rows, pseudonymise=["code"]))}
    assert "code" not in {field for field, _ in figures(measured(rows, reveals={"sex": ["code"]}))}


def test_an_attribute_that_is_a_list_is_skipped_in_that_record() -> None:
    rows = people(200)
    for row in rows[:50]:
        row["sensitive"][0]["value"] = ["female"]
    assert measured(rows).associations[0].n == 150


def test_few_records_say_nothing_and_names_say_something() -> None:
    [one] = [one for one in measured(people(20, lambda _, sex: {"gndr": sex[0]})).associations if one.field == "gndr"]
    assert (one.information, one.why, one.n) == (None, "too few", 20)
    assert one.likeness >= 0.75


def test_texts_that_are_all_distinct_are_said_to_be() -> None:
    found = measured(people(60, lambda rng, _: {"remark": f"x{rng.random()}"}))
    assert {one.why for one in found.associations if one.field == "remark"} == {"too many values"}


def test_a_name_like_a_built_in_attribute_is_found_without_values() -> None:
    rows = [person(n, {}, ethn_grp=n % 3, month=n) for n in range(40)]
    [one] = measured(rows).associations
    assert (one.field, one.attribute, one.why) == ("ethn_grp", "ethnicity", "no values")
    assert not measured(rows, show=["ethn_grp"]).associations


def test_a_name_that_is_a_value_is_not_told() -> None:
    rows = [
        *people(100),
        person(100, {"name": "Quentin Farr"}, notes_on_quentin=1, month=2),
        person(101, {"Quentin": "Quentin Farr"}, month=2),
        record(id="c102", subject="Odalys", inputs=[{"name": "odalys_score", "kind": "number", "value": 1}]),
    ]
    told = " ".join(f"{one.field} {one.attribute}" for one in measured(rows).associations).lower()
    assert "job_title" in told
    assert "quentin" not in told
    assert "odalys" not in told


def test_what_is_quarantined_is_not_measured() -> None:
    bad = person(1, {"sex": "f"}, only_here=1) | {"task": {}}
    assert measured([*people(40), bad, b"{", b"[1]"]).n == 40


@settings(deadline=None)
@given(st.lists(PREDICTIONS, max_size=4), st.booleans())
def test_any_records_can_be_measured(records: list[dict[str, Any]], strict: bool) -> None:
    policy: Values = {"texts": [], "band": {"month": 10.0}, "reveals": {"sex": ["value"]}} if strict else {}
    light = Work(100, 10, 2, Effort(Growth(1, 4, 2, 1), 10))
    found = measure(sampled(records * 10), recipe(**policy), light)
    assert found.n <= len(records) * 10
    assert all(one.information is None or 0 <= one.information <= 1 for one in found.associations)


def test_names_of_the_policy_that_nothing_bears() -> None:
    rows = people(40, lambda rng, _: {"sex_at_hire": 1, "customer": rng.randrange(9)})
    found = measured(
        rows, band={"incom": 10.0}, withhold=["sex", "caste"], pseudonymise=["Customer"], texts=["note"],
        reveals={"sex": ["job_titel"]}, show=["telephone"],
    )  # fmt: skip
    assert {(one.name, one.setting): one.meant for one in found.unmet} == {
        ("incom", "band"): "income",
        ("caste", "withhold"): None,
        ("note", "texts"): None,
        ("job_titel", "reveals"): "job_title",
        ("telephone", "show"): None,
    }


@pytest.fixture
def place(tmp_path: Path) -> Path:
    make_workspace(tmp_path / "w")
    return tmp_path / "w"


def write(path: Path, rows: Iterable[Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def command(place: Path, *words: str) -> int:
    return run(["--workspace", str(place), *words])


def test_an_import_says_what_tells_and_the_report_shows_it(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "people.jsonl", people(200))
    assert command(place, "import", file, "--queue", "credit", "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {"admitted": 200, "duplicates": 0, "quarantined": 0}
    assert (
        "1 visible field tells of a withheld one (NMI ≥ 0.10 or AUC ≥ 0.60, n = 200): job_title tells sex (0."
        in said.err
    )
    assert 'reveals = { sex = ["job_title"] }' in said.err
    assert command(place, "protect", "report", "--json") == 0
    lines = {line["field"]: line for line in json.loads(capsys.readouterr().out) if line["kind"] == "field"}
    assert lines["job_title"]["marks"] == ["tells", "predicts"]
    assert (lines["income"]["information"], lines["income"]["marks"]) == (0, [])
    assert command(place, "protect", "report", "--queue", "credit", "--threshold", "0.99") == 0
    said = capsys.readouterr()
    assert "job_title" in said.out
    assert "tells" not in said.out


def test_no_value_is_kept_or_said(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = people(100, lambda rng, _: {"street_no": rng.choice(["Elm-4711", "Oak-4712"])})
    command(place, "import", write(tmp_path / "people.jsonl", rows), "--queue", "credit")
    command(place, "protect", "report")
    said = "".join(capsys.readouterr())
    with opened(place / "secondlook.db") as store, store.read() as connection:
        said += str(connection.exec_driver_sql("SELECT * FROM associations").all())
    assert "street_no" in said
    for value in ("female", "male", "nurse", "welder", "Elm", "4712"):
        assert value not in said


def test_later_figures_replace_earlier_ones_unless_they_are_few(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def imported(count: int) -> set[int]:
        command(place, "import", write(tmp_path / "people.jsonl", people(count)), "--queue", "credit")
        capsys.readouterr()
        assert command(place, "protect", "report", "--json") == 0
        return {line["n"] for line in json.loads(capsys.readouterr().out)}

    assert imported(10) == {10}
    assert imported(200) == {200}
    assert imported(20) == {200}
    assert imported(50) == {50}


def test_a_file_is_measured_without_being_kept(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "people.csv"
    rows = [(row["inputs"][0]["value"], row["inputs"][1]["value"], row["sensitive"][0]["value"]) for row in people(100)]
    body = "".join(f"c{n},{job},{income},{sex},decline,0.7\n" for n, (job, income, sex) in enumerate(rows))
    file.write_text("id,job_title,income,sex,label,score\n" + body)
    settings = place / "secondlook.toml"
    text = settings.read_text()
    task = 'task = { type = "binary", labels = ["approve", "decline"] }\nreveals = { sex = ["job_titel"] }'
    settings.write_text(text.replace("[queues.credit]", f"[queues.credit]\n{task}"))
    assert command(place, "protect", "report", str(file), "--queue", "credit", "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)[0]["field"] == "job_title"
    assert "names 'job_titel' (reveals), which none of 100 records has; did you mean 'job_title'?" in said.err
    assert command(place, "protect", "report", "--queue", "credit") == 4
    assert "Nothing was imported" in capsys.readouterr().err


def test_a_report_says_what_it_needs(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(place, "protect", "report") == 4
    assert command(place, "protect", "report", "--queue", "nobody") == 2
    assert command(place, "protect", "report", str(tmp_path / "x.jsonl")) == 2
    assert "--queue" in capsys.readouterr().err
    command(place, "import", write(tmp_path / "plain.jsonl", [record()]), "--queue", "credit")
    assert command(place, "protect", "report", "--queue", "credit") == 0
    assert "nothing withheld" in capsys.readouterr().err


def rich(count: int) -> list[dict[str, Any]]:
    """Records whose score was computed from a withheld age and three visible inputs; their baseline goes by race."""
    rng = random.Random(count)
    found = []
    for number in range(count):
        inputs = {name: round(rng.gauss(0, 1), 4) for name in ("income", "debt", "tenure")}
        age, race = rng.randrange(20, 80), rng.choice(["ash", "birch"])
        logit = sum(inputs.values()) + (age - 50) / 20
        row = person(number, {"race": race}, **inputs, age=age)
        for item in row["inputs"]:
            item["kind"] = "number"
        score = 1 / (1 + math.exp(-logit))
        yes = rng.random() < (0.75 if race == "ash" else 0.25)
        label = "decline" if score > 0.5 else "approve"
        row["output"] = {"label": label, "score": score, "baseline": {"label": "decline" if yes else "approve"}}
        found.append(row)
    return found


def test_what_the_model_said_and_the_baseline_are_fields() -> None:
    found = measured(rich(300))
    by_field = {(one.field, one.attribute): one for one in found.associations}
    assert {"output.score", "output.label", "output.baseline.label"} <= {one.field for one in found.associations}
    baseline = by_field["output.baseline.label", "race"]
    assert baseline.auc is not None
    assert baseline.auc.auc == pytest.approx(0.75, abs=0.06)
    assert baseline.said
    assert not by_field["income", "race"].said


def test_age_comes_back_from_inputs_and_score_together() -> None:
    joint = {(one.attribute, one.sees): one for one in measured(rich(300)).joint}
    assert (joint["age", "inputs"].auc or 1) < 0.6
    age = joint["age", "inputs and output"]
    assert (age.low or 0) > 0.9
    assert (age.n, age.values, age.cut) == (300, 1, "median")
    race = joint["race", "inputs and output"]
    assert race.auc == pytest.approx(0.75, abs=0.08)
    assert race.cut == "value"


def test_what_is_left_of_an_explanation_tells_a_withheld_feature() -> None:
    rows = rich(200)
    for row in rows:
        values = {item["name"]: item["value"] for item in row["inputs"]}
        values["age"] = (values["age"] - 50) / 20
        items = [{"feature": name, "value": value, "contribution": value} for name, value in values.items()]
        base, result = 0.5, 0.5 + sum(values.values())
        row["explanations"] = [{"kind": "attribution", "base_value": base, "output_value": result, "items": items}]
    [age] = [one for one in measured(rows).associations if (one.field, one.attribute) == ("explanations.others", "age")]
    assert age.auc is not None
    assert age.auc.low > 0.95


def test_an_attribute_of_several_values_is_asked_about_each() -> None:
    rng = random.Random(7)
    faiths = [rng.choice("abc") for _ in range(240)]
    rows = [person(n, {"religion": f}, school=f if f == "c" else "x", noise=n % 5) for n, f in enumerate(faiths)]
    [one] = [one for one in measured(rows).joint if one.sees == "inputs"]
    assert one.values == 3
    assert (one.auc or 0) > 0.95


def test_exclusive_or_is_found_together() -> None:
    rng = random.Random(8)
    rows = []
    for number in range(300):
        one, other = rng.choice("ab"), rng.choice("ab")
        rows.append(person(number, {"sex": "f" if (one == other) else "m"}, one=one, other=other, noise=rng.random()))
    found = measured(rows)
    assert figures(found)["one", "sex"] == figures(found)["other", "sex"] == 0
    assert (found.joint[0].low or 0) > 0.95


def test_few_cases_of_an_attribute_are_said_to_be_too_few() -> None:
    rows = [person(n, {"sex": "f" if n < 19 else "m"}, month=n % 12) for n in range(100)]
    found = measured(rows)
    assert [(one.auc, one.n, one.values) for one in found.joint if one.sees == "inputs"] == [(None, 100, 0)]
    assert all(one.auc is None for one in found.associations)


def test_missing_values_are_counted_as_such() -> None:
    rows = people(300)
    for number, row in enumerate(rows):
        female = row["sensitive"][0]["value"] == "female"
        row["inputs"] = [item for item in row["inputs"] if item["name"] != "income" or not female]
        if number % 3 == 0:
            row["sensitive"] = []
    found = measured(rows)
    assert figures(found)["income", "sex"] == pytest.approx(1)
    assert found.joint[0].n == 200
    assert (found.joint[0].low or 0) > 0.9


def test_unique_cases_are_counted_exactly() -> None:
    shown = [("a", 1), ("a", 1), ("a", 2), ("b", 1), ("b", 1), ("c", 1)]
    rows = [person(n, {}, town=town, rooms=rooms) for n, (town, rooms) in enumerate(shown)]
    found = {(one.sees, one.banded): one for one in measured(rows).shown}
    assert (found["inputs", False].unique, found["inputs", False].rare, found["inputs", False].n) == (2, 6, 6)
    assert found["inputs", False].fields == 2
    assert found["inputs", False].singling == [("town", 1), ("rooms", 2)]


def test_texts_that_are_all_distinct_are_left_out_of_the_count() -> None:
    rows = people(60, lambda rng, _: {"remark": f"x{rng.random()}"})
    assert measured(rows).shown[0].left_out == ["remark"]


def test_the_report_says_what_to_do_and_json_has_all_figures(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "rich.jsonl", rich(300))
    assert command(place, "import", file, "--queue", "credit") == 0
    said = capsys.readouterr().err
    assert "All visible fields together predict age (AUC 0.9" in said
    assert "from inputs and output" in said
    assert "229 of 300 cases are the only ones with what their inputs show" in said
    assert command(place, "protect", "report", "--json") == 0
    lines = json.loads(capsys.readouterr().out)
    assert {line["kind"] for line in lines} == {"field", "joint", "unique"}
    joint = {(line["attribute"], line["sees"]): line for line in lines if line["kind"] == "joint"}
    age = joint["age", "inputs and output"]
    assert age["marks"] == ["predicts"]
    assert age["low"] <= age["auc"] <= age["high"]
    assert command(place, "protect", "report") == 0
    shown = capsys.readouterr()
    assert "output.baseline.label *" in shown.out
    assert "What to do, in this order" in shown.out
    assert "Texts are not compared" in shown.err
    assert max(map(len, shown.out.splitlines())) <= 100
    for value in ("ash", "birch"):
        assert value not in shown.out + shown.err + said
    assert command(place, "protect", "report", file, "--queue", "credit", "--auc", "1", "--threshold", "1") == 0
    assert "predicts\n" not in capsys.readouterr().out


def test_figures_of_an_earlier_version_are_still_shown(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(place, "import", write(tmp_path / "people.jsonl", people(200)), "--queue", "credit")
    with opened(place / "secondlook.db") as store, store.write() as connection:
        connection.exec_driver_sql("DELETE FROM exposures")
        connection.exec_driver_sql("UPDATE associations SET auc = NULL, low = NULL, high = NULL, by_chance = NULL")
    capsys.readouterr()
    assert command(place, "protect", "report") == 0
    assert "job_title" in capsys.readouterr().out
