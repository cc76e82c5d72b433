"""EDGE: the stage's settings -> clients -> adapters, each made when first used and then kept."""

import json
import time
from collections.abc import Mapping
from functools import cached_property

import boto3
from botocore.config import Config

from .callbacks import Callbacks
from .counting import Counting
from .documents import Documents

# DynamoDB and S3 turn calls away while they grow with a large document's rush: wait and try again.
_CONFIG = Config(
    connect_timeout=3, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 8}
)


class Wiring:
    """What the steps work with; the environment is what the deploy put into the functions."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    @cached_property
    def counting(self) -> Counting:
        """DynamoDB."""
        return Counting(boto3.client("dynamodb", config=_CONFIG), self._env["TABLE_NAME"])

    @cached_property
    def documents(self) -> Documents:
        """S3."""
        return Documents(boto3.client("s3", config=_CONFIG), self.bucket)

    @cached_property
    def callbacks(self) -> Callbacks:
        """Step Functions."""
        client = boto3.client("stepfunctions", config=_CONFIG)
        return Callbacks(client, self._env["STATE_MACHINE_ARN"])

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._env["BUCKET_NAME"]

    @property
    def chunk_bytes(self) -> int:
        """How large the body of a chunk is."""
        return int(self._env["CHUNK_BYTES"])

    @property
    def approvers(self) -> list[str]:
        """Who is asked."""
        return [address.strip() for address in self._env["APPROVERS"].split(",")]

    @property
    def requested_by(self) -> str:
        """In whose name they are asked."""
        return self._env["REQUESTED_BY"]

    def now(self) -> int:
        """Return the time in milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def log(self, event: str, **facts: object) -> None:
        """Write one line of JSON to the function's log: never a token, nor what was found."""
        print(json.dumps({"event": event, **facts}), flush=True)
