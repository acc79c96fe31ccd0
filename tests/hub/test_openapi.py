"""Wild requests made from the OpenAPI document: every answer is one that the document knows, and none is a defect."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.hub.app import api
from app.hub.hub import Hub
from tests.contract import hubs


def test_the_document_names_every_answer_and_has_examples() -> None:
    document = api().openapi()
    assert document["info"]["title"] == "secondlook hub"
    ingest = document["paths"]["/v1/predictions"]["post"]
    assert set(ingest["responses"]) >= {"200", "401", "403", "413", "415", "422", "429", "503"}
    assert ingest["requestBody"]["content"]["application/json"]["example"]["id"]


@pytest.mark.parametrize("examples", [pytest.param(2, id="2"), pytest.param(60, id="60", marks=pytest.mark.heavy)])
def test_wild_requests_find_no_defect(examples: int, hub: Hub, address: str, tmp_path: Path) -> None:
    token = hubs.sign_in(hub, "ada", "lead", "officer", "intake")
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--url", address]
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    words = ["--checks", checks, "--max-examples", str(examples), "--phases", "examples,coverage,fuzzing"]
    words += [
        "--header",
        f"Authorization: Bearer {token}",
        "--no-color",
        "--seed",
        "1",
        "--suppress-health-check",
        "all",
    ]
    done = subprocess.run(
        [*command, *words], capture_output=True, text=True, timeout=900, check=False, cwd=tmp_path, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
