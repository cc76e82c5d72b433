"""A follower of outcomes: a rule on the event bus, and a queue as its target."""

import json

from tests.sandbox.client import Json, Sandbox, policy, statement

NAME = "follower"
PATTERN = {"source": ["assent"], "detail-type": ["Approval closed"]}


class Announced:
    """The events that reached the rule's target."""

    def __init__(self, sandbox: Sandbox, name: str = NAME, pattern: Json | None = None) -> None:
        self._sqs, events = sandbox.client("sqs"), sandbox.client("events")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn, rule = sandbox.arn("sqs", name), sandbox.arn("events", f"rule/{name}")
        allowed = statement("sqs:SendMessage", arn) | {
            "Principal": {"Service": "events.amazonaws.com"},
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        self._sqs.set_queue_attributes(
            QueueUrl=self._url, Attributes={"Policy": json.dumps(policy(allowed))}
        )
        events.put_rule(Name=name, EventPattern=json.dumps(pattern or PATTERN))
        events.put_targets(Rule=name, Targets=[{"Id": name, "Arn": arn}])
        self._got: list[Json] = []

    def of(self, approval_id: str) -> list[Json]:
        """Return the events about that approval so far."""
        while found := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in found:
                self._got.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return [event for event in self._got if event["detail"]["approvalId"] == approval_id]
