"""Assent's wiring for measured ticks: metered clients, another clock, simulated latencies.

DynamoDB is the emulator at AWS_ENDPOINT_URL; the answers of SNS, EventBridge and Step Functions are
canned.
"""

import json
import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qs

from bench.approvals import APPROVERS, approver
from bench.clock import Clock
from bench.measured_app import canned_response
from bench.meter import Meter
from chalicelib.adapters.topic_policy import topic_policy
from chalicelib.wiring import Wiring

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
"""The time at which the first tick begins."""
LATENCY = {"dynamodb": 0.005, "sns": 0.030, "sfn": 0.030, "eventbridge": 0.030}
"""Seconds that a call of each service takes: assumed."""
TRANSACTION_LATENCY = 0.010
"""Seconds that a DynamoDB transaction takes: assumed as well."""
ANSWERS = {
    "PutEvents": b'{"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}',
    "SendTaskFailure": b"{}",
    "Publish": b"<R><PublishResult><MessageId>1</MessageId></PublishResult></R>",
}
TOPIC = """<R><GetTopicAttributesResult><Attributes>
<entry><key>Policy</key><value>{policy}</value></entry>
</Attributes></GetTopicAttributesResult></R>"""
"""A topic that needs no mending."""
SUBSCRIPTIONS = """<R><ListSubscriptionsByTopicResult><Subscriptions><member>
<SubscriptionArn>{arn}:1</SubscriptionArn><Protocol>email</Protocol><Endpoint>{address}</Endpoint>
</member></Subscriptions></ListSubscriptionsByTopicResult></R>"""
"""A topic whose approver has confirmed."""

Json = dict[str, Any]


class MeasuredWiring(Wiring):
    """The deployed wiring, with metered clients and another clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(os.environ)
        self.meter = Meter()
        self.answers = Counter[str]()
        """The number of answers to each task token."""
        self.lines: list[Json] = []
        self._clock = clock

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
        """Let the call's latency pass; return a canned response, or None to send the call."""
        service, operation = event_name.split(".")[1:]
        transaction = operation == "TransactWriteItems"
        self._clock.sleep(TRANSACTION_LATENCY if transaction else LATENCY[service])
        if operation == "SendTaskFailure":
            self.answers[json.loads(request.body)["taskToken"]] += 1
        body = ANSWERS.get(operation)
        if operation in ("GetTopicAttributes", "ListSubscriptionsByTopic"):
            (arn,) = parse_qs(request.body)["TopicArn"]
            body = self._topic(operation, arn).encode()
        return None if body is None else canned_response(request, body)

    def _topic(self, operation: str, arn: str) -> str:
        if operation == "GetTopicAttributes":
            return TOPIC.format(policy=escape(topic_policy(arn)))
        addresses = map(approver, range(APPROVERS))
        (address,) = (one for one in addresses if self.mailer.topic_arn(one) == arn)
        return SUBSCRIPTIONS.format(arn=arn, address=address)
