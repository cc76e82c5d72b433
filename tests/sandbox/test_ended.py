"""An execution that is stopped: its approval is cancelled, and its approver is told."""

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
    assert event["note"] == "its workflow ended by itself (ABORTED)"
    assert press(link).status == 410

    mailed = until(lambda: sandbox.mails(ADA, f"Cancelled: {SUBJECT}"), bool, seconds=A_TICK)
    assert len(mailed) == 1
    text = " ".join(mailed[0]["text"].split())
    assert "because its workflow ended by itself" in text
    (told,) = until(lambda: announced.of(approval["id"]), bool, seconds=A_TICK)
    assert (told["detail"]["outcome"], told["detail"]["executionEnded"]) == ("cancelled", "ABORTED")
    item = until(lambda: sandbox.item(name), lambda seen: "dueAt" not in seen, seconds=A_TICK)
    assert '"taskToken":""' in item["approval"]["S"]
