"""SQS: the queue for messages that were refused, or failed for good, and need an operator."""

from typing import TYPE_CHECKING

import msgspec

from .aws_errors import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from ..application.ports import DeadLetterJson


class SqsDeadLetters:
    """The stage's dead-letter queue. Raises Unavailable if SQS doesn't take a message."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, letter: "DeadLetterJson") -> None:
        """Send the letter to the queue, as JSON."""
        body = msgspec.json.encode(letter).decode()
        with aws_errors("SQS"):
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)
