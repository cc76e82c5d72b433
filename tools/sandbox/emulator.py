"""Starts MiniStack, the emulator of AWS, as a child process on loopback, and stops it.

The child process runs `emulator_process.py`.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType

import boto3

from tools.account import Account
from tools.errors import ToolError
from tools.sandbox.state import AwsState

REGION = "us-east-1"
HOST = "127.0.0.1"
ROOT_KEYS = ("test", "test")  # MiniStack lets root do everything, and checks no signature
_CHECKOUT = Path(__file__).parents[2]


def free_port(wanted: int | None, option: str) -> int:
    """Return the wanted port or any free one; raise ToolError if the wanted one is taken."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((HOST, wanted or 0))
        except OSError as e:
            raise ToolError(
                f"port {wanted} is taken: give another {option}, or none for any free one"
            ) from e
        port: int = s.getsockname()[1]
        return port


class Emulator:
    """A running MiniStack, as a context manager. It enforces IAM, and keeps nothing afterwards."""

    def __init__(self, port: int, directory: Path) -> None:
        self.endpoint_url = f"http://{HOST}:{port}"
        self.mail = directory / "mail.jsonl"
        self.calls = directory / "calls.jsonl"
        self._port = port
        self._log = directory / "emulator.log"
        self._scratch = directory / "tmp"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def account(self) -> Account:
        """Return the emulated account, with the root user's keys."""
        key, secret = ROOT_KEYS
        session = boto3.Session(
            aws_access_key_id=key, aws_secret_access_key=secret, region_name=REGION
        )
        return Account(session, self.endpoint_url)

    @property
    def state(self) -> AwsState:
        """Return the emulator's part of `state.json`."""
        key, secret = ROOT_KEYS
        return {
            "endpointUrl": self.endpoint_url,
            "region": REGION,
            "accessKeyId": key,
            "secretAccessKey": secret,
        }

    def __enter__(self) -> "Emulator":
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(parents=True)
        self.mail.write_text("")
        self.calls.write_text("")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tools.sandbox.emulator_process", self.mail, self.calls],
                cwd=_CHECKOUT,
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_healthy(self._process)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def wait(self) -> None:
        """Wait until the emulator's process ends, which it does by itself only after a fault."""
        if self._process is not None:
            self._process.wait()

    def _environment(self) -> dict[str, str]:
        """Return an environment without yours: the processes of Lambda functions inherit it."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "TMPDIR": str(self._scratch),
            "GATEWAY_PORT": str(self._port),
            "BIND_HOST": HOST,
            "AUTH": "true",
            "LOG_LEVEL": "WARNING",
            "MINISTACK_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ROOT_KEYS[0],
            "AWS_SECRET_ACCESS_KEY": ROOT_KEYS[1],
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            # Services that aren't needed, and would open more ports or look for containers.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": f"unix://{self._scratch}/no-docker",
        }

    def _wait_until_healthy(self, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
        health = f"{self.endpoint_url}/_ministack/health"
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if process.poll() is not None:
                raise ToolError(
                    f"the emulator didn't start:\n{self._log.read_text(errors='replace')[-2000:]}"
                )
            try:
                urllib.request.urlopen(health, timeout=1).close()  # noqa: S310  # http on loopback
                return
            except OSError:
                time.sleep(0.05)
        raise ToolError(f"the emulator wasn't ready after {seconds:.0f} s, see {self._log}")

    def _stop(self) -> None:
        """Stop the process and its children, which are its process group."""
        if self._process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, number)
                self._process.wait(3)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None
        shutil.rmtree(self._scratch, ignore_errors=True)
