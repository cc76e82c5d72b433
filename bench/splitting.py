"""Runs inside a measured process: splits one document as the example does; prints what it took.

`python -m bench.splitting MIB` makes the document up as it goes and drops the chunks: what is left
is splitting. With `s3`, and a document of that size in BUCKET, it comes from S3 and goes back.
"""

import json
import re
import sys
import time
from itertools import repeat
from pathlib import Path

import boto3

from examples.document_release.chalicelib import split
from examples.document_release.chalicelib.documents import Document, Documents

MIB = 1 << 20
BUCKET = "document-release-bench"
PART = b"The quick brown fox jumps over the lazy dog, and nobody minds.\n\n" * (MIB // 64)
"""1 MiB of text."""


def main(mib: str, *where: str) -> None:
    """Split a document of that many MiB and print JSON: chunks, seconds, MB before and at most."""
    documents = Documents(boto3.client("s3"), BUCKET)
    before, started, number = _peak_mb(), time.perf_counter(), 0
    if where:
        size, parts = documents.read(Document(f"incoming/{mib}", "null"))
        for chunk in split.chunks(parts, MIB):
            documents.put_chunk(mib, chunk, split.count(size, MIB))
            number += 1
    else:
        number = sum(1 for _ in split.chunks(repeat(PART, int(mib)), MIB))
    seconds = time.perf_counter() - started
    print(json.dumps({"chunks": number, "s": seconds, "before": before, "peak": _peak_mb()}))


def _peak_mb() -> float:
    """Return the most memory that this program has had (as Linux tells it, in kB)."""
    status = Path("/proc/self/status").read_text()
    (peak,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(peak) * 1024 / 1e6


if __name__ == "__main__":
    main(*sys.argv[1:])
