"""EventBridgeBus in moto: what the target of a rule receives."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.adapters.eventbridge import EventBridgeBus
from tests.aws.clients import session
from tests.fakes import EXECUTION

AT = datetime(2026, 11, 22, 9, 0, 1, tzinfo=UTC)
DETAIL: Any = {"approvalId": "x" * 26, "outcome": "approved", "subject": "Über 🚀"}


@pytest.mark.usefixtures("account")
def test_the_target_of_a_rule_receives_the_outcome() -> None:
    """The envelope has source, type, time and resource; the rest is in the detail."""
    events, sqs = session().client("events"), session().client("sqs")
    url = sqs.create_queue(QueueName="target")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    for name, stage in (("ours", "test"), ("theirs", "other")):
        pattern = {"source": ["assent"], "detail": {"stage": [stage]}}
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, Targets=[{"Id": name, "Arn": arn["QueueArn"]}])
    EventBridgeBus(events, "test").announce(DETAIL, AT, EXECUTION)
    (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    event = json.loads(message["Body"])
    assert (event["source"], event["detail-type"]) == ("assent", "Approval closed")
    assert (event["time"], event["resources"]) == ("2026-11-22T09:00:01Z", [EXECUTION])
    assert event["detail"] == {"stage": "test"} | DETAIL
