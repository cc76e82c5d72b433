"""The functions of `app.py` that no request calls, run as Lambda runs them."""

import json
from typing import Any

from chalice.local import LambdaContext

import app as doors_module


def tick(remaining_ms: int = 300_000) -> None:
    """Run the tick as its schedule does, with that much time left."""
    event = {
        "version": "0",
        "account": "000000000000",
        "region": "us-east-1",
        "detail": {},
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "time": "2026-11-22T09:00:00Z",
        "id": "1",
        "resources": ["arn:aws:events:us-east-1:000000000000:rule/assent-test-tick"],
    }
    context = LambdaContext("assent-test-tick", memory_size=256, max_runtime_ms=remaining_ms)
    doors_module.app.handler_map["tick"](event, context)


def deliver(function: str, *messages: object) -> None:
    """Run a function of a queue on these messages, as Lambda does; text is sent as it is."""
    records = [_record(number, said) for number, said in enumerate(messages)]
    doors_module.app.handler_map[function]({"Records": records}, _context(function))


def invoke(function: str, event: object) -> Any:
    """Run a function that code of the account calls, and return what it answers."""
    return doors_module.app.handler_map[function](event, _context(function))


def notification(said: object, message_id: str = "sns-1") -> dict[str, str]:
    """Return the envelope in which SNS puts what was published into a queue."""
    return {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": "arn:aws:sns:us-east-1:000000000000:assent-test-decisions",
        "Message": said if isinstance(said, str) else json.dumps(said),
        "Timestamp": "2026-11-22T09:00:00.000Z",
    }


def _record(number: int, said: object) -> dict[str, Any]:
    return {
        "messageId": f"sqs-{number}",
        "receiptHandle": "handle",
        "body": said if isinstance(said, str) else json.dumps(said),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:assent-test-decisions",
        "awsRegion": "us-east-1",
    }


def _context(function: str) -> LambdaContext:
    return LambdaContext(f"assent-test-{function}", memory_size=256, max_runtime_ms=30_000)
