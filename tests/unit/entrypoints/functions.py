"""Runs the functions of `app.py` that aren't routes, as Lambda runs them."""

import json
from typing import Any

from chalice.local import LambdaContext

import app as app_module


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
    app_module.app.handler_map["tick"](event, context)


def deliver(function: str, *messages: object) -> None:
    """Run a queue's function on these messages; a text is a body as it is, others become JSON."""
    records = [_record(number, message) for number, message in enumerate(messages)]
    app_module.app.handler_map[function]({"Records": records}, _context(function))


def invoke(function: str, event: object) -> Any:
    """Invoke a function as other programs do, and return its result."""
    return app_module.app.handler_map[function](event, _context(function))


def notification(message: object, message_id: str = "sns-1") -> dict[str, str]:
    """Return the envelope in which SNS delivers a message to a queue."""
    return {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": "arn:aws:sns:us-east-1:000000000000:assent-test-decisions",
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": "2026-11-22T09:00:00.000Z",
    }


def _record(number: int, message: object) -> dict[str, Any]:
    return {
        "messageId": f"sqs-{number}",
        "receiptHandle": "handle",
        "body": message if isinstance(message, str) else json.dumps(message),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:assent-test-decisions",
        "awsRegion": "us-east-1",
    }


def _context(function: str) -> LambdaContext:
    return LambdaContext(f"assent-test-{function}", memory_size=256, max_runtime_ms=30_000)
