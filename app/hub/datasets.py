"""The route by which corrections go out as a dataset: the file that `secondlook export` writes."""

from __future__ import annotations

import base64
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import orjson
from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.export.dataset import FORMATS, Exported, Format, check_format, export
from app.hub.asking import Word, allowed, hub_of
from app.hub.hub import Hub, Identity
from app.hub.problems import ANSWERS, problem
from app.hub.streaming import Streamed
from app.model.errors import BadInput, Unavailable

router = APIRouter(tags=["programs"])
MEDIA: dict[Format, str] = {
    "parquet": "application/vnd.apache.parquet",
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
}
ROWS_HEADER, EXCLUDED_HEADER, DIGEST_HEADER = "secondlook-rows", "secondlook-excluded", "repr-digest"
_CHUNK = 256 * 1024
# So many files may be on their way out at the same time.
_MOST_OUT = 8
_TEXT = {"schema": {"type": "string"}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file. Its columns are in docs/export.md.",
        "content": {
            MEDIA["parquet"]: {"schema": {"type": "string", "format": "binary"}},
            MEDIA["jsonl"]: _TEXT,
            "text/csv": _TEXT,
        },
        "headers": {
            DIGEST_HEADER: {"description": "SHA-256 of the file (RFC 9530): `sha-256=:BASE64:`.", **_TEXT},
            ROWS_HEADER: {"description": "How many corrections it holds.", "schema": {"type": "integer"}},
            EXCLUDED_HEADER: {
                "description": "How many settled cases it leaves out: unresolvable ones.",
                "schema": {"type": "integer"},
            },
        },
    },
    404: {**ANSWERS[404], "description": "There are no corrections in this queue."},
    429: {**ANSWERS[429], "description": "Too many requests, or another dataset is being made: see Retry-After."},
}


class Datasets:
    """Which datasets are being made and sent."""

    def __init__(self) -> None:
        self.making = threading.Lock()
        self.sending = threading.BoundedSemaphore(_MOST_OUT)


@dataclass
class _Made:
    """A dataset in an open file. The folder is gone already where the system allows it, so that nothing stays behind
    whatever happens to this process."""

    exported: Exported
    sha256: str
    file: BinaryIO
    folder: Path
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = self.exported.path.stat().st_size
        shutil.rmtree(self.folder, ignore_errors=True)

    def discard(self) -> None:
        self.file.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@router.get("/datasets/{queue}", response_class=Response, responses=_ANSWERS)
async def dataset(
    request: Request,
    who: Annotated[Identity, Depends(allowed("verdicts"))],
    queue: Word,
    form: Annotated[str, Query(alias="format", max_length=20, description=f"One of {', '.join(FORMATS)}.")] = "parquet",
) -> Response:
    """A queue's corrections as a dataset, made now; the log notes who took it."""
    hub, datasets = hub_of(request), request.state.datasets
    wanted = check_format(form)
    if queue not in hub.policies:
        raise BadInput("queue: there is no such queue for this token.")
    if not datasets.sending.acquire(blocking=False):
        return problem(429, "Many datasets are being fetched. Come again in 30 s.", {"retry-after": "30"})
    try:
        made = await run_in_threadpool(_make, hub, datasets, who, queue, wanted)
    except BaseException:
        datasets.sending.release()
        raise
    if made is None:
        datasets.sending.release()
        return problem(429, "Another dataset is being made. Come again in 5 s.", {"retry-after": "5"})

    def done() -> None:
        made.discard()
        datasets.sending.release()

    return Streamed(_chunks(made.file), MEDIA[wanted], _headers(made, queue, wanted), done)


def _make(hub: Hub, datasets: Datasets, who: Identity, queue: str, form: Format) -> _Made | None:
    """The dataset, or None while another one is being made: each takes the memory of all its rows."""
    if not datasets.making.acquire(blocking=False):
        return None
    try:
        return _write(hub, who, queue, form)
    finally:
        datasets.making.release()


def _write(hub: Hub, who: Identity, queue: str, form: Format) -> _Made:
    folder = Path(_temporary())
    # Where it goes nobody here knows; an erasure names who has it.
    taker = "".join(letter for letter in who.person if letter.isprintable())
    try:
        done = export(hub.store, folder, queue, form, who.person, hub.clock(), f"downloaded from the hub by {taker}")
        sha256 = orjson.loads(done.manifest.read_bytes())["files"][0]["sha256"]
        return _Made(done, sha256, done.path.open("rb"), folder)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, Unavailable) and str(folder) in str(error):
            said = str(error).replace(str(folder), "The hub's folder for temporary files")
            raise Unavailable(said) from None
        raise


def _temporary() -> str:
    try:
        return tempfile.mkdtemp(prefix="secondlook-")
    except OSError as error:
        raise Unavailable(
            f"The hub has no room for temporary files: {error.strerror}. Corrections are kept; nothing was exported."
        ) from None


def _headers(made: _Made, queue: str, form: Format) -> dict[str, str]:
    name = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "_" for letter in queue)
    return {
        "content-length": str(made.size),
        "content-disposition": f'attachment; filename="{name}.{form}"',
        "cache-control": "no-store",
        DIGEST_HEADER: f"sha-256=:{base64.b64encode(bytes.fromhex(made.sha256)).decode()}:",
        ROWS_HEADER: str(made.exported.rows),
        EXCLUDED_HEADER: str(made.exported.excluded),
    }


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    # The client may leave while a bit is read: the file is closed then.
    with suppress(ValueError):
        while chunk := await run_in_threadpool(file.read, _CHUNK):
            yield chunk
