"""What each function does, and in which order it has its effects.

S3 sends an event at least once and in no order; Lambda drops an event after its third failure; Step
Functions retries a failed task. So every step may run again after it stopped at any point, and then
does the same work again to the same effect.
"""

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

from . import chunks
from .approval_request import approval_request, hold_reason
from .documents import CHUNKS, Document
from .scan import UnreadableError, scan
from .wiring import Wiring

MAX_CHUNKS = 10_000
"""A document with more chunks is refused, because the split would outlast the function's time."""

_CHUNK_KEY = re.compile(rf"{CHUNKS}([A-Za-z0-9-]{{1,80}})/([0-9]{{1,6}})")

Json = dict[str, Any]


def start(wiring: Wiring, document: Document) -> str:
    """Start the execution for a version of a document, once, and return the execution's name."""
    stem = re.sub(r"[^A-Za-z0-9]+", "-", document.name)[:40].strip("-")
    digest = hashlib.sha256("\n".join(document).encode()).hexdigest()[:32]
    name = f"{stem}-{digest}".strip("-")
    new = wiring.callbacks.start(name, {"document": document._asdict()})
    wiring.log("start", execution=name, new=new)
    return name


def split(wiring: Wiring, execution: str, document: Document, task_token: str) -> None:
    """Split a document into chunks. The worker of the last scanned chunk answers the task.

    The scan and its task token are stored before the first chunk is written. A retry, after a
    failure or the task's time-out, stores its own token and writes the chunks of every batch that
    isn't full again. S3 sends the events of these chunks again, which replaces lost ones.
    """
    try:
        size, parts = wiring.documents.read(document)
        number_of_chunks = chunks.count(size, wiring.chunk_bytes)
        if number_of_chunks > MAX_CHUNKS:
            limit = MAX_CHUNKS * wiring.chunk_bytes
            raise UnreadableError(f"{size:,} bytes are more than the limit of {limit:,}")
    except UnreadableError as e:
        # Raising the error isn't enough: MiniStack wouldn't fail the task (docs/fidelity.md, S9).
        wiring.callbacks.fail(task_token, "UnreadableDocument", str(e))
        wiring.log("split", execution=execution, unreadable=str(e))
        return
    progress = wiring.scans.begin(
        execution,
        chunks=number_of_chunks,
        chunk_bytes=wiring.chunk_bytes,
        task_token=task_token,
        now=wiring.now(),
    )
    if progress is None:
        wiring.log("split", execution=execution, superseded=True)
        return
    if progress.complete:
        wiring.callbacks.succeed(task_token, {"chunks": progress.chunks})
        wiring.log("split", execution=execution, complete=True)
        return
    written = 0
    for chunk in chunks.split(parts, progress.chunk_bytes):
        if not progress.in_full_batch(chunk.number):
            wiring.documents.put_chunk(execution, chunk, progress.chunks)
            written += 1
    wiring.log("split", execution=execution, chunks=progress.chunks, written=written)


def look(wiring: Wiring, key: str) -> None:
    """Scan one chunk, store its findings, count it; with the last chunk complete the task.

    Findings are stored before the chunk is counted, and the task is answered after the count. If
    the function dies between two of these, the same event, sent again, does the rest.
    """
    match = _CHUNK_KEY.fullmatch(key)
    if match is None:
        wiring.log("look", stray=True)
        return
    execution, number = match[1], int(match[2])
    try:
        chunk, number_of_chunks = wiring.documents.chunk(execution, number)
        scanned = scan(chunk)
    except UnreadableError as e:
        _fail(wiring, execution, number, str(e))
        return
    now = wiring.now()
    wiring.scans.record(execution, scanned, now)
    progress = wiring.scans.count(execution, number, chunks=number_of_chunks, now=now)
    resumed = False
    if progress is not None and progress.complete:
        resumed = wiring.callbacks.succeed(progress.task_token, {"chunks": progress.chunks})
    found = sum(scanned.counts.values())
    wiring.log("look", execution=execution, chunk=number, found=found, resumed=resumed)


def _fail(wiring: Wiring, execution: str, number: int, why: str) -> None:
    """Fail the task. The chunk isn't counted, so that the scan can never be complete."""
    progress = wiring.scans.progress(execution)
    failed = progress is not None and wiring.callbacks.fail(
        progress.task_token, "UnreadableChunk", f"chunk {number}: {why}"
    )
    wiring.log("look", execution=execution, chunk=number, unreadable=why, failed=failed)


def summarise(wiring: Wiring, execution: str, document: Document, number_of_chunks: int) -> Json:
    """Return the request to Assent: whether to release the document, and what was found in it."""
    return approval_request(
        document.name,
        wiring.scans.scanned_chunks(execution, number_of_chunks),
        approvers=wiring.approvers,
        requested_by=wiring.requested_by,
    )


def release(wiring: Wiring, document: Document) -> Json:
    """Copy an approved document to `released/`."""
    return {"outcome": "released", "key": wiring.documents.release(document)}


def hold(wiring: Wiring, execution: str, document: Document, because: Json) -> Json:
    """Copy any other document to `held/`, with the reason beside it."""
    error, reason = hold_reason(because)
    held_at = datetime.fromtimestamp(wiring.now() // 1000, UTC).isoformat()
    details = {"error": error, "reason": reason, "execution": execution, "heldAt": held_at}
    key = wiring.documents.hold(document, details | document._asdict())
    return {"outcome": "held", "key": key, "error": error, "reason": reason}
