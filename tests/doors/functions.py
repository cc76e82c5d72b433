"""The functions of `app.py` that no request calls, run as Lambda runs them."""

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
