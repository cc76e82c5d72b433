"""USE CASES: what each function does, and in which order.

S3 tells of an object at least once and in any order; Lambda gives an event up after its third
failure; Step Functions runs a failed task again. So each step may begin again at any time, wherever
it ended before: what was done is then done once more, to the same effect.
"""

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

from . import question, scan, split
from .documents import CHUNKS, Document
from .scan import UnreadableError
from .wiring import Wiring

MOST_CHUNKS = 10_000
"""A document that has more is refused: to cut it would take longer than a function may run."""

_CHUNK_KEY = re.compile(rf"{CHUNKS}([A-Za-z0-9-]{{1,80}})/([0-9]{{1,6}})")

Json = dict[str, Any]


def start(wiring: Wiring, document: Document) -> str:
    """Start the execution for one version of a document, unless there is one; return its name."""
    stem = re.sub(r"[^A-Za-z0-9]+", "-", document.name)[:40].strip("-")
    digest = hashlib.sha256("\n".join(document).encode()).hexdigest()[:32]
    name = f"{stem}-{digest}".strip("-")
    new = wiring.callbacks.start(name, {"document": document._asdict()})
    wiring.log("start", execution=name, new=new)
    return name


def cut(wiring: Wiring, execution: str, document: Document, task_token: str) -> None:
    """Cut a document into chunks; the worker of the last chunk answers the task.

    The scan is written down, with the task token, before there is a chunk. Whoever begins again,
    because the first try failed or its time was up, brings a new token and writes again what isn't
    counted: S3 sends those events once more, and so a lost one is made good.
    """
    try:
        size, parts = wiring.documents.read(document)
        chunks = split.count(size, wiring.chunk_bytes)
        if chunks > MOST_CHUNKS:
            most = MOST_CHUNKS * wiring.chunk_bytes
            raise UnreadableError(f"{size:,} bytes are more than can be cut, {most:,}")
    except UnreadableError as e:
        # Not by raising it: not every engine hears of that (docs/fidelity.md, S9).
        wiring.callbacks.fail(task_token, "UnreadableDocument", str(e))
        wiring.log("cut", execution=execution, unreadable=str(e))
        return
    now = wiring.now()
    progress = wiring.counting.begin(execution, chunks, wiring.chunk_bytes, task_token, now)
    if progress is None:
        wiring.log("cut", execution=execution, superseded=True)
        return
    if progress.complete:
        wiring.callbacks.succeed(task_token, {"chunks": progress.chunks})
        wiring.log("cut", execution=execution, complete=True)
        return
    written = 0
    for chunk in split.chunks(parts, progress.chunk_bytes):
        if not progress.counted(chunk.number):
            wiring.documents.put_chunk(execution, chunk, progress.chunks)
            written += 1
    wiring.log("cut", execution=execution, chunks=progress.chunks, written=written)


def look(wiring: Wiring, key: str) -> None:
    """Look at one chunk, write down what it holds, count it; the last one resumes the execution.

    Counted is only what is written down, and the task is answered by whoever sees the count
    complete: dying in between leaves that to the same event, sent again.
    """
    named = _CHUNK_KEY.fullmatch(key)
    if named is None:
        wiring.log("look", stray=True)
        return
    execution, number = named[1], int(named[2])
    try:
        chunk, chunks = wiring.documents.chunk(execution, number)
        looked = scan.look(chunk)
    except UnreadableError as e:
        _fail(wiring, execution, number, str(e))
        return
    now = wiring.now()
    wiring.counting.record(execution, looked, now)
    progress = wiring.counting.count(execution, number, chunks, now)
    resumed = False
    if progress is not None and progress.complete:
        resumed = wiring.callbacks.succeed(progress.task_token, {"chunks": progress.chunks})
    wiring.log(
        "look", execution=execution, chunk=number, found=sum(looked.kinds.values()), resumed=resumed
    )


def _fail(wiring: Wiring, execution: str, number: int, why: str) -> None:
    """Fail the task by name. A chunk that isn't counted keeps it from ever succeeding."""
    progress = wiring.counting.find(execution)
    failed = progress is not None and wiring.callbacks.fail(
        progress.task_token, "UnreadableChunk", f"chunk {number}: {why}"
    )
    wiring.log("look", execution=execution, chunk=number, unreadable=why, failed=failed)


def summarise(wiring: Wiring, execution: str, document: Document, chunks: int) -> Json:
    """Return what Assent is asked: whether this may go out, with what was found in it."""
    looked = wiring.counting.looked(execution, chunks)
    return question.question(document.name, looked, wiring.approvers, wiring.requested_by)


def release(wiring: Wiring, document: Document) -> Json:
    """Put a document where what is approved goes."""
    return {"outcome": "released", "key": wiring.documents.release(document)}


def hold(wiring: Wiring, execution: str, document: Document, because: Json) -> Json:
    """Put a document where the others go, with the reason beside it."""
    error, reason = question.why_held(because)
    held_at = datetime.fromtimestamp(wiring.now() // 1000, UTC).isoformat()
    why = {"error": error, "reason": reason, "execution": execution, "heldAt": held_at}
    key = wiring.documents.hold(document, why | document._asdict())
    return {"outcome": "held", "key": key, "error": error, "reason": reason}
