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

from rich.console import Console
from rich.table import Table

from bench.measured_split import BUCKET, PART, SplitReport
from bench.packages import ROOT
from tools.sandbox.emulator import Emulator, free_port

GENERATED = (10, 1_000, 10_000)
"""Sizes in MiB. The last is the largest document that the example accepts."""
FROM_S3 = (10, 256)
"""Sizes in MiB. The emulator has a document and its chunks in memory."""


def measure_splitting() -> list[tuple[str, SplitReport]]:
    """Split documents of all sizes; return a name and a report for each."""
    generated = [(f"{mib:,} MiB", _split(mib, {})) for mib in GENERATED]
    with (
        tempfile.TemporaryDirectory() as folder,
        Emulator(free_port(None, "PORT="), Path(folder)) as emulator,
    ):
        s3: Any = emulator.account.session.client("s3", endpoint_url=emulator.endpoint_url)
        s3.create_bucket(Bucket=BUCKET)
        from_s3 = [(f"{mib:,} MiB, S3", _split_from_s3(emulator, s3, mib)) for mib in FROM_S3]
    return generated + from_s3


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


def print_splitting(rows: list[tuple[str, SplitReport]]) -> None:
    """Print the time and the memory of each split."""
    table = Table(title="Splitting into chunks of 1 MiB")
    for name in ("document", "chunks", "s", "MB before", "MB at most"):
        table.add_column(name, justify="right")
    for name, report in rows:
        figures = [
            f"{report['seconds']:.1f}",
            f"{report['before_mb']:.0f}",
            f"{report['peak_mb']:.0f}",
        ]
        table.add_row(name, f"{report['chunks']:,}", *figures)
    Console(width=100).print(table)
