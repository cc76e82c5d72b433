"""Reads the functions' settings and makes what the steps work with, each when it is first used."""

import json
import time
from collections.abc import Mapping
from functools import cached_property

import boto3
from botocore.config import Config

from .callbacks import Callbacks
from .counting import ScanTable
from .documents import Documents

# DynamoDB and S3 throttle while they scale up for a large document; boto3 then waits and retries.
_CONFIG = Config(
    connect_timeout=3, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 8}
)


class Wiring:
    """The steps' settings, clock, log and AWS services; `env` are the function's variables."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    @cached_property
    def scans(self) -> ScanTable:
        """The DynamoDB table of scans."""
        return ScanTable(boto3.client("dynamodb", config=_CONFIG), self._env["TABLE_NAME"])

    @cached_property
    def documents(self) -> Documents:
        """The S3 bucket of documents."""
        return Documents(boto3.client("s3", config=_CONFIG), self.bucket)

    @cached_property
    def callbacks(self) -> Callbacks:
        """The state machine and its tasks."""
        client = boto3.client("stepfunctions", config=_CONFIG)
        return Callbacks(client, self._env["STATE_MACHINE_ARN"])

    @property
    def bucket(self) -> str:
        """The name of the bucket."""
        return self._env["BUCKET_NAME"]

    @property
    def chunk_bytes(self) -> int:
        """The size of a chunk's body in bytes."""
        return int(self._env["CHUNK_BYTES"])

    @property
    def approvers(self) -> list[str]:
        """The approvers' e-mail addresses."""
        return [address.strip() for address in self._env["APPROVERS"].split(",")]

    @property
    def requested_by(self) -> str:
        """The requester's e-mail address, or an empty string."""
        return self._env["REQUESTED_BY"]

    def now(self) -> int:
        """Return the time in milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def log(self, event: str, **facts: object) -> None:
        """Print one line of JSON to the function's log: never a task token or a finding."""
        print(json.dumps({"event": event, **facts}), flush=True)
