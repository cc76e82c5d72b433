"""What splitting costs `document_release`: time and memory by the size of the document.

Each document is split by a process of its own, `measured_split.py`.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.progress import track

from bench.measured_split import BUCKET, PART, SplitReport
from bench.packages import ROOT, Packages
from bench.report import Row, Table
from tools.sandbox.emulator import Emulator, free_port

GENERATED = (10, 1_000, 10_000)
"""Sizes in MiB. The last is the largest document that the example accepts."""
FROM_S3 = (10, 256)
"""Sizes in MiB. The emulator has a document and its chunks in memory."""


def splitting(_: Packages) -> list[Table]:
    """Measure splits of documents of all sizes into chunks of 1 MiB."""
    generated = [_row(f"{mib:,} MiB", _split(mib, {})) for mib in track(GENERATED, "splitting")]
    with (
        tempfile.TemporaryDirectory() as folder,
        Emulator(free_port(None, "PORT="), Path(folder)) as emulator,
    ):
        s3: Any = emulator.account.session.client("s3", endpoint_url=emulator.endpoint_url)
        s3.create_bucket(Bucket=BUCKET)
        from_s3 = [_row(f"{mib:,} MiB, S3", _split_from_s3(emulator, s3, mib)) for mib in FROM_S3]
    columns = ("document", "chunks", "s", "MB before", "MB at most")
    return [Table("Splitting into chunks of 1 MiB", columns, generated + from_s3)]


def _row(name: str, report: SplitReport) -> Row:
    return name, report["chunks"], report["seconds"], report["before_mb"], report["peak_mb"]


def _split_from_s3(emulator: Emulator, s3: Any, mib: int) -> SplitReport:
    s3.put_object(Bucket=BUCKET, Key=f"incoming/{mib}", Body=PART * mib)
    return _split(mib, emulator.account.environment, "s3")


def _split(mib: int, variables: dict[str, str], *source: str) -> SplitReport:
    printed = subprocess.run(
        [sys.executable, "-m", "bench.measured_split", str(mib), *source],
        cwd=ROOT,
        env=os.environ | {"AWS_DEFAULT_REGION": "us-east-1"} | variables,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    report: SplitReport = json.loads(printed)
    return report
