"""EventBus against EventBridge: what a rule's target gets; no refusal is taken for a yes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.config import Config
from botocore.stub import Stubber

from chalicelib.adapters.eventbridge import EventBridgeBus
from chalicelib.domain.errors import Unavailable
from chalicelib.presentation import serializers
from tests.aws.clients import session
from tests.aws.closed_port import closed_port
from tests.core.anything import the_largest
from tests.fakes import EXECUTION

AT = datetime(2026, 11, 22, 9, 0, 1, tzinfo=UTC)
DETAIL: Any = {"approvalId": "x" * 26, "outcome": "approved", "subject": "Über 🚀"}
ENTRY_BYTES = 262_144
"""What one entry may have by the guide; botocore's model says 1 MB by now (docs/fidelity.md)."""


@pytest.fixture
def client(credentials: None) -> Any:  # noqa: ARG001 (it must be there first)
    """Return a client that checks parameters against botocore's model and tries once."""
    return session().client("events", config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture
def stub(client: Any) -> Iterator[Stubber]:
    """Give EventBridge's part, as the test writes it; every line of it is spoken."""
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.mark.usefixtures("account")
def test_a_rule_hands_its_target_the_outcome() -> None:
    """In moto: source, type, time and resource are the envelope's, the rest is the detail."""
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


def test_an_entry_that_is_refused_is_unavailable(client: Any, stub: Stubber) -> None:
    """PutEvents answers 200 to it: the promise stays, and the tick tries again."""
    refused = {"ErrorCode": "ThrottlingException", "ErrorMessage": f"about {DETAIL}"}
    stub.add_response("put_events", {"FailedEntryCount": 1, "Entries": [refused]})
    with pytest.raises(Unavailable, match="EventBridge answered ThrottlingException") as raised:
        EventBridgeBus(client, "test").announce(DETAIL, AT, EXECUTION)
    assert "Über" not in raised.value.message


@pytest.mark.parametrize("code", ["InternalException", "AccessDeniedException"])
def test_a_call_that_is_refused_is_unavailable(client: Any, stub: Stubber, code: str) -> None:
    """By its code."""
    stub.add_client_error("put_events", code)
    with pytest.raises(Unavailable, match=f"EventBridge answered {code}"):
        EventBridgeBus(client, "test").announce(DETAIL, AT, EXECUTION)


@pytest.mark.usefixtures("credentials")
def test_eventbridge_that_is_not_there_is_unavailable() -> None:
    """A refused connection announces nothing."""
    with closed_port() as url:
        config = Config(retries={"total_max_attempts": 1})
        client = session().client("events", endpoint_url=url, config=config)
        with pytest.raises(Unavailable, match="EndpointConnectionError"):
            EventBridgeBus(client, "test").announce(DETAIL, AT, EXECUTION)


def test_the_largest_outcome_is_far_below_the_limit(client: Any, stub: Stubber) -> None:
    """Fifty approvers with the longest addresses have decided, with the longest of subjects."""
    approval = the_largest("")
    decided = [
        {"approver": a.address, "decision": "approve", "decidedAt": "2026-11-22T09:00:00Z"}
        for a in approval.approvers
    ]
    detail: Any = {**serializers.announcement(approval), "decisions": decided}
    assert len(json.dumps(detail).encode()) < ENTRY_BYTES / 5
    stub.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})
    EventBridgeBus(client, "x" * 21).announce(detail, AT, approval.execution_arn)
