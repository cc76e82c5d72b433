"""ADAPTER: SQS: the queue of what was refused, or failed for good, and has to be looked at."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from .aws import faults

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class DeadLetters:
    """The stage's queue of dead letters. Raises Unavailable if SQS doesn't take one."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, letter: Mapping[str, Any]) -> None:
        """Keep the letter, as JSON, for whoever looks into the queue."""
        body = msgspec.json.encode(letter).decode()
        with faults("SQS"):
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)
