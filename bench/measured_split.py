"""A measured process: splits one document as `document_release` does, and prints a SplitReport.

`python -m bench.measured_split MIB` generates the document while it splits it and drops the chunks,
so that only splitting is measured. With `s3` the document, which is in BUCKET, comes from S3, and
the chunks go there.
"""

import json
import re
import sys
import time
from itertools import repeat
from pathlib import Path
from typing import TypedDict

import boto3

from examples.document_release.chalicelib import chunks
from examples.document_release.chalicelib.documents import Document, Documents

MIB = 1 << 20
BUCKET = "document-release-bench"
PART = b"The quick brown fox jumps over the lazy dog, and nobody minds.\n\n" * (MIB // 64)
"""1 MiB of text."""


class SplitReport(TypedDict):
    """The number of chunks, the duration, and the process's memory before the split and at most."""

    chunks: int
    seconds: float
    before_mb: float
    peak_mb: float


def main(mib: str, *source: str) -> None:
    """Split a document of that many MiB and print the report as JSON."""
    documents = Documents(boto3.client("s3"), BUCKET)
    before, started, number = _peak_mb(), time.perf_counter(), 0
    if source:
        size, parts = documents.read(Document(f"incoming/{mib}", "null"))
        for chunk in chunks.split(parts, MIB):
            documents.put_chunk(mib, chunk, chunks.count(size, MIB))
            number += 1
    else:
        number = sum(1 for _ in chunks.split(repeat(PART, int(mib)), MIB))
    report: SplitReport = {
        "chunks": number,
        "seconds": time.perf_counter() - started,
        "before_mb": before,
        "peak_mb": _peak_mb(),
    }
    print(json.dumps(report))


def _peak_mb() -> float:
    """Return this process's peak memory in MB, from Linux, which counts in kB."""
    status = Path("/proc/self/status").read_text()
    (peak,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(peak) * 1024 / 1e6


if __name__ == "__main__":
    main(*sys.argv[1:])
