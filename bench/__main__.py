"""`make bench`: prints every figure that README.md gives, next to what it should be.

Cold and warm runs of the two apps alternate, so that a busy moment of the machine hits both.
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

from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from bench import packages
from chalicelib.adapters import dynamodb_items
from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval
from tests.asking import an_approval

COLD_ROUNDS = 25
WARM_ROUNDS = 5
SECRET = "a" * 32
Json = dict[str, Any]

ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "PYTHONDONTWRITEBYTECODE": "1",  # as in Lambda, where the code's folder can't be written
    "TABLE": "bench",
    "ASSENT_STAGE": "bench",
    "ASSENT_TABLE": "bench",
    "ASSENT_STATE_MACHINE_ARN": "arn:aws:states:us-east-1:000000000000:stateMachine:bench",
    "ASSENT_TOPIC_ARN_PREFIX": "arn:aws:sns:us-east-1:000000000000:bench-approver-",
    "ASSENT_DEAD_LETTERS_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/bench-dead-letters",
    "ASSENT_PUBLIC_URL": "https://assent.example.com/api",
    "ASSENT_APPROVER_DOMAINS": "example.com",
}


def main() -> None:
    """Measure everything and print one table."""
    table = Table(
        "what", "bare", "Assent", "ratio", "at most", title="Assent beside a bare handler"
    )
    with tempfile.TemporaryDirectory() as work:
        both = [packages.bare(Path(work)), packages.assent(Path(work))]
        _cold(both, table)
        _warm(both, table)
    table.add_row(
        "deployment zip, kB",
        *_figures([package.zipped_bytes / 1e3 for package in both]),
        "1,000 kB",
    )
    table.add_row("sandbox ready, s", "", f"{_sandbox_seconds():.1f}", "", "30 s")
    Console(width=100).print(table)


def _cold(both: list[packages.Package], table: Table) -> None:
    took: dict[str, list[float]] = {package.name: [] for package in both}
    for _ in range(COLD_ROUNDS):
        for package in both:
            items = _items(package.name)
            with _aws(items["page"]) as url:
                started = time.perf_counter()
                _run(package, "cold", items, {"AWS_ENDPOINT_URL": url})
                took[package.name].append((time.perf_counter() - started) * 1000)
    medians = [statistics.median(took[package.name]) for package in both]
    table.add_row("cold first page, ms", *_figures(medians), "1.10 x")


def _warm(both: list[packages.Package], table: Table) -> None:
    runs: dict[str, list[Json]] = {package.name: [] for package in both}
    for _ in range(WARM_ROUNDS):
        for package in both:
            out = _run(package, "warm", _items(package.name), {})
            runs[package.name].append(json.loads(out))
    for what in ("page", "vote", "closing vote"):
        medians = [
            statistics.median(run[what]["ms"] for run in runs[package.name]) for package in both
        ]
        table.add_row(f"warm {what}, ms", *_figures(medians, digits=2), "1.5 x")
    most = {"page": 1, "vote": 2, "closing vote": 4}
    for what, calls in most.items():
        bare, assent = (runs[package.name][0][what]["calls"] for package in both)
        table.add_row(f"AWS calls, {what}", str(bare), str(assent), "", str(calls))


def _figures(measured: list[float], digits: int = 0) -> tuple[str, str, str]:
    bare, assent = measured
    return f"{bare:,.{digits}f}", f"{assent:,.{digits}f}", f"{assent / bare:.2f} x"


def _run(package: packages.Package, temperature: str, items: Json, more: dict[str, str]) -> str:
    path = os.pathsep.join([str(package.folder), str(packages.ROOT)])
    return subprocess.run(
        [sys.executable, "-P", "-m", "bench.subject", package.name, temperature],
        env=os.environ | ENVIRONMENT | {"PYTHONPATH": path} | more,
        input=json.dumps(items),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def _items(name: str) -> Json:
    """Return the items that the app reads, for a page, a vote and a vote that closes."""
    one, two = (
        _pending(),
        _pending(approvers=["ada@example.com", "grace@example.com"], approvalsNeeded=2),
    )
    path = f"{one.id}.{SECRET}"
    if name == "bare":
        item = {"taskToken": {"S": one.task_token}, "subject": {"S": one.request.subject}}
        return {"path": path, "page": item, "vote": item, "closing vote": item}
    return {
        "path": path,
        "page": dynamodb_items.approval_item(one),
        "vote": dynamodb_items.approval_item(two),
        "closing vote": dynamodb_items.approval_item(one),
    }


def _pending(**fields: Any) -> Approval:
    """Return an approval that stays open while this runs and whose first link has SECRET."""
    details = {"Version": "4.2.0", "Changes": "Payment retries", "Risk": "low", "Services": 4}
    made = an_approval(details=details, expiresIn=31_536_000, **fields)
    first, *others = made.approvers
    mine = replace(first, link_hashes=(link_tokens.digest(SECRET),))
    created = made.created_at.replace(year=made.created_at.year + 50)
    return replace(made, approvers=(mine, *others), expires_at=created)


@contextmanager
def _aws(item: Json) -> Iterator[str]:
    """Serve one item on loopback as DynamoDB would, and yield its URL."""
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
            """Say nothing: this runs while the clock does."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _sandbox_seconds() -> float:
    """Return how long `make demo` takes from start to ready, once everything is installed."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        demo = subprocess.Popen(
            [sys.executable, "-m", "tools.sandbox", "--dir", folder],
            cwd=packages.ROOT,
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
