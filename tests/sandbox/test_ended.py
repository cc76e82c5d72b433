"""An execution that is stopped: its approval is cancelled, and its approver is told."""

import json

import pytest

from tests.sandbox.announced import Announced
from tests.sandbox.client import Sandbox, press, until

ADA = "ada@example.com"
SUBJECT = "Stopped before it was answered"
A_TICK = 75
"""Seconds in which a tick runs, on a busy machine."""


def test_a_stopped_execution_leaves_no_approval_pending(
    sandbox: Sandbox, announced: Announced
) -> None:
    """Step Functions' event, the rule, the queue, the function, and the tick's mail and event."""
    name = sandbox.start(subject=SUBJECT)
    link = sandbox.link(ADA, SUBJECT)
    found = sandbox.execution(name)
    sandbox.client("stepfunctions").stop_execution(executionArn=found["executionArn"])
    closed = until(
        lambda: sandbox.execution(name), lambda seen: seen["outcome"] == "cancelled", seconds=40
    )
    assert closed["status"] == "ABORTED"
    approval = closed["approval"]
    assert (approval["executionEnded"], approval["resumed"]) == ("ABORTED", False)
    assert closed["approvals"][0]["id"] == approval["id"]
    (event,) = [one for one in approval["events"] if one["what"] == "cancelled"]
    assert (event["who"], event["via"]) == ("assent", "queue")
    assert event["note"] == "its workflow ended (ABORTED)"
    assert press(link).status == 410

    mailed = until(lambda: sandbox.mails(ADA, f"Cancelled: {SUBJECT}"), bool, seconds=A_TICK)
    assert len(mailed) == 1
    text = " ".join(mailed[0]["text"].split())
    assert "because its workflow was stopped" in text
    (told,) = until(lambda: announced.of(approval["id"]), bool, seconds=A_TICK)
    assert (told["detail"]["outcome"], told["detail"]["executionEnded"]) == ("cancelled", "ABORTED")
    item = until(lambda: sandbox.item(name), lambda seen: "dueAt" not in seen, seconds=A_TICK)
    assert sandbox.execution(name)["status"] == "ABORTED"
    assert '"taskToken":""' in item["approval"]["S"]


@pytest.mark.parametrize(
    ("status", "machine", "matches"),
    [
        ("ABORTED", "assent-sandbox", True),
        ("TIMED_OUT", "assent-sandbox", True),
        ("RUNNING", "assent-sandbox", False),
        ("ABORTED", "assent-sandbox-2", False),
        ("ABORTED", "orders-1", False),
    ],
)
def test_the_deployed_rule_matches_ends_of_the_stages_own_executions(
    sandbox: Sandbox, status: str, machine: str, matches: bool
) -> None:
    """And with a watched wildcard those of others."""
    events = sandbox.client("events")
    deployed = json.loads(events.describe_rule(Name="assent-sandbox-ended")["EventPattern"])
    event = {
        "id": "1",
        "account": "000000000000",
        "region": "us-east-1",
        "time": "2026-11-22T09:00:00Z",
        "resources": [],
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "detail": {
            "status": status,
            "stateMachineArn": sandbox.arn("states", f"stateMachine:{machine}"),
        },
    }

    def is_matched() -> bool:
        found = events.test_event_pattern(
            EventPattern=json.dumps(deployed), Event=json.dumps(event)
        )
        matched: bool = found["Result"]
        return matched

    assert is_matched() is matches
    watched = {"wildcard": sandbox.arn("states", "stateMachine:orders-*")}
    deployed["detail"]["stateMachineArn"].append(watched)
    assert is_matched() is (matches or machine == "orders-1")


def test_nobody_can_put_the_end_of_an_execution_on_the_bus(sandbox: Sandbox) -> None:
    """Sources that begin with `aws.` are AWS's own."""
    entry = {"Source": "aws.states", "DetailType": "x", "Detail": "{}"}
    answer = sandbox.client("events").put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
