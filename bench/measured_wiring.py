"""Assent's wiring for measured ticks: metered clients, another clock, simulated latencies.

DynamoDB is the emulator at AWS_ENDPOINT_URL; the answers of SNS, EventBridge and Step Functions are
canned.
"""

import json
import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from botocore.config import Config

from bench.approvals import APPROVERS, approver
from bench.canned_aws import SERVICE_OF, CannedAws, latency, response
from bench.clock import Clock
from bench.meter import Meter
from chalicelib import wiring
from chalicelib.wiring import Wiring

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
"""The time at which the first tick begins."""
Json = dict[str, Any]


class MeasuredWiring(Wiring):
    """The deployed wiring, with metered clients and another clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(os.environ)
        # The emulator sorts an index of 100,000 keys for each query; DynamoDB keeps it sorted.
        wiring._CONFIG = wiring._CONFIG.merge(Config(read_timeout=60))
        self.meter = Meter()
        self.answers = Counter[str]()
        """The number of answers to each task token."""
        self.mails: list[str] = []
        self.lines: list[Json] = []
        self._clock = clock
        self._aws = CannedAws({}, map(approver, range(APPROVERS)))

    def now(self) -> datetime:
        """Return the clock's time."""
        return START + timedelta(seconds=int(self._clock.now))

    def log(self, event: str, **facts: object) -> None:
        """Record the log line."""
        self.lines.append({"event": event, **facts})

    def _client(self, service: str) -> Any:
        client = super()._client(service)
        self.meter.watch(client)
        client.meta.events.register("before-send", self._send)
        return client

    def _send(self, request: Any, event_name: str, **_: Any) -> Any:
        """Let the call's latency pass; return a prepared response, or None to send the call."""
        operation = event_name.rpartition(".")[2]
        self._clock.sleep(latency(operation))
        if SERVICE_OF[operation] == "dynamodb":
            return None
        body = request.body if isinstance(request.body, bytes) else request.body.encode()
        if operation in ("SendTaskSuccess", "SendTaskFailure"):
            self.answers[json.loads(body)["taskToken"]] += 1
        if operation == "Publish":
            self.mails.append(parse_qs(body.decode())["Message"][0])
        return response(request.url, self._aws.answer(operation, body))
