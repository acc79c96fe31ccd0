"""Ids for copies: nobody tells them from those around them, and where that cannot be there are none."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from app.desk.disguise import disguised
from app.desk.id_traits import passes_check_digits, time_in
from app.desk.invented import invent, like, rooms

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
Form = Callable[[int, random.Random], str]


def _ulid(n: int, drawn: random.Random) -> str:
    millis, name = 1_790_000_000_000 + n * 977, ""
    for _ in range(10):
        millis, digit = divmod(millis, 32)
        name = CROCKFORD[digit] + name
    return name + "".join(drawn.choices(CROCKFORD, k=16))


def _uuid7(n: int, drawn: random.Random) -> str:
    value = (1_790_000_000_000 + n * 977) << 80 | drawn.getrandbits(80)
    return str(uuid.UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62))


FORMS: dict[str, tuple[Form, str, bool]] = {
    # name: how an id is made, its form, whether ids grow from case to case
    "with gaps": (lambda n, d: f"loan-{1000 + n * 9 + d.randrange(8)}", r"loan-\d{4}", True),
    "padded": (lambda n, d: f"B7/{n * 5 + d.randrange(4):06d}/x", r"B7/\d{6}/x", True),
    "in tens": (lambda n, d: str(700_000 + 10 * (n * 4 + d.randrange(3))), r"7\d{4}0", True),
    "random number": (lambda n, d: f"post-{d.randrange(10**6, 10**7)}", r"post-\d{7}", False),
    "hex": (lambda n, d: f"{d.getrandbits(64):016x}", r"[0-9a-f]{16}", False),
    "UUID 4": (lambda n, d: str(uuid.UUID(int=d.getrandbits(128), version=4)), r"[0-9a-f-]{14}4[0-9a-f-]{21}", False),
    "UUID 7": (_uuid7, r"[0-9a-f-]{14}7[0-9a-f-]{21}", True),
    "ULID": (_ulid, r"[0-9A-HJKMNP-TV-Z]{26}", True),
    "mail": (lambda n, d: f"user{d.randrange(10**5, 10**6)}@example.org", r"user\d{6}@example\.org", False),
    "dated": (lambda n, d: f"2026-11-{1 + n // 30:02d}-{n * 7 + d.randrange(5):05d}", r"2026-11-0[1-3]-\d{5}", True),
}


@pytest.mark.parametrize("name", FORMS)
def test_an_id_has_the_form_and_the_place_of_those_around_it(name: str) -> None:
    make, form, grows = FORMS[name]
    drawn = random.Random(name)
    near = [make(n, drawn) for n in range(60)]
    found = 0
    for place in (1, 20, 45, 59):
        if not rooms(near)[place]:
            continue
        made = invent(near, place, lambda one: one not in near, drawn)
        assert made is not None
        assert re.fullmatch(form, made)
        assert made not in near
        if grows:
            assert near[place - 1] < made < near[place]
        else:
            assert min(near)[:6] <= made[:6] <= max(near)[:6]
        found += 1
    assert found >= 2


@pytest.mark.parametrize(
    "near",
    [
        [f"row-{n:04d}" for n in range(50)],
        [str(n) for n in range(1, 40)],
        ["ada@example.org", "ben@example.org", "cyd@example.org", "dan@example.org"] * 3,
        ["alpha", "beta", "gamma", "delta"],
        ["same", "same"],
        ["x-1", "kl:2:2", "33", "?"],
    ],
)
def test_where_none_can_be_made_there_is_none(near: list[str]) -> None:
    assert [invent(near, place, lambda one: one not in near, random.Random(1)) for place in range(len(near) + 1)] == [
        None for _ in range(len(near) + 1)
    ]


def test_every_free_number_is_drawn_as_often() -> None:
    near = ["n-100", "n-104", "n-110", "n-113"]
    drawn = random.Random(3)
    made = [invent(near, 2, lambda one: one not in near, drawn) for _ in range(600)]
    assert set(made) == {f"n-{n}" for n in range(105, 110)}
    assert max(made.count(one) for one in set(made)) < 170


@given(st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=20), st.integers(0, 20), st.integers())
def test_any_ids(near: list[str], place: int, seed: int) -> None:
    made = invent(near, min(place, len(near)), lambda one: one not in near, random.Random(seed))
    assert made is None or (made not in near and 0 < len(made) <= max(map(len, near)) + 1)
    assert len(rooms(near)) == len(near) + 1


@given(st.from_regex(r"[0-9A-Za-z-]{1,40}", fullmatch=True), st.integers())
def test_another_value_of_the_same_form(text: str, seed: int) -> None:
    made = like(text, random.Random(seed))
    assert [(c.isdecimal() or c.isalpha(), c == "-") for c in made] == [
        (c.isdecimal() or c.isalpha(), c == "-") for c in text
    ]


def _record(name: str, at: datetime, **more: Any) -> dict[str, Any]:
    base = {"id": name, "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "inputs": [], "output": {"label": "x"}}
    return {**base, **more}


def test_nothing_in_a_copys_record_leads_back() -> None:
    start = datetime(2027, 5, 1, 8, tzinfo=UTC)
    near = [orjson.dumps(_record(f"case-{n}000", start + timedelta(minutes=7 * n))).decode() for n in range(6)]
    record = _record(
        "case-10042",
        start - timedelta(days=3),
        request_id="ee09f7da690f6d1a",
        trace_id="0b7c5a54-8f0e-4f6c-9d8e-6a0f3c1b2a99",
        subject="subj-abcdefgh234567ab",
        inputs=[{"name": "note", "kind": "text", "value": "See case-10042, request ee09f7da690f6d1a."}],
        explanations=[{"kind": "trace", "steps": [{"at": "2027-04-28T07:59:58Z"}]}],
    )
    row = {"record": orjson.dumps(record).decode(), "search": "case-10042\nnote", "subject": record["subject"]}
    made = disguised({**row, "external_id": "case-77310"}, near, 3, random.Random(2))
    assert made is not None
    kept = orjson.loads(made["record"])
    assert kept["id"] == "case-77310"
    assert made["search"] == "case-77310\nnote"
    for old in ("case-10042", "ee09f7da690f6d1a", "0b7c5a54-8f0e-4f6c-9d8e-6a0f3c1b2a99", "subj-abcdefgh234567ab"):
        assert old not in orjson.dumps(made["record"]).decode()
    assert kept["trace_id"][14] == "4"
    assert made["subject"] == kept["subject"]
    created = datetime.fromisoformat(kept["created_at"])
    assert start + timedelta(minutes=14) <= created <= start + timedelta(minutes=21)
    step = datetime.fromisoformat(kept["explanations"][0]["steps"][0]["at"])
    assert created - step == timedelta(seconds=2)
    assert f"See case-77310, request {kept['request_id']}." == kept["inputs"][0]["value"]


def _beside(names: list[str], own: str, place: int, **more: Any) -> dict[str, Any] | None:
    """The record of a copy whose request was called `own`, among records with requests of these names."""
    start = datetime(2027, 5, 1, 8, tzinfo=UTC)
    near = [
        orjson.dumps(_record(f"case-{n}000", start + timedelta(minutes=n), request_id=name)).decode()
        for n, name in enumerate(names)
    ]
    record = orjson.dumps(_record("case-900", start, request_id=own)).decode()
    row = {"record": record, "search": "case-900", "subject": None, "external_id": "case-7", **more}
    made = disguised(row, near, place, random.Random(3))
    return made and orjson.loads(made["record"])


def test_a_copys_request_is_called_as_those_beside_it() -> None:
    kept = _beside([f"req-{5000 + n * n:07d}" for n in range(20)], "req-0000007", 10)
    assert kept is not None and "req-0005081" < kept["request_id"] < "req-0005100"
    of_time = [f"01a4a0{n:02x}-8248-7ec1-b349-{n * 7919 % 65536:04x}943735d4" for n in range(20)]
    kept = _beside(of_time, "01930000-8248-7ec1-b349-9baa943735d4", 10)
    assert kept is not None and of_time[9] < kept["request_id"] < of_time[10]


def test_no_copy_where_its_request_would_stand_out() -> None:
    assert _beside([f"req-{n}" for n in range(20)], "req-900", 10) is None
    assert _beside(["anna", "berta", "clara", "dora", "emil"], "zoe", 2) is None
    assert _beside([f"01a4a0{n}1-8248-7ec1-b349-9baa943735d4" for n in range(3)], "01930000-8248-7ec1-b349", 1) is None


def _copy(names: list[str], own: str, gap: float = 0.25) -> dict[str, Any] | None:
    """The record of a copy that is called `own`, among records that are `gap` seconds younger than their ids say."""
    near = []
    for name in names:
        told = time_in(name)
        assert told is not None
        at = (told + timedelta(seconds=gap)).isoformat()
        near.append(orjson.dumps(_record(name, told) | {"created_at": at}).decode())
    told = datetime(2027, 1, 1, 8, 0, 5, 500_000, tzinfo=UTC)
    inputs = [{"name": "received", "kind": "category", "value": told.isoformat()}]
    record = orjson.dumps(_record("old-id", told, inputs=inputs) | {"created_at": told.isoformat()}).decode()
    row = {"record": record, "search": "old-id", "subject": None, "external_id": own}
    made = disguised(row, near, len(near) // 2, random.Random(5))
    return made and orjson.loads(made["record"])


@pytest.mark.parametrize(
    "form",
    [
        lambda ms: f"{ms:012x}"[:8] + "-" + f"{ms:012x}"[8:] + "-7ec1-b349-9baa943735d4",
        lambda ms: f"req-{ms // 1000}",
        lambda ms: f"evt_{ms}",
        lambda ms: f"{ms // 1000:08x}aabbccddeeff0011",
        lambda ms: datetime.fromtimestamp(ms / 1000, UTC).strftime("loan-%Y%m%d%H%M%S"),
    ],
    ids=["uuid7", "epoch", "epoch ms", "object id", "date and time"],
)
def test_a_copys_time_is_that_of_its_id(form: Callable[[int], str]) -> None:
    start = 1_811_000_000_000
    kept = _copy([form(start + 60_000 * n) for n in range(12)], form(start + 330_000))
    assert kept is not None
    told, own = time_in(kept["id"]), datetime.fromisoformat(kept["created_at"])
    assert told is not None and abs((own - told).total_seconds() - 0.25) < 0.01
    # What the inputs say of the same moment moves along.
    assert kept["inputs"][0]["value"] == kept["created_at"]


def test_no_copy_whose_check_digit_is_wrong_where_all_others_are_right() -> None:
    bodies = [str(4_000_000_000 + 7919 * n) for n in range(9)]
    good = [next(f"{body}{digit}" for digit in range(10) if luhn.is_valid(f"{body}{digit}")) for body in bodies]
    assert not passes_check_digits("loan-79927398712", good)
    assert passes_check_digits("loan-79927398713", good)
    assert passes_check_digits("loan-79927398712", [*good, "79927398711"])
