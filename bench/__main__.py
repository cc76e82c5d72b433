"""`python -m bench`: measures Assent and a bare Chalice handler, and prints one table of both.

The runs of the two apps alternate, so that other load on the machine affects both.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.approvals import items_for
from bench.environment import ENVIRONMENT
from bench.measured_app import Items, Measured
from bench.packages import ROOT, Package, package_assent, package_bare

COLD_ROUNDS = 25
WARM_ROUNDS = 5
MAX_CALLS = {"page": 1, "decision": 2, "closing decision": 4}
"""The AWS calls that each may make."""


def main() -> None:
    """Measure everything and print one table."""
    table = Table(
        "what", "bare", "Assent", "ratio", "at most", title="Assent beside a bare handler"
    )
    with tempfile.TemporaryDirectory() as folder:
        packages = [package_bare(Path(folder)), package_assent(Path(folder))]
        _add_cold_start(packages, table)
        _add_warm_requests(packages, table)
    table.add_row(
        "deployment zip, kB",
        *_figures([package.zipped_bytes / 1e3 for package in packages]),
        "1,000 kB",
    )
    table.add_row("sandbox ready, s", "", f"{_sandbox_seconds():.1f}", "", "30 s")
    Console(width=100).print(table)


def _add_cold_start(packages: list[Package], table: Table) -> None:
    """Measure from the start of a process to its first page."""
    took: dict[str, list[float]] = {package.name: [] for package in packages}
    for _ in range(COLD_ROUNDS):
        for package in packages:
            items = items_for(package.name)
            with _dynamodb_with(items["page"]) as url:
                started = time.perf_counter()
                _run(package, "cold", items, {"AWS_ENDPOINT_URL": url})
                took[package.name].append((time.perf_counter() - started) * 1000)
    medians = [statistics.median(took[package.name]) for package in packages]
    table.add_row("cold first page, ms", *_figures(medians), "1.10 x")


def _add_warm_requests(packages: list[Package], table: Table) -> None:
    """Measure pages and decisions in a process that has answered before."""
    runs: dict[str, list[dict[str, Measured]]] = {package.name: [] for package in packages}
    for _ in range(WARM_ROUNDS):
        for package in packages:
            printed = _run(package, "warm", items_for(package.name), {})
            runs[package.name].append(json.loads(printed))
    for request in MAX_CALLS:
        medians = [
            statistics.median(run[request]["ms"] for run in runs[package.name])
            for package in packages
        ]
        table.add_row(f"warm {request}, ms", *_figures(medians, digits=2), "1.5 x")
    for request, max_calls in MAX_CALLS.items():
        bare, assent = (runs[package.name][0][request]["calls"] for package in packages)
        table.add_row(f"AWS calls, {request}", str(bare), str(assent), "", str(max_calls))


def _figures(measured: list[float], digits: int = 0) -> tuple[str, str, str]:
    """Return both figures and the ratio of Assent's to the bare handler's."""
    bare, assent = measured
    return f"{bare:,.{digits}f}", f"{assent:,.{digits}f}", f"{assent / bare:.2f} x"


def _run(package: Package, mode: str, items: Items, variables: dict[str, str]) -> str:
    """Run `measured_app.py` over a package and return what it prints."""
    path = os.pathsep.join([str(package.folder), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-P", "-m", "bench.measured_app", package.name, mode],
        env=os.environ | ENVIRONMENT | {"PYTHONPATH": path} | variables,
        input=json.dumps(items),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


@contextmanager
def _dynamodb_with(item: dict[str, Any]) -> Iterator[str]:
    """Serve a DynamoDB on loopback that answers every call with this item, and yield its URL."""
    body = json.dumps({"Item": item}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Log nothing, because the time is measured."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _sandbox_seconds() -> float:
    """Return the seconds from the start of `make demo` to ready, with everything installed."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        demo = subprocess.Popen(
            [sys.executable, "-m", "tools.sandbox", "--dir", folder],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        try:
            while not (Path(folder) / "state.json").exists():
                if demo.poll() is not None:
                    sys.exit("the sandbox ended before it was ready")
                time.sleep(0.05)
            return time.perf_counter() - started
        finally:
            demo.terminate()
            demo.wait(30)


if __name__ == "__main__":
    main()
