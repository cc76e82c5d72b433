"""EventBridgeBus against a stub: an outcome that EventBridge refuses stays in the outbox."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from chalicelib.adapters.eventbridge import EventBridgeBus
from chalicelib.domain.errors import Unavailable
from chalicelib.presentation import serializers
from tests.aws.stubs import strict_client, stubbed
from tests.fakes import EXECUTION
from tests.unit.strategies import largest_approval

AT = datetime(2026, 11, 22, 9, 0, 1, tzinfo=UTC)
DETAIL: Any = {"approvalId": "x" * 26, "outcome": "approved", "subject": "Über 🚀"}
ENTRY_BYTES = 262_144
"""An entry's limit by AWS's guide; botocore's model says 1 MB by now (docs/fidelity.md)."""


@pytest.fixture
def client() -> Any:
    """Return a client without AWS."""
    return strict_client("events")


@pytest.fixture
def stub(client: Any) -> Iterator[Stubber]:
    """Give the stub that answers for EventBridge."""
    with stubbed(client) as stub:
        yield stub


def test_a_refused_entry_is_unavailable(client: Any, stub: Stubber) -> None:
    """PutEvents answers 200 and counts it; the message repeats nothing of the event."""
    refused = {"ErrorCode": "ThrottlingException", "ErrorMessage": f"about {DETAIL}"}
    stub.add_response("put_events", {"FailedEntryCount": 1, "Entries": [refused]})
    with pytest.raises(Unavailable, match="EventBridge answered ThrottlingException") as raised:
        EventBridgeBus(client, "test").announce(DETAIL, AT, EXECUTION)
    assert "Über" not in raised.value.message


@pytest.mark.parametrize("code", ["InternalException", "AccessDeniedException"])
def test_a_refused_call_is_unavailable(client: Any, stub: Stubber, code: str) -> None:
    """No code of PutEvents is taken for an answer."""
    stub.add_client_error("put_events", code)
    with pytest.raises(Unavailable, match=f"EventBridge answered {code}"):
        EventBridgeBus(client, "test").announce(DETAIL, AT, EXECUTION)


def test_the_largest_outcome_is_far_below_the_limit(client: Any, stub: Stubber) -> None:
    """Fifty approvers with the longest addresses have decided, with the longest subject."""
    approval = largest_approval("")
    decided = [
        {"approver": a.address, "decision": "approve", "decidedAt": "2026-11-22T09:00:00Z"}
        for a in approval.approvers
    ]
    detail: Any = {**serializers.announcement(approval), "decisions": decided}
    assert len(json.dumps(detail).encode()) < ENTRY_BYTES / 5
    stub.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})
    EventBridgeBus(client, "x" * 21).announce(detail, AT, approval.execution_arn)
